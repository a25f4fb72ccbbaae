/* catalog.h - catalog.json of a directory of images: {image:{tag:manifest}}.
 *
 * The format is the original Occy Strap's. Hostile like all that is read: the
 * name of a manifest is one plain component that ends in .json.
 */
#ifndef OCCY_COMMON_CATALOG_H
#define OCCY_COMMON_CATALOG_H

#include <stddef.h>

#include "common/json.h"

#define CATALOG_NAME "catalog.json"
#define CATALOG_MAX_BYTES 8388608

struct catalog_entry {
	const char *image, *tag; /* as they were typed, any text; lent */
	const char *manifest;    /* a safe name; lent */
};

struct catalog {
	struct json_object *json; /* owned */
	struct catalog_entry *entries; /* in the file's order */
	size_t count;
};

/* Returns 0, or -1 with what is wrong in the caller's buffer (escaped, not
 * reported); *out is empty then. */
int catalog_parse(struct catalog *out, const char *bytes, size_t len, char *why,
		  size_t size);
void catalog_clear(struct catalog *catalog);

/* NULL when there is none. */
const struct catalog_entry *catalog_find(const struct catalog *catalog,
					 const char *image, const char *tag);

static inline void auto_release_catalog(struct catalog *catalog)
{
	catalog_clear(catalog);
}

#endif
