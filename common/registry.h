/* registry.h - find an image's manifest at a registry.
 *
 * distribution-spec "Pulling manifests": one GET for the reference, then down
 * through indexes to the manifest for the platform that is wanted. The bytes
 * are hashed as they came; a digest that was asked for must be theirs, and
 * what a header claims is not believed.
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
	struct client *client;
	struct auth *auth;
	const struct client_loop *loop;
	const char *name;       /* the image, for messages */
	const char *repository;
};

/* Fill *out, which starts empty. Returns 0 or a failure (reported): no such
 * platform is STATUS_NOT_FOUND, with those that there are. */
int registry_find_image(const struct registry_access *access,
			const struct reference *reference,
			const struct platform *wish, struct registry_image *out);

void registry_image_clear(struct registry_image *image);

static inline void auto_release_registry_image(struct registry_image *image)
{
	registry_image_clear(image);
}

#endif
