/* store_spool.c - bytes that come through a pipe, as a blob of the store */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/store.h"
#include "common/store_private.h"

/* The blob in the making: a name only where O_TMPFILE is unknown. */
struct spool {
	const struct store *store;
	char *name; /* below the store; NULL for none; owned */
	int fd;
};

static int fail(const struct spool *spool, const char *name)
{
	return msg_fail(STATUS_STORAGE, "%s/%s: %s", store_path(spool->store),
			name, strerror(errno));
}

static int open_spool(struct spool *spool)
{
	int fd = store_fd(spool->store), rc;

	spool->fd = openat(fd, "parts", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
	if (spool->fd >= 0)
		return 0;
	spool->name = store_temporary_name("spool");
	spool->fd = openat(fd, spool->name,
			   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   0666);
	if (spool->fd >= 0)
		return 0;
	rc = fail(spool, spool->name);
	free(TAKE(spool->name));
	return rc;
}

static void close_spool(struct spool *spool)
{
	if (spool->name)
		unlinkat(store_fd(spool->store), spool->name, 0);
	free(spool->name);
	if (spool->fd >= 0)
		close(spool->fd);
}

/* Copy all of `from`; *size bytes, which hash to *digest. */
static int copy(const struct spool *spool, int from, const char *name,
		struct digest *digest, int64_t *size)
{
	AUTO(digest_state) struct digest_state *state =
		digest_begin(DIGEST_SHA256);
	AUTO(mem) char *block = mem_resize(NULL, IO_BLOCK_SIZE, 1);
	size_t len;

	*size = 0;
	do {
		int rc = io_read(from, name, block, IO_BLOCK_SIZE, &len);

		if (rc == 0)
			rc = io_write(spool->fd, store_path(spool->store), block,
				      len);
		if (rc < 0)
			return rc;
		digest_update(state, block, len);
		*size += (int64_t)len;
	} while (len == IO_BLOCK_SIZE);
	digest_result(state, digest);
	return 0;
}

/* Give it its name, in place of whatever has that and is not the blob. */
static int publish(struct spool *spool, const struct digest *digest)
{
	AUTO(mem) char *blob = mem_printf("blobs/sha256/%s", digest_hex(digest));
	int fd = store_fd(spool->store), rc;
	char self[64];

	if (!spool->name) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", spool->fd);
		spool->name = store_temporary_name("spool");
		if (linkat(AT_FDCWD, self, fd, spool->name,
			   AT_SYMLINK_FOLLOW) != 0) {
			rc = fail(spool, spool->name);
			free(TAKE(spool->name));
			return rc;
		}
	}
	(void)futimens(spool->fd, NULL);
	store_guard(spool->store, false);
	rc = renameat(fd, spool->name, fd, blob) == 0 ? 0 : fail(spool, blob);
	store_unguard(spool->store);
	if (rc < 0)
		return rc;
	free(TAKE(spool->name));
	return 0;
}

int store_spool(const struct store *store, int fd, const char *name,
		struct digest *digest)
{
	struct spool spool = { .store = store, .fd = -1 };
	int64_t size;
	int rc = open_spool(&spool);

	if (rc == 0)
		rc = copy(&spool, fd, name, digest, &size);
	if (rc == 0 && !store_has(store, digest, size))
		rc = publish(&spool, digest);
	close_spool(&spool);
	return rc;
}
