/* filter.h - decoding of zstd, xz and bzip2 by libarchive's filters.
 *
 * In this process, never by a child program. A decoder's window is bounded:
 * libzstd takes no frame that needs more than 128 MiB, libarchive lets liblzma
 * have 1 GiB, so for xz the first block's dictionary is looked at here.
 */
#ifndef OCCY_COMMON_FILTER_H
#define OCCY_COMMON_FILTER_H

#include <stddef.h>

#include "common/blob.h"
#include "common/cleanup.h"

struct filter;

/* blob stays the caller's and must outlive the filter. */
struct filter *filter_new(struct blob *blob);
void filter_free(struct filter *filter);

/* Read on: *got < len only at the end, when the compressed data has been read
 * to its end too. Returns 0, or a failure: reported where *why is NULL, else
 * STATUS_INTEGRITY with *why saying what is wrong (lent until the filter
 * goes). */
int filter_read(struct filter *filter, void *out, size_t len, size_t *got,
		const char **why);

AUTO_DEFINE(filter, struct filter *, filter_free);

#endif
