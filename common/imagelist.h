/* imagelist.h - the images of a run, from a list.
 *
 * A line is "REGISTRY IMAGE TAG" or a reference, host/path:tag@digest. Blank
 * lines, and what follows a # at the beginning of a line or after a blank, are
 * passed over. What occurs twice counts once.
 */
#ifndef OCCY_COMMON_IMAGELIST_H
#define OCCY_COMMON_IMAGELIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/digestset.h"
#include "common/reference.h"

#define IMAGELIST_MAX_BYTES 16777216

struct wanted_image {
	struct reference reference;
	char *typed; /* IMAGE as typed, without registry, tag and digest */
};

struct image_list {
	struct wanted_image *items;
	size_t count, room;
	struct digest_set seen; /* keys of those that are in it */
};

/* Append one. Returns 0, or -1 with the reason in the caller's buffer (escaped,
 * not reported). */
int image_list_add(struct image_list *list, const char *registry,
		   const char *image, const char *tag, char *why, size_t size);

/* The same from a reference, "host/path:tag@digest". */
int image_list_add_reference(struct image_list *list, const char *text,
			     char *why, size_t size);

/* Append those of a file, "-" for stdin. Returns 0, or a failure (reported,
 * with the line's number); a list of no image is none. */
int image_list_read(struct image_list *list, const char *path);

/* All of them are at one registry. */
bool image_list_has_one_registry(const struct image_list *list);

void image_list_clear(struct image_list *list);

static inline void auto_release_image_list(struct image_list *list)
{
	image_list_clear(list);
}

#endif
