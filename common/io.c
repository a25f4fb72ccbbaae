/* io.c - see io.h */
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/msg.h"

int io_fail(const char *name)
{
	return msg_fail(STATUS_STORAGE, "%s: %s", name, strerror(errno));
}

/* After a read or write that failed: may it be tried again? A descriptor that
 * we inherited may be non-blocking, because others who hold it want it so. */
static bool again(int fd, short events)
{
	struct pollfd wait = { .fd = fd, .events = events };

	if (errno == EAGAIN)
		poll(&wait, 1, -1);
	else if (errno != EINTR)
		return false;
	return true;
}

int io_write(int fd, const char *name, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && again(fd, POLLOUT))
			continue;
		if (n < 0 && errno == EPIPE && fd == STDOUT_FILENO)
			return -STATUS_READER_GONE;
		if (n < 0)
			return io_fail(name);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_write_at(int fd, const char *name, const void *data, size_t len,
		int64_t offset)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_fail(name);
		p += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_read(int fd, const char *name, void *data, size_t len, size_t *got)
{
	char *p = data;

	*got = 0;
	while (*got < len) {
		ssize_t n = read(fd, p + *got, len - *got);

		if (n < 0 && again(fd, POLLIN))
			continue;
		if (n < 0)
			return io_fail(name);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return 0;
}

int io_read_at(int fd, const char *name, void *data, size_t len,
	       int64_t offset, size_t *got)
{
	char *p = data;

	*got = 0;
	while (*got < len) {
		ssize_t n = pread(fd, p + *got, len - *got,
				  offset + (int64_t)*got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_fail(name);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return 0;
}

int io_read_all(int fd, const char *name, size_t most, struct buf *out)
{
	size_t start = out->len, step = 16384, got;

	do {
		char *room = buf_reserve(out, step);
		int rc = io_read(fd, name, room, step, &got);

		if (rc < 0)
			return rc;
		out->len += got;
		out->data[out->len] = '\0';
		if (out->len - start > most)
			return msg_fail(STATUS_INTEGRITY,
					"%s: larger than %zu bytes", name, most);
	} while (got == step);
	return 0;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
static int open_cautiously(int dirfd, const char *path)
{
	return openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
				   O_CLOEXEC | O_NOCTTY);
}

int io_open_regular_as(int dirfd, const char *path, const char *name)
{
	AUTO(fd) int fd = open_cautiously(dirfd, path);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return msg_fail(STATUS_STORAGE, "%s: is a symbolic link", name);
	if (fd < 0 || fstat(fd, &st) != 0)
		return io_fail(name);
	if (!S_ISREG(st.st_mode))
		return msg_fail(STATUS_STORAGE, "%s: not a regular file", name);
	return TAKE_FD(fd);
}

int io_open_regular(int dirfd, const char *path)
{
	return io_open_regular_as(dirfd, path, path);
}

int io_try_regular(int dirfd, const char *path, int64_t most)
{
	AUTO(fd) int fd = open_cautiously(dirfd, path);
	struct stat st;

	return fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
			       st.st_size > most
		       ? -1
		       : TAKE_FD(fd);
}
