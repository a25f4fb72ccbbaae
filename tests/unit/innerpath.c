/* innerpath.c - paths inside a container, and where its links lead them */
#include "common/innerpath.h"

#include <errno.h>

#include "check.h"
#include "scratch.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const struct {
	const char *path, *clean;
} cleaned[] = {
	{ "", "/" },
	{ "/", "/" },
	{ "a", "/a" },
	{ "/a/b", "/a/b" },
	{ "//a///b//", "/a/b" },
	{ "./a/./b/.", "/a/b" },
	{ "../..", "/" },
	{ "/../../etc", "/etc" },
	{ "/a/b/../c", "/a/c" },
	{ "/a/..", "/" },
	{ "/a/..b/...", "/a/..b/..." },
};

/* In a root with: a directory, and the links below. */
static const struct {
	const char *path, *real; /* NULL: a failure */
} followed[] = {
	{ "/", "/" },
	{ "/dir", "/dir" },
	{ "/dir/missing/x", "/dir/missing/x" },
	{ "/missing", "/missing" },
	{ "/down", "/dir" },
	{ "/down/x/y", "/dir/x/y" },
	{ "/absolute", "/dir" },
	{ "/out", "/proc/self/fd/7" },
	{ "/out/x", "/proc/self/fd/7/x" },
	{ "/dir/up", "/etc" },
	{ "/far", "/missing/b" },
	{ "/file/x", "/file/x" },
	{ "/loop", NULL },
};

static void check_followed(const struct safe_root *root)
{
	for (size_t i = 0; i < COUNT(followed); i++) {
		AUTO(buf) struct buf out = { 0 };

		check_row(followed[i].path);
		errno = 0;
		CHECK_NUMBER(innerpath_real(root, followed[i].path, &out),
			     followed[i].real ? 0 : -1);
		if (followed[i].real)
			CHECK_TEXT(out.data, followed[i].real);
		else
			CHECK_NUMBER(errno, ELOOP);
	}
}

int main(void)
{
	int dir = scratch_open();

	for (size_t i = 0; i < COUNT(cleaned); i++) {
		AUTO(buf) struct buf out = { 0 };

		check_row(cleaned[i].path);
		innerpath_clean(cleaned[i].path, &out);
		CHECK_TEXT(out.data, cleaned[i].clean);
		CHECK_NUMBER(out.len, strlen(cleaned[i].clean));
	}
	check_row("links");
	CHECK_NUMBER(mkdirat(dir, "dir", 0755), 0);
	CHECK_NUMBER(symlinkat("dir", dir, "down"), 0);
	CHECK_NUMBER(symlinkat("/dir", dir, "absolute"), 0);
	CHECK_NUMBER(symlinkat("/proc/self/fd/7", dir, "out"), 0);
	CHECK_NUMBER(symlinkat("../../../etc", dir, "dir/up"), 0);
	CHECK_NUMBER(symlinkat("missing/a/../b", dir, "far"), 0);
	CHECK_NUMBER(symlinkat("loop", dir, "loop"), 0);
	scratch_write(dir, "file", "", 0);
	check_followed(&(struct safe_root){ .fd = dir });
	check_followed(&(struct safe_root){ .fd = dir, .walk_only = true });

	check_row("below");
	CHECK(innerpath_is_at_or_below("/proc", "/proc"));
	CHECK(innerpath_is_at_or_below("/proc/x", "/proc"));
	CHECK(!innerpath_is_at_or_below("/process", "/proc"));
	CHECK(!innerpath_is_at_or_below("/pro", "/proc"));
	close(dir);
	return check_result();
}
