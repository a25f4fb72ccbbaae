/* image_config.c - the image config of manifest.h */
#include <stdlib.h>

#include "common/document.h"
#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"

static const char *const config_keys[] = {
	"os",	       "architecture", "variant", "os.version",
	"os.features", "rootfs",       "config",  NULL,
};
static const char *const rootfs_keys[] = { "type", "diff_ids", NULL };

struct parser {
	struct image_config *out;
	char *why;
	size_t size;
};

static int refuse(struct parser *p, const char *what)
{
	msg_format(p->why, p->size, "%s", what);
	return -1;
}

static int read_diff_ids(struct parser *p, const struct json_object *array)
{
	struct image_config *out = p->out;
	size_t count = json_object_array_length(array);

	if (count > MANIFEST_MAX_LAYERS)
		return refuse(p, "more than 10000 diff_ids");
	out->diff_ids = mem_zalloc(count, sizeof(*out->diff_ids));
	out->diff_id_count = count;
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_at(array, i);

		if (digest_parse(&out->diff_ids[i], text) == 0)
			continue;
		msg_format(p->why, p->size, "diff_id %zu: bad digest%s%s", i,
			   text ? ": " : "", text ? text : "");
		return -1;
	}
	return 0;
}

static int read_rootfs(struct parser *p)
{
	struct json_object *rootfs = NULL, *diff_ids = NULL;
	int got = json_get_object(p->out->json, "rootfs", &rootfs);

	if (got < 0)
		return refuse(p, "rootfs is no object");
	if (got == 0)
		return 0;
	if (document_disguised_key(rootfs, rootfs_keys))
		return refuse(p, "diff_ids is written in another case");
	got = json_get_array(rootfs, "diff_ids", &diff_ids);
	if (got < 0)
		return refuse(p, "diff_ids is no array");
	return got == 1 ? read_diff_ids(p, diff_ids) : 0;
}

int image_config_parse(struct image_config *out, const char *bytes, size_t len,
		       char *why, size_t size)
{
	struct parser p = { .out = out, .why = why, .size = size };

	*out = (struct image_config){ 0 };
	out->json = document_parse(bytes, len, CONFIG_MAX_BYTES, config_keys,
				   why, size);
	if (out->json && platform_from_json(&out->platform, out->json) < 0)
		refuse(&p, "os, architecture or variant is of a wrong kind");
	else if (out->json && read_rootfs(&p) == 0)
		return 0;
	image_config_clear(out);
	return -1;
}

void image_config_clear(struct image_config *config)
{
	platform_clear(&config->platform);
	free(config->diff_ids);
	json_object_put(config->json);
	*config = (struct image_config){ 0 };
}
