/* io.h - whole reads and writes on descriptors.
 *
 * Short counts, EINTR and EAGAIN are dealt with here. Failures are reported here, as
 * "NAME: strerror", with STATUS_STORAGE; `name` is only for that message. The
 * one that is not reported is EPIPE on stdout: its reader is gone, which is
 * nobody's fault (STATUS_READER_GONE).
 */
#ifndef OCCY_COMMON_IO_H
#define OCCY_COMMON_IO_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define IO_BLOCK_SIZE 262144 /* what is read, hashed and written at a time */

/* Write all of it. Returns 0 or a failure. */
int io_write(int fd, const char *name, const void *data, size_t len);
int io_write_at(int fd, const char *name, const void *data, size_t len,
		int64_t offset);

/* Read until len bytes are there or the file ends; *got says how many came.
 * Returns 0 or a failure. */
int io_read(int fd, const char *name, void *data, size_t len, size_t *got);
int io_read_at(int fd, const char *name, void *data, size_t len,
	       int64_t offset, size_t *got);

/* Append a whole file of at most `most` bytes to *out. Returns 0 or a
 * failure; a larger file is STATUS_INTEGRITY. */
int io_read_all(int fd, const char *name, size_t most, struct buf *out);

/* Open a file that somebody else named: for reading, following no link in its
 * last component, and only if it is a regular file (a FIFO would hang us).
 * dirfd as in openat(2). Returns the descriptor or a failure (a missing file
 * is STATUS_STORAGE too). */
int io_open_regular(int dirfd, const char *path);

/* The same, with another name for messages. */
int io_open_regular_as(int dirfd, const char *path, const char *name);

/* The same for a file that may be missing or anything: quietly, -1 also where
 * it is no regular file or larger than `most` bytes. */
int io_try_regular(int dirfd, const char *path, int64_t most);

/* Report errno for name as STATUS_STORAGE and return that failure. */
int io_fail(const char *name);

#endif
