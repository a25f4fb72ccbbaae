/* document.h - a JSON document from outside before its members are read.
 *
 * Most other readers of manifests are written in Go, whose encoding/json
 * takes "Layers" for "layers". A document that holds both would be one image
 * here and another there. So a member whose name differs from a known one in
 * case alone is refused in every object that is read; objects with free keys
 * (annotations, labels) are not concerned.
 */
#ifndef OCCY_COMMON_DOCUMENT_H
#define OCCY_COMMON_DOCUMENT_H

#include <stddef.h>

#include "common/json.h"

/* Parse one object of at most `most` bytes; known ends with NULL. Returns an
 * object that the caller puts, or NULL with what is wrong in the caller's
 * buffer (escaped, not reported). */
struct json_object *document_parse(const char *bytes, size_t len, size_t most,
				   const char *const *known, char *why,
				   size_t size);

/* The first known name that object holds in another case, or NULL. */
const char *document_disguised_key(const struct json_object *object,
				   const char *const *known);

#endif
