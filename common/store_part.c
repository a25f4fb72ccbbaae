/* store_part.c - blobs in the making; store.h
 *
 * A part file that was written from its start holds what its length says. One
 * that has gaps has a map beside it, parts/ALGORITHM-HEX.map: a byte for each
 * block, 1 once all of the block is in the part file. The map is written after
 * the block, and before the first gap; it goes before the part file's name
 * does. Both belong to whoever has the part file locked.
 *
 * A map that lies, as it may after a power failure, does no harm: size and
 * digest of the whole decide.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/store.h"
#include "common/store_private.h"

#define STRETCHES_MAX 1000 /* a map with more of them is none of ours */
#define FINISHED 1

struct store_part {
	const struct store *store;
	struct digest digest;
	char *name; /* below the store; NULL for a nameless file */
	char *path; /* for messages */
	bool is_passing; /* the name means nothing to a next run */
	int fd;
	char *map_name; /* below the store */
	char *map_path; /* for messages */
	int map_fd;     /* -1: there is no map */
};

/* Whoever else has the file may write to it when we have hashed it, or have
 * put a second name of another file there. */
static bool is_own_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
	       st->st_nlink == 1;
}

int store_lock_part(const struct store *store, const char *name)
{
	for (int tries = 0; tries < 16; tries++) {
		AUTO(fd) int fd = openat(store_fd(store), name,
					 O_RDWR | O_CREAT | O_NOFOLLOW |
						 O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
					 0666);
		struct stat mine, named;

		if (fd < 0 && (errno == EACCES || errno == EPERM ||
			       errno == EISDIR || errno == ENXIO ||
			       errno == ELOOP))
			errno = EWOULDBLOCK;
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 ||
		    fstat(fd, &mine) != 0)
			return -1;
		if (mine.st_nlink > 0 && !is_own_file(&mine))
			break;
		/* Its last owner may have renamed it away meanwhile. */
		if (fstatat(store_fd(store), name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		    mine.st_dev == named.st_dev && mine.st_ino == named.st_ino)
			return TAKE_FD(fd);
	}
	errno = EWOULDBLOCK;
	return -1;
}

/* Open the map, if there is one. Returns 0, or -1 when what is there is not
 * ours: then the part file cannot be told either. */
static int open_map(struct store_part *part)
{
	AUTO(fd) int fd = openat(store_fd(part->store), part->map_name,
				 O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
					 O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) != 0 || !is_own_file(&st))
		return -1;
	part->map_fd = TAKE_FD(fd);
	return 0;
}

static void remove_map(struct store_part *part)
{
	if (part->map_fd < 0)
		return;
	unlinkat(store_fd(part->store), part->map_name, 0);
	close(part->map_fd);
	part->map_fd = -1;
}

/* A file that no next run looks for: without a name, or with a random one where
 * the filesystem cannot do without. */
static void open_nameless(struct store_part *part)
{
	char *name = part->name;

	part->name = NULL;
	part->fd = openat(store_fd(part->store), "parts",
			  O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
	if (part->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		part->name = store_temporary_name(name);
		part->is_passing = true;
		part->fd = openat(store_fd(part->store), part->name,
				  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
					  O_CLOEXEC,
				  0666);
	}
	free(name);
}

int store_part_open(struct store *store, const struct digest *digest,
		    struct store_part **out)
{
	AUTO(store_part) struct store_part *part = mem_zalloc(1, sizeof(*part));
	int rc = store_make_blob_directory(store, digest);

	part->fd = -1;
	part->map_fd = -1;
	if (rc < 0)
		return rc;
	part->store = store;
	part->digest = *digest;
	part->name = mem_printf("parts/%s-%s",
				digest_algorithm_name(digest_algorithm(digest)),
				digest_hex(digest));
	part->path = mem_printf("%s/%s", store_path(store), part->name);
	part->map_name = mem_printf("%s.map", part->name);
	part->map_path = mem_printf("%s.map", part->path);
	part->fd = store_lock_part(store, part->name);
	if (part->fd >= 0 && open_map(part) < 0) {
		close(part->fd);
		part->fd = -1;
		errno = EWOULDBLOCK;
	}
	if (part->fd < 0 && errno == EWOULDBLOCK)
		open_nameless(part);
	if (part->fd < 0)
		return io_fail(part->path);
	*out = TAKE(part);
	return 0;
}

int store_part_fd(const struct store_part *part)
{
	return part->fd;
}

const char *store_part_name(const struct store_part *part)
{
	return part->path;
}

/* Add the blocks that the map says are there and that the part file is long
 * enough for. Returns 0, 1 for a map that cannot be ours, or a failure. */
static int read_map(const struct store_part *part, int64_t length, int64_t size,
		    struct coverage *out)
{
	unsigned char blocks[4096];
	int64_t first = 0;
	size_t got;

	do {
		int rc = io_read_at(part->map_fd, part->map_path, blocks,
				    sizeof(blocks), first, &got);

		if (rc < 0)
			return rc;
		for (size_t i = 0; i < got; i++) {
			int64_t from = (first + (int64_t)i) * STORE_BLOCK_SIZE;
			int64_t to = size - from > STORE_BLOCK_SIZE
					     ? from + STORE_BLOCK_SIZE
					     : size;

			if (from >= size)
				return 0;
			if (blocks[i] == FINISHED && to <= length)
				coverage_add(out, from, to);
			if (out->count > STRETCHES_MAX)
				return 1;
		}
		first += (int64_t)got;
	} while (got == sizeof(blocks));
	return 0;
}

int store_part_load(struct store_part *part, int64_t size, struct coverage *out)
{
	struct stat st;
	int rc = 0;

	if (fstat(part->fd, &st) != 0)
		return io_fail(part->path);
	if (part->map_fd < 0)
		coverage_add(out, 0, st.st_size);
	else
		rc = read_map(part, st.st_size, size, out);
	if (rc < 0 || (rc == 0 && out->total > 0 && st.st_size <= size))
		return rc;
	coverage_clear(out);
	return store_part_empty(part);
}

int store_part_empty(struct store_part *part)
{
	remove_map(part);
	return ftruncate(part->fd, 0) == 0 ? 0 : io_fail(part->path);
}

int store_part_map(struct store_part *part, int64_t from_start)
{
	size_t count = (size_t)(from_start / STORE_BLOCK_SIZE);
	AUTO(mem) char *blocks = mem_resize(NULL, count + 1, 1);
	int rc;

	if (part->map_fd >= 0 || !part->name || part->is_passing)
		return 0;
	memset(blocks, FINISHED, count);
	rc = store_replace_file(part->store, part->map_name, blocks, count,
				false);
	if (rc == 0 && (open_map(part) < 0 || part->map_fd < 0))
		rc = io_fail(part->map_path);
	return rc;
}

int store_part_mark(struct store_part *part, int64_t block)
{
	static const char finished = FINISHED;

	return part->map_fd < 0 ? 0
				: io_write_at(part->map_fd, part->map_path,
					      &finished, 1, block);
}

/* Something stands in the blob's place: the same bytes, of a process that was
 * faster, or what store_has() has found to be no such blob. */
static int link_over(const struct store_part *part, const char *self,
		     const char *name)
{
	AUTO(mem) char *temporary = store_temporary_name(name);
	int fd = store_fd(part->store);

	if (linkat(AT_FDCWD, self, fd, temporary, AT_SYMLINK_FOLLOW) != 0)
		return -1;
	if (renameat(fd, temporary, fd, name) == 0)
		return 0;
	unlinkat(fd, temporary, 0);
	return -1;
}

static int place_part(struct store_part *part)
{
	AUTO(mem) char *name = store_blob_name(&part->digest);
	char self[64];

	if (part->name) {
		if (renameat(store_fd(part->store), part->name, store_fd(part->store), name) != 0)
			return io_fail(part->path);
		free(part->name);
		part->name = NULL;
		return 0;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", part->fd);
	if (linkat(AT_FDCWD, self, store_fd(part->store), name, AT_SYMLINK_FOLLOW) == 0 ||
	    (errno == EEXIST && link_over(part, self, name) == 0))
		return 0;
	return io_fail(part->path);
}

int store_part_commit(struct store_part *part)
{
	int rc;

	remove_map(part);
	/* All of it may be an earlier run's. */
	(void)futimens(part->fd, NULL);
	store_guard(part->store, false);
	rc = place_part(part);
	store_unguard(part->store);
	return rc;
}

void store_part_discard(struct store_part *part)
{
	remove_map(part);
	if (part->name)
		unlinkat(store_fd(part->store), part->name, 0);
	free(part->name);
	part->name = NULL;
}

void store_part_free(struct store_part *part)
{
	struct stat st;

	if (!part)
		return;
	if (part->name && part->fd >= 0 &&
	    (part->is_passing ||
	     (fstat(part->fd, &st) == 0 && st.st_size == 0)))
		store_part_discard(part);
	if (part->map_fd >= 0)
		close(part->map_fd);
	if (part->fd >= 0)
		close(part->fd);
	free(part->map_name);
	free(part->map_path);
	free(part->name);
	free(part->path);
	free(part);
}
