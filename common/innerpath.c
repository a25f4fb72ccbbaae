/* innerpath.c - see innerpath.h */
#include "common/innerpath.h"

#include <string.h>

static void drop_last(struct buf *path)
{
	while (path->len > 0 && path->data[path->len - 1] != '/')
		path->len--;
	if (path->len > 0)
		path->len--;
}

void innerpath_clean(const char *path, struct buf *out)
{
	out->len = 0;
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			drop_last(out);
		} else if (len > 0 && !(len == 1 && path[0] == '.')) {
			buf_append(out, "/", 1);
			buf_append(out, path, len);
		}
		path += len;
		path += *path == '/';
	}
	if (out->len == 0)
		buf_append(out, "/", 1);
	out->data[out->len] = '\0';
}

int innerpath_real(const struct safe_root *root, const char *path,
		   struct buf *out)
{
	AUTO(safe_walk) struct safe_walk walk = { .fd = -1 };
	AUTO(buf) struct buf real = { 0 };
	enum safe_step step;

	safe_walk_begin(&walk, root, path + 1);
	do
		step = safe_walk_next(&walk);
	while (step == SAFE_DOWN || step == SAFE_JUMP);
	if (step == SAFE_FAILED)
		return -1;
	buf_append(&real, walk.real.data, walk.real.len);
	if (step != SAFE_THERE) {
		buf_append_text(&real, "/");
		buf_append_text(&real, walk.name);
		if (walk.restore > 0) {
			buf_append_text(&real, "/");
			buf_append_text(&real, walk.rest.data + walk.restore);
		}
	}
	innerpath_clean(real.data, out);
	return 0;
}

bool innerpath_is_at_or_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}
