/* store_find.c - an image by its name, in the store's index.json; see store.h
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/store.h"
#include "common/store_private.h"

struct search {
	const char *name;
	const struct platform *wish; /* or NULL */
	const struct json_object *best;
	int rank;
	struct buf others; /* platforms that do not serve */
};

static int rank(const struct search *search, const struct json_object *entry,
		const struct platform *platform)
{
	int rank = -1;

	if (!search->wish)
		return 0;
	if (platform->os && platform->architecture)
		rank = platform_rank(search->wish, platform);
	if (rank < 0 && !*store_entry_tag_digest(entry))
		return INT_MAX - 1;
	return rank;
}

/* Entries are passed newest first. */
static void look_at(struct search *search, const struct json_object *entry)
{
	AUTO(platform) struct platform platform = { 0 };
	struct json_object *json = NULL;
	int is;

	if (strcmp(store_entry_name(entry), search->name) != 0)
		return;
	if (json_get_object(entry, "platform", &json) == 1 &&
	    platform_from_json(&platform, json) < 0)
		return;
	is = rank(search, entry, &platform);
	if (is >= 0 && is < search->rank) {
		search->best = entry;
		search->rank = is;
	}
	if (is < 0) {
		AUTO(mem) char *text = platform_text(&platform);

		buf_printf(&search->others, "%s%s", search->others.len ? ", " : "",
			   text);
	}
}

static int take(const struct json_object *entry, struct store_found *out)
{
	const char *digest = NULL, *media_type = NULL;
	struct json_object *json = NULL;

	json_get_string(entry, "digest", &digest);
	if (digest_parse(&out->digest, digest) < 0)
		return 0;
	digest_parse(&out->tag_digest, store_entry_tag_digest(entry));
	if (json_get_string(entry, "mediaType", &media_type) == 1)
		out->media_type = mem_strdup(media_type);
	if (json_get_object(entry, "platform", &json) == 1)
		platform_from_json(&out->platform, json);
	return 1;
}

int store_find_image(const struct store *store, const char *name,
		     const struct platform *wish, struct store_found *out)
{
	AUTO(json) struct json_object *index = NULL;
	struct search search = { .name = name, .wish = wish, .rank = INT_MAX };
	AUTO(mem) char *others = NULL;
	struct json_object *manifests = NULL;
	int rc = store_read_index(store, &index);

	*out = (struct store_found){ 0 };
	if (rc < 0)
		return rc;
	json_get_array(index, "manifests", &manifests);
	for (size_t i = 0; i < json_object_array_length(manifests); i++)
		look_at(&search, json_object_array_get_idx(manifests, i));
	others = buf_take(&search.others);
	if (search.best)
		return take(search.best, out);
	if (*others) {
		AUTO(mem) char *wanted = platform_text(wish);

		return msg_fail(STATUS_NOT_FOUND,
				"%s: no image for %s in the store, only for: %.2000s",
				name, wanted, others);
	}
	return 0;
}

void store_found_clear(struct store_found *found)
{
	platform_clear(&found->platform);
	free(found->media_type);
	*found = (struct store_found){ 0 };
}
