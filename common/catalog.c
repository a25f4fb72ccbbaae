/* catalog.c - see catalog.h */
#include "common/catalog.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/msg.h"

/* The colon is for tags that are digests. */
static bool is_manifest_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789._:-";
	size_t len = strspn(name, allowed);

	return name[len] == '\0' && len > 5 && len <= NAME_MAX &&
	       strcmp(name + len - 5, ".json") == 0;
}

static int read_entry(struct catalog_entry *out, const char *image,
		      const char *tag, struct json_object *tags, char *why,
		      size_t size)
{
	out->image = image;
	out->tag = tag;
	if (json_get_string(tags, tag, &out->manifest) != 1)
		msg_format(why, size, "%s:%s: is no string", image, tag);
	else if (!is_manifest_name(out->manifest))
		msg_format(why, size, "%s:%s: not the name of a manifest: '%s'",
			   image, tag, out->manifest);
	else
		return 0;
	return -1;
}

static int read_entries(struct catalog *out, char *why, size_t size)
{
	size_t capacity = 0;

	json_object_object_foreach(out->json, image, tags) {
		if (!json_object_is_type(tags, json_type_object)) {
			msg_format(why, size, "%s: is no object", image);
			return -1;
		}
		json_object_object_foreach(tags, tag, manifest) {
			(void)manifest;
			out->entries = mem_grow(out->entries, out->count, &capacity,
						sizeof(*out->entries));
			if (read_entry(&out->entries[out->count++], image, tag,
				       tags, why, size) < 0)
				return -1;
		}
	}
	return 0;
}

int catalog_parse(struct catalog *out, const char *bytes, size_t len, char *why,
		  size_t size)
{
	const char *text;

	*out = (struct catalog){ 0 };
	if (len > CATALOG_MAX_BYTES) {
		msg_format(why, size, "larger than %d bytes", CATALOG_MAX_BYTES);
		return -1;
	}
	out->json = json_parse(bytes, len, JSON_DEPTH_DOCUMENT, &text);
	if (!out->json)
		msg_format(why, size, "%s", text);
	else if (!json_object_is_type(out->json, json_type_object))
		msg_format(why, size, "not a JSON object");
	else if (read_entries(out, why, size) == 0)
		return 0;
	catalog_clear(out);
	return -1;
}

void catalog_clear(struct catalog *catalog)
{
	free(catalog->entries);
	json_object_put(catalog->json);
	*catalog = (struct catalog){ 0 };
}

const struct catalog_entry *catalog_find(const struct catalog *catalog,
					 const char *image, const char *tag)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (strcmp(catalog->entries[i].image, image) == 0 &&
		    strcmp(catalog->entries[i].tag, tag) == 0)
			return &catalog->entries[i];
	return NULL;
}
