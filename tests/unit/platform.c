/* platform.c - normal forms, and who serves whom */
#include "common/platform.h"

#include "check.h"
#include "common/json.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const struct {
	const char *json, *text;
} forms[] = {
	{ "{\"os\":\"linux\",\"architecture\":\"amd64\"}", "linux/amd64" },
	{ "{\"os\":\"Linux\",\"architecture\":\"X86_64\"}", "linux/amd64" },
	{ "{\"os\":\"linux\",\"architecture\":\"x86-64\",\"variant\":\"V2\"}",
	  "linux/amd64/v2" },
	{ "{\"os\":\"linux\",\"architecture\":\"amd64\",\"variant\":\"v1\"}",
	  "linux/amd64" },
	{ "{\"os\":\"linux\",\"architecture\":\"aarch64\"}", "linux/arm64" },
	{ "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}",
	  "linux/arm64" },
	{ "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"8\"}",
	  "linux/arm64" },
	{ "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v9.0\"}",
	  "linux/arm64/v9" },
	{ "{\"os\":\"linux\",\"architecture\":\"arm\"}", "linux/arm/v7" },
	{ "{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"6\"}",
	  "linux/arm/v6" },
	{ "{\"os\":\"linux\",\"architecture\":\"armhf\"}", "linux/arm/v7" },
	{ "{\"os\":\"linux\",\"architecture\":\"armhf\",\"variant\":\"v6\"}",
	  "linux/arm/v7" },
	{ "{\"os\":\"linux\",\"architecture\":\"armel\"}", "linux/arm/v6" },
	{ "{\"os\":\"linux\",\"architecture\":\"i386\",\"variant\":\"x\"}",
	  "linux/386" },
	{ "{\"os\":\"macOS\",\"architecture\":\"arm64\"}", "darwin/arm64" },
	{ "{\"os\":\"linux\",\"architecture\":\"riscv64\",\"variant\":\"rva20u64\"}",
	  "linux/riscv64/rva20u64" },
	{ "{\"os\":\"\",\"architecture\":null}", "unknown/unknown" },
	{ "{}", "unknown/unknown" },
	{ "{\"os\":5}", NULL },
	{ "{\"architecture\":[]}", NULL },
	{ "{\"variant\":true}", NULL },
	{ "{\"os.version\":10}", NULL },
	{ "{\"os.features\":\"win32k\"}", NULL },
	{ "{\"os.features\":[\"win32k\",1]}", NULL },
	{ "{\"os\":\"a\\u0000b\"}", NULL },
};

/* The rank of an entry for a wish, each as os/architecture/variant/version/
 * feature. */
static const struct {
	const char *wish, *entry;
	int rank;
} ranks[] = {
	{ "linux/amd64", "linux/amd64", 0 },
	{ "linux/amd64", "linux/amd64/v1", 0 },
	{ "linux/amd64", "linux/amd64/v2", -1 },
	{ "linux/amd64/v3", "linux/amd64/v3", 0 },
	{ "linux/amd64/v3", "linux/amd64/v2", 1 },
	{ "linux/amd64/v3", "linux/amd64", 2 },
	{ "linux/amd64/v3", "linux/amd64/v4", -1 },
	{ "linux/amd64", "linux/amd64/v3", -1 },
	{ "linux/amd64/v3", "linux/amd64/x", -1 },
	{ "linux/amd64/v3", "linux/amd64/v2.1", -1 },
	{ "linux/amd64", "linux/386", -1 },
	{ "linux/amd64", "windows/amd64", -1 },
	{ "linux/arm", "linux/arm/v7", 0 },
	{ "linux/arm", "linux/arm/v6", 1 },
	{ "linux/arm", "linux/arm/v5", 2 },
	{ "linux/arm", "linux/arm/v4", -1 },
	{ "linux/arm", "linux/arm/v8", -1 },
	{ "linux/arm/v8", "linux/arm/v5", 3 },
	{ "linux/arm/v6", "linux/arm", -1 },
	{ "linux/arm64", "linux/arm64/v8", 0 },
	{ "linux/arm64/v8", "linux/arm64", 0 },
	{ "linux/arm64", "linux/arm64/v8.1", -1 },
	{ "linux/arm64", "linux/arm64/v8.3", -1 },
	{ "linux/arm64", "linux/arm64/v9", -1 },
	{ "linux/arm64", "linux/arm/v8", -1 },
	{ "linux/arm64/v8.2", "linux/arm64", 2 },
	{ "linux/arm64/v9", "linux/arm64/v8.5", 1 },
	{ "linux/arm64/v9", "linux/arm64/v8.6", -1 },
	{ "linux/arm64/v9", "linux/arm64", 6 },
	{ "linux/arm64/v9.2", "linux/arm64/v9", 2 },
	{ "linux/arm64/v9.2", "linux/arm64/v8.7", 3 },
	{ "linux/arm64/v9.6", "linux/arm64/v8.9", 7 },
	{ "linux/arm64/v9.2", "linux/arm64/v9.3", -1 },
	{ "linux/arm64/v7", "linux/arm64", -1 },
	{ "linux/ppc64le", "linux/ppc64le", 0 },
	{ "linux/ppc64le", "linux/ppc64le/power9", -1 },
	{ "linux/mips/v2", "linux/mips/v1", -1 },
	{ "unknown/unknown", "unknown/unknown", 0 },
	{ "linux/amd64", "//", -1 },
	{ "linux/amd64", "linux", -1 },
	{ "linux/amd64//1", "linux/amd64//2", 0 },
	{ "windows/amd64//10.0.17763", "windows/amd64//10.0.17763", 0 },
	{ "windows/amd64//10.0.17763", "windows/amd64//10.0.17763.99", 0 },
	{ "windows/amd64//10.0.1776", "windows/amd64//10.0.17763", -1 },
	{ "windows/amd64//10.0.17763", "windows/amd64//10.0.20348", -1 },
	{ "windows/amd64//10.0.17763", "windows/amd64", 0 },
	{ "windows/amd64", "windows/amd64//10.0.20348", 0 },
	{ "windows/amd64", "windows/amd64///win32k", -1 },
	{ "linux/amd64", "linux/amd64///sse4", -1 },
	{ "linux/amd64///sse4", "linux/amd64///sse4", 0 },
	{ "linux/amd64///sse4", "linux/amd64", 0 },
};

static void add_member(struct json_object *json, const char *key, char *value)
{
	if (!value || !*value)
		return;
	if (strcmp(key, "os.features") == 0) {
		struct json_object *array = json_new_array();

		json_append(array, json_new_string(value));
		json_add(json, key, array);
		return;
	}
	json_add_string(json, key, value);
}

static void read_platform(struct platform *out, const char *text)
{
	static const char *const keys[] = { "os", "architecture", "variant",
					    "os.version", "os.features" };
	AUTO(json) struct json_object *json = json_new_object();
	char copy[128], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", text);
	for (size_t i = 0; i < COUNT(keys); i++)
		add_member(json, keys[i], strsep(&rest, "/"));
	CHECK_NUMBER(platform_from_json(out, json), 0);
}

static void test_forms(void)
{
	for (size_t i = 0; i < COUNT(forms); i++) {
		AUTO(platform) struct platform platform = { 0 };
		AUTO(json) struct json_object *json = NULL;
		AUTO(mem) char *text = NULL;
		const char *why;

		check_row(forms[i].json);
		json = json_parse(forms[i].json, strlen(forms[i].json),
				  JSON_DEPTH_DOCUMENT, &why);
		CHECK(json);
		CHECK_NUMBER(platform_from_json(&platform, json),
			     forms[i].text ? 0 : -1);
		text = platform_text(&platform);
		CHECK_TEXT(text, forms[i].text ? forms[i].text
					       : "unknown/unknown");
		CHECK(forms[i].text || !platform.os_features);
	}
}

static void test_ranks(void)
{
	for (size_t i = 0; i < COUNT(ranks); i++) {
		AUTO(platform) struct platform wish = { 0 };
		AUTO(platform) struct platform entry = { 0 };
		char row[256];

		snprintf(row, sizeof(row), "%s for %s", ranks[i].entry,
			 ranks[i].wish);
		check_row(row);
		read_platform(&wish, ranks[i].wish);
		read_platform(&entry, ranks[i].entry);
		CHECK_NUMBER(platform_rank(&wish, &entry), ranks[i].rank);
	}
	check_row("");
}

static void test_feature_limit(void)
{
	AUTO(platform) struct platform platform = { 0 };
	AUTO(json) struct json_object *json = json_new_object();
	struct json_object *array = json_new_array();

	json_add(json, "os.features", array);
	for (int i = 0; i < 64; i++)
		json_append(array, json_new_string("f"));
	CHECK_NUMBER(platform_from_json(&platform, json), 0);
	CHECK_NUMBER(platform.os_feature_count, 64);
	platform_clear(&platform);
	json_append(array, json_new_string("f"));
	CHECK_NUMBER(platform_from_json(&platform, json), -1);
}

int main(void)
{
	test_forms();
	test_ranks();
	test_feature_limit();
	return check_result();
}
