/* dockersave.c - see dockersave.h */
#include "common/dockersave.h"

#include <search.h>
#include <string.h>

#include "common/imageblock.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/tarlayer.h"
#include "common/tarwrite.h"

/* A file in the tar, in a tree by name. */
struct member {
	char *name;
	struct digest content; /* of what is in it */
};

/* What is going to stand in manifest.json of the block that is being read. */
struct listing {
	struct json_object *tags;   /* owned */
	struct json_object *layers; /* names of members, owned */
	char *config_name;          /* NULL until the config has come */
};

struct dockersave {
	struct outfile *out;
	const char *name;
	struct tarwrite *tar;
	void *members; /* a tree for tsearch(3) */
	struct json_object *manifest, *images; /* owned */
	struct imageblock block;
	struct listing listing;
};

struct dockersave *dockersave_new(struct outfile *out, const char *name)
{
	struct dockersave *save = mem_zalloc(1, sizeof(*save));

	save->out = out;
	save->name = name;
	save->tar = tarwrite_new(out);
	save->manifest = json_new_array();
	save->images = json_new_array();
	return save;
}

static void listing_clear(struct listing *listing)
{
	free(listing->config_name);
	json_object_put(listing->tags);
	json_object_put(listing->layers);
	*listing = (struct listing){ 0 };
}

static void member_free(void *data)
{
	struct member *member = data;

	free(member->name);
	free(member);
}

void dockersave_free(struct dockersave *save)
{
	if (!save)
		return;
	imageblock_clear(&save->block);
	listing_clear(&save->listing);
	tdestroy(save->members, member_free);
	json_object_put(save->manifest);
	json_object_put(save->images);
	tarwrite_free(save->tar);
	free(save);
}

struct json_object *dockersave_images(const struct dockersave *save)
{
	return save->images;
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->name,
		      ((const struct member *)b)->name);
}

/* Returns the member of this name, or NULL. */
static const struct member *find_member(const struct dockersave *save,
					char *name)
{
	struct member key = { .name = name };
	void *node = tfind(&key, &save->members, compare_members);

	return node ? *(struct member *const *)node : NULL;
}

static void add_member(struct dockersave *save, const char *name,
		       const struct digest *content)
{
	struct member *member = mem_zalloc(1, sizeof(*member));

	member->name = mem_strdup(name);
	member->content = *content;
	if (!tsearch(member, &save->members, compare_members))
		mem_die("tsearch");
}

static int put_whole_member(struct dockersave *save, const char *name,
			    const void *data, size_t len)
{
	int rc = tarwrite_begin(save->tar, name, (int64_t)len);

	if (rc == 0)
		rc = tarwrite_data(save->tar, data, len);
	return rc == 0 ? tarwrite_end(save->tar) : rc;
}

static int put_config(struct dockersave *save, const struct config_view *config)
{
	const struct buf *bytes = &save->block.config_bytes;
	int rc = imageblock_take_config(&save->block, config);

	if (rc < 0)
		return rc;
	save->listing.config_name = mem_printf("%s.json", digest_hex(&config->digest));
	if (find_member(save, save->listing.config_name))
		return 0;
	add_member(save, save->listing.config_name, &config->digest);
	return put_whole_member(save, save->listing.config_name, bytes->data,
				bytes->len);
}

static int put_layer(struct dockersave *save, const struct layer_view *layer)
{
	AUTO(mem) char *name = imageblock_layer_name(&save->block, layer);
	AUTO(mem) char *file = NULL;
	const struct member *known;
	const struct digest *diff_id;
	int rc = imageblock_next_layer(&save->block, layer, name, &diff_id);

	if (rc < 0)
		return rc;
	file = mem_printf("%s/layer.tar",
			  digest_hex(digest_is_set(&layer->digest) ? &layer->digest
								   : diff_id));
	json_append(save->listing.layers, json_new_string(file));
	known = find_member(save, file);
	if (!known) {
		add_member(save, file, diff_id);
		return tarlayer_put(save->tar, save->out, file, layer, diff_id,
				    name);
	}
	/* The digest is only the stream's word for it; what it names here is
	 * what was proven when it was written. */
	if (!digest_equal(&known->content, diff_id))
		return msg_fail(STATUS_INTEGRITY,
				"%s: diff_id mismatch, got %s", name,
				known->content.text);
	return 0;
}

static bool has_string(struct json_object *array, const char *text)
{
	for (size_t i = 0; i < json_object_array_length(array); i++)
		if (strcmp(json_string_at(array, i), text) == 0)
			return true;
	return false;
}

static struct json_object *member_of(struct json_object *object, const char *key)
{
	return json_object_object_get(object, key);
}

static bool is_same_image(struct json_object *known, const struct listing *listing)
{
	return strcmp(json_object_get_string(member_of(known, "Config")),
		      listing->config_name) == 0 &&
	       json_object_equal(member_of(known, "Layers"), listing->layers);
}

/* Find what stands for this very image, or NULL; something of a name of ours
 * that is another image is a failure. */
static int find_entry(const struct dockersave *save, struct json_object **same)
{
	const struct listing *listing = &save->listing;

	*same = NULL;
	for (size_t i = 0; i < json_object_array_length(save->manifest); i++) {
		struct json_object *known =
			json_object_array_get_idx(save->manifest, i);

		if (is_same_image(known, listing)) {
			*same = known;
			continue;
		}
		for (size_t k = 0; k < json_object_array_length(listing->tags); k++) {
			const char *tag = json_string_at(listing->tags, k);

			if (has_string(member_of(known, "RepoTags"), tag))
				return msg_fail(STATUS_FAILED,
						"%s: two different images of "
						"this name", tag);
		}
	}
	return 0;
}

static void merge_tags(struct json_object *into, struct json_object *tags)
{
	for (size_t i = 0; i < json_object_array_length(tags); i++)
		if (!has_string(into, json_string_at(tags, i)))
			json_append(into, json_new_string(json_string_at(tags, i)));
}

static void add_entry(struct dockersave *save)
{
	struct json_object *json = json_new_object();

	json_add_string(json, "Config", save->listing.config_name);
	json_add(json, "RepoTags", TAKE(save->listing.tags));
	json_add(json, "Layers", TAKE(save->listing.layers));
	json_append(save->manifest, json);
}

/* The block is over, if there is one: it must be whole. */
static int end_block(struct dockersave *save)
{
	struct json_object *same = NULL;
	int rc;

	if (!save->block.label)
		return 0;
	rc = imageblock_check_whole(&save->block);
	if (rc == 0)
		rc = find_entry(save, &same);
	if (rc < 0)
		return rc;
	json_append(save->images, json_new_string(save->block.label));
	if (same)
		merge_tags(member_of(same, "RepoTags"), save->listing.tags);
	else
		add_entry(save);
	imageblock_clear(&save->block);
	listing_clear(&save->listing);
	return 0;
}

static int begin_block(struct dockersave *save, const struct image_view *image)
{
	int rc = end_block(save);

	if (rc < 0)
		return rc;
	if (save->name && json_object_array_length(save->images) > 0)
		return msg_fail(STATUS_USAGE,
				"%s: a second image, and --name is for one only",
				image_view_name(image));
	imageblock_begin(&save->block, image);
	save->listing.tags = json_new_array();
	save->listing.layers = json_new_array();
	if (save->name)
		json_append(save->listing.tags, json_new_string(save->name));
	else if (image->names)
		merge_tags(save->listing.tags, image->names);
	return 0;
}

int dockersave_put(struct dockersave *save, const struct record *record)
{
	switch (record->type) {
	case RECORD_IMAGE:
		return begin_block(save, &record->image);
	case RECORD_CONFIG:
		return put_config(save, &record->config);
	case RECORD_LAYER:
		return put_layer(save, &record->layer);
	case RECORD_HEADER:
	case RECORD_END:
	case RECORD_RESULT:
	case RECORD_OTHER:
		break;
	}
	return 0;
}

int dockersave_finish(struct dockersave *save)
{
	const char *text;
	size_t len;
	int rc = end_block(save);

	if (rc < 0)
		return rc;
	text = json_text(save->manifest, &len);
	rc = put_whole_member(save, "manifest.json", text, len);
	return rc == 0 ? tarwrite_finish(save->tar) : rc;
}
