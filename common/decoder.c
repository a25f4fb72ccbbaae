/* decoder.c - see decoder.h */
#include "common/decoder.h"

#include <stdbool.h>

#include "common/filter.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

struct decoder {
	struct blob blob;
	struct gunzip *gunzip; /* for gzip */
	unsigned char *input;
	const unsigned char *next;
	size_t left;
	bool at_end; /* of the blob */
	struct filter *filter; /* for zstd, xz, bzip2 */
};

struct decoder *decoder_new(struct blob *blob,
			    const struct gunzip_engine *engine)
{
	struct decoder *decoder = mem_zalloc(1, sizeof(*decoder));

	decoder->blob = *blob;
	*blob = (struct blob)BLOB_NONE;
	switch (decoder->blob.compression) {
	case COMPRESSION_NONE:
		break;
	case COMPRESSION_GZIP:
		decoder->gunzip = gunzip_new(engine ? engine
						    : gunzip_engines[0]);
		decoder->input = mem_resize(NULL, IO_BLOCK_SIZE, 1);
		break;
	case COMPRESSION_ZSTD:
	case COMPRESSION_XZ:
	case COMPRESSION_BZIP2:
		decoder->filter = filter_new(&decoder->blob);
		break;
	}
	return decoder;
}

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	filter_free(decoder->filter);
	gunzip_free(decoder->gunzip);
	free(decoder->input);
	blob_close(&decoder->blob);
	free(decoder);
}

static int fill(struct decoder *decoder)
{
	int rc = blob_read(&decoder->blob, decoder->input, IO_BLOCK_SIZE,
			   &decoder->left);

	decoder->next = decoder->input;
	decoder->at_end = decoder->left < IO_BLOCK_SIZE;
	return rc;
}

static int gunzip_read(struct decoder *decoder, void *out, size_t len,
		       size_t *got, const char **why)
{
	struct gunzip_io io = { .out = out, .out_len = len };
	enum gunzip_result result = GUNZIP_MORE;

	while (result == GUNZIP_MORE && io.out_len > 0) {
		int rc = decoder->left || decoder->at_end ? 0 : fill(decoder);

		if (rc < 0)
			return rc;
		io.in = decoder->next;
		io.in_len = decoder->left;
		result = gunzip_run(decoder->gunzip, &io, decoder->at_end);
		decoder->next = io.in;
		decoder->left = io.in_len;
	}
	*got = len - io.out_len;
	if (result == GUNZIP_MORE || result == GUNZIP_DONE)
		return 0;
	*why = gunzip_fault(result);
	return -STATUS_INTEGRITY;
}

int decoder_read(struct decoder *decoder, void *out, size_t len, size_t *got,
		 const char **why)
{
	*why = NULL;
	*got = 0;
	if (decoder->gunzip)
		return gunzip_read(decoder, out, len, got, why);
	if (decoder->filter)
		return filter_read(decoder->filter, out, len, got, why);
	return blob_read(&decoder->blob, out, len, got);
}
