/* coverage.c - stretches of bytes that are there, joined and in order */
#include "common/coverage.h"

#include <stdbool.h>

#include "check.h"
#include "common/buf.h"
#include "common/mem.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define MOST 64

static const struct {
	const char *name;
	struct stretch added[6]; /* until an empty one */
	const char *want;
} joins[] = {
	{ "nothing", { { 5, 5 }, { 0, 0 } }, "" },
	{ "in order", { { 0, 2 }, { 4, 6 }, { 8, 9 } }, "0-2 4-6 8-9" },
	{ "backwards", { { 8, 9 }, { 4, 6 }, { 0, 2 } }, "0-2 4-6 8-9" },
	{ "touching", { { 0, 2 }, { 4, 6 }, { 2, 4 } }, "0-6" },
	{ "touching before", { { 4, 6 }, { 2, 4 } }, "2-6" },
	{ "touching behind", { { 4, 6 }, { 6, 8 } }, "4-8" },
	{ "over all", { { 1, 2 }, { 4, 6 }, { 8, 9 }, { 0, 20 } }, "0-20" },
	{ "inside", { { 0, 20 }, { 4, 6 } }, "0-20" },
	{ "over one's end", { { 0, 10 }, { 20, 30 }, { 5, 15 } }, "0-15 20-30" },
	{ "over two ends", { { 0, 10 }, { 20, 30 }, { 40, 50 }, { 5, 25 } },
	  "0-30 40-50" },
};

static char *shown(const struct coverage *coverage)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < coverage->count; i++)
		buf_printf(&text, "%s%lld-%lld", i ? " " : "",
			   (long long)coverage->items[i].from,
			   (long long)coverage->items[i].to);
	return buf_take(&text);
}

/* Whatever is added in whatever order: the same as a flag a byte says. */
static void check_at_random(void)
{
	struct coverage coverage = { 0 };
	bool there[MOST + 1] = { false };
	unsigned int seed = 6;

	for (int round = 0; round < 12; round++) {
		int64_t from, to, total = 0;

		seed = seed * 1103515245 + 12345;
		from = seed >> 16 & (MOST - 1);
		to = from + (seed >> 24 & 7);
		to = to > MOST ? MOST : to;
		coverage_add(&coverage, from, to);
		for (int64_t i = from; i < to; i++)
			there[i] = true;
		for (int64_t i = 0; i < MOST; i++) {
			int64_t end = i, next = i + 1;

			while (there[end])
				end++;
			while (next < MOST && !(there[next] && !there[next - 1]))
				next++;
			CHECK_NUMBER(coverage_end(&coverage, i), end);
			CHECK_NUMBER(coverage_next(&coverage, i),
				     next < MOST ? next : INT64_MAX);
			total += there[i];
		}
		CHECK_NUMBER(coverage.total, total);
	}
	coverage_clear(&coverage);
	CHECK_NUMBER(coverage.count, 0);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(joins); i++) {
		struct coverage coverage = { 0 };
		AUTO(mem) char *text = NULL;

		check_row(joins[i].name);
		for (size_t j = 0; j < COUNT(joins[i].added) && joins[i].added[j].to; j++)
			coverage_add(&coverage, joins[i].added[j].from,
				     joins[i].added[j].to);
		text = shown(&coverage);
		CHECK_TEXT(text, joins[i].want);
		coverage_clear(&coverage);
	}
	check_row("at random");
	check_at_random();
	return check_result();
}
