/* store_walk.c - see store_walk.h */
#include "common/store_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/digestset.h"
#include "common/io.h"
#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/store_list.h"
#include "common/store_private.h"

struct walker {
	const struct store_walk *walk;
	struct store_folder folders[2]; /* by algorithm */
	struct digest_set documents;    /* been there */
	struct digest_set ways;         /* indexes that led to images */
	const char *image;
};

static int walk_document(struct walker *w, const struct store_need *need,
			 const char *media_type, int depth);

static int need_part(struct walker *w, const char *what,
		     const struct descriptor *part)
{
	const struct store_need need = {
		.image = w->image,
		.what = what,
		.digest = &part->digest,
		.size = part->size,
	};

	return w->walk->need(w->walk->context, &need);
}

static int walk_image(struct walker *w, const struct manifest *manifest)
{
	int rc = need_part(w, "config", &manifest->config);

	for (size_t i = 0; i < manifest->layer_count && rc >= 0; i++) {
		AUTO(mem) char *what = mem_printf("layer %zu", i);

		rc = need_part(w, what, &manifest->layers[i]);
	}
	return rc < 0 ? rc : 0;
}

static int walk_index(struct walker *w, const struct manifest *index, int depth)
{
	int rc = 0;

	for (size_t i = 0; i < index->entry_count && rc >= 0; i++) {
		const struct descriptor *entry = &index->entries[i].descriptor;
		const struct store_need need = {
			.image = w->image,
			.what = "manifest",
			.digest = &entry->digest,
			.size = entry->size,
			.is_optional = true,
		};

		rc = walk_document(w, &need, entry->media_type, depth + 1);
	}
	return rc;
}

/* An artifact of some other kind: all digests in it. */
static int walk_unknown(struct walker *w, struct json_object *json, int depth)
{
	struct digest digest;
	const struct store_need need = {
		.image = w->image,
		.what = "blob",
		.digest = &digest,
		.size = -1,
		.is_optional = true,
	};
	int rc = 0;

	if (json_object_is_type(json, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(json) && rc >= 0; i++)
			rc = walk_unknown(w, json_object_array_get_idx(json, i),
					  depth);
	} else if (json_object_is_type(json, json_type_object)) {
		json_object_object_foreach(json, key, value) {
			(void)key;
			if (rc >= 0)
				rc = walk_unknown(w, value, depth);
		}
	} else if (json_object_is_type(json, json_type_string) &&
		   digest_parse(&digest, json_object_get_string(json)) == 0) {
		rc = walk_document(w, &need, NULL, depth + 1);
	}
	return rc;
}

static int fail(const struct walker *w, const struct store_need *need,
		const char *why)
{
	return msg_fail(STATUS_INTEGRITY, "%s: %s %s: %s", w->image, need->what,
			need->digest->text, why);
}

/* Returns a descriptor; -1 where there is no such file, or none that can be a
 * document by its size (quietly); below that a failure. */
static int open_document(const struct store_folder *folder, const char *name)
{
	AUTO(fd) int fd = openat(folder->fd, name,
				 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	/* A link and a FIFO are no blobs. What is there, but closed to us, is
	 * not the same as missing. */
	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENXIO))
		return -1;
	if (fd < 0 || fstat(fd, &st) != 0)
		return msg_fail(STATUS_STORAGE, "%s/%s: %s", folder->path, name,
				strerror(errno));
	return S_ISREG(st.st_mode) && st.st_size <= MANIFEST_MAX_BYTES
		       ? TAKE_FD(fd)
		       : -1;
}

/* Returns 1 with the bytes, 0 where there is no document. */
static int read_document(struct walker *w, const struct store_need *need,
			 struct buf *out)
{
	enum digest_algorithm algorithm = digest_algorithm(need->digest);
	const struct store_folder *folder = &w->folders[algorithm];
	AUTO(fd) int fd = folder->fd < 0 ? -1
					 : open_document(folder,
							 digest_hex(need->digest));
	struct digest got;
	int rc;

	if (fd < 0)
		return fd == -1 ? 0 : fd;
	rc = io_read_all(fd, need->digest->text, MANIFEST_MAX_BYTES, out);
	if (rc < 0)
		return rc;
	digest_of(algorithm, out->data, out->len, &got);
	if (!digest_equal(&got, need->digest))
		return fail(w, need, "digest mismatch");
	return 1;
}

static bool is_object(const struct buf *bytes)
{
	return bytes->data &&
	       bytes->data[strspn(bytes->data, " \t\r\n")] == '{';
}

static int walk_bytes(struct walker *w, const struct store_need *need,
		      const struct buf *bytes, const char *media_type, int depth)
{
	AUTO(manifest) struct manifest manifest = { 0 };
	AUTO(json) struct json_object *json = NULL;
	const char *text;
	char why[512];

	if (manifest_parse(&manifest, bytes->data, bytes->len, media_type, why,
			   sizeof(why)) == 0)
		return manifest.kind == MANIFEST_IMAGE
			       ? walk_image(w, &manifest)
			       : walk_index(w, &manifest, depth);
	json = json_parse(bytes->data, bytes->len, JSON_DEPTH_DOCUMENT, &text);
	return json ? walk_unknown(w, json, depth) : fail(w, need, text);
}

static int walk_document(struct walker *w, const struct store_need *need,
			 const char *media_type, int depth)
{
	AUTO(buf) struct buf bytes = { 0 };
	int rc = w->walk->need(w->walk->context, need);

	if (rc < 0 || !digest_set_add(&w->documents, need->digest))
		return rc < 0 ? rc : 0;
	rc = read_document(w, need, &bytes);
	if (rc <= 0 || !is_object(&bytes))
		return rc < 0 ? rc : 0;
	if (depth > MANIFEST_MAX_INDEX_DEPTH)
		return fail(w, need, "too many documents within each other");
	return walk_bytes(w, need, &bytes, media_type, depth);
}

static int walk_ways(struct walker *w, const char *text, int depth);

/* Those that lead to further images need not be there. */
static int walk_way(struct walker *w, const struct index_entry *entry, int depth)
{
	const char *type = entry->descriptor.media_type;
	bool is_index = strcmp(type, MEDIA_TYPE_OCI_INDEX) == 0 ||
			strcmp(type, MEDIA_TYPE_DOCKER_LIST) == 0;

	return is_index ? walk_ways(w, entry->descriptor.digest.text, depth + 1) : 0;
}

/* The index that led to an image, and indexes in it: they are kept, but what
 * else they lead to has entries of its own. */
static int walk_ways(struct walker *w, const char *text, int depth)
{
	AUTO(buf) struct buf bytes = { 0 };
	AUTO(manifest) struct manifest index = { 0 };
	struct digest digest;
	const struct store_need need = {
		.image = w->image,
		.what = "index",
		.digest = &digest,
		.size = -1,
		.is_optional = true,
	};
	char why[512];
	int rc;

	if (digest_parse(&digest, text) < 0 || depth > MANIFEST_MAX_INDEX_DEPTH)
		return 0;
	rc = w->walk->need(w->walk->context, &need);
	if (rc < 0 || !digest_set_add(&w->ways, &digest))
		return rc < 0 ? rc : 0;
	rc = read_document(w, &need, &bytes);
	if (rc <= 0 || !is_object(&bytes) ||
	    manifest_parse(&index, bytes.data, bytes.len, NULL, why, sizeof(why)) < 0)
		return rc < 0 ? rc : 0;
	for (size_t i = 0; i < index.entry_count && rc >= 0; i++)
		rc = walk_way(w, &index.entries[i], depth);
	return rc < 0 ? rc : 0;
}

static int walk_entry(struct walker *w, const struct json_object *entry, size_t i)
{
	struct store_need need = { .what = "manifest", .size = -1, .is_top = true };
	const char *text = "", *media_type = NULL, *name;
	struct digest digest;
	int rc;

	json_get_string(entry, "digest", &text);
	json_get_string(entry, "mediaType", &media_type);
	if (digest_parse(&digest, text) < 0 ||
	    json_get_integer(entry, "size", &need.size) < 0)
		return msg_fail(STATUS_STORAGE,
				"%s/index.json: entry %zu: no descriptor of a blob",
				store_path(w->walk->store), i);
	name = store_entry_name(entry);
	w->image = *name ? name : digest.text;
	need.image = w->image;
	need.digest = &digest;
	rc = walk_document(w, &need, media_type, 0);
	if (rc == 0)
		rc = walk_ways(w, store_entry_tag_digest(entry), 0);
	w->image = NULL;
	return rc;
}

static int walk_entries(struct walker *w)
{
	AUTO(json) struct json_object *index = NULL;
	struct json_object *manifests = NULL;
	int rc = store_read_index(w->walk->store, &index), worst = rc;

	if (rc == 0)
		json_get_array(index, "manifests", &manifests);
	for (size_t i = 0; manifests && i < json_object_array_length(manifests); i++) {
		rc = walk_entry(w, json_object_array_get_idx(manifests, i), i);
		worst = worst < 0 ? worst : rc;
		if (rc < 0 && !w->walk->keep_going)
			break;
	}
	return worst;
}

int store_walk(const struct store_walk *walk)
{
	struct walker w = {
		.walk = walk,
		.folders = { STORE_FOLDER_NONE, STORE_FOLDER_NONE },
	};
	int rc = store_folder_of(walk->store, DIGEST_SHA256, &w.folders[0]);

	if (rc == 0)
		rc = store_folder_of(walk->store, DIGEST_SHA512, &w.folders[1]);
	if (rc == 0)
		rc = walk_entries(&w);
	store_folder_clear(&w.folders[0]);
	store_folder_clear(&w.folders[1]);
	digest_set_clear(&w.documents);
	digest_set_clear(&w.ways);
	return rc;
}
