/* treeremove.h - remove a tree that an image made.
 *
 * Its modes, depth and names are whatever the image wanted: no recursion, two
 * descriptors however deep it is, no link ever followed, and directories that
 * forbid it to their owner get their permissions first.
 */
#ifndef OCCY_COMMON_TREEREMOVE_H
#define OCCY_COMMON_TREEREMOVE_H

#include <stdint.h>

/* Remove dirfd/name, whatever it is. Returns 0 (also when it was not there),
 * or -1 with errno (not reported). */
int tree_remove(int dirfd, const char *name);

/* The same, adding the sizes of files that lost their last name to *bytes. */
int tree_remove_counting(int dirfd, const char *name, uint64_t *bytes);

/* Remove what the directory fd, opened for reading, holds; it stays. */
int tree_empty(int fd);

/* Open dirfd/name, a directory and no link, for reading and changing its
 * entries. Returns a descriptor or -1 with errno. */
int tree_open(int dirfd, const char *name);

#endif
