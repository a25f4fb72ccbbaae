/* mem.c - see mem.h */
#include "common/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/msg.h"

void mem_die(const char *what)
{
	msg_fail(STATUS_FAILED, "out of memory (%s)", what);
	_exit(STATUS_FAILED);
}

void *mem_zalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		mem_die("calloc");
	return p;
}

void *mem_resize(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count ? count : 1, size);

	if (!p)
		mem_die("realloc");
	return p;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t len)
{
	char *p = mem_resize(NULL, len + 1, 1);

	memcpy(p, text, len);
	p[len] = '\0';
	return p;
}

void *mem_dup(const void *data, size_t len)
{
	void *p = mem_resize(NULL, len, 1);

	if (len)
		memcpy(p, data, len);
	return p;
}

char *mem_printf(const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		mem_die("vasprintf");
	return text;
}

void *mem_grow(void *array, size_t used, size_t *capacity, size_t size)
{
	if (used < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : 8;
	return mem_resize(array, *capacity, size);
}

bool mem_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}
