/* buf.c - see buf.h */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

char *buf_reserve(struct buf *buf, size_t len)
{
	size_t need = buf->len + len + 1;

	if (need > buf->capacity) {
		size_t capacity = buf->capacity ? buf->capacity : 64;

		while (capacity < need)
			capacity *= 2;
		buf->data = mem_resize(buf->data, capacity, 1);
		buf->capacity = capacity;
	}
	return buf->data + buf->len;
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
	char *room = buf_reserve(buf, len);

	if (len)
		memcpy(room, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_append_text(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	AUTO(mem) char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		mem_die("vasprintf");
	buf_append(buf, text, (size_t)n);
}

void buf_consume(struct buf *buf, size_t len)
{
	if (!len)
		return;
	memmove(buf->data, buf->data + len, buf->len - len + 1);
	buf->len -= len;
}

void buf_clear(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

char *buf_take(struct buf *buf)
{
	char *text;

	buf_reserve(buf, 0);
	buf->data[buf->len] = '\0';
	text = buf->data;
	*buf = (struct buf){ 0 };
	return text;
}
