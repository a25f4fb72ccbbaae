/* unpack_reach.c - see unpack_state.h
 *
 * Mostly the directory is one of those that are held open, or openat2(2)
 * leads to one that is in the table. Else the way is walked step by step, and
 * each directory on it is put into the table.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/treeremove.h"
#include "common/unpack_state.h"

int unpack_bad(const struct unpack *u, const char *why)
{
	return msg_fail(STATUS_INTEGRITY, "%s: entry %s: %s", u->name,
			u->about, why);
}

int unpack_disturbed(const struct unpack *u)
{
	return msg_fail(STATUS_FAILED, "%s: entry %s: somebody else works on the "
			"tree", u->name, u->about);
}

int unpack_error(const struct unpack *u)
{
	int error = errno;
	bool of_names = error == ENAMETOOLONG || error == ELOOP ||
			error == ENOTDIR || error == EINVAL || error == EILSEQ ||
			error == EXDEV || error == E2BIG || error == ERANGE ||
			error == EISDIR;

	return msg_fail(of_names ? STATUS_INTEGRITY : STATUS_STORAGE,
			"%s: entry %s: %s", u->name,
			u->about,
			strerror(error));
}

int unpack_cannot(struct unpack *u, uint64_t *count, const char *what)
{
	++*count;
	if (!u->options.strict)
		return 0;
	return msg_fail(STATUS_STORAGE, "%s: entry %s: %s", u->name,
			u->about, what);
}

static void drop_place(const struct unpack *u, struct unpack_place *place)
{
	if (place->path && place->fd != u->root.fd)
		close(place->fd);
	free(place->path);
	*place = (struct unpack_place){ 0 };
}

void unpack_forget_places(struct unpack *u)
{
	for (size_t i = 0; i < UNPACK_CACHE; i++)
		drop_place(u, &u->cache[i]);
}

static void keep_place(struct unpack *u, const char *path,
		       const struct unpack_place *place)
{
	struct unpack_place *slot = &u->cache[u->next_place];

	u->next_place = (u->next_place + 1) % UNPACK_CACHE;
	drop_place(u, slot);
	*slot = *place;
	slot->path = mem_strdup(path);
}

static bool is_kept(const struct unpack *u, const char *path,
		    struct unpack_place *out)
{
	for (size_t i = 0; i < UNPACK_CACHE; i++)
		if (u->cache[i].path && strcmp(u->cache[i].path, path) == 0) {
			*out = u->cache[i];
			return true;
		}
	return false;
}

uint32_t unpack_note_found(struct unpack *u, int fd, const struct stat *stat,
			   uint32_t parent, const char *name)
{
	uint32_t index = dirtable_find(&u->dirs, stat->st_ino);
	struct dir_record *r;

	/* Something is mounted there: not what an image made. */
	errno = EXDEV;
	if (stat->st_dev != u->device)
		return DIR_NONE;
	if (index != DIR_NONE)
		return index;
	index = dirtable_add(&u->dirs, stat->st_ino, parent, name);
	r = &u->dirs.records[index];
	r->mtime = stat->st_mtim.tv_sec;
	r->mtime_nsec = (uint32_t)stat->st_mtim.tv_nsec;
	r->mode = stat->st_mode & 07777;
	r->uid = stat->st_uid;
	r->gid = stat->st_gid;
	/* Its owner may lack permissions on it; root never does. */
	if (!u->is_root && (r->mode & 0700) != 0700 && r->uid == u->uid) {
		if (safepath_chmod(fd, r->mode | 0700) != 0)
			return DIR_NONE;
		r->flags |= DIR_OPENED;
	}
	return index;
}

uint32_t unpack_note_made(struct unpack *u, const struct unpack_place *in,
			  const char *name)
{
	struct dir_record *r;
	struct stat stat;
	uint32_t index;

	if (fstatat(in->fd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return DIR_NONE;
	errno = ENOTDIR;
	if (!S_ISDIR(stat.st_mode) || stat.st_dev != u->device)
		return DIR_NONE;
	index = dirtable_add(&u->dirs, stat.st_ino, in->dir, name);
	r = &u->dirs.records[index];
	r->flags = DIR_PURE | DIR_IMPLIED;
	r->mode = 0755;
	r->mtime = u->entry->mtime;
	r->mtime_nsec = u->entry->mtime_nsec;
	dirtable_keep(&u->dirs, index);
	u->dirs.records[in->dir].flags |= DIR_CHANGED;
	return index;
}

void unpack_note_new(struct unpack *u, const struct unpack_place *in,
		     const char *name)
{
	struct dir_record *r = &u->dirs.records[in->dir];

	r->flags |= DIR_CHANGED;
	dirtable_keep(&u->dirs, in->dir);
	if (!(r->flags & DIR_PURE))
		pathset_add(&u->names, r->ino, name);
}

bool unpack_is_new(const struct unpack *u, uint32_t dir, const char *name)
{
	const struct dir_record *r = &u->dirs.records[dir];

	return r->flags & DIR_PURE ||
	       pathset_find(&u->names, r->ino, name) != PATHSET_NONE;
}

/* The walk has found no directory where the path wants one. */
static int make_step(struct unpack *u, struct safe_walk *walk, uint32_t dir,
		     enum safe_step step)
{
	struct unpack_place in = { .fd = safe_walk_fd(walk), .dir = dir };

	if (step == SAFE_OTHER) {
		errno = ENOTDIR;
		if (walk->from_link || unpack_is_new(u, dir, walk->name))
			return unpack_error(u);
		return unpack_clear_way(u, &in, walk->name);
	}
	if (mkdirat(in.fd, walk->name, 0700) != 0)
		return errno == EEXIST ? 0 : unpack_error(u);
	return unpack_note_made(u, &in, walk->name) == DIR_NONE
		       ? unpack_error(u)
		       : 0;
}

static int walk_step(struct unpack *u, struct safe_walk *walk,
		     enum unpack_how how, enum safe_step step, uint32_t *dir)
{
	switch (step) {
	case SAFE_DOWN:
	case SAFE_JUMP:
		if (walk->links > 0 && how == REACH_DIRECT)
			return REACHED_LINK;
		*dir = unpack_note_found(u, safe_walk_fd(walk), &walk->stat,
					 *dir, walk->name);
		return *dir == DIR_NONE ? unpack_error(u) : REACHED;
	case SAFE_ABSENT:
	case SAFE_OTHER:
		if (how == REACH_MAKE) {
			int rc = make_step(u, walk, *dir, step);

			return rc < 0 ? rc : REACHED;
		}
		return REACHED_NOTHING;
	case SAFE_THERE:
	case SAFE_FAILED:
		break;
	}
	return unpack_error(u);
}

static int reach_by_walk(struct unpack *u, const char *path,
			 enum unpack_how how, struct unpack_place *out)
{
	AUTO(safe_walk) struct safe_walk walk = { .fd = -1 };
	unsigned int repeats = 0;
	enum safe_step step;

	out->dir = DIR_ROOT;
	safe_walk_begin(&walk, &u->root, path);
	while ((step = safe_walk_next(&walk)) != SAFE_THERE) {
		int got = walk_step(u, &walk, how, step, &out->dir);

		if (got != REACHED)
			return got;
		if (step == SAFE_DOWN || step == SAFE_JUMP)
			repeats = 0;
		else if (++repeats > UNPACK_REPEATS)
			return unpack_disturbed(u);
	}
	out->linked = walk.links > 0;
	out->fd = walk.fd >= 0 ? TAKE_FD(walk.fd) : u->root.fd;
	return REACHED;
}

/* One call, where it leads to a directory that is known already. */
static bool reach_at_once(struct unpack *u, const char *path,
			  enum unpack_how how, struct unpack_place *out)
{
	AUTO(fd) int fd = -1;
	struct stat stat;

	fd = how == REACH_DIRECT
		     ? safepath_open_direct(&u->root, path, O_PATH | O_DIRECTORY)
		     : safepath_open(&u->root, path, O_PATH | O_DIRECTORY);
	if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_dev != u->device)
		return false;
	out->dir = dirtable_find(&u->dirs, stat.st_ino);
	out->linked = how != REACH_DIRECT; /* perhaps */
	if (out->dir == DIR_NONE)
		return false;
	out->fd = TAKE_FD(fd);
	return true;
}

int unpack_reach(struct unpack *u, const char *path, enum unpack_how how,
		 struct unpack_place *out)
{
	int got;

	*out = (struct unpack_place){ .fd = u->root.fd };
	if (*path == '\0')
		return REACHED;
	if (is_kept(u, path, out) && !(out->linked && how == REACH_DIRECT))
		return REACHED;
	if (u->root.walk_only || !reach_at_once(u, path, how, out)) {
		got = reach_by_walk(u, path, how, out);
		if (got != REACHED)
			return got;
	}
	keep_place(u, path, out);
	return REACHED;
}
