/* saved.h - images that somebody saved, as the records of a stream.
 *
 * From a directory with catalog.json or manifest.json (saveddir.h), or from a
 * tar as docker save writes it (savedtar.h). A tar is read in place; what comes
 * through a pipe is put into the store first, because records name files.
 */
#ifndef OCCY_COMMON_SAVED_H
#define OCCY_COMMON_SAVED_H

#include "common/cleanup.h"
#include "common/record.h"

/* Which of the images; all of them where image and tag are NULL. */
struct saved_want {
	const char *image, *tag;
	const char *store; /* where a pipe's bytes go; NULL: as store_open() */
};

struct saved;

/* Open what the user called path; "-" is a tar on stdin. path and want stay
 * the caller's and must outlive *out. Returns 0, or a failure (reported):
 * STATUS_NOT_FOUND where the wanted image is not in it. */
int saved_open(struct saved **out, const char *path,
	       const struct saved_want *want);
void saved_free(struct saved *saved);

/* Fill *record, reusing what it held before: the image, config and layer
 * records of each image. Returns 1 for a record, 0 after the last, or a failure
 * (reported). Nothing of a block comes before all its files have been found
 * and its config has been read; that its layers are the right ones is for the
 * caller to prove. */
int saved_next(struct saved *saved, struct record *record);

AUTO_DEFINE(saved, struct saved *, saved_free);

#endif
