/* inflate.h - a layer's uncompressed bytes, decoded ahead and proven.
 *
 * A thread of its own reads and decodes into a ring of blocks; the caller
 * takes them in order. Whichever of the two would have to wait for the other
 * hashes instead: decoding gzip takes longer than hashing and writing, decoding
 * zstd takes less, and making files of it all takes the caller longest. The
 * last call says whether the compressed data was whole and whether the layer
 * is the one that its diff_id names: nothing that came from here is to be
 * trusted before that.
 */
#ifndef OCCY_COMMON_INFLATE_H
#define OCCY_COMMON_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/gunzip.h"

struct inflate;

/* Start on a blob, whose descriptor is taken over (*blob is left empty).
 * diff_id is what its uncompressed bytes must hash to. name begins messages
 * ("IMAGE: layer 3 sha256:…"); it stays the caller's and must outlive what is
 * returned. engine decodes gzip; NULL is the fastest. Never NULL. */
struct inflate *inflate_start(struct blob *blob, const struct digest *diff_id,
			      const char *name,
			      const struct gunzip_engine *engine);

/* Stop, wherever it stands. */
void inflate_free(struct inflate *inflate);

/* Lend the next bytes, until the next call. Returns 1; 0 at the end, when all
 * is proven; or a failure (reported). */
int inflate_next(struct inflate *inflate, const void **data, size_t *len);

/* How many bytes have come so far. */
int64_t inflate_total(const struct inflate *inflate);

AUTO_DEFINE(inflate, struct inflate *, inflate_free);

#endif
