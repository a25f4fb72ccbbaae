/* savednames.c - see savednames.h */
#include "common/savednames.h"

#include <string.h>

#include "common/mem.h"
#include "common/reference.h"

static bool has(struct json_object *names, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(names); i++)
		if (strcmp(json_string_at(names, i), name) == 0)
			return true;
	return false;
}

/* A tag in its normal form is in *out; NULL where it has none. */
static int normal_form(const char *tag, char **out, char *why, size_t size)
{
	AUTO(reference) struct reference reference = { 0 };

	*out = NULL;
	if (reference_parse(&reference, tag, why, size) < 0)
		return -1;
	*out = reference_tagged_name(&reference);
	return 0;
}

/* A digest in place of the tag gives no name. */
static int catalog_name(const struct catalog_entry *entry, char **out,
			char *why, size_t size)
{
	AUTO(reference) struct reference reference = { 0 };

	*out = NULL;
	if (reference_from_parts(&reference, "docker.io", entry->image,
				 entry->tag, why, size) < 0)
		return -1;
	*out = reference_tagged_name(&reference);
	return 0;
}

static int add_name(struct json_object *names, const char *tag,
		    const struct catalog_entry *entry, char *why, size_t size)
{
	AUTO(mem) char *normal = NULL;
	AUTO(mem) char *name = NULL;
	int rc = normal_form(tag, &normal, why, size);

	if (entry && (rc < 0 || !normal || strcmp(normal, tag) != 0))
		rc = catalog_name(entry, &name, why, size);
	else if (rc == 0)
		name = TAKE(normal);
	if (rc == 0 && name && !has(names, name))
		json_append(names, json_new_string(name));
	return rc;
}

struct json_object *saved_names(const struct saved_image *image,
				const struct catalog_entry *entry, char *why,
				size_t size)
{
	AUTO(json) struct json_object *names = json_new_array();
	size_t count = image->tags ? json_object_array_length(image->tags) : 0;

	for (size_t i = 0; i < count; i++)
		if (add_name(names, json_string_at(image->tags, i), entry, why,
			     size) < 0)
			return NULL;
	return TAKE(names);
}

int saved_names_match(struct json_object *names, const char *image,
		      const char *tag)
{
	AUTO(mem) char *typed = mem_printf("%s:%s", image, tag);
	AUTO(mem) char *full = NULL;
	char why[256];

	if (normal_form(typed, &full, why, sizeof(why)) == 0 && full &&
	    has(names, full))
		return 2;
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *path = strchr(json_string_at(names, i), '/');

		if (path && strcmp(path + 1, typed) == 0)
			return 1;
	}
	return 0;
}
