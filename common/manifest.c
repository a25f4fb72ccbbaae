/* manifest.c - see manifest.h
 *
 * Whatever makes a document two images to two readers is refused; whatever
 * is merely unknown is let through (image-spec "MUST NOT error").
 */
#include "common/manifest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/document.h"
#include "common/mem.h"
#include "common/msg.h"

#define MEDIA_TYPE_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_TYPE_SCHEMA_1 "application/vnd.docker.distribution.manifest.v1+"
#define SCHEMA_1_TEXT "schema 1 is not supported"

struct parser {
	struct manifest *out;
	char *why;
	size_t size;
	int64_t total; /* sizes of config and layers */
};

static const struct type {
	const char *name;
	enum manifest_kind kind;
} types[] = {
	{ MEDIA_TYPE_OCI_INDEX, MANIFEST_INDEX },
	{ MEDIA_TYPE_OCI_MANIFEST, MANIFEST_IMAGE },
	{ MEDIA_TYPE_DOCKER_LIST, MANIFEST_INDEX },
	{ MEDIA_TYPE_DOCKER_MANIFEST, MANIFEST_IMAGE },
};

static const char *const document_keys[] = {
	"schemaVersion", "mediaType", "manifests", "config",
	"layers",	 "fsLayers",  NULL,
};
static const char *const descriptor_keys[] = {
	"mediaType", "digest", "size", "platform", "annotations",
	"urls",	     "data",   NULL,
};
static const char *const platform_keys[] = {
	"os",	      "architecture", "variant", "os.version",
	"os.features", NULL,
};

static int refuse(struct parser *p, const char *what)
{
	msg_format(p->why, p->size, "%s", what);
	return -1;
}

static bool is_present(const struct json_object *object, const char *key)
{
	return json_object_object_get(object, key) != NULL;
}

static const struct type *type_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strlen(types[i].name) == len &&
		    strncasecmp(types[i].name, name, len) == 0)
			return &types[i];
	return NULL;
}

static bool is_schema_1(const char *media_type)
{
	return strncasecmp(media_type, MEDIA_TYPE_SCHEMA_1,
			   strlen(MEDIA_TYPE_SCHEMA_1)) == 0;
}

/* Without a media type that says anything (text/plain and worse are common):
 * what the members say. */
static const struct type *type_of_members(const struct json_object *json)
{
	struct json_object *config = NULL;
	const char *type = "";

	if (is_present(json, "manifests"))
		return &types[0];
	if (!is_present(json, "config") || !is_present(json, "layers"))
		return NULL;
	if (json_get_object(json, "config", &config) == 1 &&
	    json_get_string(config, "mediaType", &type) == 1 &&
	    strcasecmp(type, MEDIA_TYPE_DOCKER_CONFIG) == 0)
		return &types[3];
	return &types[1];
}

static int check_schema(struct parser *p)
{
	struct json_object *json = p->out->json;
	int64_t version = 0;
	int got = json_get_integer(json, "schemaVersion", &version);

	if (got == 1 && version == 1)
		return refuse(p, SCHEMA_1_TEXT);
	if (got == 0)
		return refuse(p, "no manifest: schemaVersion is missing");
	if (version != 2)
		return refuse(p, "schemaVersion is not 2");
	/* Each would be one image to one reader and another to the next. */
	if (is_present(json, "fsLayers"))
		return refuse(p, "ambiguous manifest: fsLayers in schema 2");
	if (is_present(json, "manifests") &&
	    (is_present(json, "layers") || is_present(json, "config")))
		return refuse(p, "ambiguous manifest: manifests beside layers or config");
	return 0;
}

/* The body's own media type wins over the header's: it is part of what the
 * digest covers, and a registry that stores the bytes again checks it. */
static int choose_type(struct parser *p, const char *content_type)
{
	const char *own = "", *header = content_type ? content_type : "";
	const struct type *from_body, *from_header, *type;

	header += strspn(header, " \t");
	if (json_get_string(p->out->json, "mediaType", &own) < 0)
		return refuse(p, "mediaType is no string");
	if (is_schema_1(header) || is_schema_1(own))
		return refuse(p, SCHEMA_1_TEXT);
	from_header = type_of(header, strcspn(header, "; \t"));
	from_body = type_of(own, strlen(own));
	if (from_header && from_body && from_header->kind != from_body->kind) {
		msg_format(p->why, p->size,
			   "ambiguous manifest: sent as %s, but says %s",
			   from_header->name, from_body->name);
		return -1;
	}
	type = from_body ? from_body : from_header;
	if (!type)
		type = type_of_members(p->out->json);
	if (!type)
		return refuse(p, "neither an image's manifest nor an index");
	p->out->kind = type->kind;
	p->out->media_type = type->name;
	return 0;
}

/* where is "config", "layer" or "entry". */
static int bad(struct parser *p, const char *where, size_t index,
	       const char *what, const char *text)
{
	char number[24] = "";

	if (strcmp(where, "config") != 0)
		msg_format(number, sizeof(number), " %zu", index);
	msg_format(p->why, p->size, "%s%s: %s%s%s", where, number, what,
		   text ? ": " : "", text ? text : "");
	return -1;
}

static int read_descriptor(struct parser *p, struct json_object *json,
			   const char *where, size_t index,
			   struct descriptor *out)
{
	const char *text = NULL;

	if (!json_object_is_type(json, json_type_object))
		return bad(p, where, index, "is no object", NULL);
	text = document_disguised_key(json, descriptor_keys);
	if (text)
		return bad(p, where, index, "written in another case", text);
	out->json = json;
	out->media_type = "";
	if (json_get_string(json, "mediaType", &out->media_type) < 0)
		return bad(p, where, index, "mediaType is no string", NULL);
	if (json_get_string(json, "digest", &text) != 1)
		return bad(p, where, index, "no digest", NULL);
	if (digest_parse(&out->digest, text) < 0)
		return bad(p, where, index, "bad digest", text);
	if (json_get_integer(json, "size", &out->size) != 1)
		return bad(p, where, index,
			   "size is no integer from 0 to 2^53-1", NULL);
	return 0;
}

/* What is fetched for one image must be countable. */
static int add_size(struct parser *p, const struct descriptor *descriptor)
{
	p->total += descriptor->size;
	if (p->total > JSON_INTEGER_MAX)
		return refuse(p, "the sizes add up to more than 2^53-1");
	return 0;
}

/* A null array is how Go writes an empty one. */
static int read_array(struct parser *p, const char *key, size_t most,
		      struct json_object **out, size_t *count)
{
	struct json_object *json = p->out->json;

	*count = 0;
	if (!json_object_object_get_ex(json, key, NULL) ||
	    json_get_array(json, key, out) < 0) {
		msg_format(p->why, p->size, "%s is no array", key);
		return -1;
	}
	if (*out)
		*count = json_object_array_length(*out);
	if (*count > most) {
		msg_format(p->why, p->size, "more than %zu %s", most, key);
		return -1;
	}
	return 0;
}

static int read_image(struct parser *p)
{
	struct manifest *out = p->out;
	struct json_object *layers = NULL;
	size_t count;

	if (read_descriptor(p, json_object_object_get(out->json, "config"),
			    "config", 0, &out->config) < 0 ||
	    add_size(p, &out->config) < 0 ||
	    read_array(p, "layers", MANIFEST_MAX_LAYERS, &layers, &count) < 0)
		return -1;
	out->layers = mem_zalloc(count, sizeof(*out->layers));
	out->layer_count = count;
	for (size_t i = 0; i < count; i++)
		if (read_descriptor(p, json_object_array_get_idx(layers, i),
				    "layer", i, &out->layers[i]) < 0 ||
		    add_size(p, &out->layers[i]) < 0)
			return -1;
	return 0;
}

static bool is_annotated(const struct index_entry *entry, const char *name,
			 const char *wanted)
{
	struct json_object *annotations = NULL;
	const char *value = "";

	return json_get_object(entry->descriptor.json, "annotations",
			       &annotations) == 1 &&
	       json_get_string(annotations, name, &value) == 1 &&
	       strcmp(value, wanted) == 0;
}

static bool is_attestation(const struct index_entry *entry)
{
	if (entry->has_platform && entry->platform.os &&
	    entry->platform.architecture &&
	    strcmp(entry->platform.os, "unknown") == 0 &&
	    strcmp(entry->platform.architecture, "unknown") == 0)
		return true;
	return is_annotated(entry, "vnd.docker.reference.type",
			    "attestation-manifest");
}

static int read_entry(struct parser *p, struct json_object *json, size_t index,
		      struct index_entry *out)
{
	struct json_object *platform = NULL;
	int got;

	if (read_descriptor(p, json, "entry", index, &out->descriptor) < 0)
		return -1;
	got = json_get_object(json, "platform", &platform);
	if (got < 0 || (got == 1 && (document_disguised_key(platform, platform_keys) ||
				     platform_from_json(&out->platform, platform) < 0)))
		return bad(p, "entry", index, "bad platform", NULL);
	out->has_platform = out->platform.os || out->platform.architecture;
	out->is_attestation = is_attestation(out);
	out->is_zstd = is_annotated(out, "io.github.containers.compression.zstd",
				    "true");
	return 0;
}

static int read_index(struct parser *p)
{
	struct manifest *out = p->out;
	struct json_object *entries = NULL;
	size_t count;

	if (read_array(p, "manifests", MANIFEST_MAX_ENTRIES, &entries, &count) < 0)
		return -1;
	out->entries = mem_zalloc(count, sizeof(*out->entries));
	out->entry_count = count;
	for (size_t i = 0; i < count; i++)
		if (read_entry(p, json_object_array_get_idx(entries, i), i,
			       &out->entries[i]) < 0)
			return -1;
	return 0;
}

int manifest_parse(struct manifest *out, const char *bytes, size_t len,
		   const char *content_type, char *why, size_t size)
{
	struct parser p = { .out = out, .why = why, .size = size };

	*out = (struct manifest){ 0 };
	out->json = document_parse(bytes, len, MANIFEST_MAX_BYTES,
				   document_keys, why, size);
	if (out->json && check_schema(&p) == 0 &&
	    choose_type(&p, content_type) == 0 &&
	    (out->kind == MANIFEST_IMAGE ? read_image(&p) : read_index(&p)) == 0)
		return 0;
	manifest_clear(out);
	return -1;
}

void manifest_clear(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->entry_count; i++)
		platform_clear(&manifest->entries[i].platform);
	free(manifest->entries);
	free(manifest->layers);
	json_object_put(manifest->json);
	*manifest = (struct manifest){ 0 };
}

const char **descriptor_urls(const struct descriptor *descriptor, size_t *count)
{
	struct json_object *list = NULL;
	const char **urls;
	size_t most;

	*count = 0;
	if (json_get_array(descriptor->json, "urls", &list) != 1)
		return NULL;
	most = json_object_array_length(list);
	urls = mem_zalloc(most < DESCRIPTOR_MAX_URLS ? most + 1 : DESCRIPTOR_MAX_URLS,
			  sizeof(*urls));
	for (size_t i = 0; i < most && *count < DESCRIPTOR_MAX_URLS; i++) {
		struct json_object *url = json_object_array_get_idx(list, i);

		if (json_object_is_type(url, json_type_string))
			urls[(*count)++] = json_object_get_string(url);
	}
	return urls;
}

bool media_type_is_image_config(const char *media_type)
{
	return strcasecmp(media_type, MEDIA_TYPE_OCI_CONFIG) == 0 ||
	       strcasecmp(media_type, MEDIA_TYPE_DOCKER_CONFIG) == 0;
}

bool manifest_is_container_image(const struct manifest *manifest)
{
	return manifest->kind == MANIFEST_IMAGE &&
	       media_type_is_image_config(manifest->config.media_type);
}
