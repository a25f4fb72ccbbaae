/* filter.c - see filter.h
 *
 * libarchive 3.6 tells less than it knows, and these things are checked here:
 *
 * - a fault in the first bytes looks like an empty file (the raw format finds
 *   nothing to read, the empty one takes it); only archive_errno() after the
 *   opening tells
 * - the bzip2 filter stops in silence before what is no further stream
 *
 * Truncation, checksums of zstd frames and xz blocks, several frames or
 * streams, skippable frames and xz's padding it does right.
 */
#include "common/filter.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define XZ_DICTIONARY_MAX 28 /* in liblzma's steps: 64 MiB, as of xz -9 */

struct filter {
	struct archive *archive;
	struct blob *blob;
	bool opened, ended;
	int failure; /* of reading the blob, reported */
	char why[256];
	unsigned char input[65536];
};

static la_ssize_t read_blob(struct archive *archive, void *data,
			    const void **bytes)
{
	struct filter *filter = data;
	size_t got;

	filter->failure = blob_read(filter->blob, filter->input,
				    sizeof(filter->input), &got);
	if (filter->failure < 0) {
		archive_set_error(archive, EIO, "reported");
		return -1;
	}
	*bytes = filter->input;
	return (la_ssize_t)got;
}

static int filter_code(enum compression compression)
{
	switch (compression) {
	case COMPRESSION_XZ:
		return ARCHIVE_FILTER_XZ;
	case COMPRESSION_BZIP2:
		return ARCHIVE_FILTER_BZIP2;
	case COMPRESSION_ZSTD:
	case COMPRESSION_GZIP:
	case COMPRESSION_NONE:
		break;
	}
	return ARCHIVE_FILTER_ZSTD;
}

struct filter *filter_new(struct blob *blob)
{
	struct filter *filter = mem_zalloc(1, sizeof(*filter));

	filter->blob = blob;
	filter->archive = archive_read_new();
	if (!filter->archive)
		mem_die("archive_read_new");
	return filter;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	archive_read_free(filter->archive);
	free(filter);
}

static int fault(struct filter *filter, const char *what, const char **why)
{
	if (filter->failure < 0)
		return filter->failure;
	snprintf(filter->why, sizeof(filter->why), "%s", what);
	*why = filter->why;
	return -STATUS_INTEGRITY;
}

static int archive_fault(struct filter *filter, const char **why)
{
	const char *text = archive_error_string(filter->archive);

	if (!text)
		return fault(filter, "bad compressed data", why);
	if (strstr(text, "runcated"))
		return fault(filter, "compressed data is cut short", why);
	if (strstr(text, "No progress is possible"))
		return fault(filter, "compressed data is cut short, or garbage "
			     "follows it", why);
	return fault(filter, text, why);
}

/* The xz file format, 3.1: the block header after the 12 bytes of the stream
 * header is its size, flags, then for the usual single LZMA2 filter 0x21, 1
 * and the dictionary's size. Other chains have small memories or their LZMA2
 * last, and stay under liblzma's own limit. */
static bool xz_is_too_large(struct blob *blob, int *failure)
{
	unsigned char bytes[17];
	size_t got;

	*failure = blob_read(blob, bytes, sizeof(bytes), &got);
	blob_rewind(blob);
	return *failure == 0 && got == sizeof(bytes) && bytes[14] == 0x21 &&
	       bytes[15] == 1 && bytes[16] > XZ_DICTIONARY_MAX;
}

static int open_archive(struct filter *filter, const char **why)
{
	struct archive *a = filter->archive;
	int code = filter_code(filter->blob->compression);
	struct archive_entry *entry;
	int rc;

	filter->opened = true;
	if (code == ARCHIVE_FILTER_XZ &&
	    xz_is_too_large(filter->blob, &filter->failure))
		return fault(filter, "xz dictionary is larger than 64 MiB", why);
	if (filter->failure < 0)
		return filter->failure;
	/* Appended, not offered: libarchive would not know skippable frames,
	 * and might find one compression inside another. */
	if (archive_read_append_filter(a, code) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a) != ARCHIVE_OK ||
	    archive_read_open(a, filter, NULL, read_blob, NULL) != ARCHIVE_OK ||
	    archive_errno(a) != 0)
		return archive_fault(filter, why);
	rc = archive_read_next_header(a, &entry);
	if (rc == ARCHIVE_EOF)
		filter->ended = true;
	else if (rc != ARCHIVE_OK)
		return archive_fault(filter, why);
	return 0;
}

static int check_end(struct filter *filter, const char **why)
{
	filter->ended = true;
	if (archive_filter_bytes(filter->archive, -1) != filter->blob->length)
		return fault(filter, "garbage after the compressed data", why);
	return 0;
}

int filter_read(struct filter *filter, void *out, size_t len, size_t *got,
		const char **why)
{
	char *p = out;
	int rc = filter->opened ? 0 : open_archive(filter, why);

	*got = 0;
	if (rc < 0)
		return rc;
	while (*got < len && !filter->ended) {
		la_ssize_t n = archive_read_data(filter->archive, p + *got,
						 len - *got);

		if (n < 0)
			return archive_fault(filter, why);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return *got < len ? check_end(filter, why) : 0;
}
