/* history.h - which paths of an image exist in several versions, and what
 * they cost: layers are shipped with all that later layers replace or remove.
 */
#ifndef OCCY_COMMON_HISTORY_H
#define OCCY_COMMON_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pathset.h"
#include "common/safepath.h"

struct version_count {
	uint32_t versions; /* a deletion is one */
	bool deleted;      /* the last one is */
	uint64_t wasted;   /* bytes of all but the last */
};

struct history {
	struct pathset paths;
	struct version_count *counts; /* one for each item of paths */
	size_t capacity;
};

/* A version of path with so many bytes has been replaced or removed. */
void history_add(struct history *history, const char *path, uint64_t bytes,
		 bool has_new);

/* Say it all on stderr, about the image, whose tree is root. */
void history_tell(const struct history *history, const char *image,
		  const struct safe_root *root);

void history_clear(struct history *history);

#endif
