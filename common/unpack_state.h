/* unpack_state.h - what the files of unpack.h share among themselves.
 *
 * unpack.c        layers, and the limits on them
 * unpack_reach.c  from a path to the directory that it lies in
 * unpack_entry.c  make what an entry describes
 * unpack_link.c   the same for hard links
 * unpack_lower.c  remove what lower layers brought
 * unpack_finish.c attributes of directories, when the layer is over
 */
#ifndef OCCY_COMMON_UNPACK_STATE_H
#define OCCY_COMMON_UNPACK_STATE_H

#include <sys/stat.h>

#include "common/dirtable.h"
#include "common/msg.h"
#include "common/pathset.h"
#include "common/safepath.h"
#include "common/unpack.h"

#define UNPACK_CACHE 4
#define UNPACK_REPEATS 100 /* as often as somebody else may undo a step */

/* A directory that is held open, because the next entry often lies in it too. */
struct unpack_place {
	char *path; /* as entries have it, in normal form; owned; NULL: none */
	int fd;     /* O_PATH; owned, unless it is the root's */
	uint32_t dir;
	bool linked; /* links were on the way */
};

struct unpack {
	struct safe_root root;
	struct unpack_options options;
	struct unpack_counts *counts;
	const char *name; /* of the layer, for messages; lent */
	uint64_t layers;  /* begun so far */
	bool is_root;     /* the user */
	uid_t uid;
	gid_t gid;
	dev_t device;
	struct dir_record top; /* what the root gets in the end */
	bool has_top_time;

	struct dirtable dirs;
	struct pathset names; /* what the layer brought into impure ones */
	struct unpack_place cache[UNPACK_CACHE];
	unsigned int next_place;
	char **late; /* markers below links, for the end of the layer; owned */
	size_t late_count, late_capacity;

	const struct tar_entry *entry; /* the current one; NULL at the end */
	const char *about; /* what messages are about; lent */
	struct buf path;   /* its path in normal form */
	struct buf parent; /* the same without the last component */
	const char *base;  /* that component; in path */
	struct buf target; /* a hard link's, in normal form */
	int file;          /* being written; or -1 */
	int64_t file_end;  /* up to where */
};

/* unpack_reach.c */

enum unpack_how {
	REACH_MAKE,   /* directories that are missing are made */
	REACH_FIND,   /* only look */
	REACH_DIRECT, /* only look, and through no link */
};

enum unpack_reached {
	REACHED = 1,
	REACHED_NOTHING = 0,
	REACHED_LINK = 2, /* there is one, and REACH_DIRECT was asked for */
};

/* Find the directory `path` (in normal form). *out is lent until the next
 * call but UNPACK_CACHE. Returns one of the above or a failure (reported). */
int unpack_reach(struct unpack *u, const char *path, enum unpack_how how,
		 struct unpack_place *out);

/* Forget open directories: something on the way to one may have changed. */
void unpack_forget_places(struct unpack *u);

/* A directory that has just been made as dirfd/name. Returns its index, or
 * DIR_NONE with errno. */
uint32_t unpack_note_made(struct unpack *u, const struct unpack_place *in,
			  const char *name);

/* A directory that was there, seen for the first time in the layer. fd may be
 * O_PATH. Returns its index, or DIR_NONE with errno. */
uint32_t unpack_note_found(struct unpack *u, int fd, const struct stat *stat,
			   uint32_t parent, const char *name);

/* The layer has put `name` there. */
void unpack_note_new(struct unpack *u, const struct unpack_place *in,
		     const char *name);

/* Did the layer put `name`, which is no directory, there? */
bool unpack_is_new(const struct unpack *u, uint32_t dir, const char *name);

/* Report errno about the current entry; what the entry's names have caused is
 * STATUS_INTEGRITY, the rest STATUS_STORAGE. */
int unpack_error(const struct unpack *u);

/* Report that the tree changes under our hands. */
int unpack_disturbed(const struct unpack *u);

/* Report what is wrong with the current entry as STATUS_INTEGRITY. */
int unpack_bad(const struct unpack *u, const char *why);

/* Count what cannot be done; a failure where the options say so. */
int unpack_cannot(struct unpack *u, uint64_t *count, const char *what);

/* unpack_entry.c */

/* Take a path in normal form apart: path, parent and base. */
void unpack_set_path(struct unpack *u, const char *path);

/* The three parts of an entry's way. Return 0 or a failure. */
int unpack_begin_entry(struct unpack *u, const struct tar_entry *entry);
int unpack_write(struct unpack *u, const struct tar_piece *piece);
int unpack_end_entry(struct unpack *u);

/* Give owner and group to fd, or to fd/name without following a link. Returns
 * 0, 1 when it cannot be done (counted), or a failure. */
int unpack_set_owner(struct unpack *u, int fd, const char *name, uint32_t uid,
		     uint32_t gid);

/* unpack_link.c */

/* The current entry, which is a hard link. Returns 0 or a failure. */
int unpack_link(struct unpack *u);

/* unpack_lower.c */

/* The way for a new entry: remove what stands at in->fd/name. */
int unpack_clear_way(struct unpack *u, const struct unpack_place *in,
		     const char *name);

/* Apply the current entry, a marker: now, or at the layer's end where links
 * lie on the way, since the layer may yet replace them. */
int unpack_whiteout(struct unpack *u, bool opaque);

/* Apply the markers that wait. */
int unpack_late_whiteouts(struct unpack *u);

/* unpack_finish.c */
int unpack_finish_directories(struct unpack *u);

#endif
