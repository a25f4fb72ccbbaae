/* saveddir.h - images in a directory: config and layer files, and what names
 * them.
 *
 * With catalog.json it is an extracted or merged directory, ours or the
 * original Occy Strap's; without it manifest.json alone counts, as in a tar of
 * docker save that somebody unpacked. Only names that these list are opened,
 * relative to the directory, and no link is followed inside it.
 */
#ifndef OCCY_COMMON_SAVEDDIR_H
#define OCCY_COMMON_SAVEDDIR_H

#include "common/cleanup.h"
#include "common/saved.h"

struct json_object;
struct saveddir;

/* fd is taken over, also by a failure; path is absolute, for records, and name
 * begins messages: both, like want, stay the caller's. Returns 0 or a failure
 * (reported). */
int saveddir_open(struct saveddir **out, int fd, const char *path,
		  const char *name, const struct saved_want *want);
void saveddir_free(struct saveddir *dir);

/* The records of the next image, as savedblock_make() gives them: 1 with an
 * array that the caller puts, 0 after the last, or a failure (reported). */
int saveddir_next(struct saveddir *dir, struct json_object **records);

AUTO_DEFINE(saveddir, struct saveddir *, saveddir_free);

#endif
