/* blob.c - see blob.h */
#include "common/blob.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/msg.h"

/* The longest magic: bzip2's, with the first block's. */
#define MAGIC_SIZE 10

static bool begins(const unsigned char *bytes, size_t got, const char *magic,
		   size_t len)
{
	return got >= len && memcmp(bytes, magic, len) == 0;
}

/* "BZh", the block size, then the digits of pi or, without a block, of its
 * square root: a tar whose first name begins with "BZh" is no bzip2. */
static bool is_bzip2(const unsigned char *bytes, size_t got)
{
	return begins(bytes, got, "BZh", 3) && got >= MAGIC_SIZE &&
	       bytes[3] >= '1' && bytes[3] <= '9' &&
	       (memcmp(bytes + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
		memcmp(bytes + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* RFC 8878: a frame, or a skippable frame before it. */
static bool is_zstd(const unsigned char *bytes, size_t got)
{
	return begins(bytes, got, "\x28\xb5\x2f\xfd", 4) ||
	       (got >= 4 && (bytes[0] & 0xf0) == 0x50 &&
		memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0);
}

static enum compression tell(const unsigned char *bytes, size_t got)
{
	if (begins(bytes, got, "\x1f\x8b", 2))
		return COMPRESSION_GZIP;
	if (is_zstd(bytes, got))
		return COMPRESSION_ZSTD;
	if (begins(bytes, got, "\xfd" "7zXZ", 6))
		return COMPRESSION_XZ;
	return is_bzip2(bytes, got) ? COMPRESSION_BZIP2 : COMPRESSION_NONE;
}

static int sniff(struct blob *blob)
{
	unsigned char bytes[MAGIC_SIZE];
	size_t got;
	int rc = blob_read(blob, bytes, sizeof(bytes), &got);

	if (rc < 0)
		return rc;
	blob_rewind(blob);
	blob->compression = tell(bytes, got);
	return 0;
}

static int check_extent(struct blob *blob, const struct extent *extent,
			int64_t size)
{
	struct stat st;

	if (fstat(blob->fd, &st) != 0)
		return io_fail(blob->file);
	if (extent->offset > st.st_size ||
	    extent->length > st.st_size - extent->offset)
		return msg_fail(STATUS_INTEGRITY, "%s: holds %" PRId64
				" bytes, fewer than its record says",
				blob->file, (int64_t)st.st_size);
	blob->start = extent->offset;
	blob->length = extent->length >= 0 ? extent->length
					   : st.st_size - extent->offset;
	if (size >= 0 && blob->length != size)
		return msg_fail(STATUS_INTEGRITY, "%s: size mismatch: %" PRId64
				" bytes, but its record says %" PRId64,
				blob->file, blob->length, size);
	return 0;
}

int blob_open(struct blob *out, const struct extent *extent, int64_t size)
{
	AUTO(blob) struct blob blob = { .file = extent->file };
	int rc;

	*out = (struct blob)BLOB_NONE;
	blob.fd = io_open_regular(AT_FDCWD, extent->file);
	if (blob.fd < 0)
		return blob.fd;
	rc = check_extent(&blob, extent, size);
	if (rc == 0)
		rc = sniff(&blob);
	if (rc < 0)
		return rc;
	/* Only a hint: without it the disk is read in smaller steps. */
	posix_fadvise(blob.fd, blob.start, blob.length, POSIX_FADV_SEQUENTIAL);
	*out = blob;
	blob.fd = -1;
	return 0;
}

int blob_open_layer(struct blob *out, const struct layer_view *layer,
		    const char *name)
{
	bool plain = layer->plain.file != NULL;
	int rc;

	if (layer->is_absent)
		return msg_fail(STATUS_NOT_FOUND, "%s: the stream names no file for it",
				name);
	rc = plain ? blob_open(out, &layer->plain, layer->uncompressed_size)
		   : blob_open(out, &layer->file, layer->size);
	if (rc < 0)
		return rc;
	/* A tar may begin like a compressed file, by the name of its first
	 * member. Where the record calls these very bytes the layer's plain
	 * ones they are, or the diff_id will not match. A digest that nobody
	 * has checked is only a name. */
	if (plain || (digest_is_set(&layer->digest) && !layer->digest_unchecked &&
		      digest_equal(&layer->digest, &layer->diff_id)))
		out->compression = COMPRESSION_NONE;
	return 0;
}

int blob_read(struct blob *blob, void *data, size_t len, size_t *got)
{
	int64_t left = blob->length - blob->position;
	int rc;

	if ((int64_t)len > left)
		len = (size_t)left;
	rc = io_read_at(blob->fd, blob->file, data, len,
			blob->start + blob->position, got);
	if (rc < 0)
		return rc;
	blob->position += (int64_t)*got;
	if (*got < len)
		return msg_fail(STATUS_STORAGE,
				"%s: has become shorter while it was read",
				blob->file);
	return 0;
}

void blob_rewind(struct blob *blob)
{
	blob->position = 0;
}

void blob_close(struct blob *blob)
{
	if (blob->fd >= 0)
		close(blob->fd);
	*blob = (struct blob)BLOB_NONE;
}
