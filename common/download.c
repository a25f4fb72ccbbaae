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
	struct store_part *part; /* from the first answer on: thousands of
				    blobs may be queued */
	struct digest digest;
	int64_t size;
	struct digest_state *state;
	int64_t received; /* since the start of this answer */
	char *block;      /* gathers IO_BLOCK_SIZE: the network brings 16 KiB */
	size_t filled;
};

static int on_begin(void *context, struct transfer *transfer,
		    const struct transfer_answer *answer)
{
	struct download *d = context;
	int rc;

	if (answer->length >= 0 && answer->length != d->size) {
		transfer_doubt(transfer, "the server has %lld bytes (%.80s), but the manifest says %lld",
			       (long long)answer->length,
			       answer->type ? answer->type : "of no type",
			       (long long)d->size);
		return TRANSFER_DOUBT;
	}
	d->received = 0;
	d->filled = 0;
	digest_restart(d->state);
	rc = d->part ? 0 : store_part_open(d->store, &d->digest, &d->part);
	if (rc < 0)
		return rc;
	if (!d->block)
		d->block = mem_resize(NULL, IO_BLOCK_SIZE, 1);
	if (ftruncate(store_part_fd(d->part), 0) != 0)
		return io_fail(store_part_name(d->part));
	return 0;
}

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
		return TRANSFER_DOUBT;
	}
	digest_result(d->state, &got);
	if (!digest_equal(&got, &d->digest)) {
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
	.begin = on_begin,
	.data = on_data,
	.end = on_end,
};

struct download *download_start(const struct download_request *request)
{
	AUTO(mem) char *path = mem_printf("/v2/%s/blobs/%s", request->repository,
					  request->digest.text);
	struct download *d = mem_zalloc(1, sizeof(*d));
	struct transfer_request transfer = {
		.path = path,
		.label = request->label,
		.accept = "*/*",
		.auth = request->auth,
		.is_blob = request->is_blob,
		.is_expected = true,
		.sink = &blob_sink,
		.context = d,
	};

	d->store = request->store;
	d->digest = request->digest;
	d->size = request->size;
	d->state = digest_begin(digest_algorithm(&request->digest));
	d->transfer = client_get(request->client, &transfer);
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

void download_free(struct download *download)
{
	if (!download)
		return;
	transfer_cancel(download->transfer);
	store_part_free(download->part);
	digest_end(download->state);
	free(download->block);
	free(download);
}
