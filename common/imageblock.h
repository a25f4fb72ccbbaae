/* imageblock.h - one image's block of a stream: what its records say together.
 *
 * An image record, a config record and layer records make an image. The
 * config's bytes are read and proven here; which uncompressed digest a layer
 * must have is the config's word, and where there is no config the record's.
 */
#ifndef OCCY_COMMON_IMAGEBLOCK_H
#define OCCY_COMMON_IMAGEBLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/manifest.h"
#include "common/record.h"

struct imageblock {
	char *label;  /* what it is called in messages and result records: its
			 first name, else its manifest's digest, else its
			 config's; NULL outside a block */
	bool is_named; /* by a name or its manifest's digest */
	bool has_config;
	struct digest config_digest;
	struct buf config_bytes; /* as they came */
	struct image_config config;
	size_t layer_count; /* that imageblock_next_layer() has let through */
};

/* An image record begins a block; what was there before is forgotten. */
void imageblock_begin(struct imageblock *block, const struct image_view *image);

/* Read the config and prove it. Returns 0 or a failure (reported). */
int imageblock_take_config(struct imageblock *block,
			   const struct config_view *config);

/* "IMAGE: layer 3 sha256:…", as messages begin; the caller frees it. */
char *imageblock_layer_name(const struct imageblock *block,
			    const struct layer_view *layer);

/* What the layer's uncompressed bytes must hash to, lent, in *diff_id: NULL
 * where neither the config nor the record says. Returns 0, or a failure
 * (reported) where the two contradict or the config has no such layer. */
int imageblock_diff_id(const struct imageblock *block,
		       const struct layer_view *layer, const char *name,
		       const struct digest **diff_id);

/* The same for tools that need the whole image: the config must be there and
 * the layer must be the next one. *diff_id is never NULL. */
int imageblock_next_layer(struct imageblock *block,
			  const struct layer_view *layer, const char *name,
			  const struct digest **diff_id);

/* The block is over: config and all layers must have come. Returns 0 or a
 * failure (reported). */
int imageblock_check_whole(const struct imageblock *block);

/* What made the layer, by the config's history; lent, NULL when unknown. */
const char *imageblock_created_by(const struct imageblock *block,
				  const struct layer_view *layer);

void imageblock_clear(struct imageblock *block);

static inline void auto_release_imageblock(struct imageblock *block)
{
	imageblock_clear(block);
}

#endif
