/* quoted.h - JSON in a C string, written with ' for ". */
#ifndef OCCY_TESTS_UNIT_QUOTED_H
#define OCCY_TESTS_UNIT_QUOTED_H

#include <string.h>

#include "common/mem.h"

/* The document in memory of exactly its length, without a NUL, so that the
 * sanitizers see a step beyond it. The caller frees it. */
static inline char *quoted_bytes(const char *text, size_t *len)
{
	char *bytes;

	*len = strlen(text);
	bytes = mem_dup(text, *len);
	for (size_t i = 0; i < *len; i++)
		if (bytes[i] == '\'')
			bytes[i] = '"';
	return bytes;
}

#endif
