/* bundlesource.h - what a stream says that a runtime bundle is made of: one
 * image, its config, and the directory that it was unpacked to.
 */
#ifndef OCCY_COMMON_BUNDLESOURCE_H
#define OCCY_COMMON_BUNDLESOURCE_H

#include <stdbool.h>

#include "common/imageblock.h"
#include "common/json.h"
#include "common/record.h"

struct bundle_source {
	bool has_image;
	struct imageblock image;
	struct json_object *trees; /* owned: the directories of tree records */
};

void bundle_source_init(struct bundle_source *source);

/* Take the next record; those that are not for us are passed over. Returns 0
 * or a failure (reported); a second image is STATUS_USAGE. */
int bundle_source_put(struct bundle_source *source, const struct record *record);

void bundle_source_clear(struct bundle_source *source);

static inline void auto_release_bundle_source(struct bundle_source *source)
{
	bundle_source_clear(source);
}

#endif
