/* manifest.c - a document, read as a manifest under several content types and
 * as an image config. Which kind it is never depends on the header alone when
 * it could be read as both. */
#include "common/manifest.h"

#include <string.h>

#include "fuzz.h"

static void require_sound_image(const struct manifest *m)
{
	int64_t total = m->config.size;

	REQUIRE(digest_is_set(&m->config.digest) && m->config.json);
	for (size_t i = 0; i < m->layer_count; i++) {
		struct digest again;

		REQUIRE(digest_parse(&again, m->layers[i].digest.text) == 0);
		REQUIRE(m->layers[i].size >= 0 && m->layers[i].media_type);
		total += m->layers[i].size;
	}
	REQUIRE(total <= JSON_INTEGER_MAX);
}

static void require_sound_index(const struct manifest *m)
{
	char os[] = "linux", architecture[] = "arm", variant[] = "v7";
	struct platform wish = { .os = os, .architecture = architecture,
				 .variant = variant };
	const struct index_entry *chosen = manifest_choose(m, &wish);
	AUTO(mem) char *listed = manifest_platforms(m);

	REQUIRE(listed);
	REQUIRE(!chosen || !chosen->is_attestation);
	REQUIRE(!chosen || !chosen->has_platform ||
		strcmp(chosen->platform.architecture, "arm") == 0);
	for (size_t i = 0; i < m->entry_count; i++)
		REQUIRE(digest_is_set(&m->entries[i].descriptor.digest));
}

/* Returns the kind, or -1. */
static int read_manifest(const char *bytes, size_t size, const char *type)
{
	AUTO(manifest) struct manifest m = { 0 };
	char why[256] = "";

	if (manifest_parse(&m, bytes, size, type, why, sizeof(why)) < 0) {
		require_reason(why);
		REQUIRE(!m.json && !m.layers && !m.entries);
		return -1;
	}
	REQUIRE(m.media_type && m.json);
	if (m.kind == MANIFEST_IMAGE)
		require_sound_image(&m);
	else
		require_sound_index(&m);
	return (int)m.kind;
}

static void read_config(const char *bytes, size_t size)
{
	AUTO(image_config) struct image_config config = { 0 };
	char why[256] = "";

	if (image_config_parse(&config, bytes, size, why, sizeof(why)) < 0) {
		require_reason(why);
		REQUIRE(!config.json && !config.diff_ids);
		return;
	}
	for (size_t i = 0; i < config.diff_id_count; i++)
		REQUIRE(digest_is_set(&config.diff_ids[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	int plain = read_manifest(bytes, size, "text/plain; charset=utf-8");
	int image = read_manifest(bytes, size, MEDIA_TYPE_DOCKER_MANIFEST);
	int index = read_manifest(bytes, size, MEDIA_TYPE_OCI_INDEX);

	REQUIRE(image < 0 || index < 0);
	REQUIRE(plain < 0 || image == plain || index == plain);
	read_config(bytes, size);
	return 0;
}
