/* savedchoice.c - see savedchoice.h */
#include "common/savedchoice.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/savednames.h"

#define MAX_LISTED 20

/* "a:1, b:2 and 7 more". Each is escaped by itself: the text as a whole would
 * be cut where one name is. */
static char *list(struct json_object *there)
{
	size_t count = json_object_array_length(there);
	struct buf text = { 0 };
	char name[512];

	for (size_t i = 0; i < count && i < MAX_LISTED; i++) {
		msg_format(name, sizeof(name), "%s%s", i ? ", " : "",
			   json_string_at(there, i));
		buf_append_text(&text, name);
	}
	if (count > MAX_LISTED)
		buf_printf(&text, " and %zu more", count - MAX_LISTED);
	return buf_take(&text);
}

int saved_choice_fail(const struct saved_want *want,
		      struct json_object *there, const char *where)
{
	AUTO(mem) char *listed = list(there);

	if (listed[0] == '\0')
		return msg_fail(STATUS_NOT_FOUND, "%s: no image is in it", where);
	return msg_fail(STATUS_NOT_FOUND,
			"%s: no image %s:%s is in it; there are: %.2047s", where,
			want->image, want->tag, listed);
}

static int fail_unnamed(const struct saved_choice *choice,
			const struct saved_want *want, const char *where)
{
	AUTO(json) struct json_object *there = json_new_array();

	for (size_t i = 0; i < choice->count; i++) {
		struct json_object *names = choice->names[i];

		for (size_t k = 0; k < json_object_array_length(names); k++)
			json_append(there, json_new_string(
						   json_string_at(names, k)));
		if (json_object_array_length(names) == 0)
			json_append(there, json_new_string("one without a name"));
	}
	return saved_choice_fail(want, there, where);
}

/* The image whose names fit best is meant; two that fit alike are too many. */
static int choose(struct saved_choice *choice, const struct saved_want *want,
		  const char *where)
{
	int best = 0, rivals = 0;

	for (size_t i = 0; i < choice->count; i++) {
		int match = saved_names_match(choice->names[i], want->image,
					      want->tag);

		if (match == 0 || match < best)
			continue;
		rivals = match > best ? 1 : rivals + 1;
		best = match;
		choice->next = i;
		choice->end = i + 1;
	}
	if (best == 0)
		return fail_unnamed(choice, want, where);
	if (rivals > 1)
		return msg_fail(STATUS_FAILED,
				"%s: %d images in it could be %s:%s", where,
				rivals, want->image, want->tag);
	return 0;
}

int saved_choice_make(struct saved_choice *out,
		      const struct saved_manifest *manifest,
		      const struct saved_want *want, const char *where)
{
	char why[512];

	*out = (struct saved_choice){ .end = manifest->count };
	out->names = mem_zalloc(manifest->count, sizeof(struct json_object *));
	for (; out->count < manifest->count; out->count++) {
		out->names[out->count] = saved_names(
			&manifest->images[out->count], NULL, why, sizeof(why));
		if (!out->names[out->count])
			return msg_fail(STATUS_INTEGRITY,
					"%s: image %zu: RepoTags: %.511s", where,
					out->count, why);
	}
	return want->image || out->count == 0 ? choose(out, want, where) : 0;
}

void saved_choice_clear(struct saved_choice *choice)
{
	for (size_t i = 0; i < choice->count; i++)
		json_object_put(choice->names[i]);
	free(choice->names);
	*choice = (struct saved_choice){ 0 };
}
