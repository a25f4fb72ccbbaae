/* stored.h - what a registry has said before, out of a store.
 *
 * index.json says which image a name stands for, and which index led there.
 * With that index in the store, too, the way to the image is the same as it
 * was; without it the entry itself says enough. All bytes are hashed.
 */
#ifndef OCCY_COMMON_STORED_H
#define OCCY_COMMON_STORED_H

#include <stdint.h>

#include "common/registry.h"

/* Fill *out, which starts empty. name is the image's, for messages; size is -1
 * where nobody has said it; type is NULL or the media type. Returns 0 or a
 * failure: STATUS_NOT_FOUND where it is not in the store. */
int stored_document(const struct store *store, const char *name,
		    const struct digest *digest, int64_t size, const char *type,
		    struct document *out);

/* What a reference by tag names; wish may be NULL. */
int stored_image(const struct store *store, const char *name,
		 const struct reference *reference,
		 const struct platform *wish, struct registry_image *out);

#endif
