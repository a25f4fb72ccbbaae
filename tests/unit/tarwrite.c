/* tarwrite.c - the headers of names and sizes at the edges */
#include "common/tarwrite.h"

#include <stdint.h>

#include "check.h"

static const struct {
	const char *row;
	int name_len, slash_at; /* letters, with one slash among them; or -1 */
	int rc, prefix_len, rest_len;
} names[] = {
	{ "as long as the name field", 100, -1, 0, 0, 100 },
	{ "one more, and no slash", 101, -1, -1, 0, 100 },
	{ "one more, cut at the slash", 101, 50, 0, 50, 50 },
	{ "a sha512 layer", 138, 128, 0, 128, 9 },
	{ "all of both fields", 256, 155, 0, 155, 100 },
	{ "the slash beyond the prefix", 256, 156, -1, 0, 100 },
	{ "the slash too early", 256, 154, -1, 0, 100 },
};

static void test_names(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char name[300] = "", header[TAR_BLOCK_SIZE];

		memset(name, 'n', (size_t)names[i].name_len);
		if (names[i].slash_at >= 0)
			name[names[i].slash_at] = '/';
		check_row(names[i].row);
		CHECK_NUMBER(tar_header(header, name, 1), names[i].rc);
		CHECK_NUMBER(strnlen(header + 345, 155), names[i].prefix_len);
		CHECK_NUMBER(strnlen(header, 100), names[i].rest_len);
	}
}

static const struct {
	int64_t size;
	const char *field; /* 12 bytes */
} sizes[] = {
	{ 0, "00000000000" },
	{ 4097, "00000010001" },
	{ 8589934591, "77777777777" },
	{ 8589934592, "\x80\0\0\0\0\0\0\x02\0\0\0\0" },
	{ 0x123456789abcde, "\x80\0\0\0\0\x12\x34\x56\x78\x9a\xbc\xde" },
};

static unsigned int sum(const char *header)
{
	unsigned int total = 8 * ' ';

	for (int i = 0; i < TAR_BLOCK_SIZE; i++)
		if (i < 148 || i >= 156)
			total += (unsigned char)header[i];
	return total;
}

static void test_sizes(void)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char header[TAR_BLOCK_SIZE], row[32], checksum[9];

		snprintf(row, sizeof(row), "size %lld", (long long)sizes[i].size);
		check_row(row);
		CHECK_NUMBER(tar_header(header, "a/layer.tar", sizes[i].size), 0);
		CHECK(memcmp(header + 124, sizes[i].field, 12) == 0);
		snprintf(checksum, sizeof(checksum), "%06o%c ", sum(header), 0);
		CHECK(memcmp(header + 148, checksum, 8) == 0);
		CHECK(memcmp(header + 257, "ustar\0" "00", 8) == 0);
	}
}

int main(void)
{
	test_names();
	test_sizes();
	return check_result();
}
