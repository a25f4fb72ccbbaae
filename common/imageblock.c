/* imageblock.c - see imageblock.h */
#include "common/imageblock.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/blob.h"
#include "common/mem.h"
#include "common/msg.h"

void imageblock_clear(struct imageblock *block)
{
	free(block->label);
	buf_clear(&block->config_bytes);
	image_config_clear(&block->config);
	*block = (struct imageblock){ 0 };
}

void imageblock_begin(struct imageblock *block, const struct image_view *image)
{
	imageblock_clear(block);
	block->label = mem_strdup(image_view_name(image));
	block->is_named = digest_is_set(&image->digest) ||
			  (image->names && json_object_array_length(image->names));
}

static int read_config(const struct imageblock *block,
		       const struct config_view *config, struct buf *bytes)
{
	AUTO(blob) struct blob blob = BLOB_NONE;
	struct digest got_digest;
	size_t got;
	int rc = blob_open(&blob, &config->file, config->size);

	if (rc < 0)
		return rc;
	if (blob.length > CONFIG_MAX_BYTES)
		return msg_fail(STATUS_INTEGRITY,
				"%s: config %s: larger than %d bytes",
				block->label, config->digest.text,
				CONFIG_MAX_BYTES);
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
				"%s: config %s: digest mismatch, got %s",
				block->label, config->digest.text,
				got_digest.text);
	return 0;
}

int imageblock_take_config(struct imageblock *block,
			   const struct config_view *config)
{
	char why[512];
	int rc = read_config(block, config, &block->config_bytes);

	if (rc < 0)
		return rc;
	if (image_config_parse(&block->config, block->config_bytes.data,
			       block->config_bytes.len, why, sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: config %s: %.511s",
				block->label, config->digest.text, why);
	block->has_config = true;
	block->config_digest = config->digest;
	if (!block->is_named) {
		free(block->label);
		block->label = mem_strdup(config->digest.text);
	}
	return 0;
}

char *imageblock_layer_name(const struct imageblock *block,
			    const struct layer_view *layer)
{
	return mem_printf("%s: layer %" PRId64 " %s", block->label, layer->index,
			  digest_is_set(&layer->digest) ? layer->digest.text
							: layer->diff_id.text);
}

int imageblock_diff_id(const struct imageblock *block,
		       const struct layer_view *layer, const char *name,
		       const struct digest **diff_id)
{
	const struct image_config *config = &block->config;

	*diff_id = digest_is_set(&layer->diff_id) ? &layer->diff_id : NULL;
	if (!block->has_config)
		return 0;
	if (layer->index >= (int64_t)config->diff_id_count)
		return msg_fail(STATUS_INTEGRITY,
				"%s: the config names only %zu layers", name,
				config->diff_id_count);
	if (*diff_id && !digest_equal(*diff_id, &config->diff_ids[layer->index]))
		return msg_fail(STATUS_INTEGRITY,
				"%s: diff_id mismatch: its record says %s, the config %s",
				name, (*diff_id)->text,
				config->diff_ids[layer->index].text);
	*diff_id = &config->diff_ids[layer->index];
	return 0;
}

int imageblock_next_layer(struct imageblock *block,
			  const struct layer_view *layer, const char *name,
			  const struct digest **diff_id)
{
	int rc;

	if (!block->has_config)
		return msg_fail(STATUS_STREAM, "%s: no config record came before",
				name);
	rc = imageblock_diff_id(block, layer, name, diff_id);
	if (rc < 0)
		return rc;
	if (layer->index != (int64_t)block->layer_count)
		return msg_fail(STATUS_INTEGRITY, "%s: layer %zu is missing",
				block->label, block->layer_count);
	block->layer_count++;
	return 0;
}

int imageblock_check_whole(const struct imageblock *block)
{
	if (!block->has_config)
		return msg_fail(STATUS_STREAM,
				"%s: the stream holds no config record of it",
				block->label);
	if (block->layer_count < block->config.diff_id_count)
		return msg_fail(STATUS_INTEGRITY, "%s: layer %zu is missing",
				block->label, block->layer_count);
	return 0;
}

const char *imageblock_created_by(const struct imageblock *block,
				  const struct layer_view *layer)
{
	struct json_object *history = NULL;
	const char *created_by = NULL;
	int64_t index = -1;

	if (json_get_array(block->config.json, "history", &history) != 1)
		return NULL;
	for (size_t i = 0; i < json_object_array_length(history); i++) {
		struct json_object *step = json_object_array_get_idx(history, i);
		bool is_empty = false;

		json_get_bool(step, "empty_layer", &is_empty);
		index += !is_empty;
		if (index == layer->index && !is_empty) {
			json_get_string(step, "created_by", &created_by);
			return created_by;
		}
	}
	return NULL;
}
