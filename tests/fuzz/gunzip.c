/* gunzip.c - gzip data. The first byte says how the rest is cut; every engine
 * must come to the same end, with the same bytes, however it is cut. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome first, other;
	size_t cut;

	if (size < 2)
		return 0;
	cut = (size_t)data[0] + 1;
	first = decode(gunzip_engines[0], data + 1, size - 1, size);
	if (first.total >= OUTPUT_MAX)
		return 0;
	for (size_t i = 0; gunzip_engines[i]; i++) {
		other = decode(gunzip_engines[i], data + 1, size - 1, cut);
		/* What came before a fault may differ, not that there is one. */
		REQUIRE((first.result == GUNZIP_DONE) == (other.result == GUNZIP_DONE));
		if (first.result == GUNZIP_DONE)
			REQUIRE(first.total == other.total &&
				digest_equal(&first.digest, &other.digest));
		else
			require_reason(gunzip_fault(other.result));
	}
	return 0;
}
