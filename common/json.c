/* json.c - see json.h
 *
 * The text is checked first by a scanner of our own that follows RFC 8259 to
 * the letter, and counts what it holds; then json-c builds the tree. A tree
 * with fewer members than the text has lost some to doubled keys. json-c ends
 * a key at its first NUL: "digest\u0000" would read as "digest" here and as
 * an unknown key elsewhere, so the scanner takes no NUL in a key.
 */
#include "common/json.h"

#include <string.h>

#include "common/mem.h"

struct scanner {
	const char *p, *end;
	const char *why;
	size_t members, values, containers;
};

static bool fail(struct scanner *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static void skip_space(struct scanner *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' ||
				 *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool scan_word(struct scanner *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return fail(s, "not valid JSON");
	s->p += len;
	return true;
}

static bool scan_digits(struct scanner *s)
{
	const char *start = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > start || fail(s, "bad number in JSON");
}

static bool scan_number(struct scanner *s)
{
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!scan_digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!scan_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!scan_digits(s))
			return false;
	}
	return true;
}

static bool scan_escape(struct scanner *s)
{
	s->p++;
	if (s->p >= s->end || !strchr("\"\\/bfnrtu", *s->p) || *s->p == '\0')
		return fail(s, "bad escape in JSON string");
	if (*s->p++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, s->p++)
		if (s->p >= s->end || *s->p == '\0' ||
		    !strchr("0123456789abcdefABCDEF", *s->p))
			return fail(s, "bad escape in JSON string");
	return true;
}

/* One character of two to four bytes, RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
static bool scan_utf8(struct scanner *s)
{
	const unsigned char *p = (const unsigned char *)s->p;
	size_t left = (size_t)(s->end - s->p);
	unsigned char low = 0x80, high = 0xbf;
	size_t more;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		more = 1;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		more = 2;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		more = 3;
	else
		return fail(s, "not UTF-8");
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (left <= more || p[1] < low || p[1] > high)
		return fail(s, "not UTF-8");
	for (size_t i = 2; i <= more; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return fail(s, "not UTF-8");
	s->p += more + 1;
	return true;
}

static bool scan_string(struct scanner *s)
{
	if (s->p >= s->end || *s->p != '"')
		return fail(s, "not valid JSON");
	s->p++;
	while (s->p < s->end && *s->p != '"') {
		unsigned char c = (unsigned char)*s->p;

		if (c < 0x20)
			return fail(s, "control byte in JSON string");
		if (c == '\\') {
			if (!scan_escape(s))
				return false;
		} else if (c >= 0x80) {
			if (!scan_utf8(s))
				return false;
		} else {
			s->p++;
		}
	}
	if (s->p >= s->end)
		return fail(s, "not valid JSON");
	s->p++;
	return true;
}

/* In a string that was scanned; "\\u0000" is a backslash and five letters. */
static bool has_nul(const char *p, const char *end)
{
	for (; p < end; p++)
		if (*p == '\\' && *++p == 'u' && memcmp(p, "u0000", 5) == 0)
			return true;
	return false;
}

static bool scan_key(struct scanner *s)
{
	const char *key;

	skip_space(s);
	key = s->p;
	if (!scan_string(s))
		return false;
	if (has_nul(key, s->p))
		return fail(s, "NUL in a key of a JSON object");
	s->members++;
	skip_space(s);
	return scan_word(s, ":");
}

static bool scan_scalar(struct scanner *s)
{
	switch (*s->p) {
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return scan_number(s);
	default:
		return fail(s, "not valid JSON");
	}
}

/* After a value: closes what ends here. Returns with s->p at the next value,
 * or *level 0 when the outermost one is complete. */
static bool scan_after_value(struct scanner *s, const char *open,
			     unsigned int *level)
{
	while (*level > 0) {
		char opener = open[*level - 1];

		skip_space(s);
		if (s->p >= s->end)
			return fail(s, "not valid JSON");
		if (*s->p == ',') {
			s->p++;
			return opener == '[' || scan_key(s);
		}
		if (*s->p != (opener == '[' ? ']' : '}'))
			return fail(s, "not valid JSON");
		s->p++;
		(*level)--;
	}
	return true;
}

static bool scan_text(struct scanner *s, unsigned int depth)
{
	char open[JSON_DEPTH_DOCUMENT];
	unsigned int level = 0;

	do {
		skip_space(s);
		if (s->p >= s->end)
			return fail(s, "not valid JSON");
		if (++s->values > JSON_MAX_VALUES)
			return fail(s, "too many values in JSON");
		if (*s->p == '{' || *s->p == '[') {
			char opener = *s->p++;

			if (level == depth)
				return fail(s, "JSON nested too deep");
			if (++s->containers > JSON_MAX_CONTAINERS)
				return fail(s, "too many values in JSON");
			open[level++] = opener;
			skip_space(s);
			if (s->p < s->end && *s->p != (opener == '[' ? ']' : '}')) {
				if (opener == '{' && !scan_key(s))
					return false;
				continue;
			}
		} else if (!scan_scalar(s)) {
			return false;
		}
		if (!scan_after_value(s, open, &level))
			return false;
	} while (level > 0);
	skip_space(s);
	return s->p == s->end || fail(s, "something follows the JSON text");
}

static size_t count_members(const struct json_object *value)
{
	size_t n = 0;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member) {
			(void)key;
			n += 1 + count_members(member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			n += count_members(json_object_array_get_idx(value, i));
	}
	return n;
}

struct json_object *json_parse(const char *text, size_t len, unsigned int depth,
			       const char **why)
{
	struct scanner s = { .p = text, .end = text + len };
	AUTO(json) struct json_object *value = NULL;
	struct json_tokener *tokener;

	*why = "not valid JSON";
	if (depth > JSON_DEPTH_DOCUMENT || len > INT32_MAX)
		return NULL;
	if (!scan_text(&s, depth)) {
		*why = s.why;
		return NULL;
	}
	/* json-c counts a scalar inside the innermost level as one more. */
	tokener = json_tokener_new_ex((int)depth + 1);
	if (!tokener)
		mem_die("json_tokener_new_ex");
	value = json_tokener_parse_ex(tokener, text, (int)len);
	/* A number at the very end leaves it waiting for more digits. */
	if (!value && json_tokener_get_error(tokener) == json_tokener_continue)
		value = json_tokener_parse_ex(tokener, "", -1);
	json_tokener_free(tokener);
	if (value && count_members(value) != s.members) {
		*why = "JSON object has a doubled key";
		return NULL;
	}
	return TAKE(value);
}

static struct json_object *member(const struct json_object *object,
				  const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_get_ex(object, key, &value);
	return value;
}

static int get_typed(const struct json_object *object, const char *key,
		     enum json_type type, struct json_object **out)
{
	struct json_object *value = member(object, key);

	if (!value)
		return 0;
	if (!json_object_is_type(value, type))
		return -1;
	*out = value;
	return 1;
}

static const char *clean_string(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text
									 : NULL;
}

int json_get_string(const struct json_object *object, const char *key,
		    const char **out)
{
	struct json_object *value = member(object, key);
	const char *text;

	if (!value)
		return 0;
	text = clean_string(value);
	if (!text)
		return -1;
	*out = text;
	return 1;
}

int json_get_integer(const struct json_object *object, const char *key,
		     int64_t *out)
{
	struct json_object *value = NULL;
	int got = get_typed(object, key, json_type_int, &value);
	int64_t number;

	if (got != 1)
		return got;
	number = json_object_get_int64(value); /* saturates when too big */
	if (number < 0 || number > JSON_INTEGER_MAX)
		return -1;
	*out = number;
	return 1;
}

int json_get_bool(const struct json_object *object, const char *key, bool *out)
{
	struct json_object *value = NULL;
	int got = get_typed(object, key, json_type_boolean, &value);

	if (got == 1)
		*out = json_object_get_boolean(value);
	return got;
}

int json_get_object(const struct json_object *object, const char *key,
		    struct json_object **out)
{
	return get_typed(object, key, json_type_object, out);
}

int json_get_array(const struct json_object *object, const char *key,
		   struct json_object **out)
{
	return get_typed(object, key, json_type_array, out);
}

const char *json_string_at(const struct json_object *array, size_t index)
{
	struct json_object *value = json_object_array_get_idx(array, index);

	return value ? clean_string(value) : NULL;
}

static struct json_object *made(struct json_object *value)
{
	if (!value)
		mem_die("json-c");
	return value;
}

struct json_object *json_new_object(void)
{
	return made(json_object_new_object());
}

struct json_object *json_new_array(void)
{
	return made(json_object_new_array());
}

struct json_object *json_new_string(const char *value)
{
	return made(json_object_new_string(value));
}

struct json_object *json_new_integer(int64_t value)
{
	return made(json_object_new_int64(value));
}

void json_add(struct json_object *object, const char *key,
	      struct json_object *value)
{
	if (json_object_object_add(object, key, value) != 0)
		mem_die("json_object_object_add");
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value) != 0)
		mem_die("json_object_array_add");
}

void json_add_string(struct json_object *object, const char *key,
		     const char *value)
{
	json_add(object, key, json_new_string(value));
}

void json_add_integer(struct json_object *object, const char *key,
		      int64_t value)
{
	json_add(object, key, json_new_integer(value));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	json_add(object, key, made(json_object_new_boolean(value)));
}

const char *json_text(struct json_object *object, size_t *len)
{
	size_t ignored;
	const char *text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		len ? len : &ignored);

	if (!text)
		mem_die("json_object_to_json_string_length");
	return text;
}
