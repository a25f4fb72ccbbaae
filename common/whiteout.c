/* whiteout.c - see whiteout.h */
#include "common/whiteout.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define OPAQUE_NAME ".wh..wh..opq"

static bool is(const char *name, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(name, text, len) == 0;
}

static bool begins(const char *name, size_t len, const char *text)
{
	return len >= strlen(text) && memcmp(name, text, strlen(text)) == 0;
}

static enum whiteout kind_of_last(const char *name, size_t len)
{
	if (is(name, len, OPAQUE_NAME))
		return WHITEOUT_OPAQUE;
	if (is(name, len, ".wh.") || is(name, len, ".wh..") ||
	    is(name, len, ".wh..."))
		return WHITEOUT_BAD;
	return WHITEOUT_PLAIN;
}

enum whiteout whiteout_kind(const char *path)
{
	for (const char *name = path;;) {
		size_t len = strcspn(name, "/");

		if (begins(name, len, WHITEOUT_PREFIX)) {
			if (name == path && begins(name, len, ".wh..wh.") &&
			    !is(name, len, OPAQUE_NAME))
				return WHITEOUT_AUFS;
			return name[len] ? WHITEOUT_BAD
					 : kind_of_last(name, len);
		}
		if (name[len] == '\0')
			return WHITEOUT_NONE;
		name += len + 1;
	}
}
