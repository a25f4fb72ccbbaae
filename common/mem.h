/* mem.h - allocation that does not come back without memory.
 *
 * What returns memory returns it to be freed with free(), never NULL. Without
 * memory the process says so in one line and exits 1: none of our tools can
 * do anything useful then. A length that comes from outside needs a ceiling
 * before it gets here.
 */
#ifndef OCCY_COMMON_MEM_H
#define OCCY_COMMON_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory for count objects of size bytes. */
void *mem_zalloc(size_t count, size_t size) __attribute__((returns_nonnull));

/* As realloc; what is new is not zeroed. */
void *mem_resize(void *old, size_t count, size_t size)
	__attribute__((returns_nonnull));

char *mem_strdup(const char *text) __attribute__((returns_nonnull));
char *mem_strndup(const char *text, size_t len) __attribute__((returns_nonnull));
void *mem_dup(const void *data, size_t len) __attribute__((returns_nonnull));
char *mem_printf(const char *format, ...)
	__attribute__((returns_nonnull, format(printf, 1, 2)));

/* Equal; NULL counts as "". */
bool mem_same_text(const char *a, const char *b);

/* Say that `what` could not be had, and exit. */
_Noreturn void mem_die(const char *what);

/* Make room for one more element in a growing array: returns the array,
 * perhaps moved. *capacity counts elements. */
void *mem_grow(void *array, size_t used, size_t *capacity, size_t size)
	__attribute__((returns_nonnull));

#endif
