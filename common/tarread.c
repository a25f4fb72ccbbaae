/* tarread.c - see tarread.h */
#include "common/tarread.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/tarsparse.h"

#define PIECE_MAX ((size_t)1 << 30)

struct tar_reader {
	struct tar_source source;
	bool over; /* the archive; the source may go on */
	unsigned char block[TAR_BLOCK_SIZE]; /* one that lay across two pieces */

	int64_t stored; /* bytes of the entry's data still to come */
	size_t padding; /* and what fills its last block */

	bool extended; /* a header came that belongs to the next entry */
	bool has_pax;
	struct buf pax_bytes, long_name, long_link;
	struct pax pax;

	struct tar_header header;
	struct tar_entry entry;
	bool is_sparse;
	struct sparse_map map;
	size_t segment;     /* the one that is being read */
	int64_t in_segment; /* how much of it has been */
};

struct tar_reader *tar_reader_new(const struct byte_source *source,
				  const char *name, uint64_t most)
{
	struct tar_reader *reader = mem_zalloc(1, sizeof(*reader));

	reader->source.bytes = *source;
	reader->source.name = name;
	reader->source.most = most;
	return reader;
}

void tar_reader_free(struct tar_reader *reader)
{
	if (!reader)
		return;
	pax_clear(&reader->pax);
	sparse_clear(&reader->map);
	buf_clear(&reader->pax_bytes);
	buf_clear(&reader->long_name);
	buf_clear(&reader->long_link);
	free(reader);
}

static int bad(const struct tar_reader *reader, const char *why)
{
	return msg_fail(STATUS_INTEGRITY, "%s: %.1023s", reader->source.name,
			why);
}

static int bad_sparse(const struct tar_reader *reader)
{
	return tar_sparse_bad(&reader->source, reader->entry.path);
}

static int take_block(struct tar_reader *reader, const unsigned char **block)
{
	size_t len;

	if (reader->source.len >= TAR_BLOCK_SIZE)
		return tar_source_take(&reader->source, TAR_BLOCK_SIZE, block,
				       &len);
	*block = reader->block;
	return tar_source_copy(&reader->source, reader->block, TAR_BLOCK_SIZE);
}

static size_t next_portion(const struct tar_reader *reader)
{
	return reader->stored < (int64_t)PIECE_MAX ? (size_t)reader->stored
						   : PIECE_MAX;
}

/* The rest of the entry. Fill bytes may be missing at the very end, as Go's
 * reader and so every container tool has it; data may not. */
static int skip_data(struct tar_reader *reader)
{
	const unsigned char *data;
	size_t len;
	int got = tar_source_skip(&reader->source, (uint64_t)reader->stored);

	if (got < 0)
		return got;
	reader->stored = 0;
	while (reader->padding > 0) {
		got = tar_source_take(&reader->source, reader->padding, &data,
				      &len);
		if (got <= 0)
			return got;
		reader->padding -= len;
	}
	return 0;
}

/* The content of a header that speaks of the next entry. */
static int take_extended(struct tar_reader *reader, struct buf *out)
{
	size_t size = (size_t)reader->header.size;
	int rc;

	if (reader->header.size < 0 || reader->header.size > TAR_EXTENDED_MAX)
		return bad(reader, "an extended header is longer than 1 MiB");
	out->len = 0;
	rc = tar_source_need(&reader->source, buf_reserve(out, size), size);
	if (rc < 0)
		return rc;
	out->len = size;
	out->data[size] = '\0';
	reader->padding = -size % TAR_BLOCK_SIZE;
	return skip_data(reader);
}

static int take_pax(struct tar_reader *reader)
{
	const char *why;
	int rc = take_extended(reader, &reader->pax_bytes);

	if (rc < 0)
		return rc;
	pax_clear(&reader->pax);
	reader->has_pax = true;
	if (pax_parse(&reader->pax, reader->pax_bytes.data,
		      reader->pax_bytes.len, &why) < 0)
		return bad(reader, why);
	return 0;
}

/* POSIX wants a global header applied to all that follows; container tools
 * ignore them, and a path for all entries would be a trap. */
static int take_global(struct tar_reader *reader)
{
	struct buf bytes = { 0 };
	const char *why;
	int rc = take_extended(reader, &bytes);

	if (rc == 0 && pax_check(bytes.data, bytes.len, &why) < 0)
		rc = bad(reader, why);
	buf_clear(&bytes);
	return rc;
}

/* Returns 1 for a header that describes others, which has been taken in, 0
 * for one of an entry, or a failure. */
static int take_special(struct tar_reader *reader)
{
	int rc;

	switch (reader->header.type) {
	case 'x':
		rc = take_pax(reader);
		break;
	case 'L':
		rc = take_extended(reader, &reader->long_name);
		break;
	case 'K':
		rc = take_extended(reader, &reader->long_link);
		break;
	case 'g':
		rc = take_global(reader);
		return rc < 0 ? rc : 1;
	default:
		return 0;
	}
	reader->extended = true;
	return rc < 0 ? rc : 1;
}

static void forget_extended(struct tar_reader *reader)
{
	reader->extended = false;
	reader->has_pax = false;
	reader->long_name.len = 0;
	reader->long_link.len = 0;
	reader->is_sparse = false;
	reader->segment = 0;
	reader->in_segment = 0;
	sparse_clear(&reader->map);
}

/* Which of GNU's three PAX forms it is, told apart as GNU tar and Go do. */
static int set_sparse(struct tar_reader *reader)
{
	struct pax *pax = &reader->pax;
	bool form_1 = pax->sparse_major == 1 && pax->sparse_minor == 0;
	bool form_0 = pax->sparse_major <= 0 && pax->has_sparse_map;
	int rc = 0;

	if (pax->sparse_major < 0 && !pax->has_sparse_map)
		return 0;
	if (form_1 == form_0 || reader->entry.type != TAR_FILE ||
	    pax->sparse_size < 0)
		return bad_sparse(reader);
	reader->is_sparse = true;
	reader->entry.size = pax->sparse_size;
	if (form_1) {
		rc = tar_sparse_read(&reader->source, reader->entry.path,
				     &reader->stored, &reader->map);
	} else {
		reader->map = pax->sparse_map;
		pax->sparse_map = (struct sparse_map){ 0 };
	}
	if (rc < 0)
		return rc;
	if (!sparse_fits(&reader->map, reader->entry.size, reader->stored))
		return bad_sparse(reader);
	return tar_source_use(&reader->source,
			      (uint64_t)(reader->entry.size - reader->stored));
}

static int take_entry(struct tar_reader *reader)
{
	struct tar_extension extension = {
		.pax = reader->has_pax ? &reader->pax : NULL,
		.long_name = reader->long_name.len ? reader->long_name.data : NULL,
		.long_link = reader->long_link.len ? reader->long_link.data : NULL,
	};
	char why[1024];

	if (tar_entry_fill(&reader->entry, &reader->header, &extension, why,
			   sizeof(why)) < 0)
		return bad(reader, why);
	reader->stored = reader->entry.size;
	reader->padding = (size_t)(-(uint64_t)reader->stored % TAR_BLOCK_SIZE);
	return reader->has_pax ? set_sparse(reader) : 0;
}

/* After a block of zeros a second one, or the source's end, must follow. */
static int end_of_archive(struct tar_reader *reader)
{
	const unsigned char *block;
	int got = take_block(reader, &block);

	reader->over = true;
	if (got < 0)
		return got;
	if (got > 0 && !tar_header_is_zero(block))
		return bad(reader, "a lone block of zeros within the tar");
	return reader->extended ? tar_source_cut_short(&reader->source) : 0;
}

/* Returns 1 with a header parsed, 0 at the end, or a failure. */
static int next_header(struct tar_reader *reader)
{
	const unsigned char *block;
	const char *why;
	int got = take_block(reader, &block);

	if (got < 0)
		return got;
	if (got == 0) {
		reader->over = true;
		return reader->extended ? tar_source_cut_short(&reader->source)
					: 0;
	}
	if (tar_header_is_zero(block))
		return end_of_archive(reader);
	if (tar_header_parse(block, &reader->header, &why) < 0)
		return bad(reader, why);
	return 1;
}

int tar_next(struct tar_reader *reader, const struct tar_entry **out)
{
	int rc;

	if (reader->over)
		return 0;
	rc = skip_data(reader);
	if (rc < 0)
		return rc;
	forget_extended(reader);
	do {
		rc = next_header(reader);
		if (rc <= 0)
			return rc;
		rc = take_special(reader);
	} while (rc > 0);
	if (rc == 0)
		rc = take_entry(reader);
	*out = &reader->entry;
	return rc < 0 ? rc : 1;
}

/* Where in the file the next stored byte belongs, and how many of those that
 * follow belong behind it. */
static int64_t locate(struct tar_reader *reader, size_t *most)
{
	const struct sparse_segment *s;

	if (!reader->is_sparse)
		return reader->entry.size - reader->stored;
	while (reader->in_segment == reader->map.segments[reader->segment].length) {
		reader->segment++;
		reader->in_segment = 0;
	}
	s = &reader->map.segments[reader->segment];
	if (s->length - reader->in_segment < (int64_t)*most)
		*most = (size_t)(s->length - reader->in_segment);
	return s->offset + reader->in_segment;
}

int tar_data(struct tar_reader *reader, struct tar_piece *out)
{
	size_t most = next_portion(reader);
	const unsigned char *data;
	int got;

	if (reader->stored == 0)
		return 0;
	out->offset = locate(reader, &most);
	got = tar_source_take(&reader->source, most, &data, &out->len);
	if (got == 0)
		return tar_source_cut_short(&reader->source);
	if (got < 0)
		return got;
	out->data = data;
	reader->in_segment += (int64_t)out->len;
	reader->stored -= (int64_t)out->len;
	return 1;
}

int tar_finish(struct tar_reader *reader, uint64_t *after)
{
	const unsigned char *data;
	uint64_t count = 0;
	size_t len;
	int got;

	while ((got = tar_source_take(&reader->source, PIECE_MAX, &data, &len)) > 0) {
		size_t zeros = 0;

		while (count == 0 && zeros < len && data[zeros] == 0)
			zeros++;
		count += len - zeros;
	}
	if (after)
		*after = count;
	return got;
}

int64_t tar_data_offset(const struct tar_reader *reader)
{
	return reader->is_sparse ? -1 : (int64_t)reader->source.position;
}

uint64_t tar_used(const struct tar_reader *reader)
{
	return reader->source.used;
}
