/* scratch.h - a folder for a unit test that needs files. */
#ifndef OCCY_TESTS_UNIT_SCRATCH_H
#define OCCY_TESTS_UNIT_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_path[] = "/tmp/occy-unit.XXXXXX";

static inline int scratch_remove_one(const char *path, const struct stat *st,
				     int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void scratch_remove(void)
{
	nftw(scratch_path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Returns a descriptor of an empty folder that goes when the test ends. A
 * test that cannot have one has failed. */
static inline int scratch_open(void)
{
	int fd = mkdtemp(scratch_path)
			 ? open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			 : -1;

	if (fd < 0 || atexit(scratch_remove) != 0) {
		perror(scratch_path);
		exit(1);
	}
	return fd;
}

/* A file of len bytes, whatever was there before. */
static inline void scratch_write(int dir, const char *name, const void *data,
				 size_t len)
{
	int fd;

	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
		perror(name);
		exit(1);
	}
	close(fd);
}

#endif
