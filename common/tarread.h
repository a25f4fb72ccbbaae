/* tarread.h - read a layer's tar, strictly, from a source of bytes.
 *
 * Not libarchive's reader: that one guesses whether data follows a hard link,
 * takes typeflags it does not know for files, and believes PAX records that do
 * not fit. What is wrong here is refused with the entry's name, because what
 * two readers see differently is what an attacker hides things in.
 *
 * - ustar, V7, GNU (long names, base-256) and PAX, with GNU's sparse files in
 *   their PAX forms; global headers are checked and not applied
 * - links, directories, FIFOs and devices have no data, whatever they say
 * - nothing is allocated by a size from the archive: extended headers and
 *   sparse maps have a ceiling of 1 MiB, names one of 64 KiB
 * - the end may lack its zero blocks; what follows them is read (its digest
 *   counts) and otherwise ignored
 *
 * Pull: tar_next() for an entry, tar_data() until its data is over, and
 * tar_finish() at the end. Data that is not pulled is skipped.
 */
#ifndef OCCY_COMMON_TARREAD_H
#define OCCY_COMMON_TARREAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/tarentry.h"
#include "common/tarsource.h"

#define TAR_EXTENDED_MAX 1048576

/* A piece of the current file: len bytes at offset. What no piece covers, up
 * to the entry's size, is zeros. */
struct tar_piece {
	const void *data; /* lent until the next call */
	size_t len;
	int64_t offset;
};

struct tar_reader;

/* name begins messages ("layer 3 sha256:…"); it stays the caller's. A source
 * of more than `most` bytes is refused, holes of sparse files included;
 * UINT64_MAX is no limit. */
struct tar_reader *tar_reader_new(const struct byte_source *source,
				  const char *name, uint64_t most);
void tar_reader_free(struct tar_reader *reader);

/* Returns 1 with the next entry, lent until the next call, 0 at the end of the archive, or a
 * failure (reported, STATUS_INTEGRITY or the source's own). */
int tar_next(struct tar_reader *reader, const struct tar_entry **out);

/* Returns 1 with the next piece of the entry's data, 0 after the last, or a
 * failure. Pieces rise and do not overlap. */
int tar_data(struct tar_reader *reader, struct tar_piece *out);

/* After tar_next() returned 0: read the source to its end. *after (may be
 * NULL) gets how many bytes stand behind the end of the archive from the
 * first that is not zero. Returns 0 or a failure. */
int tar_finish(struct tar_reader *reader, uint64_t *after);

/* Where in the source the data of the entry that has just come begins; -1 if
 * they do not lie there in one piece (a sparse file). */
int64_t tar_data_offset(const struct tar_reader *reader);

/* How much of `most` has been used up. */
uint64_t tar_used(const struct tar_reader *reader);

AUTO_DEFINE(tar_reader, struct tar_reader *, tar_reader_free);

#endif
