/* store_private.h - what store_index.c needs of store.c; nobody else's. */
#ifndef OCCY_COMMON_STORE_PRIVATE_H
#define OCCY_COMMON_STORE_PRIVATE_H

#include <stddef.h>

struct store;

const char *store_path(const struct store *store);
int store_fd(const struct store *store);

/* For a file in the making: below the store, in parts/. The caller frees it. */
char *store_temporary_name(const char *name);

/* Write a file below the store so that its name never stands for half of it.
 * Returns 0 or a failure. */
int store_replace_file(const struct store *store, const char *name,
		       const void *data, size_t len);

#endif
