/* record.c - one line of a stream. What is taken keeps its promises: digests
 * are digests, numbers are in range, every block has a place. */
#include "common/record.h"

#include <string.h>

#include "fuzz.h"

static void require_extent(const struct extent *e)
{
	REQUIRE(!e->file || (e->file[0] && e->offset >= 0 && e->length >= -1));
}

static void require_sound(const struct record *r)
{
	REQUIRE(r->json);
	if (r->type == RECORD_IMAGE) {
		REQUIRE(r->image.size >= -1 && r->image.layers >= -1);
		REQUIRE(image_view_name(&r->image));
		require_extent(&r->image.file);
	} else if (r->type == RECORD_CONFIG) {
		REQUIRE(digest_is_set(&r->config.digest));
		REQUIRE(r->config.file.file);
		require_extent(&r->config.file);
	} else if (r->type == RECORD_LAYER) {
		REQUIRE(r->layer.index >= 0);
		REQUIRE(digest_is_set(&r->layer.digest) ||
			digest_is_set(&r->layer.diff_id));
		REQUIRE(r->layer.file.file || r->layer.plain.file);
		require_extent(&r->layer.file);
		require_extent(&r->layer.plain);
	} else if (r->type == RECORD_END) {
		REQUIRE(r->end.images >= -1 && r->end.records >= -1);
		REQUIRE(r->end.left_out >= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(record) struct record record = { 0 };
	char why[256] = "";

	/* Twice, because the reader uses one record for all lines. */
	for (int i = 0; i < 2; i++) {
		record.text.len = 0;
		buf_append(&record.text, data, size);
		if (record_parse(&record, why, sizeof(why)) == 0)
			require_sound(&record);
		else
			require_reason(why);
	}
	return 0;
}
