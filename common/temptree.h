/* temptree.h - a directory that gets its name when it is right.
 *
 * Made beside that name as ".NAME.occy-XXXXXX", for its maker only, and
 * locked, so that one whose maker was killed can be told and is removed by
 * the next to come. Without publishing, all of it goes again.
 */
#ifndef OCCY_COMMON_TEMPTREE_H
#define OCCY_COMMON_TEMPTREE_H

#include <stdbool.h>

#include "common/cleanup.h"

struct temp_tree;

/* Make one in the directory `parent` (lent, and must outlive it), of which
 * `what` is the name for messages. Returns NULL on failure (reported). */
struct temp_tree *temp_tree_new(int parent, const char *name, const char *what);

/* Removes the tree, if it still is there, and says so if it cannot. */
void temp_tree_free(struct temp_tree *tree);

/* The directory, open for reading; lent. */
int temp_tree_fd(const struct temp_tree *tree);

enum temp_tree_over {
	TEMP_TREE_OVER_NOTHING, /* the name must be free */
	TEMP_TREE_OVER_EMPTY,   /* or an empty directory's */
	TEMP_TREE_OVER_ALL,     /* or a whole tree's, which goes */
};

/* Give it its name in the directory dirfd. Returns 0, 1 when the name was not
 * free (not reported), or a failure. */
int temp_tree_publish(struct temp_tree *tree, int dirfd, const char *name,
		      enum temp_tree_over over);

AUTO_DEFINE(temp_tree, struct temp_tree *, temp_tree_free);

#endif
