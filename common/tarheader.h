/* tarheader.h - one header block of a tar archive.
 *
 * POSIX ustar, GNU's and star's variants of it, and the V7 form without a
 * magic. Every field is from outside: what is no number, does not fit, or has
 * a wrong checksum is refused, because two readers that guess differently see
 * two archives.
 */
#ifndef OCCY_COMMON_TARHEADER_H
#define OCCY_COMMON_TARHEADER_H

#include <stdbool.h>
#include <stdint.h>

#define TAR_BLOCK_SIZE 512

struct tar_header {
	char type;      /* the typeflag as it stands */
	char name[257]; /* prefix and name, joined */
	char link[101];
	int64_t mode, uid, gid, size;
	int64_t mtime;
	int64_t major, minor; /* of devices; else 0 */
};

bool tar_header_is_zero(const unsigned char *block);

/* Returns 0, or -1 (not reported) with *why saying what is wrong. */
int tar_header_parse(const unsigned char *block, struct tar_header *out,
		     const char **why);

#endif
