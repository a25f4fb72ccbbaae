/* saved.c - a document, read as manifest.json and as catalog.json. What is
 * taken holds no name that leads anywhere. */
#include <string.h>

#include "common/catalog.h"
#include "common/savedmanifest.h"
#include "common/savednames.h"
#include "fuzz.h"

static void require_names(const struct saved_image *image,
			  const struct catalog_entry *entry)
{
	char why[512] = "";
	AUTO(json) struct json_object *names =
		saved_names(image, entry, why, sizeof(why));

	if (!names) {
		require_reason(why);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_string_at(names, i);

		REQUIRE(name && strchr(name, '/') && strrchr(name, ':'));
		for (; *name; name++)
			REQUIRE(*name > 0x20 && *name < 0x7f);
	}
	saved_names_match(names, "library/busybox", "latest");
}

static void read_manifest(const char *bytes, size_t size)
{
	static const struct catalog_entry entry = { "a/b", "1", "m.json" };
	AUTO(saved_manifest) struct saved_manifest manifest = { 0 };
	char why[512] = "";

	if (saved_manifest_parse(&manifest, bytes, size, why, sizeof(why)) < 0) {
		require_reason(why);
		REQUIRE(!manifest.json && !manifest.images);
		return;
	}
	for (size_t i = 0; i < manifest.count; i++) {
		const struct saved_image *image = &manifest.images[i];

		REQUIRE(digest_is_set(&image->config));
		for (size_t k = 0; k < image->layer_count; k++)
			REQUIRE(digest_is_set(&image->layers[k]));
		require_names(image, NULL);
		require_names(image, &entry);
	}
}

static void read_catalog(const char *bytes, size_t size)
{
	AUTO(catalog) struct catalog catalog = { 0 };
	char why[512] = "";

	if (catalog_parse(&catalog, bytes, size, why, sizeof(why)) < 0) {
		require_reason(why);
		REQUIRE(!catalog.json && !catalog.entries);
		return;
	}
	for (size_t i = 0; i < catalog.count && i < 100; i++) {
		const struct catalog_entry *entry = &catalog.entries[i];

		REQUIRE(catalog_find(&catalog, entry->image, entry->tag) == entry);
		REQUIRE(!strchr(entry->manifest, '/'));
		REQUIRE(strcmp(entry->manifest, ".") != 0 &&
			strcmp(entry->manifest, "..") != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	read_manifest(bytes, size);
	read_catalog(bytes, size);
	return 0;
}
