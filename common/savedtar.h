/* savedtar.h - images in a tar as docker save writes it, read in place.
 *
 * The form is that of our own tars: manifest.json, <hex>.json, and
 * <hex>/layer.tar as plain tars, in any order. Only the headers are read here;
 * records say at which offsets of the file the bytes lie.
 */
#ifndef OCCY_COMMON_SAVEDTAR_H
#define OCCY_COMMON_SAVEDTAR_H

#include "common/cleanup.h"
#include "common/saved.h"

struct json_object;
struct savedtar;

/* fd is a regular file's; it is taken over, also by a failure. path is
 * absolute, for records, and name begins messages: both, like want, stay the
 * caller's. Returns 0 or a failure (reported). */
int savedtar_open(struct savedtar **out, int fd, const char *path,
		  const char *name, const struct saved_want *want);
void savedtar_free(struct savedtar *tar);

/* The records of the next image, as savedblock_make() gives them: 1 with an
 * array that the caller puts, 0 after the last, or a failure (reported). */
int savedtar_next(struct savedtar *tar, struct json_object **records);

AUTO_DEFINE(savedtar, struct savedtar *, savedtar_free);

#endif
