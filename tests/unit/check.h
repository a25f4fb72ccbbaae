/* check.h - what the unit tests check with.
 *
 * A check that fails says where, for which row of a table, and both values,
 * and the test goes on. main() ends with: return check_result();
 */
#ifndef OCCY_TESTS_UNIT_CHECK_H
#define OCCY_TESTS_UNIT_CHECK_H

#include <stdio.h>
#include <string.h>

static int check_failures;
static int check_count;
static const char *check_row_name = "";

/* What the following checks are about; lent. */
static inline void check_row(const char *name)
{
	check_row_name = name ? name : "(null)";
}

static inline void check_failed(const char *file, int line)
{
	check_failures++;
	fprintf(stderr, "%s:%d: [%s] ", file, line, check_row_name);
}

static inline void check_text(const char *file, int line, const char *what,
			      const char *got, const char *want)
{
	check_count++;
	if (got == want || (got && want && strcmp(got, want) == 0))
		return;
	check_failed(file, line);
	fprintf(stderr, "%s is %s%s%s, not %s%s%s\n", what, got ? "\"" : "",
		got ? got : "NULL", got ? "\"" : "", want ? "\"" : "",
		want ? want : "NULL", want ? "\"" : "");
}

static inline void check_number(const char *file, int line, const char *what,
				long long got, long long want)
{
	check_count++;
	if (got == want)
		return;
	check_failed(file, line);
	fprintf(stderr, "%s is %lld, not %lld\n", what, got, want);
}

#define CHECK_TEXT(got, want) check_text(__FILE__, __LINE__, #got, got, want)
#define CHECK_NUMBER(got, want)                            \
	check_number(__FILE__, __LINE__, #got, (long long)(got), \
		     (long long)(want))
#define CHECK(condition) CHECK_NUMBER(!!(condition), 1)

/* The exit status. A test that checked nothing has failed. */
static inline int check_result(void)
{
	if (check_failures)
		fprintf(stderr, "%d of %d checks failed\n", check_failures,
			check_count);
	return check_failures || !check_count;
}

#endif
