/* unpack_finish.c - see unpack_state.h
 *
 * Last things first: a directory comes after those it lies in, and may forbid
 * the way to what it holds once it has its mode. One descriptor is kept open,
 * that of the parent: brothers are near, and from there its own parent is one
 * step up, so that the depth of a tree does not count twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/unpack_state.h"

#define FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct finisher {
	struct unpack *u;
	uint32_t parent; /* the directory that fd is */
	int fd;          /* owned; -1: none */
};

static bool is_it(const struct unpack *u, int fd, uint32_t index)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && stat.st_dev == u->device &&
	       stat.st_ino == u->dirs.records[index].ino;
}

static int open_by_path(struct unpack *u, uint32_t index)
{
	struct buf path = { 0 };
	int fd;

	dirtable_path(&u->dirs, index, &path);
	fd = safepath_open_direct(&u->root, path.data, FLAGS);
	buf_clear(&path);
	return fd;
}

static void set_parent(struct finisher *f, uint32_t index, int fd)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->parent = index;
}

/* Make f->fd the directory `index`; false when it is no more there. */
static bool go_to(struct finisher *f, uint32_t index)
{
	const struct unpack *u = f->u;
	AUTO(fd) int fd = -1;

	if (f->fd >= 0 && f->parent == index)
		return true;
	if (f->fd >= 0 && f->parent != DIR_ROOT &&
	    u->dirs.records[f->parent].parent == index)
		fd = openat(f->fd, "..", FLAGS);
	if (fd < 0 || !is_it(u, fd, index)) {
		if (fd >= 0)
			close(fd);
		fd = open_by_path(f->u, index);
	}
	if (fd < 0 || !is_it(u, fd, index))
		return false;
	set_parent(f, index, TAKE_FD(fd));
	return true;
}

/* Removed meanwhile, by itself or with what it lay in? */
static bool is_gone(const struct unpack *u, uint32_t index)
{
	for (; index != DIR_ROOT; index = u->dirs.records[index].parent)
		if (u->dirs.records[index].flags & DIR_GONE)
			return true;
	return false;
}

/* The directory is not where it was put: fine if we have removed it. */
static int not_there(const struct unpack *u, uint32_t index)
{
	return is_gone(u, index) ? 0 : unpack_disturbed(u);
}

static int apply(struct unpack *u, const struct dir_record *r, int fd)
{
	bool described = r->flags & (DIR_ENTRY | DIR_IMPLIED);
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = r->mtime, .tv_nsec = (long)r->mtime_nsec },
	};
	int rc = 0;

	if (described)
		rc = unpack_set_owner(u, fd, NULL, r->uid, r->gid);
	if (rc < 0)
		return rc;
	if ((described || r->flags & DIR_OPENED) &&
	    fchmod(fd, rc == 0 ? r->mode : r->mode & 03777) != 0)
		return unpack_error(u);
	return futimens(fd, times) == 0 ? 0 : unpack_error(u);
}

static int finish_one(struct finisher *f, uint32_t index)
{
	struct unpack *u = f->u;
	const struct dir_record *r = &u->dirs.records[index];
	AUTO(fd) int fd = -1;

	if (r->flags & DIR_GONE ||
	    !(r->flags & (DIR_ENTRY | DIR_IMPLIED | DIR_CHANGED | DIR_OPENED)))
		return 0;
	u->about = dirtable_name(&u->dirs, index);
	if (!go_to(f, r->parent))
		return not_there(u, index);
	fd = openat(f->fd, u->about, FLAGS);
	if (fd < 0 || !is_it(u, fd, index))
		return not_there(u, index);
	return apply(u, r, fd);
}

int unpack_finish_directories(struct unpack *u)
{
	struct finisher f = { .u = u, .fd = -1 };
	int rc = 0;

	u->entry = NULL;
	for (size_t i = u->dirs.count; rc == 0 && i-- > DIR_ROOT + 1;)
		rc = finish_one(&f, (uint32_t)i);
	set_parent(&f, 0, -1);
	return rc;
}

int unpack_finish(struct unpack *u)
{
	u->about = "/";
	return apply(u, &u->top, u->root.fd);
}
