/* cleanup.h - scope-bound release of the objects this project uses.
 *
 * Declare, initialise, forget:   AUTO(json) struct json_object *o = NULL;
 * Hand out of the scope:         *out = TAKE(o);
 *
 * - initialise in the declaration, always; the release runs on every path
 * - a function uses AUTO or goto, never both (-Wjump-misses-init guards it)
 * - objects are released in reverse order of declaration, so declare what is
 *   leant on before what leans on it
 * - anything written to is closed by hand and the result checked first; the
 *   release here is only the error path
 */
#ifndef OCCY_COMMON_CLEANUP_H
#define OCCY_COMMON_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(kind) __attribute__((cleanup(auto_release_##kind)))

/* Empty the variable and give its pointer away; the type is kept. */
#define TAKE(p)                                                               \
	__extension__({                                                       \
		__typeof__(p) t_ = (p);                                       \
		(p) = NULL;                                                   \
		t_;                                                           \
	})

/* The same for a file descriptor, which is empty at -1. */
#define TAKE_FD(fd)                                                           \
	__extension__({                                                       \
		int t_ = (fd);                                                \
		(fd) = -1;                                                    \
		t_;                                                           \
	})

/* For a header that owns a type: AUTO_DEFINE(json, struct json_object *,
 * json_object_put) makes AUTO(json). The release function never sees NULL. */
#define AUTO_DEFINE(kind, type, release)                                      \
	static inline void auto_release_##kind(type *p)                       \
	{                                                                     \
		if (*p)                                                       \
			release(*p);                                          \
	}                                                                     \
	struct auto_##kind##_needs_a_semicolon

AUTO_DEFINE(mem, char *, free);
AUTO_DEFINE(dir, DIR *, closedir);

/* Keeps errno, so that an error path may still report it. */
static inline void auto_release_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#endif
