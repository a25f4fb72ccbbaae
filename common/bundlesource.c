/* bundlesource.c - see bundlesource.h */
#include "common/bundlesource.h"

#include <string.h>

#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"

void bundle_source_init(struct bundle_source *source)
{
	*source = (struct bundle_source){ .trees = json_new_array() };
}

void bundle_source_clear(struct bundle_source *source)
{
	imageblock_clear(&source->image);
	json_object_put(source->trees);
	*source = (struct bundle_source){ 0 };
}

static int put_image(struct bundle_source *source, const struct image_view *image)
{
	if (source->has_image)
		return msg_fail(STATUS_USAGE, "%s: a second image, and a bundle "
				"is of one only", image_view_name(image));
	source->has_image = true;
	imageblock_begin(&source->image, image);
	return 0;
}

static int put_config(struct bundle_source *source,
		      const struct config_view *config)
{
	if (config->media_type && !media_type_is_image_config(config->media_type))
		return msg_fail(STATUS_INTEGRITY, "%s: config %s: not of a "
				"container image: %s", source->image.label,
				config->digest.text, config->media_type);
	return imageblock_take_config(&source->image, config);
}

static int put_layer(struct bundle_source *source, const struct layer_view *layer)
{
	AUTO(mem) char *name = imageblock_layer_name(&source->image, layer);
	const struct digest *diff_id;

	return imageblock_next_layer(&source->image, layer, name, &diff_id);
}

static void put_result(struct bundle_source *source, const struct record *record)
{
	const char *type, *file;

	if (json_get_string(record->json, "type", &type) == 1 &&
	    strcmp(type, "tree") == 0 &&
	    json_get_string(record->json, "file", &file) == 1)
		json_append(source->trees, json_new_string(file));
}

int bundle_source_put(struct bundle_source *source, const struct record *record)
{
	switch (record->type) {
	case RECORD_IMAGE:
		return put_image(source, &record->image);
	case RECORD_CONFIG:
		return put_config(source, &record->config);
	case RECORD_LAYER:
		return put_layer(source, &record->layer);
	case RECORD_RESULT:
		put_result(source, record);
		break;
	case RECORD_HEADER:
	case RECORD_END:
	case RECORD_OTHER:
		break;
	}
	return 0;
}
