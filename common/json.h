/* json.h - JSON from outside, read strictly, and typed access to it.
 *
 * json-c alone takes too much: doubled keys (two parsers would see two
 * images), single quotes, NaN, raw control bytes, NULs. What passes here is
 * exactly RFC 8259 in UTF-8 without doubled keys (RFC 7493) and without NULs
 * in keys, so every other parser sees the same document.
 *
 * json_get_*() lend what they return; it lives as long as the object. They
 * return 1 when the member is there with the right type, 0 when it is absent
 * or null, -1 for any other type (not reported). *out is set only for 1.
 */
#ifndef OCCY_COMMON_JSON_H
#define OCCY_COMMON_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

#define JSON_DEPTH_LINE 16     /* of a stream's line */
#define JSON_DEPTH_DOCUMENT 64 /* of a manifest or config */
/* In one text. A tree takes far more memory than its text: 8 MiB of empty
 * objects would be 2 GiB. Ten thousand layers need a tenth of this. */
#define JSON_MAX_VALUES 524288
#define JSON_MAX_CONTAINERS 65536
#define JSON_INTEGER_MAX ((INT64_C(1) << 53) - 1)

/* Parse exactly one JSON text of len bytes. Returns an object that the caller
 * puts, or NULL with *why pointing at a constant text (not reported). The
 * JSON text "null" is refused too. */
struct json_object *json_parse(const char *text, size_t len, unsigned int depth,
			       const char **why);

/* Strings that hold a NUL (\u0000) count as a wrong type. */
int json_get_string(const struct json_object *object, const char *key,
		    const char **out);
/* Integers from 0 to 2^53-1; 1.0, 1e3 and "1" are a wrong type. */
int json_get_integer(const struct json_object *object, const char *key,
		     int64_t *out);
int json_get_bool(const struct json_object *object, const char *key, bool *out);
int json_get_object(const struct json_object *object, const char *key,
		    struct json_object **out);
int json_get_array(const struct json_object *object, const char *key,
		   struct json_object **out);

/* A string element of an array, lent; NULL if it is none. */
const char *json_string_at(const struct json_object *array, size_t index);

/* Add a member; for building documents of our own. */
void json_add_string(struct json_object *object, const char *key,
		     const char *value);
void json_add_integer(struct json_object *object, const char *key,
		      int64_t value);
void json_add_bool(struct json_object *object, const char *key, bool value);
/* value is taken over. */
void json_add(struct json_object *object, const char *key,
	      struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);
struct json_object *json_new_object(void);
struct json_object *json_new_array(void);
struct json_object *json_new_string(const char *value);
struct json_object *json_new_integer(int64_t value);

/* Compact text, lent until the object changes or goes. len may be NULL. */
const char *json_text(struct json_object *object, size_t *len);

AUTO_DEFINE(json, struct json_object *, json_object_put);

#endif
