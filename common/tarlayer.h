/* tarlayer.h - a layer's plain tar as a member of another tar. */
#ifndef OCCY_COMMON_TARLAYER_H
#define OCCY_COMMON_TARLAYER_H

#include "common/digest.h"
#include "common/outfile.h"
#include "common/record.h"
#include "common/tarwrite.h"

/* Write the layer as member `member` of tar, which goes to out, and prove it
 * against diff_id. name begins messages. Returns 0 or a failure (reported),
 * after which the tar is of no use. */
int tarlayer_put(struct tarwrite *tar, const struct outfile *out,
		 const char *member, const struct layer_view *layer,
		 const struct digest *diff_id, const char *name);

#endif
