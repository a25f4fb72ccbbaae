/* download.c - see download.h */
#include "common/download.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

struct download {
	struct transfer *transfer;
	struct store *store;
	struct store_part *part; /* from the first request on */
	struct digest digest;
	int64_t size;
	struct digest_state *state;
	int64_t received; /* since the start of this answer */
	char *block;      /* gathers IO_BLOCK_SIZE: the network brings 16 KiB */
	size_t filled;
};

static int flush(struct download *d)
{
	int rc;

	if (d->filled == 0)
		return 0;
	digest_update(d->state, d->block, d->filled);
	rc = io_write_at(store_part_fd(d->part), store_part_name(d->part),
			 d->block, d->filled, d->received - (int64_t)d->filled);
	d->filled = 0;
	return rc;
}

/* Hash what an earlier run has left. What cannot be read, or is more than
 * there should be, is nothing. */
static void take_stock(struct download *d)
{
	const char *name = store_part_name(d->part);
	size_t got = 0;

	do {
		if (io_read_at(store_part_fd(d->part), name, d->block,
			       IO_BLOCK_SIZE, d->received, &got) < 0)
			break;
		digest_update(d->state, d->block, got);
		d->received += (int64_t)got;
	} while (got == IO_BLOCK_SIZE && d->received <= d->size);
	if (d->received <= d->size)
		return;
	d->received = 0;
	digest_restart(d->state);
}

/* From the first request on: thousands of blobs may be queued. */
static int open_part(struct download *d)
{
	int rc = store_part_open(d->store, &d->digest, &d->part);

	if (rc < 0)
		return rc;
	d->block = mem_resize(NULL, IO_BLOCK_SIZE, 1);
	take_stock(d);
	return 0;
}

static int64_t on_resume(void *context)
{
	struct download *d = context;
	int rc = d->part ? flush(d) : open_part(d);

	return rc < 0 ? rc : d->received;
}

static int start_over(struct download *d)
{
	d->received = 0;
	d->filled = 0;
	digest_restart(d->state);
	if (ftruncate(store_part_fd(d->part), 0) != 0)
		return io_fail(store_part_name(d->part));
	return 0;
}

static int on_begin(void *context, struct transfer *transfer,
		    const struct transfer_answer *answer)
{
	struct download *d = context;
	int rc = d->part ? 0 : open_part(d);

	if (rc < 0)
		return rc;
	if (answer->length >= 0 && answer->length != d->size) {
		transfer_doubt(transfer, "the server has %lld bytes (%.80s), but the manifest says %lld",
			       (long long)answer->length,
			       answer->type ? answer->type : "of no type",
			       (long long)d->size);
		return TRANSFER_DOUBT;
	}
	return answer->offset > 0 ? 0 : start_over(d);
}

static int on_data(void *context, struct transfer *transfer, const void *data,
		   size_t len)
{
	struct download *d = context;
	const char *p = data;

	if ((int64_t)len > d->size - d->received) {
		transfer_doubt(transfer, "longer than the %lld bytes of the manifest",
			       (long long)d->size);
		return TRANSFER_DOUBT;
	}
	while (len > 0) {
		size_t room = IO_BLOCK_SIZE - d->filled;
		size_t part = len < room ? len : room;
		int rc = 0;

		memcpy(d->block + d->filled, p, part);
		d->filled += part;
		d->received += (int64_t)part;
		p += part;
		len -= part;
		if (d->filled == IO_BLOCK_SIZE)
			rc = flush(d);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int on_end(void *context, struct transfer *transfer)
{
	struct download *d = context;
	struct digest got;
	int rc = flush(d);

	if (rc < 0)
		return rc;
	if (d->received != d->size) {
		transfer_doubt(transfer, "%lld bytes came, but the manifest says %lld",
			       (long long)d->received, (long long)d->size);
		return TRANSFER_SHORT;
	}
	digest_result(d->state, &got);
	if (!digest_equal(&got, &d->digest)) {
		/* These bytes help nobody. */
		if (ftruncate(store_part_fd(d->part), 0) != 0)
			return io_fail(store_part_name(d->part));
		transfer_doubt(transfer, "digest mismatch, got %s", got.text);
		return TRANSFER_DOUBT;
	}
	rc = store_part_commit(d->part);
	store_part_free(d->part);
	d->part = NULL;
	free(d->block);
	d->block = NULL;
	return rc;
}

static const struct transfer_sink blob_sink = {
	.resume = on_resume,
	.begin = on_begin,
	.data = on_data,
	.end = on_end,
};

struct download *download_start(const struct download_request *request)
{
	AUTO(mem) char *path = mem_printf("blobs/%s", request->digest.text);
	struct download *d = mem_zalloc(1, sizeof(*d));
	struct transfer_request transfer = {
		.route = request->route,
		.path = path,
		.label = request->label,
		.accept = "*/*",
		.is_blob = true,
		.urls = request->urls,
		.url_count = request->url_count,
		.sink = &blob_sink,
		.context = d,
	};

	d->store = request->store;
	d->digest = request->digest;
	d->size = request->size;
	d->state = digest_begin(digest_algorithm(&request->digest));
	d->transfer = client_get(&transfer);
	return d;
}

bool download_is_finished(const struct download *download)
{
	return transfer_is_finished(download->transfer);
}

int download_result(const struct download *download)
{
	return transfer_result(download->transfer);
}

const struct transfer *download_transfer(const struct download *download)
{
	return download->transfer;
}

/* What was found wrong must not mislead the next run, and what filled the disk
 * must not keep it full. */
static bool is_useless(const struct download *download)
{
	return download_result(download) == -STATUS_INTEGRITY ||
	       download_result(download) == -STATUS_STORAGE;
}

void download_free(struct download *download)
{
	if (!download)
		return;
	if (download->part && download_is_finished(download) && is_useless(download))
		store_part_discard(download->part);
	transfer_cancel(download->transfer);
	store_part_free(download->part);
	digest_end(download->state);
	free(download->block);
	free(download);
}
