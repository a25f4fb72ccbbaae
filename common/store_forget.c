/* store_forget.c - take images out of index.json; see store_care.h */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/msg.h"
#include "common/reference.h"
#include "common/store_care.h"
#include "common/store_private.h"

/* What one operand may mean. */
struct wanted {
	const char *text;     /* as typed: a name as it is in index.json */
	char *name;           /* in full, with its tag; NULL without one */
	char *repository;     /* in full; NULL when only a digest was given */
	struct digest digest; /* or none */
	bool is_found;
};

struct forget {
	struct wanted *wanted;
	size_t count;
	const struct platform *wish;
	struct json_object *out;
};

static void understand(struct wanted *wanted, const char *text)
{
	AUTO(reference) struct reference reference = { 0 };
	char why[512];

	*wanted = (struct wanted){ .text = text };
	if (digest_parse(&wanted->digest, text) == 0 ||
	    reference_parse(&reference, text, why, sizeof(why)) < 0)
		return;
	wanted->digest = reference.digest;
	wanted->name = reference.tag
			       ? mem_printf("%s/%s:%s", reference.registry,
					    reference.repository, reference.tag)
			       : NULL;
	wanted->repository = mem_printf("%s/%s", reference.registry,
					reference.repository);
}

/* "" is the name of what was fetched by its digest alone. */
static bool is_name_of(const struct wanted *wanted, const char *name)
{
	size_t len;

	if (!wanted->repository)
		return true;
	if (wanted->name)
		return strcmp(name, wanted->name) == 0;
	len = strlen(wanted->repository);
	return *name == '\0' || (strncmp(name, wanted->repository, len) == 0 &&
				 name[len] == ':' && !strchr(name + len, '/'));
}

static bool is_wanted(const struct wanted *wanted, const struct json_object *entry)
{
	const char *name = store_entry_name(entry), *digest = "";

	if (*name && strcmp(name, wanted->text) == 0)
		return true;
	json_get_string(entry, "digest", &digest);
	if (digest_is_set(&wanted->digest))
		return (strcmp(digest, wanted->digest.text) == 0 ||
			strcmp(store_entry_tag_digest(entry),
			       wanted->digest.text) == 0) &&
		       is_name_of(wanted, name);
	return wanted->name && strcmp(name, wanted->name) == 0;
}

static bool fits(const char *wish, const char *is)
{
	return !wish || strcmp(wish, is ? is : "") == 0;
}

static bool is_for(const struct platform *wish, const struct json_object *entry)
{
	AUTO(platform) struct platform platform = { 0 };
	struct json_object *json = NULL;

	if (json_get_object(entry, "platform", &json) == 1 &&
	    platform_from_json(&platform, json) < 0)
		return false;
	return fits(wish->os, platform.os) &&
	       fits(wish->architecture, platform.architecture) &&
	       fits(wish->variant, platform.variant);
}

/* For each operand, whether it is the entry's; for any. */
static bool find(struct forget *forget, const struct json_object *entry)
{
	bool found = false;

	for (size_t i = 0; i < forget->count; i++) {
		struct wanted *wanted = &forget->wanted[i];

		if (is_wanted(wanted, entry) && is_for(forget->wish, entry)) {
			wanted->is_found = true;
			found = true;
		}
	}
	return found;
}

static int edit(void *context, struct json_object *index)
{
	struct forget *forget = context;
	AUTO(json) struct json_object *left = json_new_array();
	struct json_object *manifests = NULL;
	int rc = 1;

	json_get_array(index, "manifests", &manifests);
	for (size_t i = 0; i < json_object_array_length(manifests); i++) {
		struct json_object *entry = json_object_array_get_idx(manifests, i);

		json_append(find(forget, entry) ? forget->out : left,
			    json_object_get(entry));
	}
	for (size_t i = 0; i < forget->count; i++)
		if (!forget->wanted[i].is_found)
			rc = msg_fail(STATUS_NOT_FOUND, "%s: no such image in the store",
				      forget->wanted[i].text);
	if (rc > 0)
		json_add(index, "manifests", TAKE(left));
	return rc;
}

int store_forget(const struct store *store, char *const *images, size_t count,
		 const struct platform *wish, struct json_object **out)
{
	struct forget forget = {
		.wanted = mem_zalloc(count, sizeof(*forget.wanted)),
		.count = count,
		.wish = wish,
		.out = json_new_array(),
	};
	int rc;

	for (size_t i = 0; i < count; i++)
		understand(&forget.wanted[i], images[i]);
	rc = store_edit_index(store, edit, &forget);
	for (size_t i = 0; i < count; i++) {
		free(forget.wanted[i].name);
		free(forget.wanted[i].repository);
	}
	free(forget.wanted);
	*out = forget.out;
	return rc;
}
