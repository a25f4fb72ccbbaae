/* layerscan.h - read a layer to its end: prove it, and learn what is in it. */
#ifndef OCCY_COMMON_LAYERSCAN_H
#define OCCY_COMMON_LAYERSCAN_H

#include <stdint.h>

#include "common/digest.h"
#include "common/record.h"

struct layer_facts {
	int64_t uncompressed_size;
	int64_t entries; /* of its tar; extended headers are not counted */
};

/* name begins messages. Returns 0, or a failure (reported) where the bytes
 * are not the diff_id's or are no tar. */
int layer_scan(const struct layer_view *layer, const struct digest *diff_id,
	       const char *name, struct layer_facts *out);

/* Write the layer's plain tar to stdout as it is decoded; only success says
 * that it was the right one. Returns 0 or a failure. */
int layer_copy_to_stdout(const struct layer_view *layer,
			 const struct digest *diff_id, const char *name);

#endif
