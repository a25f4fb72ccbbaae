/* base64.c - see base64.h */
#include "common/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c)
{
	const char *found = c ? strchr(alphabet, c) : NULL;

	return found ? (int)(found - alphabet) : -1;
}

/* The next character that counts; NUL at the end. */
static char next(const char **text)
{
	while (**text == '\n' || **text == '\r')
		(*text)++;
	return **text ? *(*text)++ : '\0';
}

/* One group of four. Returns how many bytes it gave, or -1. */
static int decode_group(const char group[4], char *out)
{
	uint32_t bits = 0;
	int count = 3;

	if (group[3] == '=')
		count = group[2] == '=' ? 1 : 2;
	for (int i = 0; i < 4; i++) {
		int value = i > count ? 0 : value_of(group[i]);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
	}
	for (int i = 0; i < 3; i++) {
		char byte = (char)(bits >> (16 - 8 * i) & 0xff);

		if (i < count)
			out[i] = byte;
		else if (byte)
			return -1; /* two texts must not mean one secret */
	}
	return count;
}

char *base64_decode(const char *text, size_t *len)
{
	size_t capacity = strlen(text) / 4 * 3 + 1;
	char *out = mem_zalloc(capacity, 1), group[4];
	int got = 3;

	*len = 0;
	while ((group[0] = next(&text)) != '\0') {
		for (int i = 1; i < 4; i++)
			group[i] = group[i - 1] ? next(&text) : '\0';
		got = got == 3 && group[3] ? decode_group(group, out + *len) : -1;
		if (got < 0) {
			explicit_bzero(out, capacity);
			free(out);
			return NULL;
		}
		*len += (size_t)got;
	}
	return out;
}

char *base64_encode(const void *data, size_t len)
{
	const unsigned char *in = data;
	char *out = mem_zalloc((len + 2) / 3 * 4 + 1, 1), *p = out;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)in[i] << 16;

		if (left > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			bits |= in[i + 2];
		*p++ = alphabet[bits >> 18];
		*p++ = alphabet[bits >> 12 & 63];
		*p++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*p++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	return out;
}
