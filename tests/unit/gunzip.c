/* gunzip.c - both gzip engines, on the same files, cut into the same pieces
 *
 * The files are made here: by zlib from a text that is computed, and by hand
 * where zlib would not make them.
 */
#include "common/gunzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "check.h"
#include "common/buf.h"

/* The same numbers on every run. */
static uint32_t random_state = 1;

static uint32_t next_random(uint32_t below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % below;
}

/* Words that repeat among bytes that do not, as layers are. */
static void fill_text(struct buf *out, size_t len)
{
	buf_clear(out);
	while (out->len < len) {
		if (next_random(4) == 0) {
			unsigned char byte = (unsigned char)next_random(256);

			buf_append(out, &byte, 1);
		} else {
			buf_printf(out, "usr/share/doc/%u ", next_random(50));
		}
	}
	buf_reserve(out, 0);
	out->len = len;
}

static void add_member(struct buf *out, const struct buf *plain, int level,
		       int strategy, gz_header *header)
{
	z_stream z = { 0 };
	size_t room;

	if (deflateInit2(&z, level, Z_DEFLATED, 31, 8, strategy) != Z_OK)
		abort();
	if (header)
		deflateSetHeader(&z, header);
	room = deflateBound(&z, plain->len) + 4096;
	z.next_in = (unsigned char *)plain->data;
	z.avail_in = (uInt)plain->len;
	z.next_out = (unsigned char *)buf_reserve(out, room);
	z.avail_out = (uInt)room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->len += z.total_out;
	deflateEnd(&z);
}

/* Decode with pieces of at most `most` bytes in and out, 0: all at once. Each
 * piece is memory of its own, so that a sanitizer sees every byte beyond. */
static enum gunzip_result decode(const struct gunzip_engine *engine,
				 const struct buf *file, uint32_t most,
				 struct buf *plain)
{
	AUTO(gunzip) struct gunzip *gunzip = gunzip_new(engine);
	enum gunzip_result result = GUNZIP_MORE;
	size_t at = 0;

	buf_clear(plain);
	do {
		size_t in = most ? 1 + next_random(most) : file->len;
		AUTO(mem) char *piece = NULL;
		struct gunzip_io io = { 0 };

		if (in > file->len - at)
			in = file->len - at;
		piece = malloc(in ? in : 1);
		if (in)
			memcpy(piece, file->data + at, in);
		at += in;
		io.in = (unsigned char *)piece;
		io.in_len = in;
		do {
			size_t out = most ? 1 + next_random(most) : 1 << 22;

			io.out = (unsigned char *)buf_reserve(plain, out);
			io.out_len = out;
			result = gunzip_run(gunzip, &io, at == file->len);
			plain->len += out - io.out_len;
		} while (result == GUNZIP_MORE &&
			 (io.in_len > 0 || io.out_len == 0));
	} while (result == GUNZIP_MORE && at < file->len);
	return result;
}

static const char *result_name(enum gunzip_result result)
{
	return result == GUNZIP_DONE   ? "done"
	       : result == GUNZIP_MORE ? "more"
				       : gunzip_fault(result);
}

/* Every engine, in pieces of several sizes, must come to this result, and if
 * that is no fault to these bytes. */
static void check_decode(const char *row, const struct buf *file,
			 enum gunzip_result want, const struct buf *want_plain)
{
	static const uint32_t pieces[] = { 0, 1, 2, 13, 300, 70000 };
	AUTO(buf) struct buf plain = { 0 };

	for (size_t e = 0; gunzip_engines[e]; e++) {
		for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
			char name[256];
			enum gunzip_result got;

			if (pieces[i] && pieces[i] < 13 && file->len > 20000)
				continue;
			snprintf(name, sizeof(name), "%s, %s, pieces of %u", row,
				 gunzip_engines[e]->name, pieces[i]);
			check_row(name);
			got = decode(gunzip_engines[e], file, pieces[i], &plain);
			CHECK_TEXT(result_name(got), result_name(want));
			if (want != GUNZIP_DONE)
				continue;
			CHECK_NUMBER(plain.len, want_plain->len);
			CHECK(plain.len == want_plain->len &&
			      (plain.len == 0 ||
			       memcmp(plain.data, want_plain->data, plain.len) == 0));
		}
	}
}

static void test_sizes_and_levels(void)
{
	static const size_t sizes[] = { 0, 1, 511, 32768, 65536, 300000, 3000000 };
	static const int levels[] = { 0, 1, 6, 9 };
	static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_FIXED,
					  Z_HUFFMAN_ONLY };
	AUTO(buf) struct buf plain = { 0 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		fill_text(&plain, sizes[i]);
		for (size_t l = 0; l < 4; l++) {
			for (size_t s = 0; s < 3; s++) {
				AUTO(buf) struct buf file = { 0 };
				char row[64];

				snprintf(row, sizeof(row), "%zu bytes, level %d, "
					 "strategy %d", sizes[i], levels[l],
					 strategies[s]);
				add_member(&file, &plain, levels[l],
					   strategies[s], NULL);
				check_decode(row, &file, GUNZIP_DONE, &plain);
			}
		}
	}
}

static void add_twice(struct buf *out, const struct buf *plain)
{
	buf_append(out, plain->data, plain->len);
	buf_append(out, plain->data, plain->len);
}

static void test_members(void)
{
	AUTO(buf) struct buf plain = { 0 };
	AUTO(buf) struct buf file = { 0 };
	AUTO(buf) struct buf both = { 0 };
	AUTO(buf) struct buf empty = { 0 };

	fill_text(&plain, 100000);
	fill_text(&empty, 0);
	add_twice(&both, &plain);
	add_member(&file, &plain, 6, Z_DEFAULT_STRATEGY, NULL);
	add_member(&file, &empty, 6, Z_DEFAULT_STRATEGY, NULL);
	add_member(&file, &plain, 1, Z_FIXED, NULL);
	check_decode("three members, one empty", &file, GUNZIP_DONE, &both);
}

static void test_header_fields(void)
{
	char extra[3000], name[] = "layer.tar", comment[] = "made for a test";
	AUTO(buf) struct buf plain = { 0 };

	memset(extra, 'e', sizeof(extra));
	fill_text(&plain, 500);
	for (int bits = 0; bits < 32; bits++) {
		AUTO(buf) struct buf file = { 0 };
		gz_header header = { .os = 3, .time = 1700000000 };
		char row[32];

		header.text = bits & 1;
		header.hcrc = bits & 2;
		header.extra = bits & 4 ? (Bytef *)extra : NULL;
		header.extra_len = sizeof(extra);
		header.name = bits & 8 ? (Bytef *)name : NULL;
		header.comment = bits & 16 ? (Bytef *)comment : NULL;
		add_member(&file, &plain, 6, Z_DEFAULT_STRATEGY, &header);
		snprintf(row, sizeof(row), "header fields %d", bits);
		check_decode(row, &file, GUNZIP_DONE, &plain);
		if (!(bits & 2))
			continue;
		/* The time, which only the header's CRC covers. */
		file.data[5] ^= 1;
		strcat(row, ", bad CRC");
		check_decode(row, &file, GUNZIP_BAD_HEADER, NULL);
	}
}

static void test_every_cut(void)
{
	AUTO(buf) struct buf plain = { 0 };
	AUTO(buf) struct buf both = { 0 };
	AUTO(buf) struct buf file = { 0 };
	char name[] = "n";
	gz_header header = { .hcrc = 1, .name = (Bytef *)name };
	size_t first, whole;

	fill_text(&plain, 900);
	add_twice(&both, &plain);
	add_member(&file, &plain, 9, Z_DEFAULT_STRATEGY, &header);
	first = file.len;
	add_member(&file, &plain, 9, Z_DEFAULT_STRATEGY, NULL);
	whole = file.len;
	for (file.len = 0; file.len <= whole; file.len++) {
		char row[32];

		snprintf(row, sizeof(row), "cut after %zu", file.len);
		if (file.len == first)
			check_decode(row, &file, GUNZIP_DONE, &plain);
		else if (file.len == whole)
			check_decode(row, &file, GUNZIP_DONE, &both);
		else
			check_decode(row, &file, GUNZIP_CUT, NULL);
	}
}

static void test_every_bit_of_the_trailer(void)
{
	AUTO(buf) struct buf plain = { 0 };
	AUTO(buf) struct buf file = { 0 };

	fill_text(&plain, 700);
	add_member(&file, &plain, 6, Z_DEFAULT_STRATEGY, NULL);
	for (int bit = 0; bit < 64; bit++) {
		char *byte = file.data + file.len - 8 + bit / 8;
		char row[32];

		snprintf(row, sizeof(row), "bit %d of the trailer", bit);
		*byte = (char)(*byte ^ 1 << bit % 8);
		check_decode(row, &file, GUNZIP_BAD_TRAILER, NULL);
		*byte = (char)(*byte ^ 1 << bit % 8);
	}
}

static void test_what_follows(void)
{
	static const struct {
		const char *row, *bytes;
		size_t len;
		enum gunzip_result want;
	} tails[] = {
		{ "one letter", "x", 1, GUNZIP_GARBAGE },
		{ "a zero byte", "\0", 1, GUNZIP_DONE },
		{ "zero bytes", "\0\0\0\0\0\0\0\0\0\0\0\0", 12, GUNZIP_DONE },
		{ "zero bytes and a letter", "\0\0\0x", 4, GUNZIP_GARBAGE },
		{ "zero bytes and a magic", "\0\0\x1f\x8b\x08", 5, GUNZIP_GARBAGE },
		{ "half a magic", "\x1f", 1, GUNZIP_CUT },
		{ "half a magic and a zero", "\x1f\0\0\0\0\0\0\0\0\0\0\0", 12,
		  GUNZIP_BAD_HEADER },
		{ "another method", "\x1f\x8b\x07\0\0\0\0\0\0\0\0\0", 12,
		  GUNZIP_BAD_HEADER },
		{ "a magic", "\x1f\x8b\x08", 3, GUNZIP_CUT },
	};
	AUTO(buf) struct buf plain = { 0 };
	AUTO(buf) struct buf file = { 0 };
	size_t len;

	fill_text(&plain, 5000);
	add_member(&file, &plain, 6, Z_DEFAULT_STRATEGY, NULL);
	len = file.len;
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		file.len = len;
		buf_append(&file, tails[i].bytes, tails[i].len);
		check_decode(tails[i].row, &file, tails[i].want, &plain);
	}
}

static void test_odd_files(void)
{
	/* Fixed Huffman codes: a match of length 3, distance 1, at once. */
	static const char before_start[] =
		"\x1f\x8b\x08\0\0\0\0\0\0\x03" "\x03\x02\0" "\0\0\0\0\x03\0\0\0";
	/* A block of type 3. */
	static const char bad_block[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03\x07\0\0";
	/* Flags that RFC 1952 reserves "must be zero". */
	static const char reserved[] =
		"\x1f\x8b\x08\xe0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";
	struct buf file = { 0 };
	AUTO(buf) struct buf plain = { 0 };
	AUTO(buf) struct buf two = { 0 };

	check_decode("nothing", &file, GUNZIP_CUT, NULL);
	buf_append(&file, "hello", 5);
	check_decode("a text", &file, GUNZIP_BAD_HEADER, NULL);
	file.len = 0;
	buf_append(&file, before_start, sizeof(before_start) - 1);
	check_decode("match before the start", &file, GUNZIP_BAD_DATA, NULL);
	/* Nor may a member look back into the one before. */
	fill_text(&plain, 50000);
	add_member(&two, &plain, 6, Z_DEFAULT_STRATEGY, NULL);
	buf_append(&two, file.data, file.len);
	check_decode("match into the member before", &two, GUNZIP_BAD_DATA, NULL);
	file.len = 0;
	buf_append(&file, bad_block, sizeof(bad_block) - 1);
	check_decode("bad block type", &file, GUNZIP_BAD_DATA, NULL);
	file.len = 0;
	buf_append(&file, reserved, sizeof(reserved) - 1);
	check_decode("reserved flags", &file, GUNZIP_BAD_HEADER, NULL);
	buf_clear(&file);
}

/* Whatever the damage: the engines agree whether there is any. */
static void test_damage(void)
{
	AUTO(buf) struct buf plain = { 0 };
	AUTO(buf) struct buf file = { 0 };
	struct buf out[2] = { { 0 }, { 0 } };
	size_t bits;

	fill_text(&plain, 1500);
	add_member(&file, &plain, 6, Z_DEFAULT_STRATEGY, NULL);
	add_member(&file, &plain, 1, Z_FIXED, NULL);
	bits = file.len * 8;
	for (size_t bit = 0; gunzip_engines[1] && bit < bits; bit++) {
		char *byte = file.data + bit / 8;
		enum gunzip_result got[2];
		char row[32];

		*byte = (char)(*byte ^ 1 << bit % 8);
		got[0] = decode(gunzip_engines[0], &file, 400, &out[0]);
		got[1] = decode(gunzip_engines[1], &file, 400, &out[1]);
		*byte = (char)(*byte ^ 1 << bit % 8);
		snprintf(row, sizeof(row), "bit %zu", bit);
		check_row(row);
		CHECK_NUMBER(got[0] == GUNZIP_DONE, got[1] == GUNZIP_DONE);
		CHECK(got[0] != GUNZIP_DONE ||
		      (out[0].len == plain.len * 2 && out[1].len == out[0].len &&
		       memcmp(out[0].data, out[1].data, out[0].len) == 0));
	}
	buf_clear(&out[0]);
	buf_clear(&out[1]);
}

int main(void)
{
	test_sizes_and_levels();
	test_members();
	test_header_fields();
	test_every_cut();
	test_every_bit_of_the_trailer();
	test_what_follows();
	test_odd_files();
	test_damage();
	return check_result();
}
