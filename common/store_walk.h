/* store_walk.h - what the images in a store's index.json need.
 *
 * From each entry down: manifests, configs, layers, indexes within indexes.
 * A document that is neither manifest nor index may be something that is not
 * known here: each digest in it counts as needed. What looks like a document
 * and cannot be read stops the walk, since nobody can say what it needs.
 * Each document is read, and its bytes are proven, once.
 */
#ifndef OCCY_COMMON_STORE_WALK_H
#define OCCY_COMMON_STORE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/store.h"

struct store_need {
	const char *image; /* its name, or its digest without one */
	const char *what;  /* "manifest", "layer 3": for messages */
	const struct digest *digest;
	int64_t size;       /* -1: not said */
	bool is_optional;   /* an index may lack what nobody has fetched */
	bool is_top;        /* index.json names it */
};

struct store_walk {
	const struct store *store;
	/* Called for each of them, more than once for one that several need.
	 * A failure ends the walk, or with keep_going what this image needs
	 * beyond. */
	int (*need)(void *context, const struct store_need *need);
	void *context;
	bool keep_going;
};

/* Returns 0, or the first failure (reported): 9 for an index.json that is not
 * understood, 8 for a document. */
int store_walk(const struct store_walk *walk);

#endif
