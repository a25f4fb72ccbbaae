/* unpack_link.c - see unpack_state.h */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/unpack_state.h"

static int missing_target(struct unpack *u)
{
	const struct unpack_listener *listener = u->options.listener;

	if (!u->options.as_is)
		return msg_fail(STATUS_INTEGRITY,
				"%s: entry %s: hard link to %s, which is not there",
				u->name, u->about, u->entry->link);
	if (listener && listener->skipped_link)
		listener->skipped_link(listener->context, u->about);
	u->counts->links++;
	return 0;
}

/* Where a hard link leads: found within the root, as its path is. Returns 1,
 * 0 when it is not there, or a failure. */
static int find_target(struct unpack *u, struct unpack_place *out,
		       const char **name)
{
	struct buf parent = { 0 };
	const char *slash;
	struct stat stat;
	int got;

	if (safepath_clean(u->entry->link, &u->target) < 0)
		return unpack_bad(u, "\"..\" in its target");
	if (u->target.len == 0)
		return unpack_bad(u, "hard link to a directory");
	slash = strrchr(u->target.data, '/');
	*name = slash ? slash + 1 : u->target.data;
	buf_append(&parent, u->target.data,
		   slash ? (size_t)(slash - u->target.data) : 0);
	got = unpack_reach(u, parent.data, REACH_FIND, out);
	buf_clear(&parent);
	if (got <= 0)
		return got;
	if (fstatat(out->fd, *name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : unpack_error(u);
	if (S_ISDIR(stat.st_mode))
		return unpack_bad(u, "hard link to a directory");
	return 1;
}

/* The header's attributes are not the file's: its own entry has those. */
int unpack_link(struct unpack *u)
{
	struct unpack_place in, target = { .fd = -1 };
	const char *name = "";
	int rc;

	for (int i = 0; i < UNPACK_REPEATS; i++) {
		rc = unpack_reach(u, u->parent.data, REACH_MAKE, &in);
		if (rc >= 0)
			rc = find_target(u, &target, &name);
		if (rc <= 0)
			return rc < 0 ? rc : missing_target(u);
		if (target.dir == in.dir && strcmp(name, u->base) == 0)
			return unpack_bad(u, "hard link to itself");
		if (linkat(target.fd, name, in.fd, u->base, 0) == 0) {
			unpack_note_new(u, &in, u->base);
			return 0;
		}
		if (errno != EEXIST)
			return unpack_error(u);
		rc = unpack_clear_way(u, &in, u->base);
		if (rc < 0)
			return rc;
	}
	return unpack_disturbed(u);
}
