/* store_gc - what gc leaves to a run that is going on while the clock is set.
 *
 * Files get their times from the kernel, so what is set here is what the run,
 * or gc, takes for the time.
 */
#include <time.h>

#include "common/digest.h"
#include "common/mem.h"
#include "common/store.h"
#include "common/store_care.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

static int64_t ahead; /* seconds */

/* In place of libc's. */
int clock_gettime(clockid_t id, struct timespec *out)
{
	(void)id;
	timespec_get(out, TIME_UTC);
	out->tv_sec += ahead;
	return 0;
}

/* A run begins at one time, uses a blob at the next, and gc comes at a third. */
static bool stays(int64_t begin, int64_t use, int64_t collect)
{
	AUTO(store) struct store *run = NULL;
	AUTO(store) struct store *gc = NULL;
	AUTO(json) struct json_object *counts = NULL;
	struct digest digest;

	ahead = begin;
	CHECK_NUMBER(store_open(scratch_path, &run), 0);
	ahead = use;
	digest_of(DIGEST_SHA256, "x", 1, &digest);
	CHECK_NUMBER(store_put(run, &digest, "x", 1), 0);
	ahead = collect;
	CHECK_NUMBER(store_open_existing(scratch_path, &gc), 0);
	CHECK_NUMBER(store_gc(gc, 0, &counts), 0);
	return store_has(run, &digest, 1);
}

int main(void)
{
	close(scratch_open());
	check_row("as it should be");
	CHECK(stays(0, 0, 10));
	check_row("set forward by an hour");
	CHECK(stays(-3600, 0, 10));
	check_row("set back by an hour");
	CHECK(stays(3600, 0, 10));
	check_row("set back, and there again");
	CHECK(stays(100, 0, 110));
	return check_result();
}
