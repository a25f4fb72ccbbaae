/* pull.h - fetch one image into a store and write its block of the stream.
 *
 * The layers come in parallel, their records in manifest order; each is
 * written as soon as its file, and all before it, are complete.
 */
#ifndef OCCY_COMMON_PULL_H
#define OCCY_COMMON_PULL_H

#include <stdbool.h>

#include "common/auth.h"
#include "common/client.h"
#include "common/platform.h"
#include "common/progress.h"
#include "common/reference.h"
#include "common/store.h"
#include "common/stream.h"

struct pull {
	struct client *client;
	struct auth *auth;
	struct store *store;
	struct stream_writer *out;
	struct progress *progress;
	const struct client_loop *loop;
	const struct reference *reference;
	const char *name; /* the image, for messages */
	const char *typed_image; /* IMAGE as it was typed */
	const char *reuse; /* a directory whose layers need no fetching; or NULL */
	struct platform wish; /* normalized */
	bool strict_platform; /* an image without an index must be for it too */
};

/* Returns 0 once the last record is queued, or a failure (reported). */
int pull_image(const struct pull *pull);

#endif
