/* base64.c - both ways, and what is refused */
#include "common/base64.h"

#include <stdlib.h>

#include "check.h"
#include "common/cleanup.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const struct {
	const char *plain, *text;
} pairs[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "user:p\xc3\xa4ss", "dXNlcjpww6Rzcw==" },
	{ "\xfb\xff\xfe", "+//+" },
};

static const char *const bad[] = {
	"Z", "Zg", "Zg=", "Zm8", "=", "==", "====", "Zg==Zg==", "Zm8=Zm8=",
	"Zh==", "Zm9=", "Z g=", "Zg= =", "Zm9v Zg==", "-__-", "Zg==x", "Z===",
	"Zm=8", "Zm9v=", "\xff\xff\xff\xff",
};

int main(void)
{
	AUTO(mem) char *wrapped = NULL;
	size_t len;

	for (size_t i = 0; i < COUNT(pairs); i++) {
		AUTO(mem) char *plain = base64_decode(pairs[i].text, &len);
		AUTO(mem) char *text = base64_encode(pairs[i].plain,
						     strlen(pairs[i].plain));

		check_row(pairs[i].text);
		CHECK_TEXT(plain, pairs[i].plain);
		CHECK_NUMBER(len, strlen(pairs[i].plain));
		CHECK_TEXT(text, pairs[i].text);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		check_row(bad[i]);
		CHECK_TEXT(base64_decode(bad[i], &len), NULL);
	}
	check_row("lines");
	wrapped = base64_decode("Z\r\nm9\nvYg==\n", &len);
	CHECK_TEXT(wrapped, "foob");
	return check_result();
}
