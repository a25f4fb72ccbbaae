/* treetarget.c - see treetarget.h */
#include "common/treetarget.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/temptree.h"
#include "common/treeremove.h"

struct tree_target {
	int parent;
	char *name; /* in parent */
	char *path; /* absolute */
	bool replace;
	struct stat like;
	bool has_like;
	int place;  /* a mount point to be filled; else -1 */
	bool done;
	struct temp_tree *temp;
};

void tree_target_free(struct tree_target *target)
{
	if (!target)
		return;
	temp_tree_free(target->temp);
	if (target->place >= 0) {
		if (!target->done && tree_empty(target->place) != 0)
			msg_warn("%s: cannot be emptied again: %s",
				 target->path, strerror(errno));
		close(target->place);
	}
	if (target->parent >= 0)
		close(target->parent);
	free(target->name);
	free(target->path);
	free(target);
}

int tree_target_fd(const struct tree_target *target)
{
	return target->place >= 0 ? target->place : temp_tree_fd(target->temp);
}

const struct stat *tree_target_like(const struct tree_target *target)
{
	return target->has_like ? &target->like : NULL;
}

const char *tree_target_path(const struct tree_target *target)
{
	return target->path;
}

/* "a/b/" is b in a; what ends in no name (".", "/") is asked for its own. */
static int split(struct tree_target *target, const char *path)
{
	AUTO(mem) char *given = mem_strdup(path);
	AUTO(mem) char *parent = NULL;
	size_t len = strlen(given);
	char *slash, *base;

	while (len > 1 && given[len - 1] == '/')
		given[--len] = '\0';
	slash = strrchr(given, '/');
	base = slash ? slash + 1 : given;
	if (*base == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
		free(given);
		given = realpath(path, NULL);
		if (!given)
			return io_fail(path);
		slash = strrchr(given, '/');
		base = slash + 1;
	}
	if (*base == '\0')
		return msg_fail(STATUS_STORAGE, "%s: is the root", path);
	target->name = mem_strdup(base);
	*base = '\0';
	parent = realpath(*given ? given : ".", NULL);
	if (!parent)
		return io_fail(*given ? given : ".");
	target->parent = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->parent < 0)
		return io_fail(parent);
	target->path = mem_printf("%s/%s", parent[1] ? parent : "",
				  target->name);
	return 0;
}

static bool is_mount_point(const struct tree_target *target, int fd)
{
	struct statx at, above;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &at) != 0 ||
	    statx(target->parent, "", AT_EMPTY_PATH, STATX_BASIC_STATS,
		  &above) != 0)
		return false;
	/* The flag is of Linux 5.8; before, a bind mount goes unnoticed here
	 * and the rename fails. */
	return (at.stx_attributes & STATX_ATTR_MOUNT_ROOT) ||
	       at.stx_dev_major != above.stx_dev_major ||
	       at.stx_dev_minor != above.stx_dev_minor;
}

/* Returns 1 when the directory is empty, 0, or a failure. */
static int is_empty(const struct tree_target *target, int fd)
{
	AUTO(dir) DIR *dir = NULL;
	const struct dirent *entry;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = copy >= 0 ? fdopendir(copy) : NULL;
	if (!dir)
		return io_fail(target->path);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return 0;
	return 1;
}

/* Something is there. */
static int check_old(struct tree_target *target)
{
	AUTO(fd) int fd = openat(target->parent, target->name,
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int empty;

	if (fd < 0 || fstat(fd, &target->like) != 0)
		return io_fail(target->path);
	empty = is_empty(target, fd);
	if (empty < 0)
		return empty;
	if (!empty && !target->replace)
		return msg_fail(STATUS_STORAGE, "%s: is not empty; --replace "
				"replaces it as a whole", target->path);
	target->has_like = empty;
	if (!is_mount_point(target, fd))
		return 0;
	if (!empty)
		return msg_fail(STATUS_STORAGE, "%s: is a mount point and not "
				"empty, and cannot be replaced", target->path);
	target->place = TAKE_FD(fd);
	return 0;
}

int tree_target_open(struct tree_target **out, const char *path, bool replace)
{
	AUTO(tree_target) struct tree_target *target =
		mem_zalloc(1, sizeof(*target));
	struct stat stat;
	int rc;

	target->parent = -1;
	target->place = -1;
	target->replace = replace;
	rc = split(target, path);
	if (rc < 0)
		return rc;
	if (fstatat(target->parent, target->name, &stat,
		    AT_SYMLINK_NOFOLLOW) == 0)
		rc = check_old(target);
	else if (errno != ENOENT)
		rc = io_fail(target->path);
	if (rc < 0)
		return rc;
	if (target->place < 0) {
		target->temp = temp_tree_new(target->parent, target->name,
					     target->path);
		if (!target->temp)
			return -STATUS_STORAGE;
	}
	*out = TAKE(target);
	return 0;
}

int tree_target_publish(struct tree_target *target)
{
	int rc;

	target->done = true;
	if (target->place >= 0)
		return 0;
	rc = temp_tree_publish(target->temp, target->parent, target->name,
			       target->replace   ? TEMP_TREE_OVER_ALL
			       : target->has_like ? TEMP_TREE_OVER_EMPTY
						  : TEMP_TREE_OVER_NOTHING);
	if (rc > 0)
		return msg_fail(STATUS_STORAGE, "%s: is no longer free",
				target->path);
	return rc;
}
