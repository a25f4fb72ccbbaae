/* pull_work.h - what pull.c and pull_records.c share. */
#ifndef OCCY_COMMON_PULL_WORK_H
#define OCCY_COMMON_PULL_WORK_H

#include <stddef.h>

#include "common/download.h"
#include "common/manifest.h"
#include "common/pull.h"
#include "common/registry.h"
#include "common/reuse.h"

/* One block of the stream on its way: one image for one platform. */
struct pull_work {
	const struct pull *pull;
	const struct wanted_image *wanted;
	const struct route *route;
	struct registry_image image;
	struct image_config config; /* empty when it is no image config */
	struct download *config_download; /* NULL: was in the store */
	struct pull_layer {
		struct download *download; /* NULL: is there */
		const char **urls;         /* where else it may be */
		struct reuse found;        /* in the directory to reuse */
	} *layers;
};

/* What the image is for: as its index says, else its config; lent. */
const struct platform *pull_work_platform(const struct pull_work *work);

/* Queue a record. A layer's, when its file is there. */
void pull_put_image(const struct pull_work *work);
void pull_put_config(const struct pull_work *work);
void pull_put_layer(const struct pull_work *work, size_t index);

/* Keep the index and queue its record, before those of the images it leads to.
 * Returns 0 or a failure. */
int pull_put_index(const struct pull *pull, const struct wanted_image *wanted,
		   const struct document *index);

#endif
