/* pax.h - a PAX extended header: "LENGTH key=value\n" records.
 *
 * POSIX pax, "pax Interchange Format"; SCHILY.xattr.* as star made it and
 * containers use it, LIBARCHIVE.xattr.* as bsdtar writes it, GNU.sparse.* as
 * GNU tar does. A record that does not fit its own length is refused, as is a
 * value that is none: a reader that carries on sees other entries than the
 * next one does.
 */
#ifndef OCCY_COMMON_PAX_H
#define OCCY_COMMON_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/sparse.h"

#define PAX_XATTR_MAX 65536 /* the kernel's limit for one; ours for a file */
#define PAX_XATTR_COUNT_MAX 1000

struct pax_xattr {
	const char *name;
	const void *value;
	size_t len;
};

/* Everything lent lies in the bytes that were parsed. */
struct pax {
	const char *path, *link;       /* lent, or NULL: not said */
	int64_t size, uid, gid;        /* -1: not said */
	bool has_mtime;
	int64_t mtime;
	uint32_t mtime_nsec;
	struct pax_xattr *xattrs;      /* owned */
	size_t xattr_count, xattr_capacity;
	bool has_too_many;
	size_t xattr_bytes;

	const char *sparse_name;       /* lent, or NULL */
	int64_t sparse_size;           /* -1: not said */
	int64_t sparse_major, sparse_minor; /* -1: not said */
	struct sparse_map sparse_map;  /* of the forms 0.0 and 0.1 */
	int64_t sparse_offset;         /* waits for its length; -1 */
	bool has_sparse_map;
};

/* Parse len bytes, which are changed (values get their NUL in place) and must
 * outlive *out. Returns 0, or -1 (not reported) with *why. */
int pax_parse(struct pax *out, char *bytes, size_t len, const char **why);

/* Only look whether the records are well-formed; for global headers, which
 * are not applied. */
int pax_check(char *bytes, size_t len, const char **why);

void pax_clear(struct pax *pax);

#endif
