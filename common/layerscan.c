/* layerscan.c - see layerscan.h */
#include "common/layerscan.h"

#include <unistd.h>

#include "common/blob.h"
#include "common/inflate.h"
#include "common/io.h"
#include "common/tarread.h"

static int open_layer(const struct layer_view *layer, const struct digest *diff_id,
		      const char *name, struct inflate **out)
{
	AUTO(blob) struct blob blob = BLOB_NONE;
	int rc = blob_open_layer(&blob, layer, name);

	if (rc == 0)
		*out = inflate_start(&blob, diff_id, name, NULL);
	return rc;
}

static int next_bytes(void *context, const void **data, size_t *len)
{
	return inflate_next(context, data, len);
}

int layer_scan(const struct layer_view *layer, const struct digest *diff_id,
	       const char *name, struct layer_facts *out)
{
	AUTO(inflate) struct inflate *inflate = NULL;
	AUTO(tar_reader) struct tar_reader *reader = NULL;
	struct byte_source source = { .next = next_bytes };
	const struct tar_entry *entry;
	int rc = open_layer(layer, diff_id, name, &inflate);

	if (rc < 0)
		return rc;
	source.context = inflate;
	reader = tar_reader_new(&source, name, UINT64_MAX);
	*out = (struct layer_facts){ 0 };
	while ((rc = tar_next(reader, &entry)) > 0)
		out->entries++;
	if (rc == 0)
		rc = tar_finish(reader, NULL);
	out->uncompressed_size = inflate_total(inflate);
	return rc;
}

int layer_copy_to_stdout(const struct layer_view *layer,
			 const struct digest *diff_id, const char *name)
{
	AUTO(inflate) struct inflate *inflate = NULL;
	const void *data;
	size_t len;
	int rc = open_layer(layer, diff_id, name, &inflate);

	if (rc < 0)
		return rc;
	while ((rc = inflate_next(inflate, &data, &len)) > 0) {
		rc = io_write(STDOUT_FILENO, "stdout", data, len);
		if (rc < 0)
			return rc;
	}
	return rc;
}
