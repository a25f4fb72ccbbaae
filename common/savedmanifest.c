/* savedmanifest.c - see savedmanifest.h */
#include "common/savedmanifest.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/document.h"
#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"

static const char *const known_keys[] = {
	"Config", "ImageName", "Layers", "RepoTags", NULL,
};

/* What is wrong with the image that is being read. */
struct parser {
	size_t image;
	char *why;
	size_t size;
};

static int refuse(const struct parser *p, const char *key, const char *what)
{
	msg_format(p->why, p->size, "image %zu: %s %s", p->image, key, what);
	return -1;
}

int saved_name_parse(struct digest *out, const char *name, const char *suffix)
{
	size_t len = strlen(name), tail = strlen(suffix);
	char text[DIGEST_TEXT_SIZE];

	*out = (struct digest){ 0 };
	if (len != tail + 64 && len != tail + 128)
		return -1;
	len -= tail;
	if (strcmp(name + len, suffix) != 0)
		return -1;
	memcpy(text, len == 64 ? "sha256:" : "sha512:", 7);
	memcpy(text + 7, name, len);
	text[7 + len] = '\0';
	return digest_parse(out, text);
}

static int read_config(const struct parser *p, const struct json_object *entry,
		       struct saved_image *image)
{
	const char *name = NULL;
	int got = json_get_string(entry, "Config", &name);

	if (got <= 0)
		return refuse(p, "Config", got ? "is no string" : "is missing");
	if (saved_name_parse(&image->config, name, SAVED_CONFIG_SUFFIX) == 0)
		return 0;
	msg_format(p->why, p->size, "image %zu: Config is not <digest>%s: '%s'",
		   p->image, SAVED_CONFIG_SUFFIX, name);
	return -1;
}

static int read_layers(const struct parser *p, const struct json_object *entry,
		       struct saved_image *image)
{
	struct json_object *array = NULL;
	int got = json_get_array(entry, "Layers", &array);
	size_t count = got == 1 ? json_object_array_length(array) : 0;

	if (got < 0)
		return refuse(p, "Layers", "is no array");
	if (count > MANIFEST_MAX_LAYERS)
		return refuse(p, "Layers", "has more than 10000 elements");
	image->layers = mem_zalloc(count, sizeof(*image->layers));
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_at(array, i);

		if (!name)
			return refuse(p, "Layers",
				      "holds something else than strings");
		if (saved_name_parse(&image->layers[i], name,
				     SAVED_LAYER_SUFFIX) == 0)
			continue;
		msg_format(p->why, p->size,
			   "image %zu: layer %zu is not <digest>%s: '%s'",
			   p->image, i, SAVED_LAYER_SUFFIX, name);
		return -1;
	}
	image->layer_count = count;
	return 0;
}

static int read_tags(const struct parser *p, const struct json_object *entry,
		     struct saved_image *image)
{
	int got = json_get_array(entry, "RepoTags", &image->tags);
	size_t count = got == 1 ? json_object_array_length(image->tags) : 0;

	if (got < 0)
		return refuse(p, "RepoTags", "is no array");
	if (count > SAVED_MAX_TAGS)
		return refuse(p, "RepoTags", "has more than 1000 elements");
	for (size_t i = 0; i < count; i++)
		if (!json_string_at(image->tags, i))
			return refuse(p, "RepoTags",
				      "holds something else than strings");
	if (json_get_string(entry, "ImageName", &image->image_name) < 0)
		return refuse(p, "ImageName", "is no string");
	return 0;
}

static int read_image(const struct parser *p, const struct json_object *entry,
		      struct saved_image *image)
{
	const char *key;

	if (!json_object_is_type(entry, json_type_object)) {
		msg_format(p->why, p->size, "image %zu is no object", p->image);
		return -1;
	}
	key = document_disguised_key(entry, known_keys);
	if (key)
		return refuse(p, key, "is written in another case");
	if (read_config(p, entry, image) < 0 || read_layers(p, entry, image) < 0)
		return -1;
	return read_tags(p, entry, image);
}

static int read_images(struct saved_manifest *out, char *why, size_t size)
{
	struct parser p = { .why = why, .size = size };

	out->count = json_object_array_length(out->json);
	out->images = mem_zalloc(out->count, sizeof(*out->images));
	for (; p.image < out->count; p.image++)
		if (read_image(&p, json_object_array_get_idx(out->json, p.image),
			       &out->images[p.image]) < 0)
			return -1;
	return 0;
}

int saved_manifest_parse(struct saved_manifest *out, const char *bytes,
			 size_t len, char *why, size_t size)
{
	const char *text;

	*out = (struct saved_manifest){ 0 };
	if (len > SAVED_MANIFEST_MAX_BYTES) {
		msg_format(why, size, "larger than %d bytes",
			   SAVED_MANIFEST_MAX_BYTES);
		return -1;
	}
	out->json = json_parse(bytes, len, JSON_DEPTH_DOCUMENT, &text);
	if (!out->json)
		msg_format(why, size, "%s", text);
	else if (!json_object_is_type(out->json, json_type_array))
		msg_format(why, size, "not a JSON array");
	else if (read_images(out, why, size) == 0)
		return 0;
	saved_manifest_clear(out);
	return -1;
}

void saved_manifest_clear(struct saved_manifest *manifest)
{
	for (size_t i = 0; i < manifest->count; i++)
		free(manifest->images[i].layers);
	free(manifest->images);
	json_object_put(manifest->json);
	*manifest = (struct saved_manifest){ 0 };
}
