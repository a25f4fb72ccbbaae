/* image_config.c - image configs that are taken, and why others are not */
#include "common/manifest.h"

#include "check.h"
#include "quoted.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct {
	const char *text, *platform;
	size_t diff_ids;
	const char *why; /* NULL: taken */
} configs[] = {
	{ "{}", "unknown/unknown", 0, NULL },
	{ "{'os':'linux','architecture':'arm64','variant':'v8','config':null,"
	  "'rootfs':{'type':'layers','diff_ids':['" A "','" B "']}}",
	  "linux/arm64", 2, NULL },
	{ "{'os':null,'rootfs':null,'history':7,'Size':3,'unknown':{}}",
	  "unknown/unknown", 0, NULL },
	{ "{'rootfs':{'diff_ids':null}}", "unknown/unknown", 0, NULL },
	{ "{'config':{'Labels':{'a':'1','A':'2'}}}", "unknown/unknown", 0,
	  NULL },
	{ "[]", "", 0, "not a JSON object" },
	{ "{'os':5}", "", 0, "os, architecture or variant is of a wrong kind" },
	{ "{'rootfs':[]}", "", 0, "rootfs is no object" },
	{ "{'rootfs':{'diff_ids':{}}}", "", 0, "diff_ids is no array" },
	{ "{'rootfs':{'diff_ids':['" A "','x']}}", "", 0,
	  "diff_id 1: bad digest: x" },
	{ "{'rootfs':{'diff_ids':[7]}}", "", 0, "diff_id 0: bad digest" },
	{ "{'rootfs':{'diff_ids':[],'DIFF_IDS':['" A "']}}", "", 0,
	  "diff_ids is written in another case" },
	{ "{'rootfs':{},'RootFS':{}}", "", 0,
	  "rootfs is written in another case" },
	{ "{'os':'a','os':'b'}", "", 0, "JSON object has a doubled key" },
};

int main(void)
{
	for (size_t i = 0; i < COUNT(configs); i++) {
		AUTO(image_config) struct image_config config = { 0 };
		AUTO(mem) char *bytes = NULL;
		AUTO(mem) char *platform = NULL;
		char why[512] = "";
		size_t len;

		check_row(configs[i].text);
		bytes = quoted_bytes(configs[i].text, &len);
		CHECK_NUMBER(image_config_parse(&config, bytes, len, why,
						sizeof(why)),
			     configs[i].why ? -1 : 0);
		CHECK_TEXT(why, configs[i].why ? configs[i].why : "");
		CHECK_NUMBER(config.diff_id_count, configs[i].diff_ids);
		if (configs[i].why)
			continue;
		platform = platform_text(&config.platform);
		CHECK_TEXT(platform, configs[i].platform);
	}
	return check_result();
}
