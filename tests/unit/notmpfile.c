/* notmpfile.c - preloaded: openat(2) as on a filesystem without O_TMPFILE */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Both names: which one a program calls depends on its _FILE_OFFSET_BITS. */
int (openat64)(int dir, const char *path, int flags, ...)
	__attribute__((alias("openat")));

int (openat)(int dir, const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}
