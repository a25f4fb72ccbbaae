/* digestfile.h - a file that says which images a target was made of.
 *
 * One line for each image, in the stream's order: the digest of what its
 * reference named (of the index, where it was chosen from one), and after it
 * words that say of what, separated by blanks:
 *
 *     sha256:… image=docker.io/library/busybox:latest platform=linux/amd64 tar=busybox.tar
 *
 * `platform` is what was asked for, and stands only where there was a choice;
 * `image` only where there is a name; the last one is the kind and the name of
 * what was made. Where images were left out a last line "left_out=N" says so,
 * which fits nothing. Bytes that are no printable ASCII, and blanks, are \xHH. So
 * one look at the reference tells whether the target is up to date, and a line
 * of a digest alone, as others write it, tells it too.
 */
#ifndef OCCY_COMMON_DIGESTFILE_H
#define OCCY_COMMON_DIGESTFILE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/cli.h"
#include "common/digest.h"
#include "common/record.h"

struct digestfile;

/* For options.h: the argument of --digest-file. path is a const char **. */
void digestfile_option(const struct cli *cli, void *path, const char *argument);

/* See that path can be written, before the first record is read; it stays as
 * it is until digestfile_publish(). kind and target are for the last word of
 * each line; no target: none. All must outlive it. A path of NULL is no file,
 * and *out NULL, which the others take. Returns 0 or a failure (reported). */
int digestfile_open(struct digestfile **out, const char *path, const char *kind,
		    const char *target);
void digestfile_free(struct digestfile *file);

/* A record has been read. Returns 0, or STATUS_NOT_FOUND (reported) for an
 * image whose digest the stream does not say. */
int digestfile_put(struct digestfile *file, const struct record *record);

/* The images have their names, but for those that were left out: replace the
 * file. Returns 0 or a failure (reported). */
int digestfile_publish(struct digestfile *file, int64_t left_out);

/* What a reference stands for, to be compared with such a file. */
struct digestfile_image {
	struct digest digest;
	const char *name;     /* NULL: asked for by digest */
	const char *platform; /* that is wanted: os/architecture[/variant], or
				 "all", which any number of lines may say */
};

/* Append what path holds. Returns 1, 0 where there is no such file, or a
 * failure (reported). */
int digestfile_read(const char *path, struct buf *out);

/* Whether the next line of *at, or lines, are of this image; *at goes behind
 * them. Words that are not there, or not known, are no difference. */
bool digestfile_take(const char **at, const struct digestfile_image *image);

AUTO_DEFINE(digestfile, struct digestfile *, digestfile_free);

#endif
