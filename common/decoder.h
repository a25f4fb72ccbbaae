/* decoder.h - the uncompressed bytes of a blob, one block after another.
 *
 * Pulled, in the caller's own thread; inflate.h does it ahead in another.
 */
#ifndef OCCY_COMMON_DECODER_H
#define OCCY_COMMON_DECODER_H

#include <stddef.h>

#include "common/blob.h"
#include "common/cleanup.h"
#include "common/gunzip.h"

struct decoder;

/* Start at the blob's position; its descriptor is taken over and *blob left
 * empty. engine decodes gzip; NULL is the fastest there is. */
struct decoder *decoder_new(struct blob *blob,
			    const struct gunzip_engine *engine);
void decoder_free(struct decoder *decoder);

/* Fill out; *got < len only at the end, when the compressed data has been
 * proven complete. Returns 0, or a failure: reported where *why is NULL, else
 * STATUS_INTEGRITY with *why saying what is wrong (lent until the decoder
 * goes). After the end or a failure it must not be called again. */
int decoder_read(struct decoder *decoder, void *out, size_t len, size_t *got,
		 const char **why);

AUTO_DEFINE(decoder, struct decoder *, decoder_free);

#endif
