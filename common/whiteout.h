/* whiteout.h - the names by which a layer takes away what lies below it.
 *
 * image-spec layer.md, "Whiteouts"; AUFS's own files from the first layers
 * ever made. A marker that names no file, or lies in a directory that no
 * builder can have made, would remove what it should not and is refused.
 */
#ifndef OCCY_COMMON_WHITEOUT_H
#define OCCY_COMMON_WHITEOUT_H

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_PREFIX_LEN 4

enum whiteout {
	WHITEOUT_NONE,   /* an entry like others */
	WHITEOUT_PLAIN,  /* removes the name behind the prefix */
	WHITEOUT_OPAQUE, /* removes what its directory held */
	WHITEOUT_AUFS,   /* AUFS's book-keeping in the root: skip it */
	WHITEOUT_BAD,
};

/* path is in normal form (safepath.h). */
enum whiteout whiteout_kind(const char *path);

#endif
