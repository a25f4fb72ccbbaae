/* registry_walk.c - all images that a reference leads to; registry.h */
#include <stdlib.h>

#include "common/digestset.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/registry_private.h"

/* The indexes from the reference's down to where the walk stands. */
struct registry_walk {
	const struct registry_access *access;
	struct registry_image first; /* what the reference names */
	struct {
		struct document index;
		size_t next; /* of its entries */
	} path[MANIFEST_MAX_INDEX_DEPTH];
	size_t depth;
	struct digest tag_digest;
	struct digest_set seen; /* entries, of all indexes */
	size_t seen_count;
};

int registry_walk_begin(const struct registry_access *access,
			const struct reference *reference,
			struct registry_walk **out)
{
	AUTO(registry_walk) struct registry_walk *walk =
		mem_zalloc(1, sizeof(*walk));
	int rc;

	walk->access = access;
	rc = registry_get_reference(access, reference, NULL, false, &walk->first);
	if (rc < 0)
		return rc;
	walk->tag_digest = walk->first.tag_digest;
	if (walk->first.document.manifest.kind == MANIFEST_INDEX) {
		walk->path[0].index = walk->first.document;
		walk->first.document = (struct document){ 0 };
		walk->depth = 1;
	}
	*out = TAKE(walk);
	return 0;
}

static void leave_indexes(struct registry_walk *walk)
{
	while (walk->depth > 0)
		registry_document_clear(&walk->path[--walk->depth].index);
}

void registry_walk_free(struct registry_walk *walk)
{
	leave_indexes(walk);
	registry_image_clear(&walk->first);
	digest_set_clear(&walk->seen);
	free(walk);
}

const struct document *registry_walk_index(const struct registry_walk *walk)
{
	return walk->depth > 0 ? &walk->path[0].index : NULL;
}

/* Also what keeps indexes that name each other's entries from being endless. */
static bool was_seen(struct registry_walk *walk, const struct digest *digest)
{
	if (!digest_set_add(&walk->seen, digest))
		return true;
	walk->seen_count++;
	return false;
}

static const struct index_entry *next_entry(struct registry_walk *walk)
{
	while (walk->depth > 0) {
		const struct manifest *index =
			&walk->path[walk->depth - 1].index.manifest;
		size_t *next = &walk->path[walk->depth - 1].next;

		while (*next < index->entry_count) {
			const struct index_entry *entry = &index->entries[(*next)++];

			if (!entry->is_attestation &&
			    !was_seen(walk, &entry->descriptor.digest))
				return entry;
		}
		registry_document_clear(&walk->path[--walk->depth].index);
	}
	return NULL;
}

static int push(struct registry_walk *walk, struct registry_image *image)
{
	if (walk->depth == MANIFEST_MAX_INDEX_DEPTH)
		return registry_too_deep(walk->access);
	walk->path[walk->depth].index = image->document;
	walk->path[walk->depth++].next = 0;
	image->document = (struct document){ 0 };
	registry_image_clear(image);
	return 0;
}

int registry_walk_next(struct registry_walk *walk, struct registry_image *out)
{
	const struct index_entry *entry;

	if (walk->first.document.bytes.len > 0) {
		*out = walk->first;
		walk->first = (struct registry_image){ 0 };
		return 1;
	}
	while ((entry = next_entry(walk))) {
		int rc;

		if (walk->seen_count > MANIFEST_MAX_ENTRIES) {
			leave_indexes(walk);
			return msg_fail(STATUS_INTEGRITY,
					"%s: leads to more than %d manifests",
					walk->access->route->name,
					MANIFEST_MAX_ENTRIES);
		}
		out->has_index = true;
		out->tag_digest = walk->tag_digest;
		rc = registry_get_entry(walk->access, entry, out);
		if (rc < 0)
			return rc;
		if (out->document.manifest.kind == MANIFEST_IMAGE)
			return 1;
		rc = registry_keep_index(walk->access, &out->document);
		if (rc == 0)
			rc = push(walk, out);
		if (rc < 0)
			return rc;
	}
	return 0;
}
