/* sparse.h - where the data of a sparse file lies, as GNU tar's PAX forms say.
 *
 * A map is believed only as a whole: segments rise, do not overlap and end
 * within the file.
 */
#ifndef OCCY_COMMON_SPARSE_H
#define OCCY_COMMON_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARSE_MAX_TEXT 1048576 /* what a map may take in an archive */

/* No file system of ours holds more than these 16 TiB in a file; a layer that
 * asks for it, with a few bytes, wants to be a nuisance. */
#define SPARSE_MAX_SIZE (INT64_C(1) << 44)

struct sparse_segment {
	int64_t offset, length;
};

struct sparse_map {
	struct sparse_segment *segments; /* owned */
	size_t count, capacity;
};

void sparse_add(struct sparse_map *map, int64_t offset, int64_t length);

/* Add what "offset,length,offset,length" says. Returns 0, or -1. */
int sparse_parse_list(struct sparse_map *map, const char *text);

/* Does the map describe a file of this size, of which `stored` bytes are
 * data, and which may be that large? */
bool sparse_fits(const struct sparse_map *map, int64_t size, int64_t stored);

/* A decimal number at *text, from 0 to 2^63-1; *text is moved behind it. */
bool sparse_number(const char **text, int64_t *out);

void sparse_clear(struct sparse_map *map);

#endif
