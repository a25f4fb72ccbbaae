/* pull.h - fetch images into a store and write their blocks of the stream.
 *
 * The layers of an image come in parallel, their records in manifest order;
 * each is written as soon as its file, and all before it, are complete. A blob
 * that several images share is fetched once.
 */
#ifndef OCCY_COMMON_PULL_H
#define OCCY_COMMON_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/client.h"
#include "common/imagelist.h"
#include "common/platform.h"
#include "common/progress.h"
#include "common/sources.h"
#include "common/store.h"
#include "common/stream.h"

struct pull {
	struct client *client;
	struct sources *sources;
	struct store *store;
	struct stream_writer *out;
	struct progress *progress;
	const struct client_loop *loop;
	const char *reuse; /* a directory whose layers need no fetching; or NULL */
	struct platform wish; /* normalized */
	bool strict_platform; /* an image without an index must be for it too */
	bool all_platforms;   /* in place of the wish */
	bool keep_going;      /* a block comes whole or not at all */
	bool no_foreign;      /* nothing from URLs that a manifest names */
	bool no_layers;       /* their records alone */
	bool unchanged;       /* the images are what they were: not fetched */
	/* What keep_going has left out, and the first failure of those. */
	int64_t left_out;
	int failure;
};

/* The platform that is asked for: os/architecture[/variant], or "all"; the
 * caller frees it. */
char *pull_platform(const struct pull *pull);

/* Returns 0 once the last record is queued, or a failure (reported). Failures
 * that keep_going passes over are in *pull, those that would meet all images
 * alike (storage, a reader that is gone) are returned nevertheless. */
int pull_image(struct pull *pull, const struct wanted_image *image);

#endif
