/* download.c - see download.h
 *
 * A lane is one connection's worth of a blob: a transfer that asks for one
 * range after the other. The first lane leads: it finds out whether the server
 * gives ranges, it proves the blob when all is there, and its result is the
 * download's. A small blob has no other, and asks for all that is missing.
 *
 * Of a big blob a lane takes the lowest range that nobody has. The others begin
 * when a range was answered by just that and takes long, unless all connections
 * together bring as much as one process can well take: several to a fast server
 * are slower than one.
 *
 * A lane whose range is answered by something else leaves, and its range goes
 * back; the last one asks for the whole instead. So it ends: each lane leaves
 * once, the whole is asked for without a range from then on, each range that is
 * done makes less of what is missing, and what does not bring a mebibyte counts
 * as a failed try (answer.c).
 */
#include "common/download.h"

#include <stdlib.h>
#include <string.h>

#include "common/assembly.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/msg.h"

#define SPLIT_MIN_BYTES ((int64_t)64 << 20)
#define SPLIT_MAX_BYTES ((int64_t)1 << 40) /* the map has 4 MiB then */
#define RANGE_BYTES ((int64_t)16 << 20)
#define RANGE_MAX_BYTES ((int64_t)128 << 20)
#define WORK_BYTES ((int64_t)16 << 20) /* hashed at a time: some 10 ms */

/* How long a range may take before others help, and how much must come by all
 * connections in that time for them not to. */
#define PATIENCE_MS 100
#define PLENTY_PER_MS ((int64_t)256 << 10) /* 256 MiB/s */

struct lane {
	struct download *download;
	struct transfer *transfer;
	int64_t at, end; /* what of its range is to come; equal: it has none */
	char *block;     /* gathers one: the network brings 16 KiB */
	size_t filled;   /* the bytes before `at` that are not written */
	bool has_begun;  /* has had a range */
	bool has_left;   /* asks for none any more */
};

struct download {
	const struct client *client;
	struct store *store;
	struct digest digest;
	int64_t size;
	struct assembly *assembly; /* from the first request to the end */
	int64_t have;              /* with what is not written yet */
	bool gives_ranges;         /* as far as is known */
	int64_t range_bytes;       /* of the last range that was taken */
	int64_t range_began;       /* the leader's, in milliseconds */
	int64_t come_then;         /* by all connections */
	struct lane *lanes;
	size_t lane_count;
};

static bool is_leader(const struct lane *lane)
{
	return lane == lane->download->lanes;
}

static bool is_complete(const struct download *d)
{
	return assembly_have(d->assembly) == d->size;
}

/* Does another lane fetch the same blob? */
static bool has_company(const struct lane *lane)
{
	const struct download *d = lane->download;

	for (size_t i = 0; i < d->lane_count; i++)
		if (&d->lanes[i] != lane && d->lanes[i].has_begun &&
		    !d->lanes[i].has_left)
			return true;
	return false;
}

static void count(struct lane *lane, int64_t have)
{
	lane->download->have = have;
	transfer_count(lane->transfer, have);
}

/* From the first request on: thousands of blobs may be queued. */
static int open_assembly(struct lane *lane)
{
	struct download *d = lane->download;
	int rc = assembly_open(d->store, &d->digest, d->size, &d->assembly);

	if (rc == 0) {
		transfer_note_found(lane->transfer, assembly_have(d->assembly));
		count(lane, assembly_have(d->assembly));
	}
	return rc;
}

static int flush(struct lane *lane)
{
	size_t len = lane->filled;

	lane->filled = 0;
	return len == 0 ? 0
			: assembly_write(lane->download->assembly,
					 lane->at - (int64_t)len, lane->block, len);
}

static void drop_block(struct lane *lane)
{
	free(lane->block);
	lane->block = NULL;
	lane->filled = 0;
}

static void retire_all(struct download *d)
{
	for (size_t i = 0; i < d->lane_count; i++) {
		d->lanes[i].has_left = true;
		d->lanes[i].end = d->lanes[i].at;
	}
}

/* Leave out of a gap what other lanes have. Returns false where they have its
 * beginning; then it begins behind that. */
static bool is_free(const struct download *d, struct stretch *gap)
{
	for (size_t i = 0; i < d->lane_count; i++) {
		const struct lane *lane = &d->lanes[i];
		int64_t from = lane->at - (int64_t)lane->filled;

		if (lane->at == lane->end)
			continue;
		if (from <= gap->from && gap->from < lane->end) {
			gap->from = lane->end;
			return false;
		}
		if (from > gap->from && from < gap->to)
			gap->to = from;
	}
	return true;
}

/* Each range costs a round trip, in which nothing comes: who needs no help may
 * ask for more. */
static int64_t range_bytes(struct lane *lane)
{
	struct download *d = lane->download;

	if (!lane->has_begun || has_company(lane))
		d->range_bytes = RANGE_BYTES;
	else if (d->range_bytes < RANGE_MAX_BYTES)
		d->range_bytes *= 2;
	return d->range_bytes;
}

static void take_range(struct lane *lane)
{
	const struct download *d = lane->download;
	struct stretch gap = { 0 };
	int64_t most;

	do {
		if (!assembly_gap(d->assembly, gap.from, &gap))
			return;
	} while (!is_free(d, &gap));
	most = gap.from / RANGE_BYTES * RANGE_BYTES + range_bytes(lane);
	lane->at = gap.from;
	lane->end = d->lane_count > 1 && gap.to > most ? most : gap.to;
	if (!lane->block)
		lane->block = mem_resize(NULL, STORE_BLOCK_SIZE, 1);
}

static int64_t have_come(const struct client *client)
{
	return client_received(client) - client_found(client);
}

/* The lanes that have not begun do so in a while, unless this is called again
 * before. */
static void be_patient(struct download *d)
{
	d->range_began = clock_now_ms();
	d->come_then = have_come(d->client);
	for (size_t i = 1; i < d->lane_count; i++)
		if (!d->lanes[i].has_begun && !d->lanes[i].has_left)
			transfer_wake(d->lanes[i].transfer, PATIENCE_MS);
}

static bool comes_plenty(const struct download *d)
{
	int64_t elapsed = clock_now_ms() - d->range_began;

	return have_come(d->client) - d->come_then >= elapsed * PLENTY_PER_MS;
}

static int begin_range(struct lane *lane)
{
	struct download *d = lane->download;
	bool is_first = !lane->has_begun;

	lane->has_begun = true;
	if (!is_leader(lane))
		return is_first ? assembly_split(d->assembly) : 0;
	if (d->gives_ranges)
		be_patient(d);
	return 0;
}

static int on_resume(void *context, struct transfer_range *range)
{
	struct lane *lane = context;
	struct download *d = lane->download;
	int rc = 0;

	if (!is_leader(lane) &&
	    (lane->has_left || (!lane->has_begun && comes_plenty(d))))
		return TRANSFER_IDLE;
	/* At another source, which may give ranges. */
	if (!has_company(lane))
		lane->has_left = false;
	rc = d->assembly ? flush(lane) : open_assembly(lane);
	if (rc == 0 && lane->at == lane->end && !lane->has_left) {
		take_range(lane);
		if (lane->at < lane->end)
			rc = begin_range(lane);
	}
	if (rc < 0)
		return rc;
	if (lane->at == lane->end) {
		drop_block(lane);
		return is_leader(lane) && is_complete(d) ? TRANSFER_WORK
							 : TRANSFER_IDLE;
	}
	range->from = lane->at;
	range->to = lane->end < d->size ? lane->end : 0;
	return 0;
}

/* All of it comes to this lane, from the start. */
static int start_over(struct lane *lane)
{
	struct download *d = lane->download;

	retire_all(d);
	lane->has_left = false;
	lane->at = 0;
	lane->end = d->size;
	lane->filled = 0;
	if (!lane->block)
		lane->block = mem_resize(NULL, STORE_BLOCK_SIZE, 1);
	count(lane, 0);
	return assembly_restart(d->assembly);
}

static int on_begin(void *context, struct transfer *transfer,
		    const struct transfer_answer *answer)
{
	struct lane *lane = context;
	struct download *d = lane->download;
	int rc = d->assembly ? 0 : open_assembly(lane);
	bool is_right_size = answer->length < 0 || answer->length == d->size;

	if (rc < 0)
		return rc;
	if (has_company(lane) && !(answer->is_range && is_right_size))
		return TRANSFER_UNRANGED;
	if (!is_right_size) {
		transfer_doubt(transfer, "the server has %lld bytes (%.80s), but the manifest says %lld",
			       (long long)answer->length,
			       answer->type ? answer->type : "of no type",
			       (long long)d->size);
		retire_all(d);
		return TRANSFER_DOUBT;
	}
	if (!answer->is_range)
		return start_over(lane);
	if (!d->gives_ranges) {
		d->gives_ranges = true;
		be_patient(d);
	}
	return 0;
}

static int too_long(struct lane *lane)
{
	struct download *d = lane->download;

	if (lane->end < d->size || has_company(lane))
		return TRANSFER_UNRANGED;
	transfer_doubt(lane->transfer, "longer than the %lld bytes of the manifest",
		       (long long)d->size);
	retire_all(d);
	return TRANSFER_DOUBT;
}

static int on_data(void *context, struct transfer *transfer, const void *data,
		   size_t len)
{
	struct lane *lane = context;
	const char *p = data;
	int rc = 0;

	(void)transfer;
	if ((int64_t)len > lane->end - lane->at)
		return too_long(lane);
	count(lane, lane->download->have + (int64_t)len);
	while (rc == 0 && len > 0) {
		size_t room = STORE_BLOCK_SIZE - (size_t)(lane->at % STORE_BLOCK_SIZE);
		size_t part = len < room ? len : room;

		memcpy(lane->block + lane->filled, p, part);
		lane->filled += part;
		lane->at += (int64_t)part;
		p += part;
		len -= part;
		if (part == room)
			rc = flush(lane);
	}
	return rc;
}

/* The digest of the whole is right, or all of it is of no use. */
static int prove(struct lane *lane)
{
	struct download *d = lane->download;
	struct digest got;
	int rc;

	retire_all(d);
	assembly_result(d->assembly, &got);
	if (!digest_equal(&got, &d->digest)) {
		transfer_doubt(lane->transfer, "digest mismatch, got %s", got.text);
		rc = assembly_restart(d->assembly);
		return rc < 0 ? rc : TRANSFER_DOUBT;
	}
	rc = assembly_commit(d->assembly);
	assembly_free(d->assembly);
	d->assembly = NULL;
	for (size_t i = 0; i < d->lane_count; i++)
		drop_block(&d->lanes[i]);
	return rc;
}

static int on_work(void *context, struct transfer *transfer)
{
	struct lane *lane = context;
	int rc = assembly_hash(lane->download->assembly, WORK_BYTES);

	(void)transfer;
	return rc < 0 ? rc : rc > 0 ? prove(lane) : TRANSFER_WORK;
}

static int on_end(void *context, struct transfer *transfer)
{
	struct lane *lane = context;
	struct download *d = lane->download;
	int rc;

	if (lane->has_left)
		return TRANSFER_IDLE;
	rc = flush(lane);
	if (rc < 0)
		return rc;
	if (lane->at < lane->end) {
		transfer_doubt(transfer, "%lld bytes came, but the manifest says %lld",
			       (long long)lane->at, (long long)d->size);
		return TRANSFER_SHORT;
	}
	if (!is_complete(d))
		return TRANSFER_MORE;
	if (is_leader(lane))
		return on_work(context, transfer);
	transfer_want_work(d->lanes[0].transfer);
	return TRANSFER_IDLE;
}

static int on_whole(void *context)
{
	struct lane *lane = context;
	struct download *d = lane->download;
	int rc;

	if (lane->has_left)
		return TRANSFER_IDLE;
	rc = d->assembly ? flush(lane) : 0;
	if (rc < 0)
		return rc;
	lane->has_left = true;
	lane->end = lane->at;
	if (has_company(lane)) {
		for (size_t i = 0; i < d->lane_count; i++)
			if (d->lanes[i].at == d->lanes[i].end)
				transfer_wake(d->lanes[i].transfer, 0);
		return TRANSFER_IDLE;
	}
	retire_all(d);
	if (is_leader(lane))
		return 0;
	transfer_want_whole(d->lanes[0].transfer);
	return TRANSFER_IDLE;
}

static const struct transfer_sink blob_sink = {
	.resume = on_resume,
	.whole = on_whole,
	.work = on_work,
	.begin = on_begin,
	.data = on_data,
	.end = on_end,
};

static void add_lanes(struct download *d, const struct download_request *request)
{
	AUTO(mem) char *path = mem_printf("blobs/%s", request->digest.text);
	struct transfer_request transfer = {
		.route = request->route,
		.path = path,
		.label = request->label,
		.accept = "*/*",
		.is_blob = true,
		.urls = request->urls,
		.url_count = request->url_count,
		.sink = &blob_sink,
	};

	for (size_t i = 0; i < d->lane_count; i++) {
		struct lane *lane = &d->lanes[i];

		lane->download = d;
		transfer.context = lane;
		lane->transfer = client_get(&transfer);
		transfer.leader = d->lanes[0].transfer;
	}
}

struct download *download_start(const struct download_request *request)
{
	struct download *d = mem_zalloc(1, sizeof(*d));

	d->client = request->route->client;
	d->store = request->store;
	d->digest = request->digest;
	d->size = request->size;
	d->lane_count = d->size < SPLIT_MIN_BYTES || d->size > SPLIT_MAX_BYTES
				? 1
				: (size_t)client_split(request->route->client);
	d->lanes = mem_zalloc(d->lane_count, sizeof(*d->lanes));
	add_lanes(d, request);
	return d;
}

const struct transfer *download_transfer(const struct download *download)
{
	return download->lanes[0].transfer;
}

/* What was found wrong must not mislead the next run, and what filled the disk
 * must not keep it full. */
static bool is_useless(const struct download *download)
{
	for (size_t i = 0; i < download->lane_count; i++) {
		const struct transfer *transfer = download->lanes[i].transfer;

		if (transfer_is_finished(transfer) &&
		    (transfer_result(transfer) == -STATUS_INTEGRITY ||
		     transfer_result(transfer) == -STATUS_STORAGE))
			return true;
	}
	return false;
}

void download_free(struct download *download)
{
	if (!download)
		return;
	if (download->assembly && is_useless(download))
		assembly_discard(download->assembly);
	for (size_t i = 0; i < download->lane_count; i++) {
		transfer_cancel(download->lanes[i].transfer);
		free(download->lanes[i].block);
	}
	assembly_free(download->assembly);
	free(download->lanes);
	free(download);
}
