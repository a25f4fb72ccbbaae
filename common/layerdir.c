/* layerdir.c - see layerdir.h */
#include "common/layerdir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/blob.h"
#include "common/inflate.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/outfile.h"

static const char *folder_of(const struct layer_view *layer,
			     const struct digest *diff_id)
{
	return digest_hex(digest_is_set(&layer->digest) ? &layer->digest
							: diff_id);
}

char *layerdir_member(const struct layer_view *layer,
		      const struct digest *diff_id)
{
	return mem_printf("%s/layer.tar", folder_of(layer, diff_id));
}

static int open_folder(const struct layerdir *dir, const char *folder)
{
	return openat(dir->dir, folder,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

enum found { FOUND_NOTHING, FOUND_OTHER, FOUND_LAYER };

/* What the layer's place holds. */
static enum found look(const struct layerdir *dir, const char *folder,
		       const struct digest *diff_id, int64_t *size)
{
	AUTO(fd) int inside = open_folder(dir, folder);
	AUTO(fd) int fd = inside < 0 ? -1
				     : io_try_regular(inside, "layer.tar", INT64_MAX);
	struct stat st;

	if (inside < 0 ||
	    fstatat(inside, "layer.tar", &st, AT_SYMLINK_NOFOLLOW) != 0)
		return FOUND_NOTHING;
	*size = st.st_size;
	return fd >= 0 && digest_matches_file(fd, diff_id) ? FOUND_LAYER
							   : FOUND_OTHER;
}

/* Whether `file` hashes to digest: 1, 0, or a failure (reported). */
static int digest_is_true(const struct layer_view *layer)
{
	AUTO(blob) struct blob blob = BLOB_NONE;
	AUTO(digest_state) struct digest_state *state =
		digest_begin(digest_algorithm(&layer->digest));
	AUTO(mem) char *block = mem_resize(NULL, IO_BLOCK_SIZE, 1);
	struct digest sum;
	size_t got = 0;
	int rc = blob_open(&blob, &layer->file, layer->size);

	do {
		if (rc == 0)
			rc = blob_read(&blob, block, IO_BLOCK_SIZE, &got);
		if (rc < 0)
			return rc;
		digest_update(state, block, got);
	} while (got == IO_BLOCK_SIZE);
	digest_result(state, &sum);
	return digest_equal(&sum, &layer->digest);
}

/* What is there may be another image's layer, whose name this stream merely
 * claims. Only bytes that prove the name may replace it. */
static int check_name(const struct layerdir *dir, const char *folder,
		      const struct layer_view *layer,
		      const struct digest *diff_id, const char *name)
{
	int rc = 0;

	if (!digest_is_set(&layer->digest) || digest_equal(&layer->digest, diff_id))
		return 0;
	if (layer->file.file)
		rc = digest_is_true(layer);
	if (rc < 0)
		return rc;
	return rc == 1 ? 0
		       : msg_fail(STATUS_INTEGRITY,
				  "%s: %s/%s/layer.tar holds something else, and nothing proves that the name is this layer's",
				  name, dir->path, folder);
}

/* Prove what a source of bytes says, and write it to out. */
static int copy_layer(const struct layer_view *layer, const struct digest *diff_id,
		      const char *name, struct outfile *out)
{
	AUTO(blob) struct blob blob = BLOB_NONE;
	AUTO(inflate) struct inflate *inflate = NULL;
	const void *data;
	size_t len;
	int rc = blob_open_layer(&blob, layer, name);

	if (rc < 0)
		return rc;
	inflate = inflate_start(&blob, diff_id, name, NULL);
	while ((rc = inflate_next(inflate, &data, &len)) > 0) {
		rc = outfile_write(out, data, len);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* The file's name goes into a folder that may be new; then the folder goes with
 * it if that fails. */
static int publish(const struct layerdir *dir, const char *folder,
		   struct outfile *out)
{
	AUTO(mem) char *path = mem_printf("%s/%s", dir->path, folder);
	bool is_made = mkdirat(dir->dir, folder, 0777) == 0;
	AUTO(fd) int inside = -1;
	int rc;

	if (!is_made && errno != EEXIST)
		return io_fail(path);
	inside = open_folder(dir, folder);
	rc = inside < 0 ? io_fail(path)
			: outfile_publish_as(out, inside, "layer.tar", false);
	if (rc < 0 && is_made)
		unlinkat(dir->dir, folder, AT_REMOVEDIR);
	return rc;
}

static int write_layer(const struct layerdir *dir, const char *folder,
		       const struct layer_view *layer,
		       const struct digest *diff_id, const char *name,
		       int64_t *size)
{
	AUTO(mem) char *path = mem_printf("%s/%s/layer.tar", dir->path, folder);
	AUTO(outfile) struct outfile *out = NULL;
	int rc = outfile_open_in(&out, dir->dir, path);

	if (rc == 0)
		rc = copy_layer(layer, diff_id, name, out);
	if (rc < 0)
		return rc;
	*size = outfile_position(out);
	return publish(dir, folder, out);
}

int layerdir_put(const struct layerdir *dir, const struct layer_view *layer,
		 const struct digest *diff_id, const char *name, int64_t *size)
{
	const char *folder = folder_of(layer, diff_id);
	enum found found = look(dir, folder, diff_id, size);
	int rc = 0;

	if (found == FOUND_OTHER)
		rc = check_name(dir, folder, layer, diff_id, name);
	if (rc == 0 && found != FOUND_LAYER)
		rc = write_layer(dir, folder, layer, diff_id, name, size);
	if (rc < 0)
		return rc;
	if (layer->uncompressed_size >= 0 && layer->uncompressed_size != *size)
		return msg_fail(STATUS_INTEGRITY,
				"%s: size mismatch: its record says %" PRId64
				" bytes uncompressed, but %" PRId64 " came",
				name, layer->uncompressed_size, *size);
	return 0;
}
