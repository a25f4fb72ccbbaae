/* saveddir.c - see saveddir.h */
#include "common/saveddir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/catalog.h"
#include "common/io.h"
#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/savedblock.h"
#include "common/savedchoice.h"
#include "common/savednames.h"

struct saveddir {
	int fd;
	const char *path, *name;
	bool warned;

	struct catalog catalog;
	size_t entry, entry_end; /* of the catalog, still to come */

	struct saved_manifest manifest; /* without a catalog */
	struct saved_choice choice;
};

void saveddir_free(struct saveddir *dir)
{
	if (!dir)
		return;
	close(dir->fd);
	catalog_clear(&dir->catalog);
	saved_manifest_clear(&dir->manifest);
	saved_choice_clear(&dir->choice);
	free(dir);
}

/* Report what is wrong with `name`, which should have been a file. Something
 * else in its place was put there to mislead: a link to a file of the host, a
 * FIFO to hang on. */
static int bad_file(const struct saveddir *dir, const char *name, mode_t mode)
{
	return msg_fail(STATUS_INTEGRITY, "%s/%s: %s", dir->name, name,
			S_ISLNK(mode) ? "is a symbolic link"
				      : "not a regular file");
}

static int missing(const struct saveddir *dir, const char *name)
{
	return msg_fail(STATUS_STORAGE, "%s/%s: %s", dir->name, name,
			strerror(errno));
}

/* Open a file of the directory `at`; name, from dir, is for messages. Returns
 * the descriptor or a failure (reported). */
static int open_file(const struct saveddir *dir, int at, const char *component,
		     const char *name)
{
	AUTO(fd) int fd = openat(at, component,
				 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
					 O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return bad_file(dir, name, S_IFLNK);
	if (fd < 0 && errno == ENXIO) /* a socket */
		return bad_file(dir, name, S_IFSOCK);
	if (fd < 0 || fstat(fd, &st) != 0)
		return missing(dir, name);
	if (!S_ISREG(st.st_mode))
		return bad_file(dir, name, st.st_mode);
	return TAKE_FD(fd);
}

/* Append a file that lies in the directory itself. */
static int read_file(const struct saveddir *dir, const char *name, size_t most,
		     struct buf *out)
{
	AUTO(fd) int fd = open_file(dir, dir->fd, name, name);
	AUTO(mem) char *shown = NULL;

	if (fd < 0)
		return fd;
	shown = mem_printf("%s/%s", dir->name, name);
	return io_read_all(fd, shown, most, out);
}

static int read_config(void *context, const struct digest *config,
		       struct buf *bytes, struct saved_place *place)
{
	struct saveddir *dir = context;
	AUTO(mem) char *name = mem_printf("%s%s", digest_hex(config),
					  SAVED_CONFIG_SUFFIX);

	place->file = mem_printf("%s/%s", dir->path, name);
	place->length = -1;
	return read_file(dir, name, CONFIG_MAX_BYTES, bytes);
}

/* The folder is opened by itself: a link in its place is not followed. */
static int find_layer(void *context, const struct digest *layer,
		      struct saved_place *place)
{
	struct saveddir *dir = context;
	const char *hex = digest_hex(layer);
	AUTO(mem) char *name = mem_printf("%s%s", hex, SAVED_LAYER_SUFFIX);
	AUTO(fd) int folder = openat(dir->fd, hex,
				     O_PATH | O_NOFOLLOW | O_CLOEXEC);
	AUTO(fd) int fd = -1;
	struct stat st;

	if (folder < 0 || fstat(folder, &st) != 0)
		return missing(dir, name);
	if (!S_ISDIR(st.st_mode))
		return msg_fail(STATUS_INTEGRITY, "%s/%s: not a directory",
				dir->name, hex);
	fd = open_file(dir, folder, strchr(SAVED_LAYER_SUFFIX, '/') + 1, name);
	if (fd < 0)
		return fd;
	place->file = mem_printf("%s/%s", dir->path, name);
	place->length = -1;
	return 0;
}

static int make_block(struct saveddir *dir, const struct saved_image *image,
		      struct json_object *names, struct json_object **records)
{
	struct saved_files files = {
		.read_config = read_config,
		.find_layer = find_layer,
		.context = dir,
		.name = dir->name,
		.has_digests = true,
	};
	int rc;

	*records = savedblock_make(image, names, &files, &dir->warned, &rc);
	return *records ? 1 : rc;
}

static int read_manifest(const struct saveddir *dir, const char *name,
			 struct saved_manifest *out)
{
	AUTO(buf) struct buf bytes = { 0 };
	char why[512];
	int rc = read_file(dir, name, SAVED_MANIFEST_MAX_BYTES, &bytes);

	if (rc < 0)
		return rc;
	if (saved_manifest_parse(out, bytes.data, bytes.len, why, sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s/%s: %.511s", dir->name,
				name, why);
	return 0;
}

/* Two images whose names become one file name, a/b and a_b, take it from each
 * other in the original's directories: the catalog has both, the file the
 * last. */
static int check_entry(const struct saveddir *dir,
		       const struct catalog_entry *entry,
		       const struct saved_manifest *manifest)
{
	const char *name;

	if (manifest->count != 1)
		return msg_fail(STATUS_INTEGRITY,
				"%s/%s: holds %zu images, not the one that the catalog names",
				dir->name, entry->manifest, manifest->count);
	name = manifest->images[0].image_name;
	if (name && strcmp(name, entry->image) != 0)
		return msg_fail(STATUS_INTEGRITY,
				"%s/%s: is of image %s, but the catalog names it for %s",
				dir->name, entry->manifest, name, entry->image);
	return 0;
}

static int next_entry(struct saveddir *dir, const struct catalog_entry *entry,
		      struct json_object **records)
{
	AUTO(saved_manifest) struct saved_manifest manifest = { 0 };
	AUTO(json) struct json_object *names = NULL;
	char why[512];
	int rc = read_manifest(dir, entry->manifest, &manifest);

	if (rc == 0)
		rc = check_entry(dir, entry, &manifest);
	if (rc < 0)
		return rc;
	names = saved_names(&manifest.images[0], entry, why, sizeof(why));
	if (!names)
		return msg_fail(STATUS_INTEGRITY, "%s/%s: %s:%s: %.511s",
				dir->name, CATALOG_NAME, entry->image, entry->tag,
				why);
	return make_block(dir, &manifest.images[0], names, records);
}

int saveddir_next(struct saveddir *dir, struct json_object **records)
{
	size_t i;

	if (dir->entry < dir->entry_end)
		return next_entry(dir, &dir->catalog.entries[dir->entry++],
				  records);
	if (dir->choice.next == dir->choice.end)
		return 0;
	i = dir->choice.next++;
	return make_block(dir, &dir->manifest.images[i], dir->choice.names[i],
			  records);
}

static int fail_unlisted(const struct saveddir *dir,
			 const struct saved_want *want)
{
	AUTO(json) struct json_object *there = json_new_array();

	for (size_t i = 0; i < dir->catalog.count; i++) {
		const struct catalog_entry *entry = &dir->catalog.entries[i];
		AUTO(mem) char *name = mem_printf("%s:%s", entry->image,
						  entry->tag);

		json_append(there, json_new_string(name));
	}
	return saved_choice_fail(want, there, dir->name);
}

static int open_catalog(struct saveddir *dir, const struct saved_want *want)
{
	AUTO(buf) struct buf bytes = { 0 };
	const struct catalog_entry *entry = NULL;
	char why[512];
	int rc = read_file(dir, CATALOG_NAME, CATALOG_MAX_BYTES, &bytes);

	if (rc < 0)
		return rc;
	if (catalog_parse(&dir->catalog, bytes.data, bytes.len, why,
			  sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s/%s: %.511s", dir->name,
				CATALOG_NAME, why);
	dir->entry_end = dir->catalog.count;
	if (want->image) {
		entry = catalog_find(&dir->catalog, want->image, want->tag);
		dir->entry = entry ? (size_t)(entry - dir->catalog.entries) : 0;
		dir->entry_end = dir->entry + 1;
	}
	if (dir->catalog.count == 0 || (want->image && !entry))
		return fail_unlisted(dir, want);
	return 0;
}

static bool is_there(const struct saveddir *dir, const char *name)
{
	struct stat st;

	return fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_names(struct saveddir *dir, const struct saved_want *want)
{
	AUTO(mem) char *where = NULL;
	int rc;

	if (is_there(dir, CATALOG_NAME))
		return open_catalog(dir, want);
	if (!is_there(dir, SAVED_MANIFEST_NAME))
		return msg_fail(STATUS_STORAGE, "%s: holds neither %s nor %s",
				dir->name, CATALOG_NAME, SAVED_MANIFEST_NAME);
	rc = read_manifest(dir, SAVED_MANIFEST_NAME, &dir->manifest);
	if (rc < 0)
		return rc;
	where = mem_printf("%s/%s", dir->name, SAVED_MANIFEST_NAME);
	return saved_choice_make(&dir->choice, &dir->manifest, want, where);
}

int saveddir_open(struct saveddir **out, int fd, const char *path,
		  const char *name, const struct saved_want *want)
{
	AUTO(saveddir) struct saveddir *dir = mem_zalloc(1, sizeof(*dir));
	int rc;

	dir->fd = fd;
	dir->path = path;
	dir->name = name;
	rc = open_names(dir, want);
	if (rc == 0)
		*out = TAKE(dir);
	return rc;
}
