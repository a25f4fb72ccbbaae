/* json - what json.c takes, what it refuses and why, and the getters. */
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "tests/unit/check.h"

/* A literal with its length, for texts that hold a NUL. */
#define BYTES(literal) literal, sizeof(literal) - 1

#define INVALID "not valid JSON"
#define CONTROL "control byte in JSON string"
#define ESCAPE "bad escape in JSON string"
#define NUMBER "bad number in JSON"
#define UTF8 "not UTF-8"
#define DOUBLED "JSON object has a doubled key"
#define FOLLOWS "something follows the JSON text"
#define NUL_KEY "NUL in a key of a JSON object"

static const struct {
	const char *text;
	size_t len;
	const char *why; /* NULL: is taken */
} texts[] = {
	{ BYTES("{}"), NULL },
	{ BYTES("[]"), NULL },
	{ BYTES("0"), NULL },
	{ BYTES("-0"), NULL },
	{ BYTES("12"), NULL },
	{ BYTES("\"\""), NULL },
	{ BYTES("true"), NULL },
	{ BYTES(" \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n1 \t\r\n} \t\r\n"), NULL },
	{ BYTES("{\"a\":1,\"b\":[1,2,{\"a\":[]}],\"c\":{\"a\":{}}}"), NULL },
	{ BYTES("[1.5,-0.25,1e3,1E+3,1e-3,0.0,0e0]"), NULL },
	{ BYTES("[1e400,123456789012345678901234567890]"), NULL },
	{ BYTES("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"]"), NULL },
	{ BYTES("[\"\\u0000\"]"), NULL },
	{ BYTES("[\"\\ud800\"]"), NULL },
	{ BYTES("[\"\x7f\"]"), NULL },
	{ BYTES("{\"a\":null,\"b\":true,\"c\":false}"), NULL },
	{ BYTES("{\"\":1}"), NULL },
	{ BYTES("{\"a\":1,\"A\":2}"), NULL },
	{ BYTES("[{\"a\":1},{\"a\":1}]"), NULL },
	{ BYTES("{\"\\\\u0000\":1}"), NULL }, /* a backslash, then text */
	{ BYTES("[\"\xc2\x80\xdf\xbf\"]"), NULL },
	{ BYTES("[\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"]"), NULL },
	{ BYTES("[\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]"), NULL },

	{ BYTES(""), INVALID },
	{ BYTES(" "), INVALID },
	{ BYTES("null"), INVALID },
	{ BYTES("nul"), INVALID },
	{ BYTES("NaN"), INVALID },
	{ BYTES("[NaN]"), INVALID },
	{ BYTES("[Infinity]"), INVALID },
	{ BYTES("[-Infinity]"), NUMBER },
	{ BYTES("True"), INVALID },
	{ BYTES("{"), INVALID },
	{ BYTES("["), INVALID },
	{ BYTES("}"), INVALID },
	{ BYTES("[}"), INVALID },
	{ BYTES("{]"), INVALID },
	{ BYTES("[1"), INVALID },
	{ BYTES("[1,"), INVALID },
	{ BYTES("[1,]"), INVALID },
	{ BYTES("[,1]"), INVALID },
	{ BYTES("[1 2]"), INVALID },
	{ BYTES("{\"a\"}"), INVALID },
	{ BYTES("{\"a\":}"), INVALID },
	{ BYTES("{\"a\":1,}"), INVALID },
	{ BYTES("{,\"a\":1}"), INVALID },
	{ BYTES("{\"a\" 1}"), INVALID },
	{ BYTES("{a:1}"), INVALID },
	{ BYTES("{1:1}"), INVALID },
	{ BYTES("{'a':1}"), INVALID },
	{ BYTES("['a']"), INVALID },
	{ BYTES("[1]/* no */"), FOLLOWS },
	{ BYTES("[/* no */1]"), INVALID },
	{ BYTES("\xef\xbb\xbf{}"), INVALID },
	{ BYTES("[\"a]"), INVALID },
	{ BYTES("{}\0"), FOLLOWS },
	{ BYTES("\0{}"), INVALID },
	{ BYTES("{}{}"), FOLLOWS },
	{ BYTES("{}]"), FOLLOWS },
	{ BYTES("1 2"), FOLLOWS },
	{ BYTES("{}\v"), FOLLOWS },
	{ BYTES("{}\xc2\xa0"), FOLLOWS },

	{ BYTES("01"), FOLLOWS },
	{ BYTES("[01]"), INVALID },
	{ BYTES("[-]"), NUMBER },
	{ BYTES("[-01]"), INVALID },
	{ BYTES("[+1]"), INVALID },
	{ BYTES("[.5]"), INVALID },
	{ BYTES("[1.]"), NUMBER },
	{ BYTES("[1.e1]"), NUMBER },
	{ BYTES("[1e]"), NUMBER },
	{ BYTES("[1e+]"), NUMBER },
	{ BYTES("[0x10]"), INVALID },
	{ BYTES("-"), NUMBER },
	{ BYTES("1."), NUMBER },
	{ BYTES("1e"), NUMBER },

	{ BYTES("[\"\n\"]"), CONTROL },
	{ BYTES("[\"\t\"]"), CONTROL },
	{ BYTES("[\"\x1f\"]"), CONTROL },
	{ BYTES("[\"\0\"]"), CONTROL },
	{ BYTES("{\"a\0b\":1}"), CONTROL },

	{ BYTES("[\"\\x41\"]"), ESCAPE },
	{ BYTES("[\"\\'\"]"), ESCAPE },
	{ BYTES("[\"\\u12\"]"), ESCAPE },
	{ BYTES("[\"\\u12g4\"]"), ESCAPE },
	{ BYTES("[\"\\u12"), ESCAPE },
	{ BYTES("[\"\\\0\"]"), ESCAPE },
	{ BYTES("[\"\\u00\0\0\"]"), ESCAPE },
	{ BYTES("[\"\\"), ESCAPE },

	{ BYTES("[\"\x80\"]"), UTF8 },
	{ BYTES("[\"\xbf\"]"), UTF8 },
	{ BYTES("[\"\xc0\x80\"]"), UTF8 },         /* overlong NUL */
	{ BYTES("[\"\xc1\xbf\"]"), UTF8 },         /* overlong DEL */
	{ BYTES("[\"\xe0\x9f\xbf\"]"), UTF8 },     /* overlong U+07FF */
	{ BYTES("[\"\xf0\x8f\xbf\xbf\"]"), UTF8 }, /* overlong U+FFFF */
	{ BYTES("[\"\xed\xa0\x80\"]"), UTF8 },     /* U+D800 */
	{ BYTES("[\"\xed\xbf\xbf\"]"), UTF8 },     /* U+DFFF */
	{ BYTES("[\"\xf4\x90\x80\x80\"]"), UTF8 }, /* U+110000 */
	{ BYTES("[\"\xf5\x80\x80\x80\"]"), UTF8 },
	{ BYTES("[\"\xff\"]"), UTF8 },
	{ BYTES("[\"\xc3\"]"), UTF8 },
	{ BYTES("[\"\xe2\x82\"]"), UTF8 },
	{ BYTES("[\"\xe2\x28\xa1\"]"), UTF8 },
	{ BYTES("[\"\xe2\x82\x28\"]"), UTF8 },
	{ BYTES("[\"\xf0\x9f\x98\"]"), UTF8 },
	{ BYTES("[\"\xf0\x9f\x98\x28\"]"), UTF8 },
	{ BYTES("[\"\xf0\x9f\x98"), UTF8 },
	{ BYTES("[\"\xe2"), UTF8 },

	{ BYTES("{\"a\":1,\"a\":1}"), DOUBLED },
	{ BYTES("{\"a\":1,\"\\u0061\":1}"), DOUBLED },
	{ BYTES("[{\"b\":{\"a\":1,\"c\":2,\"a\":null}}]"), DOUBLED },
	{ BYTES("{\"\":1,\"\":1}"), DOUBLED },

	/* json-c alone would read these as the key "a". */
	{ BYTES("{\"a\\u0000\":1}"), NUL_KEY },
	{ BYTES("{\"a\\u0000b\":1}"), NUL_KEY },
	{ BYTES("{\"\\u0000\":1}"), NUL_KEY },
	{ BYTES("{\"x\":[{\"\\\\\\u0000\":1}]}"), NUL_KEY },
};

static void test_texts(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *why = NULL;
		AUTO(json) struct json_object *json = json_parse(
			texts[i].text, texts[i].len, JSON_DEPTH_LINE, &why);

		check_row(texts[i].text);
		CHECK(!json == !!texts[i].why);
		if (!json && texts[i].why)
			CHECK_TEXT(why, texts[i].why);
	}
}

/* Exactly len bytes are looked at, whatever stands behind them. */
static void test_length(void)
{
	const char *why = NULL;
	AUTO(json) struct json_object *whole = json_parse("12345", 3, 1, &why);
	AUTO(json) struct json_object *cut = json_parse("{}", 1, 1, &why);

	CHECK(whole && json_object_get_int64(whole) == 123);
	CHECK(!cut);
}

static bool parses_at(unsigned int levels, const char *open, const char *core,
		      const char *close, unsigned int depth)
{
	AUTO(buf) struct buf text = { 0 };
	AUTO(json) struct json_object *json = NULL;
	const char *why = "";

	for (unsigned int i = 0; i < levels; i++)
		buf_append_text(&text, open);
	buf_append_text(&text, core);
	for (unsigned int i = 0; i < levels; i++)
		buf_append_text(&text, close);
	json = json_parse(text.data, text.len, depth, &why);
	if (!json)
		CHECK_TEXT(why, "JSON nested too deep");
	return json;
}

static void test_depth(void)
{
	static const unsigned int depths[] = { JSON_DEPTH_LINE,
					       JSON_DEPTH_DOCUMENT };

	for (size_t i = 0; i < 2; i++) {
		unsigned int most = depths[i];

		CHECK(parses_at(most, "[", "", "]", most));
		CHECK(parses_at(most, "[", "1", "]", most));
		CHECK(!parses_at(most + 1, "[", "", "]", most));
		CHECK(parses_at(most, "{\"a\":", "\"x\"", "}", most));
		CHECK(parses_at(most - 1, "{\"a\":", "{}", "}", most));
		CHECK(!parses_at(most, "{\"a\":", "{}", "}", most));
		CHECK(!parses_at(100000, "[", "", "]", most));
	}
}

static const struct {
	const char *value;
	int got;
	int64_t number;
} integers[] = {
	{ "0", 1, 0 },
	{ "-0", 1, 0 },
	{ "7", 1, 7 },
	{ "9007199254740991", 1, INT64_C(9007199254740991) },
	{ "9007199254740992", -1, 0 },
	{ "9223372036854775807", -1, 0 },
	{ "9223372036854775808", -1, 0 },
	{ "18446744073709551615", -1, 0 },
	{ "18446744073709551616", -1, 0 },
	{ "123456789012345678901234567890", -1, 0 },
	{ "-1", -1, 0 },
	{ "-9223372036854775809", -1, 0 },
	{ "1.0", -1, 0 },
	{ "1e3", -1, 0 },
	{ "\"1\"", -1, 0 },
	{ "true", -1, 0 },
	{ "[1]", -1, 0 },
	{ "{}", -1, 0 },
	{ "null", 0, 0 },
};

static struct json_object *object_with(const char *value)
{
	AUTO(buf) struct buf text = { 0 };
	const char *why;

	buf_printf(&text, "{\"key\":%s}", value);
	return json_parse(text.data, text.len, JSON_DEPTH_LINE, &why);
}

static void test_integers(void)
{
	for (size_t i = 0; i < sizeof(integers) / sizeof(*integers); i++) {
		AUTO(json) struct json_object *json =
			object_with(integers[i].value);
		int64_t number = -5;

		check_row(integers[i].value);
		CHECK(json_get_integer(json, "key", &number) == integers[i].got);
		CHECK(number == (integers[i].got == 1 ? integers[i].number : -5));
		CHECK(json_get_integer(json, "other", &number) == 0);
	}
}

/* For each kind of value what each getter says: string, bool, object, array. */
static const struct {
	const char *value;
	int string, boolean, object, array;
} kinds[] = {
	{ "\"x\"", 1, -1, -1, -1 },   { "\"\"", 1, -1, -1, -1 },
	{ "\"a\\u0000b\"", -1, -1, -1, -1 }, { "true", -1, 1, -1, -1 },
	{ "false", -1, 1, -1, -1 },   { "{}", -1, -1, 1, -1 },
	{ "[]", -1, -1, -1, 1 },      { "0", -1, -1, -1, -1 },
	{ "1.5", -1, -1, -1, -1 },    { "null", 0, 0, 0, 0 },
};

static void test_kinds(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		AUTO(json) struct json_object *json = object_with(kinds[i].value);
		struct json_object *object = NULL, *array = NULL;
		const char *text = NULL;
		bool truth;

		check_row(kinds[i].value);
		CHECK(json_get_string(json, "key", &text) == kinds[i].string);
		CHECK(!text == (kinds[i].string != 1));
		CHECK(json_get_bool(json, "key", &truth) == kinds[i].boolean);
		CHECK(json_get_object(json, "key", &object) == kinds[i].object);
		CHECK(!object == (kinds[i].object != 1));
		CHECK(json_get_array(json, "key", &array) == kinds[i].array);
		CHECK(!array == (kinds[i].array != 1));
	}
}

/* A getter asked of something that is no object finds nothing. */
static void test_no_object(void)
{
	const char *why, *text = NULL;
	AUTO(json) struct json_object *array = json_parse("[1]", 3, 1, &why);

	CHECK(json_get_string(array, "key", &text) == 0);
	CHECK(json_get_string(NULL, "key", &text) == 0);
	CHECK(!text);
}

static void test_strings_at(void)
{
	AUTO(json) struct json_object *json =
		object_with("[\"one\",2,\"a\\u0000b\",null]");
	struct json_object *array = NULL;

	CHECK(json_get_array(json, "key", &array) == 1);
	CHECK_TEXT(json_string_at(array, 0), "one");
	CHECK(!json_string_at(array, 1));
	CHECK(!json_string_at(array, 2));
	CHECK(!json_string_at(array, 3));
	CHECK(!json_string_at(array, 4));
}

/* What we write is one line, with plain slashes, and reads back the same. */
static void test_writing(void)
{
	AUTO(json) struct json_object *json = json_new_object();
	struct json_object *array = json_new_array();
	const char *text;
	size_t len;

	json_add_string(json, "name", "a/b\n\"\x01");
	json_add_integer(json, "size", JSON_INTEGER_MAX);
	json_add_bool(json, "ok", true);
	json_append(array, json_new_string("\xc3\xa9"));
	json_add(json, "list", array);
	text = json_text(json, &len);
	CHECK_TEXT(text, "{\"name\":\"a/b\\n\\\"\\u0001\",\"size\":9007199254740991,"
			 "\"ok\":true,\"list\":[\"\xc3\xa9\"]}");
	CHECK(len == strlen(text));
}

int main(void)
{
	test_texts();
	test_length();
	test_depth();
	test_integers();
	test_kinds();
	test_no_object();
	test_strings_at();
	test_writing();
	return check_result();
}
