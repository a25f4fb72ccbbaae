/* sparse.c - see sparse.h */
#include "common/sparse.h"

#include <stdlib.h>

#include "common/mem.h"

void sparse_add(struct sparse_map *map, int64_t offset, int64_t length)
{
	map->segments = mem_grow(map->segments, map->count, &map->capacity,
				 sizeof(*map->segments));
	map->segments[map->count++] = (struct sparse_segment){ offset, length };
}

bool sparse_number(const char **text, int64_t *out)
{
	const char *p = *text;
	int64_t number = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *p - '0', &number))
			return false;
	*text = p;
	*out = number;
	return true;
}

int sparse_parse_list(struct sparse_map *map, const char *text)
{
	int64_t offset, length;

	for (;;) {
		if (!sparse_number(&text, &offset) || *text++ != ',' ||
		    !sparse_number(&text, &length))
			return -1;
		sparse_add(map, offset, length);
		if (*text == '\0')
			return 0;
		if (*text++ != ',')
			return -1;
	}
}

bool sparse_fits(const struct sparse_map *map, int64_t size, int64_t stored)
{
	int64_t end = 0, sum = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct sparse_segment *s = &map->segments[i];

		if (s->offset < end || s->offset > size ||
		    s->length > size - s->offset)
			return false;
		end = s->offset + s->length;
		sum += s->length; /* no more than size, as they do not overlap */
	}
	return sum == stored && size <= SPARSE_MAX_SIZE;
}

void sparse_clear(struct sparse_map *map)
{
	free(map->segments);
	*map = (struct sparse_map){ 0 };
}
