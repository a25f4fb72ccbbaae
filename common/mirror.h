/* mirror.h - hosts that may stand in for a registry.
 *
 * "[http://]HOST[:PORT][/PREFIX][=UPSTREAM]", as --mirror and $OCCY_MIRRORS
 * have it. Without UPSTREAM it stands in for every registry. PREFIX goes before
 * an image's repository: that is how proxy caches of several registries tell
 * them apart. Plain http only where that is written, or on this machine.
 */
#ifndef OCCY_COMMON_MIRROR_H
#define OCCY_COMMON_MIRROR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/reference.h"

struct mirror {
	struct reference at; /* its host; the repository is the prefix */
	bool has_prefix;
	bool plain_only;
	char *upstream; /* as reference.registry; NULL: any */
};

struct mirror_list {
	struct mirror *items;
	size_t count;
};

/* Append one. Returns 0, or -1 with the reason in the caller's buffer (escaped,
 * not reported). */
int mirror_add(struct mirror_list *list, const char *text, char *why,
	       size_t size);

/* Append those of text, which stand between blanks; NULL for none. Returns
 * likewise. */
int mirror_add_all(struct mirror_list *list, const char *text, char *why,
		   size_t size);

/* It can be asked for this image. */
bool mirror_serves(const struct mirror *mirror, const struct reference *image);

void mirror_list_clear(struct mirror_list *list);

#endif
