/* index.c - which entry of an index serves a wish */
#include "common/manifest.h"

#include "check.h"
#include "common/buf.h"
#include "quoted.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define V2 "'schemaVersion':2,"
#define DESCRIPTOR(digest) "{'digest':'" digest "','size':5}"
#define ENTRY(digest, platform) \
	"{'digest':'" digest "','size':5,'platform':" platform "}"
#define LINUX(rest) "{'os':'linux','architecture':" rest "}"
#define ATTESTED                                                       \
	"{'digest':'" C "','size':1,'annotations':{'vnd.docker.reference.type'" \
	":'attestation-manifest'},'platform':" LINUX("'amd64'") "}"

#define ZSTD(digest, value)                                              \
	"{'digest':'" digest "','size':1,'platform':" LINUX("'amd64'")   \
	",'annotations':{'io.github.containers.compression.zstd':" value "}}"

static int parse(struct manifest *out, const char *text,
		 char *why, size_t size)
{
	size_t len;
	AUTO(mem) char *bytes = quoted_bytes(text, &len);

	return manifest_parse(out, bytes, len, NULL, why, size);
}

static const struct {
	const char *entries, *architecture, *variant, *digest, *listed;
} choices[] = {
	{ ENTRY(A, LINUX("'arm64'")) "," ENTRY(B, LINUX("'amd64'")), "amd64",
	  NULL, B, "linux/arm64, linux/amd64" },
	{ ENTRY(A, LINUX("'amd64'")) "," ENTRY(B, LINUX("'amd64'")), "amd64",
	  NULL, A, "linux/amd64" },
	{ ENTRY(A, LINUX("'arm','variant':'v5'")) ","
	  ENTRY(B, LINUX("'arm','variant':'v6'")) ","
	  ENTRY(C, LINUX("'arm','variant':'v8'")), "arm", "v7", B,
	  "linux/arm/v5, linux/arm/v6, linux/arm/v8" },
	{ ENTRY(A, LINUX("'arm64'")), "amd64", NULL, NULL, "linux/arm64" },
	{ DESCRIPTOR(A) "," ENTRY(B, LINUX("'amd64'")), "amd64", NULL, B,
	  "one that is not named, linux/amd64" },
	{ DESCRIPTOR(A) "," DESCRIPTOR(B), "amd64", NULL, A,
	  "one that is not named" },
	{ ENTRY(A, "{}") "," ENTRY(B, "null"), "amd64", NULL, A,
	  "one that is not named" },
	{ ENTRY(A, "{'os':'unknown','architecture':'unknown'}"), "amd64", NULL,
	  NULL, "" },
	{ ATTESTED, "amd64", NULL, NULL, "" },
	{ ATTESTED "," ENTRY(B, LINUX("'amd64'")), "amd64", NULL, B,
	  "linux/amd64" },
	{ "", "amd64", NULL, NULL, "" },
	{ ZSTD(A, "'true'") "," ENTRY(B, LINUX("'amd64'")) "," ENTRY(C, LINUX("'amd64'")),
	  "amd64", NULL, B, "linux/amd64" },
	{ ZSTD(A, "'true'") "," ZSTD(B, "'true'"), "amd64", NULL, A, "linux/amd64" },
	{ ZSTD(A, "'false'") "," ENTRY(B, LINUX("'amd64'")), "amd64", NULL, A,
	  "linux/amd64" },
	{ ENTRY(A, LINUX("'amd64'")) "," ZSTD(B, "'true'"), "amd64", NULL, A,
	  "linux/amd64" },
};

static void test_choice(void)
{
	for (size_t i = 0; i < COUNT(choices); i++) {
		AUTO(manifest) struct manifest m = { 0 };
		AUTO(buf) struct buf text = { 0 };
		AUTO(mem) char *listed = NULL;
		char os[] = "linux", architecture[16], variant[16];
		struct platform wish = { .os = os, .architecture = architecture };
		const struct index_entry *got;
		char why[512] = "";

		check_row(choices[i].entries);
		snprintf(architecture, sizeof(architecture), "%s",
			 choices[i].architecture);
		if (choices[i].variant) {
			snprintf(variant, sizeof(variant), "%s",
				 choices[i].variant);
			wish.variant = variant;
		}
		buf_printf(&text, "{" V2 "'manifests':[%s]}",
			   choices[i].entries);
		CHECK_NUMBER(parse(&m, text.data, why, sizeof(why)), 0);
		got = manifest_choose(&m, &wish);
		CHECK_TEXT(got ? got->descriptor.digest.text : NULL,
			   choices[i].digest);
		listed = manifest_platforms(&m);
		CHECK_TEXT(listed, choices[i].listed);
	}
}

static void test_attestation_when_asked(void)
{
	AUTO(manifest) struct manifest m = { 0 };
	char unknown[] = "unknown", why[512] = "";
	struct platform wish = { .os = unknown, .architecture = unknown };

	check_row("unknown/unknown");
	CHECK_NUMBER(parse(&m, "{" V2 "'manifests':["
			   ENTRY(A, LINUX("'amd64'")) ","
			   ENTRY(B, "{'os':'unknown','architecture':'unknown'}")
			   "]}", why, sizeof(why)), 0);
	CHECK(manifest_choose(&m, &wish) == &m.entries[1]);
}

static void test_long_listing(void)
{
	AUTO(manifest) struct manifest m = { 0 };
	AUTO(buf) struct buf text = { 0 };
	AUTO(mem) char *listed = NULL;
	char why[512] = "";

	check_row("more than 20 platforms");
	buf_append_text(&text, "{" V2 "'manifests':[");
	for (int i = 0; i < 25; i++)
		buf_printf(&text, "%s{'digest':'" A "','size':1,'platform':"
			   "{'os':'o','architecture':'a%d'}}", i ? "," : "", i);
	buf_append_text(&text, "]}");
	CHECK_NUMBER(parse(&m, text.data, why, sizeof(why)), 0);
	listed = manifest_platforms(&m);
	CHECK(strstr(listed, "o/a0, o/a1, ") == listed);
	CHECK_TEXT(strstr(listed, "o/a19"), "o/a19 and 5 more");
}

int main(void)
{
	test_choice();
	test_attestation_when_asked();
	test_long_listing();
	return check_result();
}
