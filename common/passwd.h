/* passwd.h - who a container's process is: the User of an image's config,
 * looked up in etc/passwd and etc/group of its own root filesystem.
 *
 * image-spec conversion.md, "Config.User": USER, USER:GROUP, each a name or a
 * number. Numbers are taken as they are; a name that is not in the file is an
 * error, never root. Additional groups belong to a user that was named, and
 * only where no group was.
 *
 * The files are the image's: they are looked for below the root alone, opened
 * only if they are regular, and only if the answer depends on them; ids are
 * decimal numbers from 0 to 2^32-2 (2^32-1 means "leave it" to chown(2) and
 * setresuid(2)), and what is none is not read as 0.
 */
#ifndef OCCY_COMMON_PASSWD_H
#define OCCY_COMMON_PASSWD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/safepath.h"

#define PASSWD_MAX_BYTES 1048576
#define PASSWD_MAX_GROUPS 65536 /* NGROUPS_MAX: the kernel takes no more */

struct identity {
	uint32_t uid, gid;
	uint32_t *groups; /* owned; in rising order, none twice */
	size_t group_count;
};

/* Look user up in the text of both files; NULL stands for a file that is not
 * there. Returns 0, or -1 with what is wrong in the caller's buffer (escaped,
 * not reported). */
int identity_find(struct identity *out, const char *user,
		  const struct buf *passwd, const struct buf *group, char *why,
		  size_t size);

/* The same in the files below root. label begins the messages. Returns 0 or a
 * failure (reported): STATUS_INTEGRITY for a user that is not there too. */
int identity_resolve(struct identity *out, const char *user,
		     const struct safe_root *root, const char *label);

void identity_clear(struct identity *identity);

static inline void auto_release_identity(struct identity *identity)
{
	identity_clear(identity);
}

#endif
