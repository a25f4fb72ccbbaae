/* savedblock.c - see savedblock.h */
#include "common/savedblock.h"

#include <string.h>

#include "common/buf.h"
#include "common/manifest.h"
#include "common/msg.h"

/* What is being made, and of what. */
struct maker {
	const struct saved_image *image;
	const struct saved_files *files;
	struct json_object *records; /* owned */
	struct image_config config;
};

static struct json_object *new_record(struct maker *maker, const char *type)
{
	struct json_object *record = json_new_object();

	json_add_string(record, "type", type);
	json_append(maker->records, record);
	return record;
}

static void add_place(struct json_object *object, const struct saved_place *place)
{
	json_add_string(object, "file", place->file);
	if (place->length < 0)
		return;
	json_add_integer(object, "offset", place->offset);
	json_add_integer(object, "length", place->length);
}

static void put_image(struct maker *maker, struct json_object *names)
{
	struct json_object *record = new_record(maker, "image");

	json_add(record, "names", json_object_get(names));
	json_add_integer(record, "layers", (int64_t)maker->image->layer_count);
}

/* The original Occy Strap writes configs anew (json.dumps, indent=4) under the
 * name that they had. What else does not hash to its name is damaged. */
static int check_config_name(const struct maker *maker, const struct buf *bytes,
			     const struct digest *got, bool *warned)
{
	static const char original[] = "{\n    \"";
	const struct digest *said = &maker->image->config;

	if (digest_equal(got, said))
		return 0;
	if (strncmp(bytes->data, original, strlen(original)) != 0)
		return msg_fail(STATUS_INTEGRITY,
				"%s: config %s: digest mismatch, got %s",
				maker->files->name, said->text, got->text);
	if (!*warned)
		msg_warn("%s: config %s was written anew by another program and is %s now",
			 maker->files->name, said->text, got->text);
	*warned = true;
	return 0;
}

static int put_config(struct maker *maker, bool *warned)
{
	const struct digest *said = &maker->image->config;
	AUTO(buf) struct buf bytes = { 0 };
	AUTO(saved_place) struct saved_place place = { 0 };
	struct json_object *record;
	struct digest got;
	char why[512];
	int rc = maker->files->read_config(maker->files->context, said, &bytes,
					   &place);

	if (rc < 0)
		return rc;
	buf_append(&bytes, "", 0);
	digest_of(digest_algorithm(said), bytes.data, bytes.len, &got);
	rc = check_config_name(maker, &bytes, &got, warned);
	if (rc < 0)
		return rc;
	if (image_config_parse(&maker->config, bytes.data, bytes.len, why,
			       sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: config %s: %.511s",
				maker->files->name, said->text, why);
	record = new_record(maker, "config");
	json_add_string(record, "digest", got.text);
	if (place.length >= 0)
		json_add_integer(record, "size", place.length);
	add_place(record, &place);
	return 0;
}

static int put_layer(struct maker *maker, size_t index)
{
	const struct digest *folder = &maker->image->layers[index];
	const struct saved_files *files = maker->files;
	AUTO(saved_place) struct saved_place place = { 0 };
	struct json_object *record, *plain;
	int rc = files->find_layer(files->context, folder, &place);

	if (rc < 0)
		return rc;
	record = new_record(maker, "layer");
	json_add_integer(record, "index", (int64_t)index);
	if (files->has_digests) {
		json_add_string(record, "digest", folder->text);
		json_add_bool(record, "digest_unchecked", true);
	}
	json_add_string(record, "diff_id", maker->config.diff_ids[index].text);
	plain = json_new_object();
	add_place(plain, &place);
	json_add(record, "plain", plain);
	return 0;
}

static int make(struct maker *maker, struct json_object *names, bool *warned)
{
	const struct saved_image *image = maker->image;
	int rc;

	put_image(maker, names);
	rc = put_config(maker, warned);
	if (rc < 0)
		return rc;
	if (image->layer_count != maker->config.diff_id_count)
		return msg_fail(STATUS_INTEGRITY,
				"%s: config %s: names %zu layers, but the manifest %zu",
				maker->files->name, image->config.text,
				maker->config.diff_id_count, image->layer_count);
	for (size_t i = 0; i < image->layer_count && rc == 0; i++)
		rc = put_layer(maker, i);
	return rc;
}

struct json_object *savedblock_make(const struct saved_image *image,
				    struct json_object *names,
				    const struct saved_files *files,
				    bool *warned, int *rc)
{
	struct maker maker = { .image = image, .files = files };

	maker.records = json_new_array();
	*rc = make(&maker, names, warned);
	image_config_clear(&maker.config);
	if (*rc == 0)
		return maker.records;
	json_object_put(maker.records);
	return NULL;
}
