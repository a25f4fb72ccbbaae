/* tar.c - a layer's tar, spelled out as text, so that what is changed in it
 * still has the right checksum.
 *
 * A line "Htype name size uid mtime link" (by tabs, each as it shall stand in
 * the header; a magic "ustar" is added, or "ustar  " for an h) is a header
 * block. Any other line is data, with | for a line feed, and filled up with
 * zeros to whole blocks. The first byte says in which portions it all comes.
 */
#include "common/tarread.h"

#include <string.h>

#include "common/buf.h"
#include "fuzz.h"

struct pieces {
	const char *data;
	size_t len, portion;
};

static int next(void *context, const void **data, size_t *len)
{
	struct pieces *p = context;

	*data = p->data;
	*len = p->len < p->portion ? p->len : p->portion;
	p->data += *len;
	p->len -= *len;
	return *len > 0;
}

static void put_field(char *block, size_t at, size_t size, const char **text,
		      const char *end)
{
	const char *tab = memchr(*text, '\t', (size_t)(end - *text));
	size_t len = (size_t)((tab ? tab : end) - *text);

	memcpy(block + at, *text, len < size ? len : size);
	*text = tab ? tab + 1 : end;
}

static void put_header(struct buf *tar, const char *line, const char *end)
{
	char block[512] = "", sum[8];
	unsigned int total = 8 * ' ';
	bool gnu = *line == 'h';

	line++;
	if (line < end)
		block[156] = *line++;
	put_field(block, 0, 100, &line, end);
	put_field(block, 124, 12, &line, end);
	put_field(block, 108, 8, &line, end);
	put_field(block, 136, 12, &line, end);
	put_field(block, 157, 100, &line, end);
	put_field(block, 329, 8, &line, end);
	put_field(block, 345, 155, &line, end);
	memcpy(block + 257, gnu ? "ustar  " : "ustar\0" "00", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		total += (unsigned char)block[i];
	snprintf(sum, sizeof(sum), "%06o", total);
	memcpy(block + 148, sum, 7);
	buf_append(tar, block, sizeof(block));
}

static void put_data(struct buf *tar, const char *line, const char *end)
{
	static const char zeros[512];

	for (; line < end; line++)
		buf_append(tar, *line == '|' ? "\n" : line, 1);
	buf_append(tar, zeros, -tar->len % 512);
}

static void spell(struct buf *tar, const char *text, size_t size)
{
	const char *end = text + size;

	while (text < end) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		const char *stop = lf ? lf : end;

		if (*text == 'H' || *text == 'h')
			put_header(tar, text, stop);
		else
			put_data(tar, text, stop);
		text = lf ? lf + 1 : end;
	}
}

static void require_sound(const struct tar_entry *e)
{
	REQUIRE(e->type <= TAR_FIFO);
	REQUIRE(strlen(e->path) <= TAR_NAME_MAX);
	REQUIRE(e->mode <= 07777 && e->mtime_nsec < 1000000000);
	REQUIRE(e->uid != UINT32_MAX && e->gid != UINT32_MAX);
	REQUIRE(e->size >= 0 && (e->type == TAR_FILE || e->size == 0));
	for (size_t i = 0; i < e->xattr_count; i++)
		REQUIRE(strlen(e->xattrs[i].name) <= TAR_EXTENDED_MAX);
}

/* Pieces rise and stay within the file. */
static int read_data(struct tar_reader *reader, const struct tar_entry *e)
{
	struct tar_piece piece;
	int64_t end = 0;
	int got;

	while ((got = tar_data(reader, &piece)) > 0) {
		REQUIRE(piece.len > 0 && piece.offset >= end);
		end = piece.offset + (int64_t)piece.len;
		REQUIRE(end <= e->size);
	}
	return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf) struct buf tar = { 0 };
	AUTO(tar_reader) struct tar_reader *reader = NULL;
	struct pieces pieces = { 0 };
	struct byte_source source = { .next = next, .context = &pieces };
	const struct tar_entry *entry;
	int got;

	if (size < 1)
		return 0;
	spell(&tar, (const char *)data + 1, size - 1);
	pieces = (struct pieces){ tar.data, tar.len, data[0] * 7u + 1 };
	reader = tar_reader_new(&source, "fuzz", (uint64_t)1 << 40);
	while ((got = tar_next(reader, &entry)) > 0) {
		require_sound(entry);
		got = read_data(reader, entry);
		if (got < 0)
			break;
	}
	if (got == 0)
		REQUIRE(tar_finish(reader, NULL) == 0 && pieces.len == 0);
	return 0;
}
