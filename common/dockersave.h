/* dockersave.h - write images as the tar that `docker load` and `podman load`
 * read: for each image its config and layers, at the end manifest.json.
 *
 * Members are regular files, named by digests, so that the same stream gives
 * the same bytes: <config>.json holds the config as it came, <digest>/layer.tar
 * a layer's plain tar (named by its diff_id where no digest is known). What
 * several images share is in it once. Every layer's bytes are proven against
 * the config's diff_ids, the config against its digest.
 *
 * Into a file that can be written out of order a layer is decoded once; else
 * its size must come first, from the record, or by decoding it twice.
 */
#ifndef OCCY_COMMON_DOCKERSAVE_H
#define OCCY_COMMON_DOCKERSAVE_H

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/record.h"

struct dockersave;

/* name is what the one image is to be called instead of its own names; NULL:
 * it keeps them. Both stay the caller's and must outlive the writer. */
struct dockersave *dockersave_new(struct outfile *out, const char *name);
void dockersave_free(struct dockersave *save);

/* Take the next record of the stream; those that are not for us are passed
 * over. Returns 0 or a failure (reported). */
int dockersave_put(struct dockersave *save, const struct record *record);

/* The stream was right to its end: complete the tar. Not without an image. */
int dockersave_finish(struct dockersave *save);

/* For each image block that came what it is called in a result record: its
 * first name, else its manifest's digest, else its config's. Lent. */
struct json_object *dockersave_images(const struct dockersave *save);

AUTO_DEFINE(dockersave, struct dockersave *, dockersave_free);

#endif
