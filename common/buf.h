/* buf.h - a growing byte buffer.
 *
 * `data` holds `len` bytes and then always a NUL that is not counted, so it
 * can be read as text. { 0 } is an empty buffer (data is NULL then).
 */
#ifndef OCCY_COMMON_BUF_H
#define OCCY_COMMON_BUF_H

#include <stddef.h>

#include "common/cleanup.h"

struct buf {
	char *data;
	size_t len;
	size_t capacity;
};

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_text(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Make room for len more bytes and return where they go; the caller adds to
 * len what it filled. */
char *buf_reserve(struct buf *buf, size_t len);

/* Drop the first len bytes. */
void buf_consume(struct buf *buf, size_t len);

/* Free the memory and leave an empty buffer. */
void buf_clear(struct buf *buf);

/* Hand the text out; the caller frees it. Never NULL. */
char *buf_take(struct buf *buf);

static inline void auto_release_buf(struct buf *buf)
{
	buf_clear(buf);
}

#endif
