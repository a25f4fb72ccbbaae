/* dirtable.h - the directories that a layer touches, while it is applied.
 *
 * Known by inode, since by name a directory may be reached on several ways;
 * each with the parent and the name by which it is found without a link. All
 * parents of a directory in the table are in it too, and before it.
 */
#ifndef OCCY_COMMON_DIRTABLE_H
#define OCCY_COMMON_DIRTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/pathset.h"

#define DIR_ROOT 0
#define DIR_NONE UINT32_MAX

enum {
	DIR_KEPT = 1,     /* the layer brought it, or something in it */
	DIR_PURE = 2,     /* whatever it holds, the layer brought */
	DIR_ENTRY = 4,    /* its attributes are those of an entry */
	DIR_IMPLIED = 8,  /* no entry described it; the usual attributes */
	DIR_CHANGED = 16, /* its own entries changed: restore its time */
	DIR_OPENED = 32,  /* its mode was widened: restore it */
	DIR_GONE = 64,    /* removed, or replaced in the table */
};

struct dir_record {
	uint64_t ino;
	int64_t mtime;
	uint64_t name; /* where it begins in names */
	uint32_t mtime_nsec;
	uint32_t parent;
	uint32_t uid, gid;
	uint16_t mode, flags;
};

struct dirtable {
	struct pathset by_ino; /* value: the record's index */
	struct dir_record *records;
	size_t count, capacity;
	struct buf names;
};

/* Add a directory. One with the same inode must have been removed before and
 * is marked so. Returns its index; the rest of the record is zero. */
uint32_t dirtable_add(struct dirtable *table, uint64_t ino, uint32_t parent,
		      const char *name);

/* Returns the index or DIR_NONE. */
uint32_t dirtable_find(const struct dirtable *table, uint64_t ino);

const char *dirtable_name(const struct dirtable *table, uint32_t index);

/* Mark the directory and all above it as kept. */
void dirtable_keep(struct dirtable *table, uint32_t index);

/* Append the way from the root, without links, to *out. */
void dirtable_path(const struct dirtable *table, uint32_t index,
		   struct buf *out);

void dirtable_clear(struct dirtable *table);

#endif
