/* outfile.h - a file that appears only when it is whole.
 *
 * What is written has no name until outfile_publish(); then it replaces what
 * had the name before, in one step. Without the publishing nothing is left,
 * whatever happens (where the filesystem lacks O_TMPFILE: SIGKILL leaves a
 * dot-file, and signals are held back, see interrupt.h).
 *
 * "-" is stdout, and a path that exists and is no regular file (/dev/null, a
 * FIFO) is written to as it is: both take the bytes at once. A symbolic link
 * is followed and the file it points to replaced, or made.
 */
#ifndef OCCY_COMMON_OUTFILE_H
#define OCCY_COMMON_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

struct outfile;

/* Whether path is stdout: "-", or another name of the same file, such as
 * /dev/stdout. A stream must not go there too. */
bool outfile_names_stdout(const char *path);

/* Open what the user called path. Returns 0, or STATUS_STORAGE (reported)
 * where it can be told by now that nothing can be written there. path must
 * outlive it. */
int outfile_open(struct outfile **out, const char *path);

/* Begin a file somewhere in the directory dir (duplicated), to be given its
 * name by outfile_publish_as(). name is for messages and must outlive it.
 * Returns 0 or a failure (reported). */
int outfile_open_in(struct outfile **out, int dir, const char *name);

/* Without outfile_publish() before: nothing happens to the path. */
void outfile_free(struct outfile *out);

/* For messages: the path, or "stdout". */
const char *outfile_name(const struct outfile *out);

/* outfile_write_at() and outfile_skip() work. */
bool outfile_is_seekable(const struct outfile *out);

/* Append; leave a gap of zero bytes; fill in what was skipped. Return 0 or a
 * failure (reported). */
int outfile_write(struct outfile *out, const void *data, size_t len);
int outfile_skip(struct outfile *out, int64_t len);
int outfile_write_at(struct outfile *out, const void *data, size_t len,
		     int64_t offset);

/* Where the next byte goes, which is how many there are. */
int64_t outfile_position(const struct outfile *out);

/* Give it its name. Once. Returns 0 or a failure (reported). */
int outfile_publish(struct outfile *out);

/* Give it this name in the directory dir, of the same filesystem, replacing
 * what has it. With sync its bytes are on the disk first: for what stands for
 * an image; what is named by its digest proves itself. */
int outfile_publish_as(struct outfile *out, int dir, const char *base, bool sync);

AUTO_DEFINE(outfile, struct outfile *, outfile_free);

#endif
