/* expand_tree.h - the merged root of one image, until it gets its name. */
#ifndef OCCY_COMMON_EXPAND_TREE_H
#define OCCY_COMMON_EXPAND_TREE_H

#include <stdbool.h>

#include "common/history.h"
#include "common/json.h"
#include "common/record.h"
#include "common/temptree.h"
#include "common/treetarget.h"
#include "common/unpack.h"

struct expand_tree {
	char *label, *repository, *tag; /* of the image; the last two or NULL */
	char *name;         /* of the tree in dir; NULL until it is known */
	struct digest config;
	bool is_current;    /* it is there from an earlier run */
	int dir;            /* where it goes if there is no target; lent */
	const char *dir_path;
	struct tree_target *target; /* owned; or NULL */
	struct temp_tree *temp;     /* without one */
	struct unpack *unpack;      /* to feed; NULL before the start */
	struct unpack_counts counts;
	struct unpack_listener listener;
	struct history history;
};

/* A tree of the image in the target, which is taken over, or, if that is
 * NULL, below dir, an open directory; dir and its absolute path are lent. */
struct expand_tree *expand_tree_new(const struct image_view *image,
				    struct tree_target *target, int dir,
				    const char *dir_path);
void expand_tree_free(struct expand_tree *tree);

/* The config has come, and so it is known what the image is called: is the
 * tree there already? Not asked with a target. Returns 0 or a failure. */
int expand_tree_look(struct expand_tree *tree, const struct digest *config,
		     const char *label);

/* Make ready for layers, unless that is done or need not be. Returns 0 or a
 * failure. */
int expand_tree_start(struct expand_tree *tree,
		      const struct unpack_options *options);

/* Give it its name, and add its record to results; with tell, what there is
 * to say about its layers goes to stderr. Returns 0 or a failure. */
int expand_tree_publish(struct expand_tree *tree, bool tell,
			struct json_object *results);

#endif
