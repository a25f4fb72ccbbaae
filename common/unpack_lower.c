/* unpack_lower.c - see unpack_state.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/treeremove.h"
#include "common/unpack_state.h"
#include "common/whiteout.h"
#include "common/xattrs.h"

static void tell(const struct unpack *u, uint32_t dir, const char *name,
		 uint64_t bytes, bool has_new)
{
	struct buf path = { 0 };

	dirtable_path(&u->dirs, dir, &path);
	if (path.len > 0)
		buf_append(&path, "/", 1);
	buf_append_text(&path, name);
	u->options.listener->replaced(u->options.listener->context, path.data,
				      bytes, has_new);
	buf_clear(&path);
}

enum removal {
	REMOVE_OWN,      /* the layer itself brought it */
	REMOVE_REPLACED, /* a lower version of what the layer brings */
	REMOVE_DELETED,
};

/* What is removed may have been the way to a directory that is held open. */
static int remove_thing(struct unpack *u, const struct unpack_place *in,
			const char *name, const struct stat *stat,
			enum removal why)
{
	const struct unpack_listener *listener = u->options.listener;
	bool listens = listener && listener->replaced && why != REMOVE_OWN;
	uint64_t bytes = 0;
	uint32_t dir;

	u->dirs.records[in->dir].flags |= DIR_CHANGED;
	if (S_ISLNK(stat->st_mode) || S_ISDIR(stat->st_mode))
		unpack_forget_places(u);
	dir = S_ISDIR(stat->st_mode) ? dirtable_find(&u->dirs, stat->st_ino)
				     : DIR_NONE;
	if (dir != DIR_NONE)
		u->dirs.records[dir].flags |= DIR_GONE;
	if (tree_remove_counting(in->fd, name, listens ? &bytes : NULL) != 0)
		return unpack_error(u);
	if (listens)
		tell(u, in->dir, name, bytes, why == REMOVE_REPLACED);
	return 0;
}

int unpack_clear_way(struct unpack *u, const struct unpack_place *in,
		     const char *name)
{
	/* A descriptor of our own: the one in *in may be forgotten with the
	 * places. */
	AUTO(fd) int fd = openat(in->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct unpack_place own = { .fd = fd, .dir = in->dir };
	struct stat stat;
	bool is_new;

	if (fd < 0)
		return unpack_error(u);
	if (fstatat(fd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : unpack_error(u);
	is_new = unpack_is_new(u, in->dir, name);
	if (u->options.strict && is_new)
		return unpack_bad(u, "second entry of that name in the layer");
	return remove_thing(u, &own, name, &stat,
			    is_new ? REMOVE_OWN : REMOVE_REPLACED);
}

/* One more directory whose lower content goes. */
struct worklist {
	uint32_t *dirs;
	size_t count, capacity;
};

static void add_work(struct worklist *list, uint32_t dir)
{
	list->dirs = mem_grow(list->dirs, list->count, &list->capacity,
			      sizeof(*list->dirs));
	list->dirs[list->count++] = dir;
}

/* Returns 1 when something was removed, 0 when it stays, or a failure. */
static int purge_entry(struct unpack *u, const struct unpack_place *in,
		       const char *name, struct worklist *list)
{
	struct stat stat;
	uint32_t dir;
	int rc;

	if (fstatat(in->fd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : unpack_error(u);
	if (S_ISDIR(stat.st_mode)) {
		dir = dirtable_find(&u->dirs, stat.st_ino);
		if (dir != DIR_NONE && u->dirs.records[dir].flags & DIR_KEPT) {
			if (!(u->dirs.records[dir].flags & DIR_PURE))
				add_work(list, dir);
			return 0;
		}
	} else if (unpack_is_new(u, in->dir, name)) {
		return 0;
	}
	rc = remove_thing(u, in, name, &stat, REMOVE_DELETED);
	return rc < 0 ? rc : 1;
}

/* Once more from the start as long as something went, because what readdir()
 * gives while entries are removed is not said. */
static int purge_listed(struct unpack *u, DIR *dir,
			const struct unpack_place *in, struct worklist *list)
{
	size_t work = list->count;
	bool removed = true;

	while (removed) {
		const struct dirent *entry;

		removed = false;
		list->count = work;
		rewinddir(dir);
		while ((errno = 0, entry = readdir(dir))) {
			int got;

			if (strcmp(entry->d_name, ".") == 0 ||
			    strcmp(entry->d_name, "..") == 0)
				continue;
			got = purge_entry(u, in, entry->d_name, list);
			if (got < 0)
				return got;
			removed |= got > 0;
		}
		if (errno != 0)
			return unpack_error(u);
	}
	return 0;
}

/* The directory of a record, for reading; -1 with errno ESTALE when another
 * one is there. */
static int open_dir(const struct unpack *u, uint32_t index)
{
	struct buf path = { 0 };
	AUTO(fd) int fd = -1;
	struct stat stat;

	dirtable_path(&u->dirs, index, &path);
	fd = safepath_open_direct(&u->root, path.data, O_RDONLY | O_DIRECTORY);
	buf_clear(&path);
	if (fd < 0 || fstat(fd, &stat) != 0)
		return -1;
	errno = ESTALE;
	return stat.st_ino == u->dirs.records[index].ino ? TAKE_FD(fd) : -1;
}

static int purge_one(struct unpack *u, uint32_t index, struct worklist *list)
{
	AUTO(dir) DIR *dir = NULL;
	AUTO(fd) int fd = open_dir(u, index);
	struct unpack_place in = { .dir = index };
	int rc;

	if (fd < 0)
		return unpack_error(u);
	dir = fdopendir(fd);
	if (!dir)
		return unpack_error(u);
	in.fd = TAKE_FD(fd);
	rc = purge_listed(u, dir, &in, list);
	u->dirs.records[index].flags |= DIR_PURE;
	return rc;
}

/* Remove what lower layers put into a directory, and into those in it that
 * stay because the layer has brought something into them. */
static int purge(struct unpack *u, uint32_t index)
{
	struct worklist list = { 0 };
	int rc = 0;

	if (u->dirs.records[index].flags & DIR_PURE)
		return 0;
	add_work(&list, index);
	while (rc == 0 && list.count > 0)
		rc = purge_one(u, list.dirs[--list.count], &list);
	free(list.dirs);
	return rc;
}

/* A directory of a lower layer that is whited out, and that this layer has
 * made use of without describing it: a new one of the usual attributes. */
static int make_implied(struct unpack *u, uint32_t index)
{
	struct dir_record *r = &u->dirs.records[index];
	AUTO(fd) int fd = -1;

	if (r->flags & (DIR_ENTRY | DIR_IMPLIED))
		return 0;
	fd = open_dir(u, index);
	if (fd < 0 || xattrs_clear(fd) != 0)
		return unpack_error(u);
	r->flags |= DIR_IMPLIED;
	r->mode = 0755;
	r->uid = 0;
	r->gid = 0;
	return 0;
}

static int whiteout_name(struct unpack *u, const struct unpack_place *in,
			 const char *name)
{
	struct stat stat;
	uint32_t dir;
	int rc;

	if (fstatat(in->fd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : unpack_error(u);
	if (S_ISDIR(stat.st_mode)) {
		dir = dirtable_find(&u->dirs, stat.st_ino);
		if (dir != DIR_NONE && u->dirs.records[dir].flags & DIR_KEPT) {
			rc = purge(u, dir);
			return rc < 0 ? rc : make_implied(u, dir);
		}
	} else if (unpack_is_new(u, in->dir, name)) {
		return 0;
	}
	return remove_thing(u, in, name, &stat, REMOVE_DELETED);
}

static int apply(struct unpack *u, enum unpack_how how, bool opaque)
{
	struct unpack_place in;
	AUTO(fd) int fd = -1;
	int got = unpack_reach(u, u->parent.data, how, &in);

	if (got != REACHED)
		return got;
	if (u->dirs.records[in.dir].flags & DIR_PURE)
		return REACHED;
	if (opaque) {
		got = purge(u, in.dir);
	} else {
		/* remove_thing() may forget the place. */
		fd = openat(in.fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		in.fd = fd;
		got = fd < 0 ? unpack_error(u)
			     : whiteout_name(u, &in,
					     u->base + WHITEOUT_PREFIX_LEN);
	}
	return got < 0 ? got : REACHED;
}

int unpack_whiteout(struct unpack *u, bool opaque)
{
	int got = apply(u, REACH_DIRECT, opaque);

	if (got == REACHED_LINK) {
		u->late = mem_grow(u->late, u->late_count, &u->late_capacity,
				   sizeof(*u->late));
		u->late[u->late_count++] = mem_strdup(u->path.data);
	}
	return got < 0 ? got : 0;
}

int unpack_late_whiteouts(struct unpack *u)
{
	int got = 0;

	for (size_t i = 0; i < u->late_count; i++) {
		char *path = u->late[i];

		if (got >= 0) {
			unpack_set_path(u, path);
			u->about = path;
			got = apply(u, REACH_FIND,
				    whiteout_kind(path) == WHITEOUT_OPAQUE);
		}
		free(path);
	}
	u->late_count = 0;
	return got < 0 ? got : 0;
}
