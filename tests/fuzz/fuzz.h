/* fuzz.h - what the fuzz targets share.
 *
 * A target must not only survive: REQUIRE() says what holds for all input.
 */
#ifndef OCCY_TESTS_FUZZ_FUZZ_H
#define OCCY_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                             \
	do {                                                           \
		if (!(condition)) {                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #condition);                 \
			abort();                                       \
		}                                                      \
	} while (0)

/* Reasons go to the user's terminal: printable, of one line, and some. */
static inline void require_reason(const char *why)
{
	REQUIRE(why[0] != '\0');
	for (; *why; why++)
		REQUIRE(*why >= 0x20 && *why < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
