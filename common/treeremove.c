/* treeremove.c - see treeremove.h */
#include "common/treeremove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "common/safepath.h"

#define DIRECTORY_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A directory on the way down: where ".." must lead back to. */
struct level {
	dev_t dev;
	ino_t ino;
	char *name; /* by which it is left and then removed; owned */
};

struct removal {
	int fd; /* the directory that is being emptied; owned */
	struct level *levels;
	size_t depth, capacity;
	uint64_t *bytes; /* or NULL */
};

/* Owners may lack permissions on their own directory; root never does. */
static int permit(int fd)
{
	struct stat stat;

	if (geteuid() == 0 || fstat(fd, &stat) != 0 ||
	    (stat.st_mode & 0700) == 0700 || stat.st_uid != geteuid())
		return 0;
	return safepath_chmod(fd, (stat.st_mode & 07777) | 0700);
}

int tree_open(int dirfd, const char *name)
{
	AUTO(fd) int fd = openat(dirfd, name, O_RDONLY | DIRECTORY_FLAGS);
	AUTO(fd) int path = -1;

	if (fd < 0 && errno != EACCES)
		return -1;
	if (fd < 0) {
		path = openat(dirfd, name, O_PATH | DIRECTORY_FLAGS);
		if (path < 0 || permit(path) != 0)
			return -1;
		fd = openat(dirfd, name, O_RDONLY | DIRECTORY_FLAGS);
	}
	if (fd >= 0 && permit(fd) != 0)
		return -1;
	return TAKE_FD(fd);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void count(int fd, const char *name, uint64_t *bytes)
{
	struct stat stat;

	if (bytes && fstatat(fd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(stat.st_mode) && stat.st_nlink == 1)
		*bytes += (uint64_t)stat.st_size;
}

/* Remove one entry. Returns 0, 1 if it is a directory with something in it,
 * or -1. */
static int remove_entry(int fd, const char *name, unsigned char type,
			uint64_t *bytes)
{
	if (type != DT_DIR) {
		count(fd, name, bytes);
		if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
			return 0;
		if (errno != EISDIR)
			return -1;
	}
	if (unlinkat(fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST || errno == EACCES ? 1 : -1;
}

static int push(struct removal *r, const char *name)
{
	AUTO(fd) int fd = tree_open(r->fd, name);
	struct stat stat;

	if (fd < 0 || fstat(r->fd, &stat) != 0)
		return -1;
	r->levels = mem_grow(r->levels, r->depth, &r->capacity,
			     sizeof(*r->levels));
	r->levels[r->depth++] = (struct level){
		.dev = stat.st_dev, .ino = stat.st_ino, .name = mem_strdup(name),
	};
	close(r->fd);
	r->fd = TAKE_FD(fd);
	return 0;
}

/* Go up and remove what has been emptied. That ".." is where we came from is
 * checked: somebody may have moved the directory. */
static int pop(struct removal *r)
{
	struct level *level = &r->levels[r->depth - 1];
	AUTO(fd) int up = openat(r->fd, "..", O_RDONLY | DIRECTORY_FLAGS);
	struct stat stat;

	if (up < 0 || fstat(up, &stat) != 0)
		return -1;
	errno = EAGAIN;
	if (stat.st_dev != level->dev || stat.st_ino != level->ino)
		return -1;
	if (unlinkat(up, level->name, AT_REMOVEDIR) != 0)
		return -1;
	free(level->name);
	r->depth--;
	close(r->fd);
	r->fd = TAKE_FD(up);
	return 0;
}

/* Remove what is in r->fd up to the first directory that is not empty, which
 * is entered. Returns 1 when one was, 0 when nothing is left, or -1. */
static int sweep(struct removal *r)
{
	int fd = openat(r->fd, ".", O_RDONLY | DIRECTORY_FLAGS);
	AUTO(dir) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	bool removed;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	do {
		const struct dirent *entry;

		removed = false;
		rewinddir(dir);
		while ((errno = 0, entry = readdir(dir))) {
			int got;

			if (is_dot(entry->d_name))
				continue;
			got = remove_entry(r->fd, entry->d_name, entry->d_type,
					   r->bytes);
			if (got < 0)
				return -1;
			if (got > 0)
				return push(r, entry->d_name) < 0 ? -1 : 1;
			removed = true;
		}
		if (errno != 0)
			return -1;
	} while (removed);
	return 0;
}

static int run(struct removal *r)
{
	int got;

	for (;;) {
		got = sweep(r);
		if (got < 0 || (got == 0 && r->depth == 0))
			break;
		if (got == 0) {
			got = pop(r);
			if (got < 0)
				break;
		}
	}
	return got;
}

static void end(struct removal *r)
{
	int saved = errno;

	close(r->fd);
	while (r->depth > 0)
		free(r->levels[--r->depth].name);
	free(r->levels);
	errno = saved;
}

static int empty(int fd, uint64_t *bytes)
{
	struct removal r = {
		.fd = openat(fd, ".", O_RDONLY | DIRECTORY_FLAGS),
		.bytes = bytes,
	};
	int rc;

	if (r.fd < 0)
		return -1;
	rc = run(&r);
	end(&r);
	return rc;
}

int tree_empty(int fd)
{
	return empty(fd, NULL);
}

int tree_remove_counting(int dirfd, const char *name, uint64_t *bytes)
{
	AUTO(fd) int fd = -1;
	int got = remove_entry(dirfd, name, DT_UNKNOWN, bytes);

	if (got <= 0)
		return got;
	fd = tree_open(dirfd, name);
	if (fd < 0 || empty(fd, bytes) != 0)
		return -1;
	return unlinkat(dirfd, name, AT_REMOVEDIR);
}

int tree_remove(int dirfd, const char *name)
{
	return tree_remove_counting(dirfd, name, NULL);
}
