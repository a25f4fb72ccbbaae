/* record.c - see record.h */
#include "common/record.h"

#include <string.h>

#include "common/msg.h"

#define RECORD_MAX_NAMES 1000

struct parser {
	const struct record *record;
	const char *type;
	const char *inside; /* "plain." for a member of that object, or "" */
	char *why;
	size_t size;
	bool failed;
};

static void bad(struct parser *p, const char *key, const char *what)
{
	if (!p->failed)
		msg_format(p->why, p->size, "%s record: %s%s %s", p->type,
			   p->inside, key, what);
	p->failed = true;
}

static void want(struct parser *p, int got, const char *key, bool required)
{
	if (got < 0)
		bad(p, key, "is of a wrong kind");
	else if (got == 0 && required)
		bad(p, key, "is missing");
}

static const char *string(struct parser *p, const struct json_object *object,
			  const char *key, bool required)
{
	const char *text = NULL;

	want(p, json_get_string(object, key, &text), key, required);
	return text;
}

static int64_t integer(struct parser *p, const struct json_object *object,
		       const char *key, int64_t otherwise, bool required)
{
	int64_t number = otherwise;

	want(p, json_get_integer(object, key, &number), key, required);
	return number;
}

static void digest(struct parser *p, const char *key, bool required,
		   struct digest *out)
{
	const char *text = string(p, p->record->json, key, required);

	*out = (struct digest){ 0 };
	if (text && digest_parse(out, text) < 0)
		bad(p, key, "is not a digest");
}

static void extent(struct parser *p, const struct json_object *object,
		   struct extent *out)
{
	out->file = string(p, object, "file", false);
	out->offset = integer(p, object, "offset", 0, false);
	out->length = integer(p, object, "length", -1, false);
	if (out->file && out->file[0] == '\0')
		bad(p, "file", "is empty");
}

static void parse_image(struct parser *p, struct image_view *image)
{
	struct json_object *json = p->record->json, *platform;

	want(p, json_get_array(json, "names", &image->names), "names", false);
	/* Each is compared with the others where names must be one image's. */
	if (image->names && json_object_array_length(image->names) > RECORD_MAX_NAMES)
		bad(p, "names", "holds more than 1000 strings");
	for (size_t i = 0; image->names && i < json_object_array_length(image->names); i++)
		if (!json_string_at(image->names, i))
			bad(p, "names", "holds something else than strings");
	image->typed = string(p, json, "image", false);
	image->registry = string(p, json, "registry", false);
	image->repository = string(p, json, "repository", false);
	image->tag = string(p, json, "tag", false);
	image->media_type = string(p, json, "mediaType", false);
	image->size = integer(p, json, "size", -1, false);
	image->layers = integer(p, json, "layers", -1, false);
	digest(p, "digest", false, &image->digest);
	digest(p, "tag_digest", false, &image->tag_digest);
	image->platform_asked = string(p, json, "platform_asked", false);
	want(p, json_get_object(json, "platform", &platform), "platform", false);
	extent(p, json, &image->file);
}

static void parse_config(struct parser *p, struct config_view *config)
{
	struct json_object *json = p->record->json;

	digest(p, "digest", true, &config->digest);
	config->size = integer(p, json, "size", -1, false);
	config->media_type = string(p, json, "mediaType", false);
	extent(p, json, &config->file);
	if (!config->file.file)
		bad(p, "file", "is missing");
}

static void parse_layer(struct parser *p, struct layer_view *layer)
{
	struct json_object *json = p->record->json, *plain = NULL;
	bool fetched = true;

	layer->index = integer(p, json, "index", -1, true);
	digest(p, "digest", false, &layer->digest);
	digest(p, "diff_id", false, &layer->diff_id);
	layer->size = integer(p, json, "size", -1, false);
	layer->uncompressed_size = integer(p, json, "uncompressed_size", -1, false);
	layer->media_type = string(p, json, "mediaType", false);
	layer->compression = string(p, json, "compression", false);
	integer(p, json, "entries", -1, false);
	string(p, json, "created_by", false);
	want(p, json_get_bool(json, "digest_unchecked", &layer->digest_unchecked),
	     "digest_unchecked", false);
	extent(p, json, &layer->file);
	want(p, json_get_object(json, "plain", &plain), "plain", false);
	if (plain) {
		p->inside = "plain.";
		extent(p, plain, &layer->plain);
		if (!layer->plain.file)
			bad(p, "file", "is missing");
		p->inside = "";
	}
	want(p, json_get_bool(json, "fetched", &fetched), "fetched", false);
	layer->is_absent = !layer->file.file && !layer->plain.file;
	if (layer->is_absent && fetched)
		bad(p, "file", "is missing");
	if (!digest_is_set(&layer->digest) && !digest_is_set(&layer->diff_id))
		bad(p, "digest", "is missing");
}

static void parse_end(struct parser *p, struct end_view *end)
{
	struct json_object *json = p->record->json;

	end->images = integer(p, json, "images", -1, false);
	end->records = integer(p, json, "records", -1, false);
	end->left_out = integer(p, json, "left_out", 0, false);
	want(p, json_get_bool(json, "unchanged", &end->unchanged), "unchanged",
	     false);
}

static enum record_type type_of(const char *name)
{
	static const struct {
		const char *name;
		enum record_type type;
	} types[] = {
		{ "stream", RECORD_HEADER },    { "end", RECORD_END },
		{ "image", RECORD_IMAGE },      { "config", RECORD_CONFIG },
		{ "layer", RECORD_LAYER },      { "tar", RECORD_RESULT },
		{ "directory", RECORD_RESULT }, { "tree", RECORD_RESULT },
		{ "bundle", RECORD_RESULT },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return RECORD_OTHER;
}

static void parse_members(struct parser *p, struct record *record)
{
	switch (record->type) {
	case RECORD_HEADER:
		if (integer(p, record->json, "occy", -1, true) != 1)
			bad(p, "occy", "is not 1: a version this program does not know");
		break;
	case RECORD_END:
		parse_end(p, &record->end);
		break;
	case RECORD_IMAGE:
		parse_image(p, &record->image);
		break;
	case RECORD_CONFIG:
		parse_config(p, &record->config);
		break;
	case RECORD_LAYER:
		parse_layer(p, &record->layer);
		break;
	case RECORD_RESULT:
	case RECORD_OTHER:
		break;
	}
}

/* A line of white space would show as nothing. */
static const char *shown(const struct buf *text)
{
	return strspn(text->data, " \t\r") == text->len ? "blank line"
							 : text->data;
}

int record_parse(struct record *record, char *why, size_t size)
{
	struct parser p = {
		.record = record, .inside = "", .why = why, .size = size
	};
	const char *reason;

	json_object_put(record->json);
	record->image = (struct image_view){ 0 };
	record->config = (struct config_view){ 0 };
	record->layer = (struct layer_view){ 0 };
	record->end = (struct end_view){ 0 };
	record->json = json_parse(record->text.data, record->text.len,
				  JSON_DEPTH_LINE, &reason);
	if (!record->json) {
		msg_format(why, size, "%s: %s", reason, shown(&record->text));
		return -1;
	}
	if (json_get_string(record->json, "type", &p.type) != 1) {
		msg_format(why, size, "not a record: no \"type\"");
		return -1;
	}
	record->type = type_of(p.type);
	parse_members(&p, record);
	return p.failed ? -1 : 0;
}

void record_clear(struct record *record)
{
	json_object_put(record->json);
	buf_clear(&record->text);
	*record = (struct record){ 0 };
}

const char *image_view_name(const struct image_view *image)
{
	if (image->names && json_object_array_length(image->names) > 0)
		return json_string_at(image->names, 0);
	return digest_is_set(&image->digest) ? image->digest.text : "image";
}
