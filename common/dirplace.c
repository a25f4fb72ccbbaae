/* dirplace.c - see dirplace.h */
#include "common/dirplace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/io.h"
#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/outfile.h"

#define CATALOG "catalog.json"
#define DIRPLACE_MAX_BYTES 67108864
#define EXTRACTED_MANIFEST "manifest.json"
#define HASH_DIGITS 12
#define KEY_MAX 512

/* A part between slashes: not empty, not "." nor "..". */
static bool is_part(const char *text, size_t len)
{
	return len > 0 && strspn(text, ".") < len;
}

bool dirplace_is_key(const char *text)
{
	size_t len = strlen(text);

	if (len > KEY_MAX || text[0] == '.' ||
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789._-/:") != len)
		return false;
	for (;;) {
		size_t part = strcspn(text, "/");

		if (!is_part(text, part))
			return false;
		if (!text[part])
			return true;
		text += part + 1;
	}
}

/* Returns 1 with the parsed file, 0 where there is none, or a failure. */
static int read_json(const struct dirplace *place, const char *name,
		     size_t most, struct json_object **out)
{
	AUTO(mem) char *path = mem_printf("%s/%s", place->path, name);
	AUTO(buf) struct buf text = { 0 };
	AUTO(fd) int fd = -1;
	const char *why;
	int rc;

	if (faccessat(place->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno == ENOENT)
		return 0;
	fd = io_open_regular_as(place->dir, name, path);
	if (fd < 0)
		return fd;
	rc = io_read_all(fd, path, most, &text);
	if (rc < 0)
		return rc;
	*out = json_parse(text.data ? text.data : "", text.len,
			  JSON_DEPTH_DOCUMENT, &why);
	return *out ? 1 : msg_fail(STATUS_INTEGRITY, "%s: %s", path, why);
}

/* The same without a word: NULL where it is not there, or anything else. */
static struct json_object *peek(const struct dirplace *place,
				const char *name, size_t most)
{
	AUTO(fd) int fd = io_try_regular(place->dir, name, (int64_t)most);
	AUTO(buf) struct buf text = { 0 };
	const char *why;

	if (fd < 0 || io_read_all(fd, name, most, &text) < 0)
		return NULL;
	return json_parse(text.data ? text.data : "", text.len,
			  JSON_DEPTH_DOCUMENT, &why);
}

/* Whether a file holds these bytes already. */
static bool holds(const struct dirplace *place, const char *name,
		  const char *text, size_t len)
{
	AUTO(fd) int fd = openat(place->dir, name,
				 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO(mem) char *there = NULL;
	struct stat st;
	size_t got = 0;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size != (off_t)len)
		return false;
	there = mem_resize(NULL, len, 1);
	return io_read(fd, name, there, len, &got) == 0 && got == len &&
	       memcmp(there, text, len) == 0;
}

static int write_json(const struct dirplace *place, const char *name,
		      struct json_object *json)
{
	AUTO(mem) char *path = mem_printf("%s/%s", place->path, name);
	AUTO(outfile) struct outfile *out = NULL;
	size_t len;
	const char *text = json_text(json, &len);
	int rc;

	if (holds(place, name, text, len))
		return 0;
	rc = outfile_open_in(&out, place->dir, path);
	if (rc == 0)
		rc = outfile_write(out, text, len);
	return rc == 0 ? outfile_publish_as(out, place->dir, name, true) : rc;
}

static bool is_map_of_strings(const struct json_object *value)
{
	if (!json_object_is_type(value, json_type_object))
		return false;
	json_object_object_foreach(value, key, member) {
		(void)key;
		if (!json_object_is_type(member, json_type_string))
			return false;
	}
	return true;
}

/* The catalog, empty where there is none. Returns 0 or a failure. */
static int read_catalog(const struct dirplace *place,
			struct json_object **out)
{
	int rc = read_json(place, CATALOG, DIRPLACE_MAX_BYTES, out);

	if (rc < 0)
		return rc;
	if (rc == 0)
		*out = json_new_object();
	if (!json_object_is_type(*out, json_type_object))
		return msg_fail(STATUS_INTEGRITY, "%s/%s: not a catalog",
				place->path, CATALOG);
	json_object_object_foreach(*out, image, tags) {
		(void)image;
		if (!is_map_of_strings(tags))
			return msg_fail(STATUS_INTEGRITY, "%s/%s: not a catalog",
					place->path, CATALOG);
	}
	return 0;
}

/* The manifest file of an image in the catalog, lent, or NULL. */
static const char *find(const struct json_object *catalog,
			const struct dirplace_image *image)
{
	struct json_object *tags = NULL;
	const char *file = NULL;

	if (json_get_object(catalog, image->image, &tags) == 1)
		json_get_string(tags, image->tag, &file);
	return file;
}

/* The config's platform; what cannot be read has none. */
static void read_platform(const struct dirplace *place, const char *config,
			  struct platform *out)
{
	AUTO(json) struct json_object *json = peek(place, config, CONFIG_MAX_BYTES);

	if (json && platform_from_json(out, json) < 0)
		platform_clear(out);
}

static bool is_same_platform(const struct dirplace *place,
			     const struct dirplace_image *image,
			     const char *config)
{
	AUTO(platform) struct platform platform = { 0 };

	if (strchr(config, '/') || config[0] == '.')
		return false;
	read_platform(place, config, &platform);
	return !platform.os ||
	       (mem_same_text(platform.os, image->platform->os) &&
		mem_same_text(platform.architecture, image->platform->architecture) &&
		mem_same_text(platform.variant, image->platform->variant));
}

/* The first Occy Strap has no registry in RepoTags, nor all of the path. */
static bool are_short_tags(const struct json_object *tags,
			   const struct dirplace_image *image)
{
	const char *slash = strrchr(image->image, '/');
	AUTO(mem) char *tag = mem_printf("%s:%s", slash ? slash + 1 : image->image,
					 image->tag);

	return json_object_array_length(tags) == 1 &&
	       mem_same_text(json_string_at(tags, 0), tag);
}

/* What a manifest file says. */
struct standing {
	const char *config;
	struct json_object *tags; /* NULL: there are none */
	bool is_one;              /* entry, not several */
};

/* Of this very image, or of the one whose tag has moved. */
static bool is_of_image(const struct dirplace *place,
			const struct standing *standing,
			const struct dirplace_image *image)
{
	struct json_object *tags = standing->tags;

	if (!standing->is_one)
		return false;
	if (!tags || !json_object_array_length(tags))
		return !json_object_array_length(image->tags) &&
		       strcmp(standing->config, image->config) == 0;
	if (json_object_equal(tags, image->tags))
		return is_same_platform(place, image, standing->config);
	return strcmp(standing->config, image->config) == 0 &&
	       are_short_tags(tags, image);
}

static int refuse(const struct dirplace *place, const char *file,
		  const struct standing *standing,
		  const struct dirplace_image *image)
{
	const char *name = standing->tags ? json_string_at(standing->tags, 0) : NULL;
	const char *advice = place->unique_names ? "" : place->unique_option;
	const char *middle = place->unique_names ? "" : " keeps several images, ";

	if (!standing->is_one)
		return msg_fail(STATUS_FAILED,
				"%s/%s: stands for several images; %s%s--replace puts this one in their place",
				place->path, file, advice, middle);
	if (name && json_object_equal(standing->tags, image->tags))
		return msg_fail(STATUS_FAILED,
				"%s/%s: stands for another platform of %s; --replace puts this one in its place",
				place->path, file, name);
	return msg_fail(STATUS_FAILED,
			"%s/%s: stands for another image%s%s; %s%s--replace puts this one in its place",
			place->path, file, name ? ": " : "", name ? name : "",
			advice, middle);
}

/* A manifest file, where it is there, must be of this image. */
static int check_manifest(const struct dirplace *place, const char *file,
			  const struct dirplace_image *image)
{
	AUTO(json) struct json_object *manifest = NULL;
	struct json_object *entry;
	struct standing standing = { .config = "" };
	int rc = read_json(place, file, MANIFEST_MAX_BYTES, &manifest);

	if (rc <= 0)
		return rc;
	if (!json_object_is_type(manifest, json_type_array) ||
	    json_object_array_length(manifest) == 0)
		return msg_fail(STATUS_INTEGRITY, "%s/%s: not a manifest",
				place->path, file);
	entry = json_object_array_get_idx(manifest, 0);
	standing.is_one = json_object_array_length(manifest) == 1;
	json_get_string(entry, "Config", &standing.config);
	json_get_array(entry, "RepoTags", &standing.tags);
	return is_of_image(place, &standing, image)
		       ? 0
		       : refuse(place, file, &standing, image);
}

static char *without_slashes(char *name)
{
	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '_';
	return name;
}

/* Whether a manifest file is another image's: by the catalog, or by what it
 * says itself where a writer was killed before the catalog knew it. Images of
 * one name have tags of one length in such a file name: those are one. */
static bool is_taken(const struct dirplace *place,
		     const struct json_object *catalog, const char *name,
		     const struct dirplace_image *image)
{
	AUTO(json) struct json_object *manifest = NULL;
	const char *of = image->image;

	json_object_object_foreach(catalog, other, tags) {
		json_object_object_foreach(tags, tag, file) {
			if (strcmp(json_object_get_string(file), name) == 0 &&
			    (strcmp(other, image->image) != 0 ||
			     strcmp(tag, image->tag) != 0))
				return true;
		}
	}
	manifest = peek(place, name, MANIFEST_MAX_BYTES);
	if (json_object_is_type(manifest, json_type_array))
		json_get_string(json_object_array_get_idx(manifest, 0),
				"ImageName", &of);
	return strcmp(of, image->image) != 0;
}

/* manifest-IMAGE-TAG.json with / as _. Where that is too long, or another
 * image has it ("a-b" with tag "c" and "a" with tag "b-c"), some digits of the
 * two keys' hash tell them apart. */
static char *unique_name(const struct dirplace *place,
			 const struct json_object *catalog,
			 const struct dirplace_image *image)
{
	AUTO(mem) char *name = without_slashes(mem_printf(
		"manifest-%s-%s.json", image->image, image->tag));
	AUTO(mem) char *both = mem_printf("%s %s", image->image, image->tag);
	struct digest hash;

	if (strlen(name) <= NAME_MAX && !is_taken(place, catalog, name, image))
		return TAKE(name);
	digest_of(DIGEST_SHA256, both, strlen(both), &hash);
	return without_slashes(mem_printf("manifest-%.100s-%.100s-%.*s.json",
					  image->image, image->tag, HASH_DIGITS,
					  digest_hex(&hash)));
}

/* What the catalog says may be anybody's: only such a name is read, or written
 * to. */
static bool is_manifest_name(const char *file)
{
	size_t len = strlen(file);

	return strcmp(file, EXTRACTED_MANIFEST) == 0 ||
	       (strncmp(file, "manifest-", 9) == 0 && !strchr(file, '/') &&
		strcmp(file + len - 5, ".json") == 0);
}

/* What the image's manifest file is to be called, which the caller frees.
 * Returns 0 or a failure (reported). */
static int choose_name(const struct dirplace *place,
		       const struct json_object *catalog,
		       const struct dirplace_image *image, char **out)
{
	const char *known = find(catalog, image);

	if (known && !is_manifest_name(known))
		return msg_fail(STATUS_INTEGRITY,
				"%s/%s: %s %s leads to what is no manifest: %s",
				place->path, CATALOG, image->image, image->tag,
				known);
	if (!place->unique_names)
		*out = mem_strdup(EXTRACTED_MANIFEST);
	else if (known && strcmp(known, EXTRACTED_MANIFEST) != 0)
		*out = mem_strdup(known);
	else
		*out = unique_name(place, catalog, image);
	return 0;
}

/* Choose the name, and look at what has it; at what the catalog has for the
 * image, too, if that is to become another file. */
static int choose(const struct dirplace *place,
		  const struct json_object *catalog,
		  const struct dirplace_image *image, char **name)
{
	const char *known = find(catalog, image);
	int rc = choose_name(place, catalog, image, name);

	if (!*name || place->replace)
		return rc;
	rc = check_manifest(place, *name, image);
	if (rc == 0 && known && strcmp(known, *name) != 0)
		rc = check_manifest(place, known, image);
	return rc;
}

int dirplace_check(const struct dirplace *place,
		  const struct dirplace_image *image)
{
	AUTO(json) struct json_object *catalog = NULL;
	AUTO(mem) char *name = NULL;
	int rc = read_catalog(place, &catalog);

	return rc == 0 ? choose(place, catalog, image, &name) : rc;
}

static struct json_object *make_manifest(const struct dirplace *place,
					 const struct dirplace_image *image)
{
	struct json_object *manifest = json_new_array();
	struct json_object *entry = json_new_object();

	json_add_string(entry, "Config", image->config);
	if (place->unique_names)
		json_add_string(entry, "ImageName", image->image);
	else
		json_add(entry, "RepoTags", json_object_get(image->tags));
	json_add(entry, "Layers", json_object_get(image->layers));
	if (place->unique_names)
		json_add(entry, "RepoTags", json_object_get(image->tags));
	json_append(manifest, entry);
	return manifest;
}

/* A manifest file stands for one image: a copy of the catalog without what it
 * says of this file for others. */
static struct json_object *without_others(const struct json_object *catalog,
					  const struct dirplace_image *us,
					  const char *file)
{
	struct json_object *copy = json_new_object();

	json_object_object_foreach(catalog, image, tags) {
		struct json_object *kept = json_new_object();

		json_object_object_foreach(tags, tag, name) {
			if (strcmp(json_object_get_string(name), file) != 0 ||
			    (strcmp(image, us->image) == 0 &&
			     strcmp(tag, us->tag) == 0))
				json_add(kept, tag, json_object_get(name));
		}
		if (json_object_object_length(kept) > 0)
			json_add(copy, image, kept);
		else
			json_object_put(kept);
	}
	return copy;
}

static int write_entry(const struct dirplace *place,
		       struct json_object *catalog,
		       const struct dirplace_image *image, const char *file)
{
	const char *known = find(catalog, image);
	struct json_object *tags = NULL;

	if (known && strcmp(known, file) == 0)
		return 0;
	if (json_get_object(catalog, image->image, &tags) != 1) {
		tags = json_new_object();
		json_add(catalog, image->image, tags);
	}
	json_add_string(tags, image->tag, file);
	return write_json(place, CATALOG, catalog);
}

/* An entry never leads to nothing, nor to another image, whenever we are
 * killed: those of others go first, then comes the manifest, then our entry. */
static int add(const struct dirplace *place,
	       const struct dirplace_image *image, char **manifest)
{
	AUTO(json) struct json_object *catalog = NULL;
	AUTO(json) struct json_object *rest = NULL;
	AUTO(json) struct json_object *json = make_manifest(place, image);
	int rc = read_catalog(place, &catalog);

	if (rc == 0)
		rc = choose(place, catalog, image, manifest);
	if (rc < 0 || !*manifest)
		return rc;
	rest = without_others(catalog, image, *manifest);
	if (!json_object_equal(rest, catalog))
		rc = write_json(place, CATALOG, rest);
	if (rc == 0)
		rc = write_json(place, *manifest, json);
	return rc == 0 ? write_entry(place, rest, image, *manifest) : rc;
}

int dirplace_add(const struct dirplace *place,
		const struct dirplace_image *image, char **manifest)
{
	AUTO(fd) int lock = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0 || flock(lock, LOCK_EX) != 0)
		return io_fail(place->path);
	return add(place, image, manifest);
}
