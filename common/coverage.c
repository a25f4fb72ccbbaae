/* coverage.c - see coverage.h */
#include "common/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* The first stretch that ends at `at` or behind it. */
static size_t find(const struct coverage *coverage, int64_t at)
{
	size_t low = 0, high = coverage->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (coverage->items[middle].to < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void coverage_add(struct coverage *coverage, int64_t from, int64_t to)
{
	size_t first = find(coverage, from), next = first;
	struct stretch whole = { from, to };

	if (from >= to)
		return;
	for (; next < coverage->count && coverage->items[next].from <= to; next++) {
		const struct stretch *old = &coverage->items[next];

		whole.from = old->from < whole.from ? old->from : whole.from;
		whole.to = old->to > whole.to ? old->to : whole.to;
		coverage->total -= old->to - old->from;
	}
	if (next == first)
		coverage->items = mem_grow(coverage->items, coverage->count,
					   &coverage->capacity,
					   sizeof(*coverage->items));
	memmove(coverage->items + first + 1, coverage->items + next,
		(coverage->count - next) * sizeof(*coverage->items));
	coverage->items[first] = whole;
	coverage->count += first + 1;
	coverage->count -= next;
	coverage->total += whole.to - whole.from;
}

int64_t coverage_end(const struct coverage *coverage, int64_t at)
{
	size_t i = find(coverage, at);

	return i < coverage->count && coverage->items[i].from <= at
		       ? coverage->items[i].to
		       : at;
}

int64_t coverage_next(const struct coverage *coverage, int64_t at)
{
	size_t i = find(coverage, at);

	while (i < coverage->count && coverage->items[i].from <= at)
		i++;
	return i < coverage->count ? coverage->items[i].from : INT64_MAX;
}

void coverage_clear(struct coverage *coverage)
{
	free(coverage->items);
	*coverage = (struct coverage){ 0 };
}
