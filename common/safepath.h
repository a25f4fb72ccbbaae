/* safepath.h - paths from outside, below a directory of ours.
 *
 * Whatever links lie on the way, and whoever swaps them meanwhile, a path
 * ends below the root: openat2(2) sees to it with RESOLVE_IN_ROOT, and where
 * the kernel or a seccomp filter lacks it, or where a path is longer than
 * PATH_MAX, a walk component by component with O_NOFOLLOW does, which reads
 * each link itself. A link to "/" leads to the root, ".." ends there.
 *
 * Nothing here reports; -1 comes with errno.
 */
#ifndef OCCY_COMMON_SAFEPATH_H
#define OCCY_COMMON_SAFEPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "common/buf.h"

#define SAFEPATH_MAX_LINKS 40 /* the kernel's own limit */

struct safe_root {
	int fd;         /* a directory; lent */
	bool walk_only; /* as if there were no openat2(2) */
};

/* Bring a path into normal form in *out: no leading, doubled or trailing
 * slashes, no "." components; the root is "". Returns 0, or -1 (EINVAL) for a
 * path with a ".." component. */
int safepath_clean(const char *path, struct buf *out);

/* Open a path in normal form below the root; links on the way are followed,
 * but for the last component if flags have O_NOFOLLOW. The flags are those of
 * open(2), without O_CREAT; O_CLOEXEC is added. Returns a descriptor or -1. */
int safepath_open(const struct safe_root *root, const char *path, int flags);

/* The same, and any link at all is ELOOP. */
int safepath_open_direct(const struct safe_root *root, const char *path,
			 int flags);

/* chmod of what an O_PATH descriptor stands for; never of a link's target. */
int safepath_chmod(int fd, mode_t mode);

/* A walk that stops at each step. */
enum safe_step {
	SAFE_FAILED = -1, /* errno says why */
	SAFE_THERE,       /* fd is the directory that was asked for */
	SAFE_DOWN,        /* fd is now the directory `name` of the one before */
	SAFE_JUMP,        /* a link led to another directory; fd is that */
	SAFE_ABSENT,      /* fd has no `name`; it is tried again if called */
	SAFE_OTHER,       /* fd's `name` is neither directory nor link; as above */
};

struct safe_walk {
	const struct safe_root *root;
	int fd;           /* O_PATH; owned; -1 stands for the root's */
	struct stat stat; /* of fd, after SAFE_DOWN and SAFE_JUMP */
	char *name;       /* the component a step was about; in rest */
	unsigned int links;
	bool from_link;   /* name comes from a link, not from the path */
	struct buf rest;  /* what is still to go */
	size_t own;       /* how many bytes at its end are of the path */
	size_t used;      /* of rest */
	size_t restore;   /* where in rest a '/' was made a NUL, plus 1; or 0 */
	struct buf real;  /* the way from the root to fd, free of links */
};

void safe_walk_begin(struct safe_walk *walk, const struct safe_root *root,
		     const char *path);
enum safe_step safe_walk_next(struct safe_walk *walk);
int safe_walk_fd(const struct safe_walk *walk);
void safe_walk_end(struct safe_walk *walk);

static inline void auto_release_safe_walk(struct safe_walk *walk)
{
	safe_walk_end(walk);
}

#endif
