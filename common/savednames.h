/* savednames.h - what a saved image is called.
 *
 * A stream holds full names, registry/repository:tag. docker save and the
 * original Occy Strap drop the registry from RepoTags, the latter all but the
 * last component; where a catalog says which image it is, that is taken.
 */
#ifndef OCCY_COMMON_SAVEDNAMES_H
#define OCCY_COMMON_SAVEDNAMES_H

#include <stddef.h>

#include "common/catalog.h"
#include "common/savedmanifest.h"

/* The full names of an image as a new array of strings, each once: its
 * RepoTags that are full names, and instead of those that are not the catalog
 * entry's (entry is NULL without a catalog: then docker.io's). Without
 * RepoTags there are none. NULL with what is wrong with them in the caller's
 * buffer (escaped, not reported). */
struct json_object *saved_names(const struct saved_image *image,
				const struct catalog_entry *entry, char *why,
				size_t size);

/* How well IMAGE and TAG, as somebody typed them, fit one of the names: 2 for
 * the full name, 1 for the repository of another registry than docker.io, 0
 * for not at all. */
int saved_names_match(struct json_object *names, const char *image,
		      const char *tag);

#endif
