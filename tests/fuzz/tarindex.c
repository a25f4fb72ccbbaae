/* tarindex.c - where the members of an archive lie. The archive is made from
 * text, so that the corpus can be read, a line for each piece of it:
 *
 *   TYPE SIZE NAME LINK [DATA]   a header that says so, and then these bytes,
 *                                filled up to a block; "-" is an empty field,
 *                                "$" among the bytes a line feed
 *   *                            a block of zeros
 *   |BYTES                       these bytes alone
 */
#include "common/tarindex.h"

#include <string.h>

#include "common/buf.h"
#include "fuzz.h"

#define BLOCK 512

struct archive {
	struct buf bytes;
	size_t position, step;
	bool skips;
};

static void put_octal(char *field, size_t size, unsigned long number)
{
	snprintf(field, size, "%0*lo", (int)size - 1, number);
}

/* Whatever text is, the checksum is right. */
static void put_header(struct archive *a, char type, const char *size,
		       const char *name, const char *link)
{
	unsigned long sum = 0;
	char block[BLOCK] = { 0 };

	memcpy(block, name, strnlen(name, 100));
	memcpy(block + 100, "0000644", 7);
	memcpy(block + 124, size, strnlen(size, 12));
	block[156] = type == '-' ? '\0' : type;
	memcpy(block + 157, link, strnlen(link, 100));
	memcpy(block + 257, "ustar\00000", 8);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	put_octal(block + 148, 7, sum);
	buf_append(&a->bytes, block, BLOCK);
}

static char *field(char **line)
{
	char *start = *line ? strsep(line, " ") : NULL;
	static char empty[] = "";

	return !start || strcmp(start, "-") == 0 ? empty : start;
}

static void put_line(struct archive *a, char *line)
{
	static const char zeros[BLOCK];
	char type = line[0], *size, *name, *link;

	if (type == '*') {
		buf_append(&a->bytes, zeros, BLOCK);
		return;
	}
	if (type == '|') {
		buf_append_text(&a->bytes, line + 1);
		return;
	}
	strsep(&line, " ");
	size = field(&line);
	name = field(&line);
	link = field(&line);
	put_header(a, type, size, name, link);
	if (!line)
		return;
	for (char *p = line; *p; p++)
		*p = *p == '$' ? '\n' : *p;
	buf_append_text(&a->bytes, line);
	buf_append(&a->bytes, zeros, -strlen(line) % BLOCK);
}

static int next_bytes(void *context, const void **data, size_t *len)
{
	struct archive *a = context;
	size_t left = a->bytes.len - a->position;

	*len = left < a->step ? left : a->step;
	*data = a->bytes.data + a->position;
	a->position += *len;
	return *len > 0;
}

static int skip_bytes(void *context, uint64_t len)
{
	struct archive *a = context;

	if (len > a->bytes.len - a->position)
		return 0;
	a->position += (size_t)len;
	return 1;
}

static bool all(const char *path)
{
	return path[0] != '\0';
}

static void require_sound(const struct archive *a,
			  const struct tarindex_member *m, const char *path)
{
	int64_t size = (int64_t)a->bytes.len;

	REQUIRE(strcmp(m->path, path) == 0 && m->size >= 0);
	REQUIRE(!m->link == (m->type != TAR_SYMLINK && m->type != TAR_HARDLINK));
	REQUIRE(m->offset == -1 || (m->offset >= 0 && m->offset <= size &&
				    m->size <= size - m->offset));
}

static struct tarindex *read_index(struct archive *a, size_t step, bool skips)
{
	struct byte_source source = { .next = next_bytes, .context = a };
	struct tarindex *index = NULL;

	a->position = 0;
	a->step = step;
	if (skips)
		source.skip = skip_bytes;
	return tarindex_read(&index, &source, "tar", all) == 0 ? index : NULL;
}

/* Read at once, and in odd pieces stepping over data: the same must come. */
static void compare(struct archive *a, const char *text)
{
	AUTO(tarindex) struct tarindex *plain = read_index(a, SIZE_MAX, false);
	AUTO(tarindex) struct tarindex *pieces = read_index(a, 700, true);
	AUTO(mem) char *copy = strdup(text);
	char *rest = copy, *line;

	REQUIRE(!plain == !pieces);
	while (plain && (line = strsep(&rest, "\n")) != NULL) {
		const struct tarindex_member *one, *two;
		const char *path;

		strsep(&line, " ");
		field(&line);
		path = field(&line);
		one = tarindex_find(plain, path);
		two = tarindex_find(pieces, path);
		REQUIRE(!one == !two);
		if (!one)
			continue;
		require_sound(a, one, path);
		REQUIRE(one->offset == two->offset && one->size == two->size &&
			one->is_double == two->is_double);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct archive a = { 0 };
	char *text = strndup((const char *)data, size);
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL && a.bytes.len < 1000000)
		if (line[0])
			put_line(&a, line);
	buf_append(&a.bytes, "", 0);
	compare(&a, text);
	buf_clear(&a.bytes);
	free(copy);
	free(text);
	return 0;
}
