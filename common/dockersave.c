/* dockersave.c - see dockersave.h */
#include "common/dockersave.h"

#include <inttypes.h>
#include <search.h>
#include <string.h>

#include "common/blob.h"
#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/tarlayer.h"
#include "common/tarwrite.h"

/* A file in the tar, in a tree by name. */
struct member {
	char *name;
	struct digest content; /* of what is in it */
};

/* The image block that is being read. */
struct block {
	char *label;              /* what it is called; NULL outside a block */
	bool is_named;            /* by a name or its manifest's digest */
	struct json_object *tags; /* owned */
	struct json_object *layers; /* names of members, owned */
	char *config_name;        /* NULL until the config has come */
	struct image_config config;
	size_t layer_count;
};

struct dockersave {
	struct outfile *out;
	const char *name;
	struct tarwrite *tar;
	void *members; /* a tree for tsearch(3) */
	struct json_object *manifest, *images; /* owned */
	struct block block;
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

static void block_clear(struct block *block)
{
	free(block->label);
	free(block->config_name);
	json_object_put(block->tags);
	json_object_put(block->layers);
	image_config_clear(&block->config);
	*block = (struct block){ 0 };
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
	block_clear(&save->block);
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

/* Read the config's bytes and prove them. */
static int read_config(const char *label, const struct config_view *config,
		       struct buf *bytes)
{
	AUTO(blob) struct blob blob = BLOB_NONE;
	struct digest got_digest;
	size_t got;
	int rc = blob_open(&blob, &config->file, config->size);

	if (rc < 0)
		return rc;
	if (blob.length > CONFIG_MAX_BYTES)
		return msg_fail(STATUS_INTEGRITY,
				"%s: config %s: larger than %d bytes", label,
				config->digest.text, CONFIG_MAX_BYTES);
	rc = blob_read(&blob, buf_reserve(bytes, (size_t)blob.length),
		       (size_t)blob.length, &got);
	if (rc < 0)
		return rc;
	bytes->len = got;
	bytes->data[got] = '\0';
	digest_of(digest_algorithm(&config->digest), bytes->data, bytes->len,
		  &got_digest);
	if (!digest_equal(&got_digest, &config->digest))
		return msg_fail(STATUS_INTEGRITY,
				"%s: config %s: digest mismatch, got %s", label,
				config->digest.text, got_digest.text);
	return 0;
}

static int put_config(struct dockersave *save, const struct config_view *config)
{
	struct block *block = &save->block;
	AUTO(buf) struct buf bytes = { 0 };
	char why[512];
	int rc = read_config(block->label, config, &bytes);

	if (rc < 0)
		return rc;
	if (image_config_parse(&block->config, bytes.data, bytes.len, why,
			       sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: config %s: %.511s",
				block->label, config->digest.text, why);
	block->config_name = mem_printf("%s.json", digest_hex(&config->digest));
	if (!block->is_named) {
		free(block->label);
		block->label = mem_strdup(config->digest.text);
	}
	if (find_member(save, block->config_name))
		return 0;
	add_member(save, block->config_name, &config->digest);
	return put_whole_member(save, block->config_name, bytes.data, bytes.len);
}

/* "IMAGE: layer 3 sha256:…", as messages begin; the caller frees it. */
static char *layer_name(const struct block *block,
			const struct layer_view *layer)
{
	return mem_printf("%s: layer %" PRId64 " %s", block->label, layer->index,
			  digest_is_set(&layer->digest) ? layer->digest.text
							: layer->diff_id.text);
}

/* The layer must be the next one that the config names. */
static int check_layer(const struct block *block, const struct layer_view *layer,
		       const char *name)
{
	size_t count = block->config.diff_id_count;

	if (!block->config_name)
		return msg_fail(STATUS_STREAM, "%s: no config record came before",
				name);
	if (layer->index >= (int64_t)count)
		return msg_fail(STATUS_INTEGRITY,
				"%s: the config names only %zu layers", name,
				count);
	if (layer->index != (int64_t)block->layer_count)
		return msg_fail(STATUS_INTEGRITY, "%s: layer %zu is missing",
				block->label, block->layer_count);
	if (digest_is_set(&layer->diff_id) &&
	    !digest_equal(&layer->diff_id,
			  &block->config.diff_ids[layer->index]))
		return msg_fail(STATUS_INTEGRITY,
				"%s: diff_id mismatch: its record says %s, the "
				"config %s", name, layer->diff_id.text,
				block->config.diff_ids[layer->index].text);
	return 0;
}

static int put_layer(struct dockersave *save, const struct layer_view *layer)
{
	struct block *block = &save->block;
	AUTO(mem) char *name = layer_name(block, layer);
	AUTO(mem) char *file = NULL;
	const struct member *known;
	const struct digest *diff_id;
	int rc = check_layer(block, layer, name);

	if (rc < 0)
		return rc;
	diff_id = &block->config.diff_ids[block->layer_count++];
	file = mem_printf("%s/layer.tar",
			  digest_hex(digest_is_set(&layer->digest) ? &layer->digest
								   : diff_id));
	json_append(block->layers, json_new_string(file));
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

static bool is_same_image(struct json_object *entry, const struct block *block)
{
	return strcmp(json_object_get_string(member_of(entry, "Config")),
		      block->config_name) == 0 &&
	       json_object_equal(member_of(entry, "Layers"), block->layers);
}

/* Find the entry that is this very image, or NULL; an entry of a name of ours
 * that is another image is a failure. */
static int find_entry(const struct dockersave *save, struct json_object **same)
{
	const struct block *block = &save->block;

	*same = NULL;
	for (size_t i = 0; i < json_object_array_length(save->manifest); i++) {
		struct json_object *entry =
			json_object_array_get_idx(save->manifest, i);

		if (is_same_image(entry, block)) {
			*same = entry;
			continue;
		}
		for (size_t k = 0; k < json_object_array_length(block->tags); k++) {
			const char *tag = json_string_at(block->tags, k);

			if (has_string(member_of(entry, "RepoTags"), tag))
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
	struct json_object *entry = json_new_object();

	json_add_string(entry, "Config", save->block.config_name);
	json_add(entry, "RepoTags", TAKE(save->block.tags));
	json_add(entry, "Layers", TAKE(save->block.layers));
	json_append(save->manifest, entry);
}

/* The block is over, if there is one: it must be whole. */
static int end_block(struct dockersave *save)
{
	struct block *block = &save->block;
	struct json_object *same;
	int rc;

	if (!block->label)
		return 0;
	if (!block->config_name)
		return msg_fail(STATUS_STREAM,
				"%s: the stream holds no config record of it",
				block->label);
	if (block->layer_count < block->config.diff_id_count)
		return msg_fail(STATUS_INTEGRITY, "%s: layer %zu is missing",
				block->label, block->layer_count);
	rc = find_entry(save, &same);
	if (rc < 0)
		return rc;
	json_append(save->images, json_new_string(block->label));
	if (same)
		merge_tags(member_of(same, "RepoTags"), block->tags);
	else
		add_entry(save);
	block_clear(block);
	return 0;
}

static int begin_block(struct dockersave *save, const struct image_view *image)
{
	struct block *block = &save->block;
	int rc = end_block(save);

	if (rc < 0)
		return rc;
	if (save->name && json_object_array_length(save->images) > 0)
		return msg_fail(STATUS_USAGE,
				"%s: a second image, and --name is for one only",
				image_view_name(image));
	block->label = mem_strdup(image_view_name(image));
	block->is_named = digest_is_set(&image->digest) ||
			  (image->names && json_object_array_length(image->names));
	block->tags = json_new_array();
	block->layers = json_new_array();
	if (save->name)
		json_append(block->tags, json_new_string(save->name));
	else if (image->names)
		merge_tags(block->tags, image->names);
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
