/* tarwrite.h - write a tar of regular files, always the same bytes.
 *
 * POSIX ustar: mode 0644, owner 0, no owner's names, time 0. A size of 8 GiB
 * and more goes out in base 256, as GNU tar began and all readers follow; a
 * name that fits no ustar header goes before it in a pax header.
 */
#ifndef OCCY_COMMON_TARWRITE_H
#define OCCY_COMMON_TARWRITE_H

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/outfile.h"

#define TAR_BLOCK_SIZE 512
#define TAR_NAME_MAX 255

/* Fill a header block for a file. Returns 0, or -1 for a name that does not
 * fit; then it holds the first 100 bytes of it. */
int tar_header(char header[TAR_BLOCK_SIZE], const char *name, int64_t size);

struct tarwrite;

/* out stays the caller's and must outlive the writer. */
struct tarwrite *tarwrite_new(struct outfile *out);
void tarwrite_free(struct tarwrite *tar);

/* Begin a member of size bytes; -1 where the size shows only at its end, and
 * outfile_is_seekable(). name is at most TAR_NAME_MAX bytes and stays the
 * caller's until the member ends. These return 0 or a failure (reported). */
int tarwrite_begin(struct tarwrite *tar, const char *name, int64_t size);
int tarwrite_data(struct tarwrite *tar, const void *data, size_t len);

/* End the member. As many bytes as announced must have come. */
int tarwrite_end(struct tarwrite *tar);

/* The two zero blocks. */
int tarwrite_finish(struct tarwrite *tar);

AUTO_DEFINE(tarwrite, struct tarwrite *, tarwrite_free);

#endif
