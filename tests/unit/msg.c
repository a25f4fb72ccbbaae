/* msg - the formatting of messages: what is escaped, what is cut. */
#include <inttypes.h>
#include <stdint.h>
#include <unistd.h>

#include "common/msg.h"
#include "tests/unit/check.h"

static const struct {
	const char *outside;
	const char *want;
} escapes[] = {
	{ "plain ~text", "plain ~text" },
	{ "", "" },
	{ NULL, "(null)" },
	{ "\033[2J", "\\x1b[2J" },
	{ "a\r\nb\tc", "a\\x0d\\x0ab\\x09c" },
	{ "\x7f", "\\x7f" },
	{ "\xc3\xa9", "\\xc3\\xa9" },
	{ "\xff", "\\xff" },
	{ "%s%n", "%s%n" },
	{ "back\\slash", "back\\slash" },
};

static void test_escapes(void)
{
	char got[64];

	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		msg_format(got, sizeof(got), "%s", escapes[i].outside);
		CHECK_TEXT(got, escapes[i].want);
	}
}

static void test_conversions(void)
{
	char got[256];

	msg_format(got, sizeof(got), "%d %i %u %x %c%c %%", -5, INT32_MIN,
		   UINT32_MAX, 0xbeefU, 'a', '\033');
	CHECK_TEXT(got, "-5 -2147483648 4294967295 beef a\\x1b %");
	msg_format(got, sizeof(got), "%ld %lu %zu", -6L, 7UL, sizeof(char));
	CHECK_TEXT(got, "-6 7 1");
	msg_format(got, sizeof(got), "%" PRId64 " %" PRIu64 " %" PRIx64,
		   INT64_MIN, UINT64_MAX, UINT64_MAX);
	CHECK_TEXT(got, "-9223372036854775808 18446744073709551615 ffffffffffffffff");
	msg_format(got, sizeof(got), "%lld %llu", -8LL, 9ULL);
	CHECK_TEXT(got, "-8 9");
	msg_format(got, sizeof(got), "%s:%d:%s", "a", 1, "b");
	CHECK_TEXT(got, "a:1:b");
}

/* Without a precision 256 bytes are shown, and that something is missing. */
static void test_cut(void)
{
	char text[301], got[2000], want[300];

	memset(text, 'a', sizeof(text));
	memset(want, 'a', sizeof(want));
	text[256] = want[256] = '\0';
	msg_format(got, sizeof(got), "%s", text);
	CHECK_TEXT(got, want);

	text[256] = 'a';
	text[257] = '\0';
	memcpy(want + 256, "...", 4);
	msg_format(got, sizeof(got), "%s", text);
	CHECK_TEXT(got, want);

	text[256] = 'a';
	text[257] = 'a';
	text[280] = '\0';
	msg_format(got, sizeof(got), "%.290s", text);
	CHECK_TEXT(got, text);

	memset(text, '\x01', 256);
	text[256] = '\0';
	msg_format(got, sizeof(got), "%s", text);
	CHECK(strlen(got) == 1024);
}

/* A precision is a promise that no more bytes are there to be looked at. */
static void test_precision(void)
{
	char got[2000], exact[256];

	msg_format(got, sizeof(got), "%.3s|%.0s|%.*s|%.*s", "abcdef", "abc", 2,
		   "xyz", -1, "whole");
	CHECK_TEXT(got, "abc||xy|whole");
	memset(exact, 'b', sizeof(exact)); /* not terminated */
	msg_format(got, sizeof(got), "%.256s", exact);
	CHECK(strlen(got) == 256);
	msg_format(got, sizeof(got), "%.*s", 256, exact);
	CHECK(strlen(got) == 256);
}

/* Whatever comes in, the buffer's end is kept and terminated. */
static void test_small_buffers(void)
{
	for (size_t size = 1; size <= 8; size++) {
		char got[9];

		memset(got, '#', sizeof(got));
		msg_format(got, size, "%s%d", "abc\033", 12345);
		CHECK(strlen(got) == size - 1);
		CHECK(memcmp(got, "abc\\x1b12", size - 1) == 0);
		CHECK(got[size] == '#');
	}
}

/* Read back what a message puts on stderr: one line, cut to fit, status. */
static void test_lines(void)
{
	char long_text[5001], got[8192];
	int pipes[2], saved = dup(STDERR_FILENO), rc;
	ssize_t n;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	if (pipe(pipes) != 0 || dup2(pipes[1], STDERR_FILENO) < 0)
		return;
	rc = msg_fail(STATUS_INTEGRITY, "layer %d: %s", 3, "bad\nthing");
	msg_warn("%s", "careful");
	msg_note("%s", "so it is");
	msg_note("%.5000s", long_text);
	n = read(pipes[0], got, sizeof(got) - 1);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[0]);
	close(pipes[1]);

	CHECK(rc == -8);
	got[n < 0 ? 0 : n] = '\0';
	CHECK(strstr(got, "unit-msg: layer 3: bad\\x0athing\n"
			  "unit-msg: warning: careful\n"
			  "unit-msg: so it is\n"
			  "unit-msg: xxx") == got);
	CHECK(n > 4000 && n < 5000 && got[n - 1] == '\n');
}

int main(void)
{
	test_escapes();
	test_conversions();
	test_cut();
	test_precision();
	test_small_buffers();
	test_lines();
	return check_result();
}
