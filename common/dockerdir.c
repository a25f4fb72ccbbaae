/* dockerdir.c - see dockerdir.h */
#include "common/dockerdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/dirplace.h"
#include "common/imageblock.h"
#include "common/io.h"
#include "common/layerdir.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/outfile.h"
#include "common/reference.h"

#define JOIN_TRIES 20

/* An image whose block is complete, until all may appear. */
struct listed {
	char *label;           /* for result records */
	char *image, *tag;     /* as the catalog calls it */
	char *config;          /* "<hex>.json" */
	struct platform platform;
	struct json_object *layers, *tags; /* owned */
};

struct dockerdir {
	struct dockerdir_settings settings;
	struct dirplace place;
	char *path;  /* absolute */
	int dir;
	bool is_made; /* by us */
	struct imageblock block;
	struct listed now;    /* of this block */
	struct listed *list;  /* of those before */
	size_t count, capacity;
};

static void listed_clear(struct listed *listed)
{
	free(listed->label);
	free(listed->image);
	free(listed->tag);
	free(listed->config);
	platform_clear(&listed->platform);
	json_object_put(listed->layers);
	json_object_put(listed->tags);
	*listed = (struct listed){ 0 };
}

/* Everybody who works in a directory holds a read lock on it, taken under a
 * shared flock(2); who made it removes it under an exclusive one. So nobody
 * loses the directory from under his feet. Returns 0, or -1 with errno. */
static int join(struct dockerdir *dir, const char *path)
{
	struct flock mark = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct stat st;
	int rc;

	dir->is_made = mkdir(path, 0777) == 0;
	if (!dir->is_made && errno != EEXIST)
		return -1;
	dir->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->dir < 0)
		return -1;
	flock(dir->dir, LOCK_SH);
	fcntl(dir->dir, F_OFD_SETLK, &mark);
	flock(dir->dir, LOCK_UN);
	rc = fstat(dir->dir, &st);
	if (rc == 0 && st.st_nlink == 0) {
		errno = ENOENT;
		rc = -1;
	}
	if (rc < 0) {
		close(dir->dir);
		dir->dir = -1;
	}
	return rc;
}

/* Only an empty one goes, and where nobody else has joined. */
static void remove_again(const struct dockerdir *dir)
{
	struct flock mark = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (flock(dir->dir, LOCK_EX) == 0 &&
	    fcntl(dir->dir, F_OFD_GETLK, &mark) == 0 && mark.l_type == F_UNLCK)
		rmdir(dir->settings.path);
}

int dockerdir_open(struct dockerdir **out, const struct dockerdir_settings *settings)
{
	AUTO(dockerdir) struct dockerdir *dir = mem_zalloc(1, sizeof(*dir));
	int rc;

	dir->settings = *settings;
	dir->dir = -1;
	rc = join(dir, settings->path);
	/* Gone in between: its maker has just given it up. */
	for (int i = 0; rc < 0 && errno == ENOENT && i < JOIN_TRIES; i++)
		rc = join(dir, settings->path);
	if (rc < 0)
		return io_fail(settings->path);
	if (faccessat(dir->dir, ".", W_OK, AT_EACCESS) != 0)
		return io_fail(settings->path);
	dir->path = realpath(settings->path, NULL);
	if (!dir->path)
		return io_fail(settings->path);
	dir->place = (struct dirplace){
		.dir = dir->dir,
		.path = settings->path,
		.unique_names = settings->unique_names,
		.unique_option = settings->unique_option,
		.replace = settings->replace,
	};
	*out = TAKE(dir);
	return 0;
}

void dockerdir_free(struct dockerdir *dir)
{
	if (!dir)
		return;
	if (dir->is_made && dir->dir >= 0)
		remove_again(dir);
	if (dir->dir >= 0)
		close(dir->dir);
	for (size_t i = 0; i < dir->count; i++)
		listed_clear(&dir->list[i]);
	free(dir->list);
	listed_clear(&dir->now);
	imageblock_clear(&dir->block);
	free(dir->path);
	free(dir);
}

/* Write bytes under a name in the directory, unless they are there. */
static int put_file(const struct dockerdir *dir, const char *name,
		    const struct buf *bytes)
{
	AUTO(mem) char *path = mem_printf("%s/%s", dir->settings.path, name);
	AUTO(outfile) struct outfile *out = NULL;
	AUTO(fd) int fd = io_try_regular(dir->dir, name, (int64_t)bytes->len);
	AUTO(buf) struct buf there = { 0 };
	int rc;

	if (fd >= 0 && io_read_all(fd, path, CONFIG_MAX_BYTES, &there) == 0 &&
	    there.len == bytes->len &&
	    memcmp(there.data, bytes->data, bytes->len) == 0)
		return 0;
	rc = outfile_open_in(&out, dir->dir, path);
	if (rc == 0)
		rc = outfile_write(out, bytes->data, bytes->len);
	return rc == 0 ? outfile_publish_as(out, dir->dir, name, false) : rc;
}

static int end_block(struct dockerdir *dir)
{
	int rc;

	if (!dir->block.label)
		return 0;
	rc = imageblock_check_whole(&dir->block);
	/* Not before: a config alone is no use to a next run. */
	if (rc == 0)
		rc = put_file(dir, dir->now.config, &dir->block.config_bytes);
	if (rc < 0)
		return rc;
	dir->list = mem_grow(dir->list, dir->count, &dir->capacity,
			     sizeof(*dir->list));
	dir->now.label = mem_strdup(dir->block.label);
	dir->list[dir->count++] = dir->now;
	dir->now = (struct listed){ 0 };
	imageblock_clear(&dir->block);
	return 0;
}

/* By a full name: docker.io/library/busybox:latest is library/busybox. Returns
 * 0, or a failure (reported) where it is none. */
static int name_by(struct dockerdir *dir, const char *name)
{
	AUTO(reference) struct reference reference = { 0 };
	char why[512];

	if (reference_parse(&reference, name, why, sizeof(why)) < 0 ||
	    !reference.tag)
		return msg_fail(STATUS_INTEGRITY, "%s: no name for a directory: %s",
				dir->block.label, name);
	dir->now.image = mem_strdup(reference.repository);
	dir->now.tag = mem_strdup(reference.tag);
	return 0;
}

/* What the catalog calls the image: IMAGE as it was typed where the stream
 * says that, and its tag, else the digest that was asked for; and where the
 * stream has only names, the first one. */
static int name_image(struct dockerdir *dir, const struct record *record)
{
	const struct image_view *image = &record->image;
	const char *name = image->typed ? image->typed : image->repository;
	const char *tag = image->tag;

	if (!tag && json_get_string(record->json, "tag_digest", &tag) != 1)
		tag = digest_is_set(&image->digest) ? image->digest.text : NULL;
	if (dir->settings.name)
		return name_by(dir, dir->settings.name);
	if (!name && json_object_array_length(dir->now.tags) > 0)
		return name_by(dir, json_string_at(dir->now.tags, 0));
	if (!name || !tag)
		return msg_fail(STATUS_NOT_FOUND,
				"%s: the stream does not say image and tag, which a directory needs; --name does",
				dir->block.label);
	if (!dirplace_is_key(name) || !dirplace_is_key(tag))
		return msg_fail(STATUS_INTEGRITY, "%s: no name for a directory: %s %s",
				dir->block.label, name, tag);
	dir->now.image = mem_strdup(name);
	dir->now.tag = mem_strdup(tag);
	return 0;
}

static int begin_block(struct dockerdir *dir, const struct record *record)
{
	int rc = end_block(dir);

	if (rc < 0)
		return rc;
	if (dir->count > 0 && (dir->settings.name || !dir->settings.unique_names))
		return msg_fail(STATUS_USAGE, "%s: a second image, and %s is for one only",
				image_view_name(&record->image),
				dir->settings.name ? "--name"
						   : "a directory without --unique-names");
	imageblock_begin(&dir->block, &record->image);
	dir->now.layers = json_new_array();
	dir->now.tags = json_new_array();
	if (dir->settings.name)
		json_append(dir->now.tags, json_new_string(dir->settings.name));
	for (size_t i = 0; !dir->settings.name && record->image.names &&
			   i < json_object_array_length(record->image.names); i++)
		json_append(dir->now.tags,
			    json_new_string(json_string_at(record->image.names, i)));
	return name_image(dir, record);
}

static struct dirplace_image catalog_view(const struct listed *listed)
{
	return (struct dirplace_image){
		.image = listed->image,
		.tag = listed->tag,
		.config = listed->config,
		.platform = &listed->platform,
		.layers = listed->layers,
		.tags = listed->tags,
	};
}

/* One key of the catalog is for one image, also of those to come. */
static int check_listed(const struct dockerdir *dir)
{
	const struct listed *now = &dir->now;

	for (size_t i = 0; i < dir->count; i++) {
		const struct listed *other = &dir->list[i];

		if (strcmp(other->image, now->image) == 0 &&
		    strcmp(other->tag, now->tag) == 0 &&
		    (strcmp(other->config, now->config) != 0 ||
		     !json_object_equal(other->tags, now->tags)))
			return msg_fail(STATUS_FAILED,
					"%s: two different images are called %s %s",
					dir->block.label, now->image, now->tag);
	}
	return 0;
}

static int put_config(struct dockerdir *dir, const struct config_view *config)
{
	struct dirplace_image view;
	struct json_object *json;
	int rc = imageblock_take_config(&dir->block, config);

	if (rc < 0)
		return rc;
	json = dir->block.config.json;
	if (platform_from_json(&dir->now.platform, json) < 0)
		platform_clear(&dir->now.platform);
	dir->now.config = mem_printf("%s.json", digest_hex(&config->digest));
	/* Before the layers: a refusal after an hour's download is no use. */
	rc = check_listed(dir);
	view = catalog_view(&dir->now);
	return rc == 0 ? dirplace_check(&dir->place, &view) : rc;
}

static void add_plain(const struct dockerdir *dir, struct json_object *json,
		      const char *member, int64_t size)
{
	AUTO(mem) char *file = mem_printf("%s/%s", dir->path, member);
	struct json_object *plain = json_new_object();

	json_add_string(plain, "file", file);
	json_add_integer(plain, "offset", 0);
	json_add_integer(plain, "length", size);
	json_add(json, "plain", plain);
}

static int put_layer(struct dockerdir *dir, struct record *record)
{
	const struct layer_view *layer = &record->layer;
	AUTO(mem) char *name = imageblock_layer_name(&dir->block, layer);
	AUTO(mem) char *member = NULL;
	const struct layerdir place = { dir->dir, dir->settings.path };
	const struct digest *diff_id;
	int64_t size = 0;
	int rc = imageblock_next_layer(&dir->block, layer, name, &diff_id);

	if (rc < 0)
		return rc;
	member = layerdir_member(layer, diff_id);
	json_append(dir->now.layers, json_new_string(member));
	rc = layerdir_put(&place, layer, diff_id, name, &size);
	if (rc == 0)
		add_plain(dir, record->json, member, size);
	return rc;
}

int dockerdir_put(struct dockerdir *dir, struct record *record, bool *changed)
{
	*changed = record->type == RECORD_LAYER;
	switch (record->type) {
	case RECORD_IMAGE:
		return begin_block(dir, record);
	case RECORD_CONFIG:
		return put_config(dir, &record->config);
	case RECORD_LAYER:
		return put_layer(dir, record);
	case RECORD_HEADER:
	case RECORD_END:
	case RECORD_RESULT:
	case RECORD_OTHER:
		break;
	}
	return 0;
}

static void add_result(const struct dockerdir *dir, const struct listed *listed,
		       const char *manifest, struct json_object *results)
{
	struct json_object *result = json_new_object();

	json_add_string(result, "type", "directory");
	json_add_string(result, "image", listed->label);
	json_add_string(result, "format",
			dir->settings.unique_names ? "merged" : "extracted");
	json_add_string(result, "file", dir->path);
	json_add_string(result, "manifest", manifest);
	json_append(results, result);
}

int dockerdir_finish(struct dockerdir *dir, struct json_object *results)
{
	int rc = end_block(dir);

	for (size_t i = 0; i < dir->count && rc == 0; i++) {
		struct dirplace_image view = catalog_view(&dir->list[i]);
		AUTO(mem) char *manifest = NULL;

		rc = dirplace_add(&dir->place, &view, &manifest);
		if (rc == 0)
			add_result(dir, &dir->list[i], manifest, results);
	}
	return rc;
}
