/* expand_tree.c - see expand_tree.h */
#include "common/expand_tree.h"

#include <stdlib.h>

#include "common/expand_in.h"
#include "common/mem.h"
#include "common/msg.h"

struct expand_tree *expand_tree_new(const struct image_view *image,
				    struct tree_target *target, int dir,
				    const char *dir_path)
{
	struct expand_tree *tree = mem_zalloc(1, sizeof(*tree));

	tree->repository = image->repository ? mem_strdup(image->repository)
					     : NULL;
	tree->tag = image->tag ? mem_strdup(image->tag) : NULL;
	tree->target = target;
	tree->dir = dir;
	tree->dir_path = dir_path;
	return tree;
}

void expand_tree_free(struct expand_tree *tree)
{
	unpack_free(tree->unpack);
	temp_tree_free(tree->temp);
	tree_target_free(tree->target);
	history_clear(&tree->history);
	free(tree->label);
	free(tree->repository);
	free(tree->tag);
	free(tree->name);
	free(tree);
}

int expand_tree_look(struct expand_tree *tree, const struct digest *config,
		     const char *label)
{
	AUTO(mem) char *name = NULL;
	bool is_listed;

	tree->label = mem_strdup(label);

	tree->config = *config;
	if (tree->target)
		return 0;
	name = expand_in_name(tree->dir, tree->repository, tree->tag,
			      &is_listed);
	if (!name)
		return -STATUS_INTEGRITY;
	tree->is_current = is_listed &&
			   expand_in_is_current(tree->dir, name, config);
	return 0;
}

static void note_version(void *context, const char *path, uint64_t bytes,
			 bool has_new)
{
	history_add(context, path, bytes, has_new);
}

static int tree_fd(const struct expand_tree *tree)
{
	return tree->target ? tree_target_fd(tree->target)
			    : temp_tree_fd(tree->temp);
}

int expand_tree_start(struct expand_tree *tree,
		      const struct unpack_options *options)
{
	struct unpack_options own = *options;

	if (tree->unpack || tree->is_current)
		return 0;
	if (!tree->target) {
		tree->temp = temp_tree_new(tree->dir, "manifest",
					   tree->dir_path);
		if (!tree->temp)
			return -STATUS_STORAGE;
		tree->listener = (struct unpack_listener){
			.replaced = note_version, .context = &tree->history,
		};
		own.listener = &tree->listener;
	}
	tree->unpack = unpack_new(tree_fd(tree), &own,
				  tree->target ? tree_target_like(tree->target)
					       : NULL,
				  &tree->counts);
	return tree->unpack ? 0 : -STATUS_STORAGE;
}

static void add_result(const struct expand_tree *tree, const char *path,
		       struct json_object *results)
{
	struct json_object *result = json_new_object();

	json_add_string(result, "type", "tree");
	json_add_string(result, "image", tree->label);
	json_add_string(result, "file", path);
	json_append(results, result);
}

/* Replace what is there, and note what the new one was made of. */
static int swap(struct expand_tree *tree)
{
	int rc = expand_in_forget(tree->dir, tree->name);

	if (rc == 0)
		rc = temp_tree_publish(tree->temp, tree->dir, tree->name,
				       TEMP_TREE_OVER_ALL);
	return rc < 0 ? rc
		      : expand_in_note(tree->dir, tree->name, &tree->config);
}

static int publish_in(struct expand_tree *tree, struct json_object *results)
{
	AUTO(mem) char *path = NULL;
	bool is_listed;
	int rc = 0;

	if (!tree->name)
		tree->name = expand_in_name(tree->dir, tree->repository,
					    tree->tag, &is_listed);
	if (!tree->name)
		return -STATUS_INTEGRITY;
	path = mem_printf("%s/%s", tree->dir_path, tree->name);
	if (!tree->is_current)
		rc = swap(tree);
	else if (!expand_in_is_current(tree->dir, tree->name, &tree->config))
		rc = msg_fail(STATUS_FAILED, "%s: %s has changed meanwhile",
			      tree->label, path);
	if (rc == 0)
		add_result(tree, path, results);
	return rc;
}

int expand_tree_publish(struct expand_tree *tree, bool tell,
			struct json_object *results)
{
	int rc;

	if (tree->target) {
		rc = tree_target_publish(tree->target);
		if (rc == 0)
			add_result(tree, tree_target_path(tree->target), results);
		return rc;
	}
	if (tell && tree->unpack) {
		struct safe_root root = { .fd = tree_fd(tree) };

		history_tell(&tree->history, tree->label, &root);
	}
	return publish_in(tree, results);
}
