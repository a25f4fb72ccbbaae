/* tarwrite.c - see tarwrite.h */
#include "common/tarwrite.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"

#define OCTAL_SIZE_MAX INT64_C(077777777777) /* 8 GiB less one */
#define NAME_SIZE 100
#define PREFIX_SIZE 155

/* Offsets and widths of POSIX.1-2017, pax, "ustar Interchange Format". */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_CHECKSUM = 148,
	AT_TYPE = 156,
	AT_MAGIC = 257,
	AT_DEVMAJOR = 329,
	AT_DEVMINOR = 337,
	AT_PREFIX = 345,
};

struct tarwrite {
	struct outfile *out;
	const char *name;
	int64_t size;      /* announced, or -1 */
	int64_t came;
	int64_t header_at;
};

/* Put a name into its two fields, cut at the first slash that makes both
 * parts fit. */
static int put_name(char *header, const char *name)
{
	size_t len = strlen(name);

	if (len <= NAME_SIZE) {
		memcpy(header + AT_NAME, name, len);
		return 0;
	}
	for (size_t i = 1; i < len && i <= PREFIX_SIZE; i++) {
		if (name[i] == '/' && len - i - 1 <= NAME_SIZE) {
			memcpy(header + AT_PREFIX, name, i);
			memcpy(header + AT_NAME, name + i + 1, len - i - 1);
			return 0;
		}
	}
	memcpy(header + AT_NAME, name, NAME_SIZE);
	return -1;
}

static void put_size(char *header, int64_t size)
{
	if (size <= OCTAL_SIZE_MAX) {
		snprintf(header + AT_SIZE, 12, "%011llo",
			 (unsigned long long)size);
		return;
	}
	header[AT_SIZE] = (char)0x80;
	for (int i = 11; i > 0; i--, size >>= 8)
		header[AT_SIZE + i] = (char)(size & 0xff);
}

static void put_checksum(char *header)
{
	unsigned int sum = 0;

	memset(header + AT_CHECKSUM, ' ', 8);
	for (int i = 0; i < TAR_BLOCK_SIZE; i++)
		sum += (unsigned char)header[i];
	snprintf(header + AT_CHECKSUM, 7, "%06o", sum);
}

static int fill_header(char *header, const char *name, int64_t size,
		       const char *mode, char type)
{
	int rc;

	memset(header, 0, TAR_BLOCK_SIZE);
	rc = put_name(header, name);
	memcpy(header + AT_MODE, mode, 8);
	memcpy(header + AT_UID, "0000000", 8);
	memcpy(header + AT_GID, "0000000", 8);
	put_size(header, size);
	memcpy(header + AT_MTIME, "00000000000", 12);
	header[AT_TYPE] = type;
	memcpy(header + AT_MAGIC, "ustar\0" "00", 8);
	memcpy(header + AT_DEVMAJOR, "0000000", 8);
	memcpy(header + AT_DEVMINOR, "0000000", 8);
	put_checksum(header);
	return rc;
}

int tar_header(char header[TAR_BLOCK_SIZE], const char *name, int64_t size)
{
	return fill_header(header, name, size, "0000644", '0');
}

struct tarwrite *tarwrite_new(struct outfile *out)
{
	struct tarwrite *tar = mem_zalloc(1, sizeof(*tar));

	tar->out = out;
	return tar;
}

void tarwrite_free(struct tarwrite *tar)
{
	free(tar);
}

static int pad(struct tarwrite *tar, int64_t size)
{
	static const char zeros[TAR_BLOCK_SIZE];
	size_t over = (size_t)(size % TAR_BLOCK_SIZE);

	return over ? outfile_write(tar->out, zeros, TAR_BLOCK_SIZE - over) : 0;
}

/* POSIX pax: a record is its own length in decimal, a space, key=value, LF. */
static int put_pax_name(struct tarwrite *tar, const char *name)
{
	char header[TAR_BLOCK_SIZE], record[TAR_NAME_MAX + 16];
	/* Names that come here have over 100 bytes: three digits of length. */
	size_t len = strlen(name) + sizeof("123 path=\n") - 1;
	int rc;

	snprintf(record, sizeof(record), "%zu path=%s\n", len, name);
	fill_header(header, "././@PaxHeader", (int64_t)len, "0000000", 'x');
	rc = outfile_write(tar->out, header, sizeof(header));
	if (rc == 0)
		rc = outfile_write(tar->out, record, len);
	return rc == 0 ? pad(tar, (int64_t)len) : rc;
}

int tarwrite_begin(struct tarwrite *tar, const char *name, int64_t size)
{
	char header[TAR_BLOCK_SIZE];
	int rc = 0;

	tar->name = name;
	tar->size = size;
	tar->came = 0;
	if (tar_header(header, name, size < 0 ? 0 : size) < 0)
		rc = put_pax_name(tar, name);
	if (rc < 0)
		return rc;
	tar->header_at = outfile_position(tar->out);
	return size < 0 ? outfile_skip(tar->out, sizeof(header))
			: outfile_write(tar->out, header, sizeof(header));
}

int tarwrite_data(struct tarwrite *tar, const void *data, size_t len)
{
	tar->came += (int64_t)len;
	return outfile_write(tar->out, data, len);
}

int tarwrite_end(struct tarwrite *tar)
{
	int rc = pad(tar, tar->came);

	if (rc == 0 && tar->size < 0) {
		char header[TAR_BLOCK_SIZE];

		tar_header(header, tar->name, tar->came);
		rc = outfile_write_at(tar->out, header, sizeof(header),
				      tar->header_at);
	}
	return rc;
}

int tarwrite_finish(struct tarwrite *tar)
{
	static const char zeros[2 * TAR_BLOCK_SIZE];

	return outfile_write(tar->out, zeros, sizeof(zeros));
}
