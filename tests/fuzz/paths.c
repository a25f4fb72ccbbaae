/* paths.c - the normal form of an entry's path, and what its name means. */
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/safepath.h"
#include "common/whiteout.h"
#include "fuzz.h"

static void require_normal(const char *path)
{
	size_t len = strlen(path);

	REQUIRE(len == 0 || (path[0] != '/' && path[len - 1] != '/'));
	REQUIRE(!strstr(path, "//"));
	while (*path) {
		len = strcspn(path, "/");
		REQUIRE(len != 1 || path[0] != '.');
		REQUIRE(len != 2 || strncmp(path, "..", 2) != 0);
		path += len;
		path += *path == '/';
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(mem) char *path = mem_strndup((const char *)data, size);
	AUTO(buf) struct buf clean = { 0 };
	AUTO(buf) struct buf again = { 0 };
	enum whiteout kind;

	if (safepath_clean(path, &clean) < 0) {
		REQUIRE(strstr(path, ".."));
		return 0;
	}
	require_normal(clean.data);
	REQUIRE(safepath_clean(clean.data, &again) == 0);
	REQUIRE(strcmp(clean.data, again.data) == 0);
	kind = whiteout_kind(clean.data);
	REQUIRE(kind == WHITEOUT_NONE || strstr(clean.data, WHITEOUT_PREFIX));
	REQUIRE(kind != WHITEOUT_PLAIN ||
		strlen(strrchr(clean.data, '.')) > 1 ||
		strcmp(strrchr(clean.data, '/') ? strrchr(clean.data, '/') + 1
						: clean.data, ".wh.") != 0);
	return 0;
}
