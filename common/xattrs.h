/* xattrs.h - extended attributes of what an image makes.
 *
 * Only user.* and security.capability: trusted.overlay.* in a layer would
 * redirect files where the tree becomes an overlay's lower directory, and
 * system.* and other security.* are the host's business.
 */
#ifndef OCCY_COMMON_XATTRS_H
#define OCCY_COMMON_XATTRS_H

#include <stdbool.h>

#include "common/pax.h"

/* May an image set it? */
bool xattrs_allowed(const char *name);

/* Set one on an open file or directory. Returns 0, 1 where the file system or
 * the user's rights do not have it, or -1 with errno. */
int xattrs_set(int fd, const struct pax_xattr *xattr);

/* Remove all that an image may set. Returns 0, or -1 with errno. */
int xattrs_clear(int fd);

#endif
