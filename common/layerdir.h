/* layerdir.h - layers as <digest hex>/layer.tar in an extracted or merged
 * directory.
 *
 * The bytes there are the layer's uncompressed tar. They appear when they are
 * proven; what is there already is proven before it is trusted. Nothing in the
 * directory is believed, and no link in it followed.
 */
#ifndef OCCY_COMMON_LAYERDIR_H
#define OCCY_COMMON_LAYERDIR_H

#include <stdint.h>

#include "common/record.h"

struct layerdir {
	int dir;
	const char *path; /* its name, for messages */
};

/* "<hex>/layer.tar", where the layer has its place; the caller frees it. */
char *layerdir_member(const struct layer_view *layer,
		      const struct digest *diff_id);

/* Put the layer there, unless it is there; *size gets its length. Something else
 * in its place is replaced only if the stream's bytes prove the digest. name is
 * for messages. Returns 0 or a failure (reported). */
int layerdir_put(const struct layerdir *dir, const struct layer_view *layer,
		 const struct digest *diff_id, const char *name, int64_t *size);

#endif
