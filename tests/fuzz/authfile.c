/* authfile.c - a file of logins, in both formats and for several hosts. */
#include <string.h>

#include "common/credentials.h"
#include "common/mem.h"
#include "fuzz.h"

static void find(enum credentials_format format, const char *bytes, size_t len,
		 const char *host, const char *repository)
{
	AUTO(credentials) struct credentials c = { 0 };
	char why[256] = "";
	int got = credentials_find_in_file(&c, format, bytes, len, host,
					   repository, why, sizeof(why));
	bool has_content = c.user || c.identity_token || c.registry_token;

	REQUIRE(got == (got < 0 ? -1 : has_content || c.helper));
	if (got < 0) {
		require_reason(why);
		REQUIRE(!has_content && !c.helper);
	}
	REQUIRE(!c.user == !c.password);
	REQUIRE(!c.user || c.user[0]);
	REQUIRE(!c.helper == !c.helper_server);
	REQUIRE(!c.helper || !strpbrk(c.helper, "/ \n"));
	REQUIRE(!c.registry_token || !strpbrk(c.registry_token, "\r\n "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	find(CREDENTIALS_CONFIG, bytes, size, "docker.io", "library/a");
	find(CREDENTIALS_CONFIG, bytes, size, "q.io:5000", "n/r");
	find(CREDENTIALS_LEGACY, bytes, size, "q.io", "a");
	find(CREDENTIALS_VARIABLE, bytes, size, "q.io", "a");
	return 0;
}
