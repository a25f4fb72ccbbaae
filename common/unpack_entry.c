/* unpack_entry.c - see unpack_state.h
 *
 * Make first, ask later: O_EXCL and its like say when something is in the
 * way, and only then it is looked at and removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/unpack_state.h"
#include "common/whiteout.h"
#include "common/xattrs.h"

/* What Linux can store: more would silently become another device. */
#define MAJOR_MAX 4095
#define MINOR_MAX 1048575

void unpack_set_path(struct unpack *u, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (u->path.data != path) {
		u->path.len = 0;
		buf_append_text(&u->path, path);
		slash = strrchr(u->path.data, '/');
	}
	u->base = slash ? slash + 1 : u->path.data;
	u->parent.len = 0;
	buf_append(&u->parent, u->path.data,
		   slash ? (size_t)(slash - u->path.data) : 0);
}

int unpack_set_owner(struct unpack *u, int fd, const char *name, uint32_t uid,
		     uint32_t gid)
{
	int rc;

	/* Also where it seems to be right: a setgid directory has given its
	 * group to what was made in it. */
	if (!u->is_root && (uid != u->uid || gid != u->gid)) {
		rc = unpack_cannot(u, &u->counts->owners,
				   "its owner cannot be set by an ordinary user");
		return rc < 0 ? rc : 1;
	}
	rc = name ? fchownat(fd, name, uid, gid, AT_SYMLINK_NOFOLLOW)
		  : fchown(fd, uid, gid);
	if (rc == 0)
		return 0;
	if (errno == EINVAL)
		return msg_fail(STATUS_STORAGE, "%s: entry %s: owner %u:%u "
				"does not exist in this user namespace",
				u->name, u->about, uid, gid);
	if (errno != EPERM)
		return unpack_error(u);
	rc = unpack_cannot(u, &u->counts->owners, "its owner cannot be set");
	return rc < 0 ? rc : 1;
}

/* A file that stays with another owner must not lend that one's rights. */
static mode_t safe_mode(const struct tar_entry *entry, int owner)
{
	return owner == 0 ? entry->mode : entry->mode & 01777;
}

static int set_xattrs(struct unpack *u, int fd)
{
	const struct tar_entry *e = u->entry;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < e->xattr_count; i++) {
		if (!xattrs_allowed(e->xattrs[i].name)) {
			u->counts->refused_xattrs++;
			continue;
		}
		rc = fd < 0 ? 1 : xattrs_set(fd, &e->xattrs[i]);
		if (rc < 0)
			return unpack_error(u);
		if (rc > 0)
			rc = unpack_cannot(u, &u->counts->xattrs,
					   "an extended attribute cannot be set");
	}
	return rc;
}

static int set_time(struct unpack *u, int fd, const char *name)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = u->entry->mtime,
		  .tv_nsec = (long)u->entry->mtime_nsec },
	};
	int rc = name ? utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW)
		      : futimens(fd, times);

	return rc == 0 ? 0 : unpack_error(u);
}

/* Directories wait for the layer's end with everything but their xattrs. */
static int describe_directory(struct unpack *u, uint32_t index, int fd)
{
	struct dir_record *r = index == DIR_ROOT ? &u->top
						 : &u->dirs.records[index];
	const struct tar_entry *e = u->entry;

	if (u->options.strict && r->flags & DIR_ENTRY && index != DIR_ROOT)
		return unpack_bad(u, "second entry of that name in the layer");
	r->flags = (uint16_t)((r->flags & ~DIR_IMPLIED) | DIR_ENTRY);
	r->mode = (uint16_t)e->mode;
	r->uid = e->uid;
	r->gid = e->gid;
	r->mtime = e->mtime;
	r->mtime_nsec = e->mtime_nsec;
	if (fd < 0)
		return 0;
	if (xattrs_clear(fd) != 0)
		return unpack_error(u);
	return set_xattrs(u, fd);
}

static int root_entry(struct unpack *u)
{
	if (u->entry->type != TAR_DIRECTORY)
		return unpack_bad(u, "the root can only be a directory");
	return describe_directory(u, DIR_ROOT, u->root.fd);
}

static int new_directory(struct unpack *u, const struct unpack_place *in)
{
	uint32_t index = unpack_note_made(u, in, u->base);
	AUTO(fd) int fd = -1;

	if (index == DIR_NONE)
		return unpack_error(u);
	if (u->entry->xattr_count > 0) {
		fd = openat(in->fd, u->base, O_RDONLY | O_DIRECTORY |
						     O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return unpack_error(u);
	}
	return describe_directory(u, index, fd);
}

/* Returns 1 when a directory is there and described now, 0 when it is none,
 * or a failure. */
static int old_directory(struct unpack *u, const struct unpack_place *in)
{
	AUTO(fd) int fd = openat(in->fd, u->base, O_PATH | O_DIRECTORY |
							  O_NOFOLLOW | O_CLOEXEC);
	AUTO(fd) int readable = -1;
	struct stat stat;
	uint32_t index;
	int rc;

	if (fd < 0)
		return errno == ENOTDIR || errno == ENOENT ? 0 : unpack_error(u);
	if (fstat(fd, &stat) != 0)
		return unpack_error(u);
	index = unpack_note_found(u, fd, &stat, in->dir, u->base);
	if (index == DIR_NONE)
		return unpack_error(u);
	readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (readable < 0)
		return unpack_error(u);
	dirtable_keep(&u->dirs, index);
	rc = describe_directory(u, index, readable);
	return rc < 0 ? rc : 1;
}

static int make_symlink(struct unpack *u, const struct unpack_place *in)
{
	size_t len = strlen(u->entry->link);

	errno = EINVAL;
	if (len == 0)
		return -1;
	return symlinkat(u->entry->link, in->fd, u->base);
}

static int make_device(struct unpack *u, const struct unpack_place *in)
{
	const struct tar_entry *e = u->entry;
	mode_t type = e->type == TAR_CHARACTER ? S_IFCHR : S_IFBLK;

	return mknodat(in->fd, u->base, type | 0600,
		       makedev((unsigned int)e->major, (unsigned int)e->minor));
}

static int make(struct unpack *u, const struct unpack_place *in)
{
	switch (u->entry->type) {
	case TAR_FILE:
		u->file_end = 0;
		u->file = openat(in->fd, u->base,
				 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
					 O_CLOEXEC,
				 0600);
		return u->file < 0 ? -1 : 0;
	case TAR_DIRECTORY:
		return mkdirat(in->fd, u->base, 0700);
	case TAR_SYMLINK:
		return make_symlink(u, in);
	case TAR_CHARACTER:
	case TAR_BLOCK:
		return make_device(u, in);
	case TAR_FIFO:
		return mknodat(in->fd, u->base, S_IFIFO | 0600, 0);
	case TAR_HARDLINK:
		break;
	}
	errno = EINVAL;
	return -1;
}

/* A FIFO or a device: by a descriptor that is only a path, since to open it
 * would do who knows what. */
static int describe_special(struct unpack *u, const struct unpack_place *in,
			    int owner)
{
	AUTO(fd) int fd = openat(in->fd, u->base,
				 O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) != 0)
		return unpack_error(u);
	if (S_ISLNK(stat.st_mode) || S_ISDIR(stat.st_mode))
		return unpack_disturbed(u);
	if (safepath_chmod(fd, safe_mode(u->entry, owner)) != 0)
		return unpack_error(u);
	return 0;
}

/* What has been made and is neither file nor directory. */
static int describe(struct unpack *u, const struct unpack_place *in)
{
	const struct tar_entry *e = u->entry;
	int rc = unpack_set_owner(u, in->fd, u->base, e->uid, e->gid);

	if (rc >= 0 && e->type != TAR_SYMLINK)
		rc = describe_special(u, in, rc);
	if (rc >= 0)
		rc = set_xattrs(u, -1);
	return rc < 0 ? rc : set_time(u, in->fd, u->base);
}

static int made(struct unpack *u, const struct unpack_place *in)
{
	if (u->entry->type == TAR_DIRECTORY)
		return new_directory(u, in);
	unpack_note_new(u, in, u->base);
	return u->entry->type == TAR_FILE ? 0 : describe(u, in);
}

static bool is_device(const struct tar_entry *e)
{
	return e->type == TAR_CHARACTER || e->type == TAR_BLOCK;
}

static int make_entry(struct unpack *u)
{
	struct unpack_place in;
	int rc;

	for (int i = 0; i < UNPACK_REPEATS; i++) {
		rc = unpack_reach(u, u->parent.data, REACH_MAKE, &in);
		if (rc < 0)
			return rc;
		if (make(u, &in) == 0)
			return made(u, &in);
		if (errno == EPERM && is_device(u->entry))
			return unpack_cannot(u, &u->counts->devices,
					     "only root can make a device");
		if (errno != EEXIST)
			return unpack_error(u);
		rc = u->entry->type == TAR_DIRECTORY ? old_directory(u, &in) : 0;
		if (rc == 0)
			rc = unpack_clear_way(u, &in, u->base);
		else
			return rc < 0 ? rc : 0;
		if (rc < 0)
			return rc;
	}
	return unpack_disturbed(u);
}

static int check(struct unpack *u)
{
	const struct tar_entry *e = u->entry;

	if (is_device(e) && e->major == 0 && e->minor == 0)
		return unpack_bad(u, "device 0:0, an overlay's whiteout");
	if (is_device(e) && (e->major > MAJOR_MAX || e->minor > MINOR_MAX))
		return unpack_bad(u, "device number is out of range");
	return 0;
}

int unpack_begin_entry(struct unpack *u, const struct tar_entry *entry)
{
	enum whiteout kind;
	int rc;

	u->entry = entry;
	u->about = entry->path;
	u->counts->entries++;
	if (!u->has_top_time && u->top.flags & DIR_IMPLIED) {
		u->top.mtime = entry->mtime;
		u->top.mtime_nsec = entry->mtime_nsec;
	}
	u->has_top_time = true;
	if (safepath_clean(entry->path, &u->path) < 0)
		return unpack_bad(u, "\"..\" in its path");
	if (u->path.len == 0)
		return root_entry(u);
	unpack_set_path(u, u->path.data);
	kind = u->options.as_is ? WHITEOUT_NONE : whiteout_kind(u->path.data);
	if (kind == WHITEOUT_BAD)
		return unpack_bad(u, "not a whiteout that can be");
	if (kind == WHITEOUT_AUFS)
		return 0;
	if (kind != WHITEOUT_NONE)
		return unpack_whiteout(u, kind == WHITEOUT_OPAQUE);
	rc = check(u);
	if (rc < 0)
		return rc;
	return entry->type == TAR_HARDLINK ? unpack_link(u) : make_entry(u);
}

int unpack_write(struct unpack *u, const struct tar_piece *piece)
{
	const char *data = piece->data;
	size_t done = 0;

	if (u->file < 0)
		return 0; /* a marker's content */
	while (done < piece->len) {
		ssize_t n = pwrite(u->file, data + done, piece->len - done,
				   piece->offset + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return unpack_error(u);
		done += (size_t)n;
	}
	u->file_end = piece->offset + (int64_t)piece->len;
	return 0;
}

/* Capabilities after the owner, which would clear them; the mode last, since
 * without permission to write there would be no attributes for a user. */
static int finish_file(struct unpack *u, int fd)
{
	const struct tar_entry *e = u->entry;
	int owner, rc;

	if (u->file_end < e->size && ftruncate(fd, e->size) != 0)
		return unpack_error(u);
	owner = unpack_set_owner(u, fd, NULL, e->uid, e->gid);
	if (owner < 0)
		return owner;
	rc = set_xattrs(u, fd);
	if (rc < 0)
		return rc;
	if (fchmod(fd, safe_mode(e, owner)) != 0)
		return unpack_error(u);
	return set_time(u, fd, NULL);
}

int unpack_end_entry(struct unpack *u)
{
	int rc;

	if (u->file < 0)
		return 0;
	rc = finish_file(u, u->file);
	if (close(TAKE_FD(u->file)) != 0 && rc == 0)
		rc = unpack_error(u);
	return rc;
}
