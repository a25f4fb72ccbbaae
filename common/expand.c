/* expand.c - see expand.h */
#include "common/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/blob.h"
#include "common/expand_in.h"
#include "common/expand_layer.h"
#include "common/expand_tree.h"
#include "common/imageblock.h"
#include "common/inflate.h"
#include "common/interrupt.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

struct expand {
	const struct expand_options *options;
	const char *dir_name; /* where layers go; NULL: nowhere */
	char *dir_path;       /* the same, absolute */
	int dir;
	bool made_dir;
	struct tree_target *target; /* until its tree takes it over */

	struct imageblock block;
	uint64_t unpacked; /* bytes of the block's tars so far */
	struct expand_tree **trees;
	size_t tree_count, tree_capacity;
	struct unpack_counts layer_counts;
	struct json_object *results; /* records of what was made */
};

struct expand *expand_new(const struct expand_options *options)
{
	struct expand *e = mem_zalloc(1, sizeof(*e));

	e->options = options;
	e->dir_name = options->in ? options->in : options->layers;
	e->dir = -1;
	e->results = json_new_array();
	return e;
}

void expand_free(struct expand *e)
{
	if (!e)
		return;
	while (e->tree_count > 0)
		expand_tree_free(e->trees[--e->tree_count]);
	free(e->trees);
	tree_target_free(e->target);
	imageblock_clear(&e->block);
	json_object_put(e->results);
	if (e->dir >= 0)
		close(e->dir);
	/* Only if nothing is in it. */
	if (e->made_dir)
		rmdir(e->dir_path ? e->dir_path : e->dir_name);
	free(e->dir_path);
	free(e);
}

/* As others make directories, but that root's is for root alone: what setuid
 * programs the layers bring is nobody else's business. */
static int make_dir(struct expand *e, mode_t mask)
{
	mode_t mode = geteuid() == 0 ? 0700 : (0777 & ~mask) | 0700;

	if (mkdir(e->dir_name, 0700) != 0)
		return errno == EEXIST ? 0 : io_fail(e->dir_name);
	e->made_dir = true;
	return chmod(e->dir_name, mode) == 0 ? 0 : io_fail(e->dir_name);
}

/* That of --in is made by occy-pack, which may start a moment later than we
 * do; with `late` it must be there. */
static int open_dir(struct expand *e, bool late)
{
	if (e->dir >= 0)
		return 0;
	e->dir = open(e->dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->dir < 0 && errno == ENOENT && !late)
		return 0;
	if (e->dir >= 0)
		e->dir_path = realpath(e->dir_name, NULL);
	return e->dir < 0 || !e->dir_path ? io_fail(e->dir_name) : 0;
}

int expand_open(struct expand *e)
{
	/* Nothing of an image has a mode but the one that it asks for. */
	mode_t mask = umask(077);
	int rc = 0;

	interrupt_hold();
	if (e->options->layers)
		rc = make_dir(e, mask);
	if (rc == 0 && e->dir_name)
		rc = open_dir(e, e->options->layers != NULL);
	if (rc == 0 && e->options->merged)
		rc = tree_target_open(&e->target, e->options->merged,
				      e->options->replace);
	return rc;
}

static bool merges(const struct expand *e)
{
	return e->options->merged || e->options->in;
}

static struct expand_tree *current_tree(const struct expand *e)
{
	return merges(e) ? e->trees[e->tree_count - 1] : NULL;
}

static struct unpack_options unpack_options(const struct expand *e)
{
	return (struct unpack_options){
		.walk_only = e->options->walk_only,
		.strict = e->options->strict,
	};
}

/* The image is over, if there is one: it must be whole. */
static int end_block(struct expand *e)
{
	struct unpack_options options = unpack_options(e);
	int rc;

	if (!e->block.label || !merges(e))
		return 0;
	rc = imageblock_check_whole(&e->block);
	return rc < 0 ? rc : expand_tree_start(current_tree(e), &options);
}

static int begin_block(struct expand *e, const struct image_view *image)
{
	int rc = end_block(e);

	if (rc == 0 && e->dir_name)
		rc = open_dir(e, true);
	if (rc < 0)
		return rc;
	if (e->options->merged && e->tree_count > 0)
		return msg_fail(STATUS_USAGE,
				"%s: a second image, and --merged is for one only",
				image_view_name(image));
	imageblock_begin(&e->block, image);
	e->unpacked = 0;
	if (!merges(e))
		return 0;
	e->trees = mem_grow(e->trees, e->tree_count, &e->tree_capacity,
			    sizeof(void *));
	e->trees[e->tree_count++] = expand_tree_new(
		image, TAKE(e->target), e->dir, e->dir_path);
	return 0;
}

static int put_config(struct expand *e, const struct config_view *config)
{
	int rc = imageblock_take_config(&e->block, config);

	if (rc < 0 || !merges(e))
		return rc;
	return expand_tree_look(current_tree(e), &config->digest,
				e->block.label);
}

/* What --replace will remove must not hold what is read from it. */
static int check_apart(const struct expand *e, const struct extent *extent)
{
	const struct tree_target *target =
		e->tree_count > 0 ? e->trees[0]->target : NULL;
	AUTO(mem) char *path = NULL;
	const char *root;
	size_t len;

	if (!e->options->replace || !target || !extent->file)
		return 0;
	path = realpath(extent->file, NULL);
	root = tree_target_path(target);
	len = strlen(root);
	if (path && strncmp(path, root, len) == 0 && path[len] == '/')
		return msg_fail(STATUS_USAGE,
				"%s: lies in %s, which is to be replaced", path,
				root);
	return 0;
}

static int next_bytes(void *context, const void **data, size_t *len)
{
	return inflate_next(context, data, len);
}

static int read_layer(struct expand *e, const struct layer_view *view,
		      const struct digest *diff_id, const char *name,
		      struct unpack *const *unpacks, size_t count)
{
	AUTO(blob) struct blob blob = BLOB_NONE;
	AUTO(inflate) struct inflate *inflate = NULL;
	AUTO(tar_reader) struct tar_reader *tar = NULL;
	struct byte_source source = { .next = next_bytes };
	uint64_t most = (uint64_t)e->options->max_unpacked;
	int rc = blob_open_layer(&blob, view, name);

	if (rc < 0)
		return rc;
	inflate = inflate_start(&blob, diff_id, name, NULL);
	source.context = inflate;
	if (most != UINT64_MAX)
		most -= e->unpacked;
	tar = tar_reader_new(&source, name, most);
	rc = unpack_layer(unpacks, count, tar, name,
			  (uint64_t)e->options->max_entries);
	e->unpacked += tar_used(tar);
	return rc;
}

static int apply_layer(struct expand *e, struct expand_layer *layer,
		       const struct digest *diff_id, const char *name)
{
	struct unpack_options options = unpack_options(e);
	struct expand_tree *tree = current_tree(e);
	struct unpack *unpacks[2];
	size_t count = 0;
	int rc = tree ? expand_tree_start(tree, &options) : 0;

	if (tree && tree->unpack)
		unpacks[count++] = tree->unpack;
	if (rc == 0 && e->dir_name)
		rc = expand_layer_start(layer, &options, &e->layer_counts);
	if (layer->unpack)
		unpacks[count++] = layer->unpack;
	if (rc == 0 && count > 0)
		rc = read_layer(e, layer->view, diff_id, name, unpacks, count);
	if (rc == 0 && e->dir_name)
		rc = expand_layer_finish(layer, e->block.label, e->results);
	return rc;
}

/* What the layer must hash to; *diff_id is lent. */
static int check_layer(struct expand *e, const struct layer_view *view,
		       const char *name, const struct digest **diff_id)
{
	int rc;

	if (merges(e))
		return imageblock_next_layer(&e->block, view, name, diff_id);
	rc = imageblock_diff_id(&e->block, view, name, diff_id);
	if (rc == 0 && !*diff_id)
		return msg_fail(STATUS_STREAM, "%s: nothing says its diff_id",
				name);
	return rc;
}

static int put_layer(struct expand *e, const struct layer_view *view)
{
	AUTO(mem) char *name = imageblock_layer_name(&e->block, view);
	AUTO(expand_layer) struct expand_layer layer = {
		.dir = e->dir, .dir_path = e->dir_path, .view = view,
	};
	const struct digest *diff_id;
	int rc = check_layer(e, view, name, &diff_id);

	if (rc == 0)
		rc = check_apart(e, &view->file);
	if (rc == 0)
		rc = check_apart(e, &view->plain);
	if (rc < 0)
		return rc;
	layer.diff_id = diff_id;
	layer.hex = digest_hex(digest_is_set(&view->digest) ? &view->digest
							    : diff_id);
	return apply_layer(e, &layer, diff_id, name);
}

/* occy-pack says under which name it has filed an image. */
static void put_directory(struct expand *e, struct json_object *json)
{
	const char *type, *image, *manifest;

	if (json_get_string(json, "type", &type) != 1 ||
	    strcmp(type, "directory") != 0 ||
	    json_get_string(json, "image", &image) != 1 ||
	    json_get_string(json, "manifest", &manifest) != 1)
		return;
	for (size_t i = 0; i < e->tree_count; i++)
		if (e->trees[i]->label &&
		    strcmp(e->trees[i]->label, image) == 0) {
			free(e->trees[i]->name);
			e->trees[i]->name = expand_in_name_of(manifest);
		}
}

int expand_put(struct expand *e, const struct record *record)
{
	switch (record->type) {
	case RECORD_IMAGE:
		return begin_block(e, &record->image);
	case RECORD_CONFIG:
		return put_config(e, &record->config);
	case RECORD_LAYER:
		return put_layer(e, &record->layer);
	case RECORD_RESULT:
		put_directory(e, record->json);
		break;
	case RECORD_HEADER:
	case RECORD_END:
	case RECORD_OTHER:
		break;
	}
	return 0;
}

static void warn_of(uint64_t count, const char *what)
{
	if (count > 0)
		msg_warn("%" PRIu64 " %s", count, what);
}

static void warn(const struct expand *e)
{
	struct unpack_counts sum = e->layer_counts;

	if (e->options->quiet)
		return;
	for (size_t i = 0; i < e->tree_count; i++) {
		const struct unpack_counts *c = &e->trees[i]->counts;

		sum.owners += c->owners;
		sum.devices += c->devices;
		sum.xattrs += c->xattrs;
		sum.refused_xattrs += c->refused_xattrs;
	}
	warn_of(sum.owners, "owners could not be set");
	warn_of(sum.devices, "devices could not be made");
	warn_of(sum.xattrs, "extended attributes could not be set");
	warn_of(sum.refused_xattrs,
		"extended attributes left out that no image may set");
	warn_of(sum.links,
		"hard links left out of their layers, because what they link "
		"to is in lower ones");
}

int expand_finish(struct expand *e)
{
	int rc = end_block(e);

	for (size_t i = 0; rc == 0 && i < e->tree_count; i++)
		if (e->trees[i]->unpack)
			rc = unpack_finish(e->trees[i]->unpack);
	/* From here on nothing is undone. */
	if (rc == 0)
		rc = interrupt_pending();
	for (size_t i = 0; rc == 0 && i < e->tree_count; i++)
		rc = expand_tree_publish(e->trees[i], !e->options->quiet,
					 e->results);
	if (rc == 0)
		warn(e);
	return rc;
}

void expand_put_results(const struct expand *e, struct stream_writer *writer)
{
	for (size_t i = 0; i < json_object_array_length(e->results); i++)
		stream_put_json(writer, RECORD_RESULT,
				json_object_array_get_idx(e->results, i));
}
