/* safepath.c - see safepath.h */
#include "common/safepath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/mem.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* on every architecture */
#endif

#define RETRIES 32 /* EAGAIN: something was renamed while ".." was resolved */

int safepath_clean(const char *path, struct buf *out)
{
	out->len = 0;
	buf_reserve(out, 0)[0] = '\0';
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			errno = EINVAL;
			return -1;
		}
		if (len > 0 && !(len == 1 && path[0] == '.')) {
			if (out->len > 0)
				buf_append(out, "/", 1);
			buf_append(out, path, len);
		}
		path += len;
		path += *path == '/';
	}
	return 0;
}

static int open_in_kernel(const struct safe_root *root, const char *path,
			  int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = resolve,
	};
	long fd = -1;

	for (int i = 0; i < RETRIES; i++) {
		fd = syscall(SYS_openat2, root->fd, *path ? path : ".", &how,
			     sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return (int)fd;
}

/* Is it for the walk to say what becomes of the path? */
static bool kernel_cannot(int fd)
{
	return fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN ||
			  errno == EINTR || errno == ENAMETOOLONG);
}

void safe_walk_begin(struct safe_walk *walk, const struct safe_root *root,
		     const char *path)
{
	*walk = (struct safe_walk){ .root = root, .fd = -1 };
	buf_append_text(&walk->rest, path);
	buf_append_text(&walk->real, "");
	walk->own = walk->rest.len;
}

void safe_walk_end(struct safe_walk *walk)
{
	int saved = errno;

	if (walk->fd >= 0)
		close(walk->fd);
	buf_clear(&walk->rest);
	buf_clear(&walk->real);
	*walk = (struct safe_walk){ .fd = -1 };
	errno = saved;
}

int safe_walk_fd(const struct safe_walk *walk)
{
	return walk->fd >= 0 ? walk->fd : walk->root->fd;
}

static void enter(struct safe_walk *walk, int fd)
{
	if (walk->fd >= 0)
		close(walk->fd);
	walk->fd = fd;
}

/* The next component of rest as walk->name; false when there is none. */
static bool next_name(struct safe_walk *walk)
{
	char *p;

	if (walk->restore > 0)
		walk->rest.data[walk->restore - 1] = '/';
	walk->restore = 0;
	p = walk->rest.data + walk->used;
	while (*p == '/' || (*p == '.' && (p[1] == '/' || p[1] == '\0')))
		p++;
	walk->used = (size_t)(p - walk->rest.data);
	walk->name = p;
	walk->from_link = walk->used + walk->own < walk->rest.len;
	if (*p == '\0')
		return false;
	p += strcspn(p, "/");
	if (*p == '/') {
		*p = '\0';
		walk->restore = (size_t)(p - walk->rest.data) + 1;
	}
	return true;
}

static void drop_name(struct safe_walk *walk)
{
	walk->used += strlen(walk->name);
	if (walk->restore > 0)
		walk->used++;
	walk->restore = 0;
}

/* Up, or to the root: by the way that is known from the root, because ".." of
 * a directory that somebody moves away meanwhile is anywhere. */
static enum safe_step jump(struct safe_walk *walk)
{
	AUTO(fd) int fd = -1;

	if (walk->real.len == 0) {
		enter(walk, -1);
	} else {
		fd = safepath_open_direct(walk->root, walk->real.data,
					  O_PATH | O_DIRECTORY);
		if (fd < 0)
			return SAFE_FAILED;
		enter(walk, TAKE_FD(fd));
	}
	if (fstat(safe_walk_fd(walk), &walk->stat) != 0)
		return SAFE_FAILED;
	return SAFE_JUMP;
}

static enum safe_step go_up(struct safe_walk *walk)
{
	char *slash = strrchr(walk->real.data, '/');

	drop_name(walk);
	walk->real.len = slash ? (size_t)(slash - walk->real.data) : 0;
	walk->real.data[walk->real.len] = '\0';
	return jump(walk);
}

/* Put a link's target in the place of its name. */
static enum safe_step follow(struct safe_walk *walk, int fd)
{
	char target[PATH_MAX];
	struct buf rest = { 0 };
	bool is_last = walk->restore == 0;
	ssize_t len = readlinkat(fd, "", target, sizeof(target));

	if (len < 0)
		return SAFE_FAILED;
	if (++walk->links > SAFEPATH_MAX_LINKS || len == sizeof(target)) {
		errno = ELOOP;
		return SAFE_FAILED;
	}
	drop_name(walk);
	buf_append(&rest, target, (size_t)len);
	/* The last one may lead to a file, which a slash would deny. */
	if (!is_last)
		buf_append_text(&rest, "/");
	buf_append_text(&rest, walk->rest.data + walk->used);
	if (walk->own > walk->rest.len - walk->used)
		walk->own = walk->rest.len - walk->used;
	buf_clear(&walk->rest);
	walk->rest = rest;
	walk->used = 0;
	if (target[0] != '/')
		return fstat(safe_walk_fd(walk), &walk->stat) == 0 ? SAFE_JUMP
								   : SAFE_FAILED;
	walk->real.len = 0;
	walk->real.data[0] = '\0';
	return jump(walk);
}

static enum safe_step go_down(struct safe_walk *walk, int fd)
{
	enter(walk, fd);
	if (walk->real.len > 0)
		buf_append(&walk->real, "/", 1);
	buf_append_text(&walk->real, walk->name);
	walk->used += strlen(walk->name);
	return SAFE_DOWN; /* the name stays readable until the next step */
}

enum safe_step safe_walk_next(struct safe_walk *walk)
{
	AUTO(fd) int fd = -1;
	struct stat stat;

	if (!next_name(walk))
		return SAFE_THERE;
	if (strcmp(walk->name, "..") == 0)
		return go_up(walk);
	fd = openat(safe_walk_fd(walk), walk->name,
		    O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? SAFE_ABSENT : SAFE_FAILED;
	if (fstat(fd, &stat) != 0)
		return SAFE_FAILED;
	if (S_ISLNK(stat.st_mode))
		return follow(walk, fd);
	if (!S_ISDIR(stat.st_mode))
		return SAFE_OTHER;
	walk->stat = stat;
	return go_down(walk, TAKE_FD(fd));
}

/* Split "a/b/c" into the parent's path and the last name. */
static char *split(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	return mem_strndup(path, slash ? (size_t)(slash - path) : 0);
}

static int open_by_walk(const struct safe_root *root, const char *path,
			int flags)
{
	AUTO(safe_walk) struct safe_walk walk = { .fd = -1 };
	const char *name = NULL;
	AUTO(mem) char *parent = split(path, &name);
	enum safe_step step;

	safe_walk_begin(&walk, root, flags & O_NOFOLLOW ? parent : path);
	do
		step = safe_walk_next(&walk);
	while (step == SAFE_DOWN || step == SAFE_JUMP);
	if (step == SAFE_FAILED)
		return -1;
	if (step == SAFE_THERE && !(flags & O_NOFOLLOW))
		name = ".";
	/* What is no directory may only be the last. */
	errno = step == SAFE_ABSENT ? ENOENT : ENOTDIR;
	if (step == SAFE_ABSENT ||
	    (step == SAFE_OTHER && (walk.restore > 0 || flags & O_NOFOLLOW)))
		return -1;
	if (step == SAFE_OTHER)
		name = walk.name;
	return openat(safe_walk_fd(&walk), *name ? name : ".",
		      flags | O_NOFOLLOW | O_CLOEXEC);
}

int safepath_open(const struct safe_root *root, const char *path, int flags)
{
	int fd = -1;

	errno = ENOSYS;
	if (!root->walk_only)
		fd = open_in_kernel(root, path, flags,
				    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	return kernel_cannot(fd) ? open_by_walk(root, path, flags) : fd;
}

static int open_component(int dirfd, const char *name, int flags)
{
	struct stat stat;
	int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC);

	/* O_DIRECTORY is what the kernel complains of first. */
	if (fd < 0 && errno == ENOTDIR &&
	    fstatat(dirfd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(stat.st_mode))
		errno = ELOOP;
	return fd;
}

static int open_direct_by_walk(const struct safe_root *root, const char *path,
			       int flags)
{
	AUTO(fd) int fd = -1;
	AUTO(mem) char *rest = mem_strdup(*path ? path : ".");
	char *name = rest;

	for (;;) {
		size_t len = strcspn(name, "/");
		bool last = name[len] == '\0';
		int next;

		name[len] = '\0';
		next = open_component(fd >= 0 ? fd : root->fd, name,
				      last ? flags : O_PATH | O_DIRECTORY);
		if (next < 0)
			return -1;
		if (fd >= 0)
			close(fd);
		fd = next;
		if (last)
			return TAKE_FD(fd);
		name += len + 1;
	}
}

int safepath_open_direct(const struct safe_root *root, const char *path,
			 int flags)
{
	int fd = -1;

	errno = ENOSYS;
	if (!root->walk_only)
		fd = open_in_kernel(root, path, flags,
				    RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS |
					    RESOLVE_NO_MAGICLINKS);
	return kernel_cannot(fd) ? open_direct_by_walk(root, path, flags) : fd;
}

/* fchmod(2) refuses an O_PATH descriptor, fchmodat2(2) takes it since Linux
 * 6.6; before, the link in /proc leads to the very inode. */
int safepath_chmod(int fd, mode_t mode)
{
	char path[32];

	if (fchmod(fd, mode) == 0)
		return 0;
	if (errno != EBADF)
		return -1;
	if (syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode);
}
