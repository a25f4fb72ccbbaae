/* tarsource.h - take bytes from a source in the portions a tar reader wants.
 *
 * As few copies as can be: what lies in one piece of the source is lent.
 */
#ifndef OCCY_COMMON_TARSOURCE_H
#define OCCY_COMMON_TARSOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where bytes come from. next() lends the following ones, at least one, until
 * it is called again: 1 with data, 0 at the end, or a failure (reported).
 * skip(), which may be NULL, steps over the following ones unread: 1, 0 when
 * the end comes before, or a failure. */
struct byte_source {
	int (*next)(void *context, const void **data, size_t *len);
	int (*skip)(void *context, uint64_t len);
	void *context;
};

struct tar_source {
	struct byte_source bytes;
	const char *name;          /* for messages */
	const unsigned char *data; /* lent by bytes, not yet taken */
	size_t len;
	uint64_t used, most;       /* how much came, and may come */
	uint64_t position;         /* how much was taken or skipped */
	bool at_end;
};

/* Lend up to `most` of the bytes that come next, until the next call. Returns
 * 1, 0 at the end, or a failure. */
int tar_source_take(struct tar_source *source, size_t most,
		    const unsigned char **data, size_t *len);

/* Copy exactly `want` bytes. Returns 1, 0 if the end comes before the first
 * of them, or a failure: within them it is one (reported). */
int tar_source_copy(struct tar_source *source, void *out, size_t want);

/* The same where the end may not come: returns 0 or a failure. */
int tar_source_need(struct tar_source *source, void *out, size_t want);

/* Step over exactly len bytes. Returns 0 or a failure, also where the end comes
 * within them. */
int tar_source_skip(struct tar_source *source, uint64_t len);

/* Count bytes that take room without coming. Returns 0, or a failure when that
 * is more than may be. */
int tar_source_use(struct tar_source *source, uint64_t len);

/* Report that the end came too early. */
int tar_source_cut_short(const struct tar_source *source);

#endif
