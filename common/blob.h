/* blob.h - the bytes that a record's `file` or `plain` stands for.
 *
 * What a record says of them is believed only as far as the file bears it
 * out: the file must be regular and hold the extent, and how the bytes are
 * compressed is told by their magic, never by `compression` or a media type.
 */
#ifndef OCCY_COMMON_BLOB_H
#define OCCY_COMMON_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "common/record.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
	COMPRESSION_XZ,
	COMPRESSION_BZIP2,
};

struct blob {
	int fd;
	const char *file;   /* lent, for messages */
	int64_t start;      /* where the extent begins in the file */
	int64_t length;     /* of the extent */
	int64_t position;   /* in the extent: what is read next */
	enum compression compression;
};

/* Open an extent. size is what the record says of it, or -1. Returns 0 or a
 * failure (reported): STATUS_STORAGE where the file is missing or irregular,
 * STATUS_INTEGRITY where it does not hold what the record says. extent->file
 * must outlive the blob. */
int blob_open(struct blob *out, const struct extent *extent, int64_t size);

/* Open a layer by the cheaper of its two places: `plain`, else `file`. name is
 * for the message where it has neither: STATUS_NOT_FOUND. */
int blob_open_layer(struct blob *out, const struct layer_view *layer,
		    const char *name);

/* Read on: *got < len only at the extent's end. Returns 0 or a failure. */
int blob_read(struct blob *blob, void *data, size_t len, size_t *got);

/* Read on from the extent's start again. */
void blob_rewind(struct blob *blob);

/* Close what is open and leave an empty blob. */
void blob_close(struct blob *blob);

#define BLOB_NONE { .fd = -1 }

static inline void auto_release_blob(struct blob *blob)
{
	blob_close(blob);
}

#endif
