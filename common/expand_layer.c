/* expand_layer.c - see expand_layer.h */
#include "common/expand_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/expand_in.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define MAX_SKIPPED_NAMES 1000 /* in a record, which is one line */

void expand_layer_clear(struct expand_layer *layer)
{
	unpack_free(layer->unpack);
	temp_tree_free(layer->temp);
	json_object_put(layer->skipped);
	*layer = (struct expand_layer){ 0 };
}

/* Names are any bytes, JSON is text: escaped as in messages. */
static void note_skipped(void *context, const char *path)
{
	struct expand_layer *layer = context;
	char text[1024];

	if (!layer->skipped)
		layer->skipped = json_new_array();
	if (json_object_array_length(layer->skipped) == MAX_SKIPPED_NAMES)
		return;
	msg_format(text, sizeof(text), "%s", path);
	json_append(layer->skipped, json_new_string(text));
}

/* A digest that nobody has checked is only a name, under which another stream
 * may have put something else: what is there must be of this diff_id. */
static bool is_there(const struct expand_layer *layer)
{
	AUTO(mem) char *path = mem_printf("%s/layer", layer->hex);
	struct stat stat;

	return fstatat(layer->dir, path, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(stat.st_mode) &&
	       expand_in_is_current(layer->dir, layer->hex, layer->diff_id);
}

int expand_layer_start(struct expand_layer *layer,
		       const struct unpack_options *options,
		       struct unpack_counts *counts)
{
	struct unpack_options own = *options;

	layer->is_there = is_there(layer);
	if (layer->is_there)
		return 0;
	layer->temp = temp_tree_new(layer->dir, layer->hex, layer->dir_path);
	if (!layer->temp)
		return -STATUS_STORAGE;
	layer->listener = (struct unpack_listener){
		.skipped_link = note_skipped, .context = layer,
	};
	own.as_is = true;
	own.listener = &layer->listener;
	layer->unpack = unpack_new(temp_tree_fd(layer->temp), &own, NULL,
				   counts);
	return layer->unpack ? 0 : -STATUS_STORAGE;
}

static int publish(struct expand_layer *layer)
{
	AUTO(fd) int fd = -1;
	int rc = unpack_finish(layer->unpack);

	if (rc < 0)
		return rc;
	if (mkdirat(layer->dir, layer->hex, 0700) != 0 && errno != EEXIST)
		return io_fail(layer->dir_path);
	fd = openat(layer->dir, layer->hex,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return io_fail(layer->hex);
	/* Somebody else may have been faster, with the same. */
	if (is_there(layer))
		return 0;
	rc = expand_in_forget(layer->dir, layer->hex);
	if (rc == 0)
		rc = temp_tree_publish(layer->temp, fd, "layer",
				       TEMP_TREE_OVER_ALL);
	return rc < 0 ? rc
		      : expand_in_note(layer->dir, layer->hex, layer->diff_id);
}

int expand_layer_finish(struct expand_layer *layer, const char *label,
			struct json_object *results)
{
	AUTO(mem) char *path = mem_printf("%s/%s/layer", layer->dir_path,
					  layer->hex);
	struct json_object *result;
	int rc = layer->is_there ? 0 : publish(layer);

	if (rc < 0)
		return rc;
	result = json_new_object();
	json_add_string(result, "type", "tree");
	json_add_string(result, "image", label);
	json_add_integer(result, "layer", layer->view->index);
	if (digest_is_set(&layer->view->digest))
		json_add_string(result, "digest", layer->view->digest.text);
	json_add_string(result, "file", path);
	if (layer->skipped)
		json_add(result, "skipped", TAKE(layer->skipped));
	json_append(results, result);
	return 0;
}
