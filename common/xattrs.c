/* xattrs.c - see xattrs.h */
#include "common/xattrs.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "common/buf.h"

#define LIST_SIZE 65536 /* XATTR_LIST_MAX */

bool xattrs_allowed(const char *name)
{
	return (strncmp(name, "user.", 5) == 0 && name[5] != '\0') ||
	       strcmp(name, "security.capability") == 0;
}

int xattrs_set(int fd, const struct pax_xattr *xattr)
{
	if (fsetxattr(fd, xattr->name, xattr->value, xattr->len, 0) == 0)
		return 0;
	return errno == ENOTSUP || errno == EPERM ? 1 : -1;
}

static int clear_listed(int fd, const char *list, const char *end)
{
	for (const char *name = list; name < end; name += strlen(name) + 1)
		if (xattrs_allowed(name) && fremovexattr(fd, name) != 0 &&
		    errno != ENODATA && errno != EPERM)
			return -1;
	return 0;
}

int xattrs_clear(int fd)
{
	struct buf list = { 0 };
	ssize_t len = flistxattr(fd, NULL, 0);
	int rc = 0;

	if (len <= 0)
		return len == 0 || errno == ENOTSUP ? 0 : -1;
	len = flistxattr(fd, buf_reserve(&list, LIST_SIZE), LIST_SIZE);
	rc = len < 0 ? -1 : clear_listed(fd, list.data, list.data + len);
	buf_clear(&list);
	return rc;
}
