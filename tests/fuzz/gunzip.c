/* gunzip.c - gzip data. The first byte says how the rest is cut; an engine must
 * come to the same end, with the same bytes, however it is cut, and to the end
 * that zlib, the last of them, comes to. The one exception: ISA-L takes some
 * sets of codes that zlib refuses (no encoder makes them). */
#include "common/gunzip.h"

#include <string.h>

#include "common/digest.h"
#include "fuzz.h"

#define OUTPUT_MAX 4194304
#define ROOM 4096

struct outcome {
	enum gunzip_result result;
	size_t total;
	struct digest digest;
};

static struct outcome decode(const struct gunzip_engine *engine,
			     const uint8_t *data, size_t size, size_t cut)
{
	AUTO(gunzip) struct gunzip *gunzip = gunzip_new(engine);
	AUTO(digest_state) struct digest_state *hash = digest_begin(DIGEST_SHA256);
	struct outcome outcome = { .result = GUNZIP_MORE };
	unsigned char room[ROOM];
	size_t given = size < cut ? size : cut;
	struct gunzip_io io = { .in = data, .in_len = given };

	while (outcome.result == GUNZIP_MORE && outcome.total < OUTPUT_MAX) {
		io.out = room;
		io.out_len = ROOM;
		outcome.result = gunzip_run(gunzip, &io, given == size);
		digest_update(hash, room, ROOM - io.out_len);
		outcome.total += ROOM - io.out_len;
		if (outcome.result != GUNZIP_MORE || io.out_len < ROOM)
			continue;
		REQUIRE(given < size || io.in_len == 0);
		io.in_len += size - given < cut ? size - given : cut;
		given += size - given < cut ? size - given : cut;
	}
	digest_result(hash, &outcome.digest);
	return outcome;
}

static void require_same(const struct outcome *a, const struct outcome *b)
{
	/* What came before a fault may differ, not that there is one. */
	REQUIRE((a->result == GUNZIP_DONE) == (b->result == GUNZIP_DONE));
	if (a->result == GUNZIP_DONE)
		REQUIRE(a->total == b->total && digest_equal(&a->digest, &b->digest));
	else
		require_reason(gunzip_fault(a->result));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct gunzip_engine *const *engine = gunzip_engines;
	struct outcome whole, cut, judge;

	if (size < 2)
		return 0;
	while (engine[1])
		engine++;
	judge = decode(*engine, data + 1, size - 1, size);
	if (judge.total >= OUTPUT_MAX)
		return 0;
	for (engine = gunzip_engines; *engine; engine++) {
		whole = decode(*engine, data + 1, size - 1, size);
		if (whole.total >= OUTPUT_MAX)
			continue;
		cut = decode(*engine, data + 1, size - 1, (size_t)data[0] + 1);
		require_same(&whole, &cut);
		if (judge.result != GUNZIP_BAD_DATA || whole.result != GUNZIP_DONE)
			require_same(&judge, &whole);
	}
	return 0;
}
