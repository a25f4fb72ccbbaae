/* document.c - see document.h */
#include "common/document.h"

#include <string.h>

#include "common/msg.h"

/* The next character in lower case. Go folds as Unicode does, and there the
 * long s and the Kelvin sign are an s and a k. */
static char fold(const char **p)
{
	char c = *(*p)++;

	if (c == '\xc5' && **p == '\xbf') {
		(*p)++;
		return 's';
	}
	if (c == '\xe2' && (*p)[0] == '\x84' && (*p)[1] == '\xaa') {
		*p += 2;
		return 'k';
	}
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_same_folded(const char *a, const char *b)
{
	char c;

	do {
		c = fold(&a);
		if (c != fold(&b))
			return false;
	} while (c != '\0');
	return true;
}

const char *document_disguised_key(const struct json_object *object,
				   const char *const *known)
{
	json_object_object_foreach(object, key, value) {
		(void)value;
		for (size_t i = 0; known[i]; i++)
			if (strcmp(key, known[i]) != 0 &&
			    is_same_folded(key, known[i]))
				return known[i];
	}
	return NULL;
}

struct json_object *document_parse(const char *bytes, size_t len, size_t most,
				   const char *const *known, char *why,
				   size_t size)
{
	AUTO(json) struct json_object *json = NULL;
	const char *text;

	if (len > most) {
		msg_format(why, size, "larger than %zu bytes", most);
		return NULL;
	}
	json = json_parse(bytes, len, JSON_DEPTH_DOCUMENT, &text);
	if (json && !json_object_is_type(json, json_type_object)) {
		json_object_put(TAKE(json));
		text = "not a JSON object";
	}
	if (!json) {
		msg_format(why, size, "%s", text);
		return NULL;
	}
	text = document_disguised_key(json, known);
	if (text) {
		msg_format(why, size, "%s is written in another case", text);
		return NULL;
	}
	return TAKE(json);
}
