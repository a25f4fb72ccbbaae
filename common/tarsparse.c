/* tarsparse.c - see tarsparse.h */
#include "common/tarsparse.h"

#include <stddef.h>

#include "common/msg.h"
#include "common/tarheader.h"

struct map_reader {
	struct tar_source *source;
	const char *path;
	int64_t stored; /* what is left of the entry */
	size_t used;    /* bytes of the map so far */
};

int tar_sparse_bad(const struct tar_source *source, const char *path)
{
	return msg_fail(STATUS_INTEGRITY, "%s: entry %s: malformed sparse file",
			source->name, path);
}

static int bad(const struct map_reader *r)
{
	return tar_sparse_bad(r->source, r->path);
}

static int read_number(struct map_reader *r, int64_t *out)
{
	char text[24];
	const char *p = text;
	size_t len = 0;

	for (;; len++) {
		int rc;

		if (r->stored == 0 || len == sizeof(text) - 1 ||
		    r->used == SPARSE_MAX_TEXT)
			return bad(r);
		rc = tar_source_need(r->source, text + len, 1);
		if (rc < 0)
			return rc;
		r->stored--;
		r->used++;
		if (text[len] == '\n')
			break;
	}
	text[len] = '\0';
	return sparse_number(&p, out) && *p == '\0' ? 0 : bad(r);
}

static int read_segments(struct map_reader *r, struct sparse_map *map)
{
	int64_t count = 0, offset = 0, length = 0;
	int rc = read_number(r, &count);

	for (int64_t i = 0; rc == 0 && i < count; i++) {
		rc = read_number(r, &offset);
		if (rc == 0)
			rc = read_number(r, &length);
		if (rc == 0)
			sparse_add(map, offset, length);
	}
	return rc;
}

int tar_sparse_read(struct tar_source *source, const char *path,
		    int64_t *stored, struct sparse_map *map)
{
	struct map_reader r = { .source = source, .path = path,
				.stored = *stored };
	char fill[TAR_BLOCK_SIZE];
	size_t rest;
	int rc = read_segments(&r, map);

	if (rc < 0)
		return rc;
	rest = -r.used % TAR_BLOCK_SIZE;
	if (r.stored < (int64_t)rest)
		return bad(&r);
	*stored = r.stored - (int64_t)rest;
	return tar_source_need(source, fill, rest);
}
