/* tarlayer.c - see tarlayer.h */
#include "common/tarlayer.h"

#include <inttypes.h>

#include "common/blob.h"
#include "common/inflate.h"
#include "common/msg.h"

/* Decode it all, only to see how much it is. Returns the size or a failure. */
static int64_t measure(const struct layer_view *layer,
		       const struct digest *diff_id, const char *name)
{
	AUTO(blob) struct blob blob = BLOB_NONE;
	AUTO(inflate) struct inflate *inflate = NULL;
	const void *data;
	size_t len;
	int rc = blob_open_layer(&blob, layer, name);

	if (rc < 0)
		return rc;
	inflate = inflate_start(&blob, diff_id, name, NULL);
	do
		rc = inflate_next(inflate, &data, &len);
	while (rc > 0);
	return rc < 0 ? rc : inflate_total(inflate);
}

static int wrong_size(const char *name, int64_t said, int64_t came)
{
	return msg_fail(STATUS_INTEGRITY, "%s: size mismatch: its record says %"
			PRId64 " bytes uncompressed, but %s%" PRId64 " came",
			name, said, came > said ? "at least " : "", came);
}

/* said: what the record says of the size, -1 for nothing. */
static int copy(struct tarwrite *tar, struct inflate *inflate, int64_t said,
		const char *name)
{
	const void *data;
	size_t len;
	int rc;

	while ((rc = inflate_next(inflate, &data, &len)) > 0) {
		/* Before it is written: what a pipe's reader has already
		 * counted cannot be taken back. */
		if (said >= 0 && inflate_total(inflate) > said)
			return wrong_size(name, said, inflate_total(inflate));
		rc = tarwrite_data(tar, data, len);
		if (rc < 0)
			return rc;
	}
	if (rc == 0 && said >= 0 && inflate_total(inflate) < said)
		return wrong_size(name, said, inflate_total(inflate));
	return rc;
}

int tarlayer_put(struct tarwrite *tar, const struct outfile *out,
		 const char *member, const struct layer_view *layer,
		 const struct digest *diff_id, const char *name)
{
	AUTO(blob) struct blob blob = BLOB_NONE;
	AUTO(inflate) struct inflate *inflate = NULL;
	int64_t said = layer->uncompressed_size;
	int rc = blob_open_layer(&blob, layer, name);

	if (rc < 0)
		return rc;
	if (said < 0 && blob.compression == COMPRESSION_NONE)
		said = blob.length;
	if (said < 0 && !outfile_is_seekable(out)) {
		said = measure(layer, diff_id, name);
		if (said < 0)
			return (int)said;
	}
	rc = tarwrite_begin(tar, member, said);
	if (rc < 0)
		return rc;
	inflate = inflate_start(&blob, diff_id, name, NULL);
	rc = copy(tar, inflate, said, name);
	return rc < 0 ? rc : tarwrite_end(tar);
}
