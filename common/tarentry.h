/* tarentry.h - what a header block, a PAX header and GNU's long names say
 * together about one entry of a tar.
 */
#ifndef OCCY_COMMON_TARENTRY_H
#define OCCY_COMMON_TARENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "common/pax.h"
#include "common/tarheader.h"

#define TAR_NAME_MAX 65536

enum tar_type {
	TAR_FILE,
	TAR_HARDLINK,
	TAR_SYMLINK,
	TAR_CHARACTER,
	TAR_BLOCK,
	TAR_DIRECTORY,
	TAR_FIFO,
};

struct tar_entry {
	enum tar_type type;
	const char *path; /* as it stands in the archive, any bytes but NUL */
	const char *link; /* target of a link; else it means nothing */
	uint32_t mode;    /* permission bits only, 07777 */
	uint32_t uid, gid; /* 0 to 4294967294: -1 is chown's "leave it" */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint64_t major, minor;
	int64_t size; /* of a file's content, holes included; else 0 */
	const struct pax_xattr *xattrs;
	size_t xattr_count;
};

/* What stood before the entry's own header. */
struct tar_extension {
	struct pax *pax;       /* or NULL */
	const char *long_name; /* of GNU's L and K headers, or NULL */
	const char *long_link;
};

/* Everything in *out is lent from the arguments. Returns 0, or -1 (not
 * reported) with why in the caller's buffer of size bytes. */
int tar_entry_fill(struct tar_entry *out, const struct tar_header *header,
		   const struct tar_extension *extension, char *why,
		   size_t size);

#endif
