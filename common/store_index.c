/* store_index.c - the store's index.json; see store.h
 *
 * The newest entry stands first, so that tools which take the first match of
 * a name see what was fetched last. Entries that others have written stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/store.h"
#include "common/store_private.h"

#define INDEX_MAX_BYTES 67108864
#define REF_NAME "org.opencontainers.image.ref.name"
#define TAG_DIGEST "occystrap.tag_digest" /* of ours */

static struct json_object *new_entry(const struct store_image *image)
{
	struct json_object *entry = json_new_object(), *part;
	const struct platform *platform = image->platform;

	json_add_string(entry, "mediaType", image->media_type);
	json_add_string(entry, "digest", image->digest.text);
	json_add_integer(entry, "size", image->size);
	if (platform->os && platform->architecture) {
		part = json_new_object();
		json_add_string(part, "architecture", platform->architecture);
		json_add_string(part, "os", platform->os);
		if (platform->variant)
			json_add_string(part, "variant", platform->variant);
		if (platform->os_version)
			json_add_string(part, "os.version", platform->os_version);
		json_add(entry, "platform", part);
	}
	part = json_new_object();
	if (image->name)
		json_add_string(part, REF_NAME, image->name);
	if (digest_is_set(&image->tag_digest))
		json_add_string(part, TAG_DIGEST, image->tag_digest.text);
	json_add(entry, "annotations", part);
	if (json_object_object_length(part) == 0)
		json_object_object_del(entry, "annotations");
	return entry;
}

static const char *annotation(const struct json_object *entry, const char *key)
{
	struct json_object *annotations = NULL;
	const char *value = "";

	if (json_get_object(entry, "annotations", &annotations) == 1)
		json_get_string(annotations, key, &value);
	return value;
}

const char *store_entry_name(const struct json_object *entry)
{
	return annotation(entry, REF_NAME);
}

const char *store_entry_tag_digest(const struct json_object *entry)
{
	return annotation(entry, TAG_DIGEST);
}

/* The same manifest, by the same way, without a name. One that was asked for
 * by its digest stays when a tag that it had moves on. */
static bool is_same_nameless(const struct store_image *image,
			  const struct json_object *entry)
{
	const char *digest = "", *tag_digest = store_entry_tag_digest(entry);

	json_get_string(entry, "digest", &digest);
	return store_entry_name(entry)[0] == '\0' &&
	       strcmp(digest, image->digest.text) == 0 &&
	       strcmp(tag_digest, image->tag_digest.text) == 0;
}

static bool replaces(const struct store_image *image,
		     const struct json_object *entry)
{
	AUTO(platform) struct platform platform = { 0 };
	struct json_object *json = NULL;

	if (!image->name || strcmp(store_entry_name(entry), image->name) != 0)
		return false;
	if (json_get_object(entry, "platform", &json) == 1 &&
	    platform_from_json(&platform, json) < 0)
		return true;
	return mem_same_text(platform.os, image->platform->os) &&
	       mem_same_text(platform.architecture, image->platform->architecture) &&
	       mem_same_text(platform.variant, image->platform->variant) &&
	       mem_same_text(platform.os_version, image->platform->os_version);
}

static bool has_image(const struct json_object *manifests,
		      const struct store_image *image)
{
	for (size_t i = 0; i < json_object_array_length(manifests); i++)
		if (is_same_nameless(image, json_object_array_get_idx(manifests, i)))
			return true;
	return false;
}

/* A new list: the image first, then what it does not replace. */
static struct json_object *merge(const struct json_object *manifests,
				 const struct store_image *image)
{
	struct json_object *merged = json_new_array();

	json_append(merged, new_entry(image));
	for (size_t i = 0; i < json_object_array_length(manifests); i++) {
		struct json_object *entry = json_object_array_get_idx(manifests, i);

		if (!replaces(image, entry))
			json_append(merged, json_object_get(entry));
	}
	return merged;
}

static int parse_index(const struct store *store, struct buf *text,
		       struct json_object **out)
{
	AUTO(mem) char *path = mem_printf("%s/index.json", store_path(store));
	AUTO(fd) int fd = io_open_regular_as(store_fd(store), "index.json", path);
	struct json_object *manifests = NULL;
	const char *why = "no list of manifests";
	int rc = fd < 0 ? fd : io_read_all(fd, path, INDEX_MAX_BYTES, text);

	if (rc < 0)
		return rc;
	*out = json_parse(text->data ? text->data : "", text->len,
			  JSON_DEPTH_DOCUMENT, &why);
	if (!*out || json_get_array(*out, "manifests", &manifests) != 1)
		return msg_fail(STATUS_STORAGE, "%s: %s", path,
				*out ? "no list of manifests" : why);
	return 0;
}

int store_read_index(const struct store *store, struct json_object **out)
{
	AUTO(buf) struct buf text = { 0 };

	return parse_index(store, &text, out);
}

static int edit_index(const struct store *store,
		      int (*edit)(void *context, struct json_object *index),
		      void *context)
{
	AUTO(json) struct json_object *index = NULL;
	AUTO(buf) struct buf text = { 0 };
	const char *changed;
	size_t len;
	int rc = parse_index(store, &text, &index);

	if (rc == 0)
		rc = edit(context, index);
	if (rc <= 0)
		return rc;
	changed = json_text(index, &len);
	if (len == text.len && memcmp(changed, text.data, len) == 0)
		return 0;
	return store_replace_file(store, "index.json", changed, len, true);
}

int store_edit_index(const struct store *store,
		     int (*edit)(void *context, struct json_object *index),
		     void *context)
{
	int rc;

	if (flock(store_fd(store), LOCK_EX) != 0)
		return io_fail(store_path(store));
	rc = edit_index(store, edit, context);
	flock(store_fd(store), LOCK_UN);
	return rc;
}

static int add_image(void *context, struct json_object *index)
{
	const struct store_image *image = context;
	struct json_object *manifests = NULL;

	json_get_array(index, "manifests", &manifests);
	if (!image->name && has_image(manifests, image))
		return 0;
	json_add(index, "manifests", merge(manifests, image));
	return 1;
}

int store_add_image(const struct store *store, const struct store_image *image)
{
	struct store_image copy = *image;

	return store_edit_index(store, add_image, &copy);
}
