/* manifest.c - manifests and indexes that are taken, and why others are not */
#include "common/manifest.h"

#include "check.h"
#include "common/buf.h"
#include "quoted.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define DESCRIPTOR(digest) "{'digest':'" digest "','size':5}"
#define TYPED(type, digest) \
	"{'mediaType':'" type "','digest':'" digest "','size':5}"
#define CONFIG "'config':" DESCRIPTOR(A)
#define ENTRY(digest, platform) \
	"{'digest':'" digest "','size':5,'platform':" platform "}"
#define V2 "'schemaVersion':2,"
#define MAX_SIZE "9007199254740991"

struct document {
	const char *text, *content_type;
	enum manifest_kind kind;
	const char *media_type;
	size_t count; /* of layers or entries */
};

static const struct document good[] = {
	/* the header alone */
	{ "{" V2 CONFIG ",'layers':[]}", MEDIA_TYPE_OCI_MANIFEST,
	  MANIFEST_IMAGE, MEDIA_TYPE_OCI_MANIFEST, 0 },
	{ "{" V2 CONFIG ",'layers':[]}", MEDIA_TYPE_DOCKER_MANIFEST,
	  MANIFEST_IMAGE, MEDIA_TYPE_DOCKER_MANIFEST, 0 },
	{ "{" V2 "'manifests':[]}", MEDIA_TYPE_DOCKER_LIST, MANIFEST_INDEX,
	  MEDIA_TYPE_DOCKER_LIST, 0 },
	{ "{" V2 "'manifests':null}",
	  " Application/vnd.OCI.image.index.v1+JSON ; charset=utf-8",
	  MANIFEST_INDEX, MEDIA_TYPE_OCI_INDEX, 0 },
	{ "{" V2 CONFIG ",'layers':null}", MEDIA_TYPE_OCI_MANIFEST,
	  MANIFEST_IMAGE, MEDIA_TYPE_OCI_MANIFEST, 0 },
	/* the body, when the header says nothing */
	{ "{" V2 "'mediaType':'" MEDIA_TYPE_DOCKER_MANIFEST "'," CONFIG
	  ",'layers':[" DESCRIPTOR(B) "," DESCRIPTOR(B) "]}",
	  "text/plain; charset=utf-8", MANIFEST_IMAGE,
	  MEDIA_TYPE_DOCKER_MANIFEST, 2 },
	{ "{" V2 "'mediaType':'" MEDIA_TYPE_OCI_INDEX "','manifests':["
	  DESCRIPTOR(A) "]}", NULL, MANIFEST_INDEX, MEDIA_TYPE_OCI_INDEX, 1 },
	{ "{" V2 "'manifests':[]}", "", MANIFEST_INDEX, MEDIA_TYPE_OCI_INDEX,
	  0 },
	{ "{" V2 CONFIG ",'layers':[]}", "application/octet-stream",
	  MANIFEST_IMAGE, MEDIA_TYPE_OCI_MANIFEST, 0 },
	{ "{" V2 "'config':"
	  TYPED("application/vnd.docker.container.image.v1+json", A)
	  ",'layers':[]}", "application/json", MANIFEST_IMAGE,
	  MEDIA_TYPE_DOCKER_MANIFEST, 0 },
	/* both, of one kind: the digest covers the body */
	{ "{" V2 "'mediaType':'" MEDIA_TYPE_OCI_MANIFEST "'," CONFIG
	  ",'layers':[]}", MEDIA_TYPE_DOCKER_MANIFEST, MANIFEST_IMAGE,
	  MEDIA_TYPE_OCI_MANIFEST, 0 },
	{ "{" V2 "'mediaType':'application/x-other'," CONFIG ",'layers':[]}",
	  MEDIA_TYPE_DOCKER_MANIFEST, MANIFEST_IMAGE,
	  MEDIA_TYPE_DOCKER_MANIFEST, 0 },
	/* what nobody knows is no error */
	{ "{" V2 "'artifactType':'x/y','subject':7,'annotations':{'A':'1','a':'2'},"
	  "'config':" TYPED("x/unknown", A) ",'layers':["
	  TYPED("x/sbom", B) "]}", MEDIA_TYPE_OCI_MANIFEST, MANIFEST_IMAGE,
	  MEDIA_TYPE_OCI_MANIFEST, 1 },
	{ "{" V2 "'config':{'digest':'" A "','size':" MAX_SIZE "},'layers':[]}",
	  MEDIA_TYPE_OCI_MANIFEST, MANIFEST_IMAGE, MEDIA_TYPE_OCI_MANIFEST,
	  0 },
	/* sizes in an index are of things that are fetched one at a time */
	{ "{" V2 "'manifests':[{'digest':'" A "','size':" MAX_SIZE "},"
	  "{'digest':'" B "','size':" MAX_SIZE "}]}", NULL, MANIFEST_INDEX,
	  MEDIA_TYPE_OCI_INDEX, 2 },
};

static const struct {
	const char *text, *content_type, *why;
} bad[] = {
	{ "", NULL, "not valid JSON" },
	{ "<html>", "text/html", "not valid JSON" },
	{ "[]", NULL, "not a JSON object" },
	{ "{}", NULL, "no manifest: schemaVersion is missing" },
	{ "{'schemaVersion':1,'fsLayers':[]}", NULL,
	  "schema 1 is not supported" },
	{ "{'schemaVersion':3}", NULL, "schemaVersion is not 2" },
	{ "{'schemaVersion':'2'}", NULL, "schemaVersion is not 2" },
	{ "{'schemaVersion':2.0}", NULL, "schemaVersion is not 2" },
	{ "{" V2 CONFIG ",'layers':[]}",
	  "application/vnd.docker.distribution.manifest.v1+prettyjws",
	  "schema 1 is not supported" },
	{ "{" V2 "'mediaType':'application/vnd.docker.distribution.manifest.v1+json'}",
	  NULL, "schema 1 is not supported" },
	{ "{" V2 CONFIG ",'layers':[],'fsLayers':[]}", NULL,
	  "ambiguous manifest: fsLayers in schema 2" },
	{ "{" V2 CONFIG ",'layers':[],'manifests':[]}",
	  MEDIA_TYPE_OCI_MANIFEST,
	  "ambiguous manifest: manifests beside layers or config" },
	{ "{" V2 "'manifests':[],'config':{}}", MEDIA_TYPE_OCI_INDEX,
	  "ambiguous manifest: manifests beside layers or config" },
	{ "{" V2 "'mediaType':'" MEDIA_TYPE_OCI_INDEX "','manifests':[]}",
	  MEDIA_TYPE_OCI_MANIFEST,
	  "ambiguous manifest: sent as " MEDIA_TYPE_OCI_MANIFEST
	  ", but says " MEDIA_TYPE_OCI_INDEX },
	{ "{" V2 "'mediaType':5," CONFIG ",'layers':[]}", NULL,
	  "mediaType is no string" },
	{ "{" V2 "'blobs':[]}", NULL,
	  "neither an image's manifest nor an index" },
	{ "{" V2 CONFIG "}", NULL, "neither an image's manifest nor an index" },
	{ "{" V2 CONFIG "}", MEDIA_TYPE_OCI_MANIFEST, "layers is no array" },
	{ "{" V2 "'layers':[]}", MEDIA_TYPE_OCI_MANIFEST,
	  "config: is no object" },
	{ "{" V2 CONFIG ",'layers':{}}", NULL, "layers is no array" },
	{ "{'schemaVersion':2}", MEDIA_TYPE_OCI_INDEX,
	  "manifests is no array" },
	{ "{" V2 "'manifests':7}", NULL, "manifests is no array" },
	{ "{" V2 "'config':{'size':1},'layers':[]}", NULL,
	  "config: no digest" },
	{ "{" V2 "'config':" DESCRIPTOR("sha256:../../etc") ",'layers':[]}",
	  NULL, "config: bad digest: sha256:../../etc" },
	{ "{" V2 CONFIG ",'layers':[" DESCRIPTOR(A) ",7]}", NULL,
	  "layer 1: is no object" },
	{ "{" V2 CONFIG ",'layers':[" DESCRIPTOR(A) ","
	  DESCRIPTOR("SHA256:00") "]}", NULL, "layer 1: bad digest: SHA256:00" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A "'}]}", NULL,
	  "layer 0: size is no integer from 0 to 2^53-1" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A "','size':-1}]}", NULL,
	  "layer 0: size is no integer from 0 to 2^53-1" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A "','size':5.0}]}", NULL,
	  "layer 0: size is no integer from 0 to 2^53-1" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A "','size':9007199254740992}]}",
	  NULL, "layer 0: size is no integer from 0 to 2^53-1" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A
	  "','size':99999999999999999999}]}", NULL,
	  "layer 0: size is no integer from 0 to 2^53-1" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A "','size':" MAX_SIZE "}]}",
	  NULL, "the sizes add up to more than 2^53-1" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A "','size':1,'mediaType':1}]}",
	  NULL, "layer 0: mediaType is no string" },
	{ "{" V2 "'manifests':[{'digest':'x','size':1}]}", NULL,
	  "entry 0: bad digest: x" },
	{ "{" V2 "'manifests':[" ENTRY(A, "7") "]}", NULL,
	  "entry 0: bad platform" },
	{ "{" V2 "'manifests':[" ENTRY(A, "{'os':7}") "]}", NULL,
	  "entry 0: bad platform" },
	/* two parsers, two images */
	{ "{" V2 CONFIG ",'layers':[],'layers':[" DESCRIPTOR(A) "]}", NULL,
	  "JSON object has a doubled key" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A "','digest':'" B
	  "','size':1}]}", NULL, "JSON object has a doubled key" },
	{ "{" V2 CONFIG ",'layers':[],'Layers':[" DESCRIPTOR(A) "]}", NULL,
	  "layers is written in another case" },
	{ "{" V2 CONFIG ",'layers':[],'layer\xc5\xbf':[]}", NULL,
	  "layers is written in another case" },
	{ "{" V2 CONFIG ",'layers':[{'digest':'" A "','DIGEST':'" B
	  "','size':1}]}", NULL, "layer 0: written in another case: digest" },
	{ "{" V2 "'manifests':[" ENTRY(A, "{'os':'linux','OS':'x'}") "]}",
	  NULL, "entry 0: bad platform" },
};

static int parse(struct manifest *out, const char *text, const char *type,
		 char *why, size_t size)
{
	size_t len;
	AUTO(mem) char *bytes = quoted_bytes(text, &len);

	return manifest_parse(out, bytes, len, type, why, size);
}

static void test_documents(void)
{
	char why[512] = "";

	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO(manifest) struct manifest manifest = { 0 };

		check_row(good[i].text);
		CHECK_NUMBER(parse(&manifest, good[i].text,
				   good[i].content_type, why, sizeof(why)), 0);
		CHECK_NUMBER(manifest.kind, good[i].kind);
		CHECK_TEXT(manifest.media_type, good[i].media_type);
		CHECK_NUMBER(manifest.layer_count + manifest.entry_count,
			     good[i].count);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO(manifest) struct manifest manifest = { 0 };

		check_row(bad[i].text);
		CHECK_NUMBER(parse(&manifest, bad[i].text, bad[i].content_type,
				   why, sizeof(why)), -1);
		CHECK_TEXT(why, bad[i].why);
		CHECK(!manifest.json && !manifest.layers && !manifest.entries);
	}
}

static void test_members(void)
{
	AUTO(manifest) struct manifest m = { 0 };
	char why[512] = "";

	check_row("members of a manifest");
	CHECK_NUMBER(parse(&m, "{" V2 "'config':"
			   TYPED("application/vnd.oci.image.config.v1+json", A)
			   ",'layers':[" TYPED("x/y", B) "," DESCRIPTOR(C) "]}",
			   NULL, why, sizeof(why)), 0);
	CHECK_TEXT(m.config.digest.text, A);
	CHECK_NUMBER(m.config.size, 5);
	CHECK_TEXT(m.layers[0].media_type, "x/y");
	CHECK_TEXT(m.layers[0].digest.text, B);
	CHECK_TEXT(m.layers[1].media_type, "");
	CHECK_TEXT(m.layers[1].digest.text, C);
	CHECK(m.layers[1].json);
	CHECK(manifest_is_container_image(&m));
	manifest_clear(&m);
	parse(&m, "{" V2 "'config':" TYPED("x/y", A) ",'layers':[]}", NULL, why,
	      sizeof(why));
	CHECK(!manifest_is_container_image(&m));
}

static void many(struct buf *text, const char *head, const char *item,
		 size_t count, const char *tail)
{
	buf_append_text(text, head);
	for (size_t i = 0; i < count; i++)
		buf_printf(text, "%s%s", i ? "," : "", item);
	buf_append_text(text, tail);
}

static void test_limits(void)
{
	static const struct {
		const char *head, *item;
		size_t most;
		const char *why;
	} limits[] = {
		{ "{" V2 CONFIG ",'layers':[", DESCRIPTOR(B),
		  MANIFEST_MAX_LAYERS, "more than 10000 layers" },
		{ "{" V2 "'manifests':[", DESCRIPTOR(B), MANIFEST_MAX_ENTRIES,
		  "more than 10000 manifests" },
	};

	for (size_t i = 0; i < 2 * COUNT(limits); i++) {
		AUTO(manifest) struct manifest m = { 0 };
		AUTO(buf) struct buf text = { 0 };
		size_t count = limits[i / 2].most + i % 2;
		char why[512] = "";

		check_row(limits[i / 2].why);
		many(&text, limits[i / 2].head, limits[i / 2].item, count, "]}");
		CHECK_NUMBER(parse(&m, text.data, NULL, why, sizeof(why)),
			     i % 2 ? -1 : 0);
		CHECK_TEXT(why, i % 2 ? limits[i / 2].why : "");
	}
}

/* What is small as text and large as a tree. */
static void test_values(void)
{
	static const struct {
		const char *item;
		size_t most;
	} limits[] = {
		/* beside the document, its version and its two lists */
		{ "{}", JSON_MAX_CONTAINERS - 3 },
		{ "[]", JSON_MAX_CONTAINERS - 3 },
		{ "0", JSON_MAX_VALUES - 4 },
	};

	for (size_t i = 0; i < 2 * COUNT(limits); i++) {
		AUTO(manifest) struct manifest m = { 0 };
		AUTO(buf) struct buf text = { 0 };
		char why[512] = "";

		check_row(limits[i / 2].item);
		many(&text, "{" V2 "'manifests':[],'x':[", limits[i / 2].item,
		     limits[i / 2].most + i % 2, "]}");
		CHECK_NUMBER(parse(&m, text.data, NULL, why, sizeof(why)),
			     i % 2 ? -1 : 0);
		CHECK_TEXT(why, i % 2 ? "too many values in JSON" : "");
	}
}

static void test_size_and_depth(void)
{
	AUTO(manifest) struct manifest m = { 0 };
	AUTO(buf) struct buf text = { 0 };
	AUTO(buf) struct buf deep = { 0 };
	char why[512] = "";

	check_row("bytes");
	memset(buf_reserve(&text, MANIFEST_MAX_BYTES), ' ', MANIFEST_MAX_BYTES);
	CHECK_NUMBER(manifest_parse(&m, text.data, MANIFEST_MAX_BYTES + 1, NULL,
				    why, sizeof(why)), -1);
	CHECK_TEXT(why, "larger than 8388608 bytes");
	CHECK_NUMBER(manifest_parse(&m, text.data, MANIFEST_MAX_BYTES, NULL,
				    why, sizeof(why)), -1);
	CHECK_TEXT(why, "not valid JSON");
	check_row("depth");
	buf_append_text(&deep, "{'a':");
	for (int i = 0; i < 100000; i++)
		buf_append_text(&deep, "[");
	CHECK_NUMBER(parse(&m, deep.data, NULL, why, sizeof(why)), -1);
	CHECK_TEXT(why, "JSON nested too deep");
}

int main(void)
{
	test_documents();
	test_members();
	test_limits();
	test_values();
	test_size_and_depth();
	return check_result();
}
