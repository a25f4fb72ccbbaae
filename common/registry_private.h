/* registry_private.h - what registry.c and registry_walk.c share. */
#ifndef OCCY_COMMON_REGISTRY_PRIVATE_H
#define OCCY_COMMON_REGISTRY_PRIVATE_H

#include "common/registry.h"

/* Each returns 0 or a failure (reported). */

/* What the reference itself names. The wish, which may be NULL, is only for
 * where the store has more of that name. */
int registry_get_reference(const struct registry_access *access,
			   const struct reference *reference,
			   const struct platform *wish, bool may_be_head,
			   struct registry_image *out);

/* What an index's entry names, and what the entry says of it. */
int registry_get_entry(const struct registry_access *access,
		       const struct index_entry *entry, struct registry_image *out);

/* Into the store. */
int registry_keep_index(const struct registry_access *access,
			const struct document *index);

int registry_too_deep(const struct registry_access *access);

void registry_document_clear(struct document *document);

#endif
