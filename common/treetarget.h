/* treetarget.h - the directory that a user named for a tree.
 *
 * It must be free or empty, unless a whole tree is to be replaced; what is
 * there changes only in the one step of publishing. Only an empty directory
 * that is a mount point is filled in place, and emptied again on failure.
 */
#ifndef OCCY_COMMON_TREETARGET_H
#define OCCY_COMMON_TREETARGET_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/cleanup.h"

struct tree_target;

/* path is what the user typed. Returns 0 or STATUS_STORAGE (reported). */
int tree_target_open(struct tree_target **out, const char *path, bool replace);

/* Without tree_target_publish() before: nothing is left. */
void tree_target_free(struct tree_target *target);

/* Where to make the tree: a directory open for reading; lent. */
int tree_target_fd(const struct tree_target *target);

/* The empty directory whose owner and mode are to stay, or NULL; lent. */
const struct stat *tree_target_like(const struct tree_target *target);

/* The absolute path that it will have; lent. */
const char *tree_target_path(const struct tree_target *target);

/* Returns 0 or a failure (reported). */
int tree_target_publish(struct tree_target *target);

AUTO_DEFINE(tree_target, struct tree_target *, tree_target_free);

#endif
