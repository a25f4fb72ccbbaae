/* registry.h - find an image's manifest at a registry, or in a store.
 *
 * distribution-spec "Pulling manifests": one GET for the reference, then down
 * through indexes to the manifest for the platform that is wanted. The bytes
 * are hashed as they came; a digest that was asked for must be theirs, and
 * what a header claims is not believed. The indexes on the way are put into
 * the store, so that it can give the same answer later (stored.h).
 */
#ifndef OCCY_COMMON_REGISTRY_H
#define OCCY_COMMON_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/client.h"
#include "common/manifest.h"
#include "common/platform.h"
#include "common/reference.h"
#include "common/store.h"

/* A manifest or index as it came. */
struct document {
	struct buf bytes;
	struct digest digest;
	struct manifest manifest;
};

struct registry_image {
	struct document document;  /* the image's manifest */
	struct digest tag_digest;  /* of what the reference itself names */
	struct platform platform;  /* of the index entry */
	bool has_index;
	bool has_platform;         /* the entry said one */
};

struct registry_access {
	const struct route *route;
	const struct client_loop *loop;
	const struct store *store; /* for the indexes; NULL to look only */
};

/* Fill *out, which starts empty. Returns 0 or a failure (reported): no such
 * platform is STATUS_NOT_FOUND, with those that there are. */
int registry_find_image(const struct registry_access *access,
			const struct reference *reference,
			const struct platform *wish, struct registry_image *out);

/* All images that the reference leads to, one after another, whatever their
 * platform: through indexes in indexes, without attestations, each image
 * once. */
struct registry_walk;

/* Fetches what the reference names. access and reference must outlive the
 * walk. Returns 0 with *out to be freed, or a failure. */
int registry_walk_begin(const struct registry_access *access,
			const struct reference *reference,
			struct registry_walk **out);
void registry_walk_free(struct registry_walk *walk);

/* What the reference names where that is an index; NULL where it is an image.
 * Lent, until the first registry_walk_next(). */
const struct document *registry_walk_index(const struct registry_walk *walk);

/* Fill *out, which is empty. Returns 1, 0 at the end, or a failure; after one
 * the next image may be asked for, that one is passed over. */
int registry_walk_next(struct registry_walk *walk, struct registry_image *out);

/* What the reference itself names, by a HEAD where the registry says enough
 * (distribution-spec "Checking if content exists in the registry"), else by a
 * GET. Returns 0 or a failure (reported). */
int registry_look(const struct registry_access *access,
		  const struct reference *reference, struct digest *out);

void registry_image_clear(struct registry_image *image);

AUTO_DEFINE(registry_walk, struct registry_walk *, registry_walk_free);

static inline void auto_release_registry_image(struct registry_image *image)
{
	registry_image_clear(image);
}

#endif
