/* coverage.h - which bytes of a whole are there.
 *
 * Stretches in order that neither overlap nor touch. They are few: each adding
 * takes time in proportion to them.
 */
#ifndef OCCY_COMMON_COVERAGE_H
#define OCCY_COMMON_COVERAGE_H

#include <stddef.h>
#include <stdint.h>

struct stretch {
	int64_t from, to; /* the first byte, and the one after the last */
};

struct coverage {
	struct stretch *items; /* owned */
	size_t count, capacity;
	int64_t total; /* bytes */
};

void coverage_add(struct coverage *coverage, int64_t from, int64_t to);

/* Where the stretch that holds byte `at` ends; `at` itself where that byte is
 * missing. */
int64_t coverage_end(const struct coverage *coverage, int64_t at);

/* Where the first stretch begins that lies behind `at`; INT64_MAX for none. */
int64_t coverage_next(const struct coverage *coverage, int64_t at);

/* Forget all, and leave an empty coverage. */
void coverage_clear(struct coverage *coverage);

#endif
