/* pull_records.c - the records of an image as a registry has it; pull_work.h
 *
 * The members of an OCI descriptor keep their names: occy-stream(5).
 */
#include "common/pull_work.h"

#include <string.h>

#include "common/json.h"
#include "common/mem.h"

static struct json_object *new_record(const char *type)
{
	struct json_object *record = json_new_object();

	json_add_string(record, "type", type);
	return record;
}

/* The members of an OCI descriptor keep their names. */
static void add_descriptor(struct json_object *record, const struct digest *digest,
			   int64_t size, const char *media_type)
{
	json_add_string(record, "digest", digest->text);
	json_add_integer(record, "size", size);
	json_add_string(record, "mediaType", media_type);
}

static void add_file(struct json_object *record, const struct pull_work *work,
		     const struct digest *digest)
{
	AUTO(mem) char *path = store_blob_path(work->pull->store, digest);

	json_add_string(record, "file", path);
}

const struct platform *pull_work_platform(const struct pull_work *work)
{
	return work->image.has_platform ? &work->image.platform
					: &work->config.platform;
}

static void add_platform(struct json_object *record, const struct platform *platform)
{
	struct json_object *json;

	if (!platform->os || !platform->architecture)
		return;
	json = json_new_object();
	json_add_string(json, "os", platform->os);
	json_add_string(json, "architecture", platform->architecture);
	if (platform->variant)
		json_add_string(json, "variant", platform->variant);
	if (platform->os_version)
		json_add_string(json, "os.version", platform->os_version);
	json_add(record, "platform", json);
}

char *pull_platform(const struct pull *pull)
{
	return pull->all_platforms ? mem_strdup("all")
				   : platform_text(&pull->wish);
}

static void add_wish(struct json_object *record, const struct pull *pull)
{
	AUTO(mem) char *text = pull_platform(pull);

	json_add_string(record, "platform_asked", text);
}

/* What was asked for. */
static void add_reference(struct json_object *record,
			  const struct wanted_image *wanted)
{
	const struct reference *reference = &wanted->reference;
	AUTO(mem) char *name = reference_tagged_name(reference);
	struct json_object *names = json_new_array();

	if (name)
		json_append(names, json_new_string(name));
	json_add(record, "names", names);
	json_add_string(record, "image", wanted->typed);
	json_add_string(record, "registry", reference->host);
	json_add_string(record, "repository", reference->repository);
	if (reference->tag)
		json_add_string(record, "tag", reference->tag);
}

void pull_put_image(const struct pull_work *work)
{
	const struct document *document = &work->image.document;
	AUTO(json) struct json_object *record = new_record("image");

	add_reference(record, work->wanted);
	add_descriptor(record, &document->digest,
		       (int64_t)document->bytes.len, document->manifest.media_type);
	json_add_string(record, "tag_digest", work->image.tag_digest.text);
	add_platform(record, pull_work_platform(work));
	if (work->image.has_index)
		add_wish(record, work->pull);
	json_add_integer(record, "layers", (int64_t)document->manifest.layer_count);
	add_file(record, work, &document->digest);
	stream_put_json(work->pull->out, RECORD_IMAGE, record);
}

void pull_put_config(const struct pull_work *work)
{
	const struct descriptor *config = &work->image.document.manifest.config;
	AUTO(json) struct json_object *record = new_record("config");

	add_descriptor(record, &config->digest, config->size,
		       config->media_type);
	add_file(record, work, &config->digest);
	stream_put_json(work->pull->out, RECORD_CONFIG, record);
}

/* By the media type, which was verified with the manifest; the bytes decide
 * where they are used. NULL for a type that does not say. */
static const char *compression_of(const char *media_type)
{
	static const struct {
		const char *suffix, *compression;
	} suffixes[] = {
		{ "+gzip", "gzip" },   { ".tar.gzip", "gzip" },
		{ "+zstd", "zstd" },   { ".tar.zstd", "zstd" },
		{ ".tar", "none" },
	};
	size_t len = strlen(media_type);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t suffix = strlen(suffixes[i].suffix);

		if (len >= suffix &&
		    strcmp(media_type + len - suffix, suffixes[i].suffix) == 0)
			return suffixes[i].compression;
	}
	return NULL;
}

static struct json_object *plain_member(const struct reuse *found)
{
	struct json_object *plain = json_new_object();

	json_add_string(plain, "file", found->path);
	json_add_integer(plain, "offset", 0);
	json_add_integer(plain, "length", found->size);
	return plain;
}

void pull_put_layer(const struct pull_work *work, size_t index)
{
	const struct descriptor *layer =
		&work->image.document.manifest.layers[index];
	AUTO(json) struct json_object *record = new_record("layer");
	AUTO(mem) char *path = store_blob_path(work->pull->store, &layer->digest);
	const char *compression = compression_of(layer->media_type);
	const struct reuse *found = &work->layers[index].found;

	json_add_integer(record, "index", (int64_t)index);
	add_descriptor(record, &layer->digest, layer->size,
		       layer->media_type);
	if (index < work->config.diff_id_count)
		json_add_string(record, "diff_id",
				work->config.diff_ids[index].text);
	if (compression && !found->path)
		json_add_string(record, "compression", compression);
	if (work->pull->no_layers)
		json_add_bool(record, "fetched", false);
	else if (found->path)
		json_add(record, "plain", plain_member(found));
	else
		json_add_string(record, "file", path);
	stream_put_json(work->pull->out, RECORD_LAYER, record);
}

int pull_put_index(const struct pull *pull, const struct wanted_image *wanted,
		   const struct document *index)
{
	AUTO(json) struct json_object *record = new_record("index");
	AUTO(mem) char *path = store_blob_path(pull->store, &index->digest);
	int rc = store_put(pull->store, &index->digest, index->bytes.data,
			   index->bytes.len);

	if (rc < 0)
		return rc;
	add_reference(record, wanted);
	add_descriptor(record, &index->digest, (int64_t)index->bytes.len,
		       index->manifest.media_type);
	json_add_string(record, "file", path);
	stream_put_json(pull->out, RECORD_OTHER, record);
	return 0;
}
