/* savedmanifest.c - which names manifest.json may hold, and what an image of it
 * is called */
#include "common/savedmanifest.h"

#include "check.h"
#include "common/savednames.h"
#include "quoted.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct {
	const char *name, *suffix, *digest; /* NULL: refused */
} names[] = {
	{ A ".json", ".json", "sha256:" A },
	{ A B "/layer.tar", "/layer.tar", "sha512:" A B },
	{ A, "", "sha256:" A },
	{ "", "", NULL },
	{ "", ".json", NULL },
	{ ".json", ".json", NULL },
	{ A, ".json", NULL },
	{ A ".json", "/layer.tar", NULL },
	{ A ".JSON", ".json", NULL },
	{ "A" A ".json", ".json", NULL },
	{ "/" A ".json", ".json", NULL },
	{ "g" A, "a", NULL },
	{ A "/layer.tar/", "/layer.tar", NULL },
	{ "../../aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json",
	  ".json", NULL },
	{ "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json",
	  ".json", NULL },
};

static void check_names(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		struct digest digest;

		check_row(names[i].name);
		CHECK_NUMBER(saved_name_parse(&digest, names[i].name,
					      names[i].suffix),
			     names[i].digest ? 0 : -1);
		CHECK_TEXT(digest.text, names[i].digest ? names[i].digest : "");
	}
}

#define CONFIG "'Config':'" A ".json'"

static const struct {
	const char *text;
	size_t images;
	const char *why; /* NULL: taken */
} manifests[] = {
	{ "[]", 0, NULL },
	{ "[{" CONFIG "}]", 1, NULL },
	{ "[{" CONFIG ",'Layers':null,'RepoTags':null,'ImageName':null}]", 1, NULL },
	{ "[{" CONFIG ",'Parent':7,'LayerSources':{}},{" CONFIG "}]", 2, NULL },
	{ "{}", 0, "not a JSON array" },
	{ "null", 0, "not valid JSON" },
	{ "[", 0, "not valid JSON" },
	{ "[{" CONFIG "},[]]", 0, "image 1 is no object" },
	{ "[{" CONFIG ",'layers':[]}]", 0,
	  "image 0: Layers is written in another case" },
	{ "[{" CONFIG "," CONFIG "}]", 0, "JSON object has a doubled key" },
	{ "[{" CONFIG ",'Layers':['x\x1b']}]", 0,
	  "control byte in JSON string" },
	{ "[{" CONFIG ",'Layers':['\\u001b']}]", 0,
	  "image 0: layer 0 is not <digest>/layer.tar: '\\x1b'" },
};

static void check_manifests(void)
{
	for (size_t i = 0; i < COUNT(manifests); i++) {
		AUTO(saved_manifest) struct saved_manifest manifest = { 0 };
		AUTO(mem) char *bytes = NULL;
		char why[512] = "";
		size_t len;

		check_row(manifests[i].text);
		bytes = quoted_bytes(manifests[i].text, &len);
		CHECK_NUMBER(saved_manifest_parse(&manifest, bytes, len, why,
						  sizeof(why)),
			     manifests[i].why ? -1 : 0);
		CHECK_TEXT(why, manifests[i].why ? manifests[i].why : "");
		CHECK_NUMBER(manifest.count, manifests[i].images);
	}
}

static const struct {
	const char *tags, *image, *tag; /* image NULL: no catalog */
	const char *names;		/* NULL: refused */
	const char *why;
} called[] = {
	{ "null", NULL, NULL, "[]", NULL },
	{ "[]", "a/b", "1", "[]", NULL },
	{ "['busybox:1']", NULL, NULL, "['docker.io/library/busybox:1']", NULL },
	{ "['a/b']", NULL, NULL, "['docker.io/a/b:latest']", NULL },
	{ "['a/b:1','docker.io/a/b:1','quay.io/a/b:1']", NULL, NULL,
	  "['docker.io/a/b:1','quay.io/a/b:1']", NULL },
	{ "['b:1']", "a/b", "1", "['docker.io/a/b:1']", NULL },
	{ "['b:1','c:1']", "a/b", "1", "['docker.io/a/b:1']", NULL },
	{ "['quay.io/a/b:1']", "a/b", "1", "['quay.io/a/b:1']", NULL },
	{ "['b:sha256:" A "']", "a/b", "sha256:" A, "[]", NULL },
	{ "['not a name']", "a/b", "1", "['docker.io/a/b:1']", NULL },
	{ "['not a name']", NULL, NULL, NULL, "bad repository name: not a name" },
	{ "['b:1']", "a/b:7", "1", NULL, "put the tag in TAG, not in IMAGE: a/b:7" },
	{ "['b:1']", "", "1", NULL, "the repository name is missing" },
};

static void check_called(void)
{
	for (size_t i = 0; i < COUNT(called); i++) {
		AUTO(mem) char *text = mem_printf("[{" CONFIG ",'RepoTags':%s}]",
						  called[i].tags);
		AUTO(saved_manifest) struct saved_manifest manifest = { 0 };
		AUTO(mem) char *bytes = NULL;
		AUTO(mem) char *wanted = NULL;
		AUTO(json) struct json_object *got = NULL;
		struct catalog_entry entry = { called[i].image, called[i].tag,
					       "x.json" };
		char why[512] = "";
		size_t len;

		check_row(called[i].tags);
		bytes = quoted_bytes(text, &len);
		CHECK_NUMBER(saved_manifest_parse(&manifest, bytes, len, why,
						  sizeof(why)), 0);
		got = saved_names(&manifest.images[0],
				  called[i].image ? &entry : NULL, why,
				  sizeof(why));
		CHECK_NUMBER(got != NULL, called[i].names != NULL);
		if (!got) {
			CHECK_TEXT(why, called[i].why);
			continue;
		}
		wanted = quoted_bytes(called[i].names, &len);
		wanted = mem_resize(wanted, len + 1, 1);
		wanted[len] = '\0';
		CHECK_TEXT(json_text(got, NULL), wanted);
	}
}

static const struct {
	const char *image, *tag;
	int match;
} typed[] = {
	{ "busybox", "1", 2 },
	{ "library/busybox", "1", 2 },
	{ "docker.io/busybox", "1", 2 },
	{ "registry-1.docker.io/library/busybox", "1", 2 },
	{ "quay.io/a/b", "2", 2 },
	{ "a/b", "2", 1 },
	{ "b", "2", 0 },
	{ "busybox", "2", 0 },
	{ "ghcr.io/a/b", "2", 0 },
	{ "quay.io/a/b", "sha256:" A, 0 },
	{ "", "", 0 },
	{ "\x1b", "\xff", 0 },
};

static void check_typed(void)
{
	AUTO(json) struct json_object *array = json_new_array();

	json_append(array, json_new_string("docker.io/library/busybox:1"));
	json_append(array, json_new_string("quay.io/a/b:2"));
	for (size_t i = 0; i < COUNT(typed); i++) {
		check_row(typed[i].image);
		CHECK_NUMBER(saved_names_match(array, typed[i].image,
					       typed[i].tag),
			     typed[i].match);
	}
}

int main(void)
{
	check_names();
	check_manifests();
	check_called();
	check_typed();
	return check_result();
}
