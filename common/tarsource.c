/* tarsource.c - see tarsource.h */
#include "common/tarsource.h"

#include <string.h>

#include "common/msg.h"

#define STEP_MAX ((size_t)1 << 30)

int tar_source_cut_short(const struct tar_source *source)
{
	return msg_fail(STATUS_INTEGRITY, "%s: the tar is cut short",
			source->name);
}

int tar_source_use(struct tar_source *source, uint64_t len)
{
	if (len > source->most - source->used)
		return msg_fail(STATUS_INTEGRITY,
				"%s: unpacks to more than is allowed",
				source->name);
	source->used += len;
	return 0;
}

static int fill(struct tar_source *source)
{
	const void *more = NULL;
	int got;

	if (source->at_end)
		return 0;
	got = source->bytes.next(source->bytes.context, &more, &source->len);
	if (got <= 0) {
		source->len = 0;
		source->at_end = true;
	}
	source->data = more;
	if (got > 0 && tar_source_use(source, source->len) < 0)
		return -STATUS_INTEGRITY;
	return got;
}

int tar_source_take(struct tar_source *source, size_t most,
		    const unsigned char **data, size_t *len)
{
	if (source->len == 0) {
		int got = fill(source);

		if (got <= 0)
			return got;
	}
	*len = source->len < most ? source->len : most;
	*data = source->data;
	source->data += *len;
	source->len -= *len;
	source->position += *len;
	return 1;
}

int tar_source_copy(struct tar_source *source, void *out, size_t want)
{
	unsigned char *to = out;
	const unsigned char *data;
	size_t len;

	for (size_t done = 0; done < want; done += len) {
		int got = tar_source_take(source, want - done, &data, &len);

		if (got < 0 || (got == 0 && done == 0))
			return got;
		if (got == 0)
			return tar_source_cut_short(source);
		memcpy(to + done, data, len);
	}
	return 1;
}

static int skip_unread(struct tar_source *source, uint64_t len)
{
	int got = tar_source_use(source, len);

	if (got < 0)
		return got;
	got = source->bytes.skip(source->bytes.context, len);
	source->position += len;
	return got == 0 ? tar_source_cut_short(source) : got < 0 ? got : 0;
}

int tar_source_skip(struct tar_source *source, uint64_t len)
{
	const unsigned char *data;
	size_t part;

	while (len > 0) {
		int got;

		if (source->len == 0 && source->bytes.skip && !source->at_end)
			return skip_unread(source, len);
		part = len < STEP_MAX ? (size_t)len : STEP_MAX;
		got = tar_source_take(source, part, &data, &part);
		if (got == 0)
			return tar_source_cut_short(source);
		if (got < 0)
			return got;
		len -= part;
	}
	return 0;
}

int tar_source_need(struct tar_source *source, void *out, size_t want)
{
	int got = want ? tar_source_copy(source, out, want) : 1;

	if (got == 0)
		return tar_source_cut_short(source);
	return got < 0 ? got : 0;
}
