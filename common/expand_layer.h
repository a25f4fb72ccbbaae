/* expand_layer.h - one layer by itself, as DIR/<digest hex>/layer.
 *
 * As it is: whiteout files stay files, and a hard link into a lower layer is
 * left out and named in the layer's record. Which diff_id it was made of stands
 * in .<digest hex>.tree in DIR, so that a second run can leave it alone.
 */
#ifndef OCCY_COMMON_EXPAND_LAYER_H
#define OCCY_COMMON_EXPAND_LAYER_H

#include <stdbool.h>

#include "common/json.h"
#include "common/record.h"
#include "common/temptree.h"
#include "common/unpack.h"

struct expand_layer {
	int dir;              /* lent, as the next four */
	const char *dir_path; /* absolute */
	const struct layer_view *view;
	const struct digest *diff_id;
	const char *hex;      /* its name in dir */
	bool is_there;        /* from an earlier run, or listed before */
	struct temp_tree *temp;
	struct unpack *unpack; /* to feed; NULL when it is there */
	struct unpack_listener listener;
	struct json_object *skipped; /* names of links; or NULL */
};

/* dir, dir_path, view, diff_id and hex have been set. Returns 0 or a failure. */
int expand_layer_start(struct expand_layer *layer,
		       const struct unpack_options *options,
		       struct unpack_counts *counts);

/* It is proven: give it its name, and add its record to results. label is the
 * image's. Returns 0 or a failure. */
int expand_layer_finish(struct expand_layer *layer, const char *label,
			struct json_object *results);

void expand_layer_clear(struct expand_layer *layer);

static inline void auto_release_expand_layer(struct expand_layer *layer)
{
	expand_layer_clear(layer);
}

#endif
