/* replay.c - run every file of a corpus directory through a fuzz target, so
 * that what was found once is tested in every build. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "common/buf.h"
#include "common/io.h"
#include "fuzz.h"

#define INPUT_MAX 16777216

static int replay(int dirfd, const char *name)
{
	AUTO(fd) int fd = io_open_regular(dirfd, name);
	AUTO(buf) struct buf bytes = { 0 };
	AUTO(mem) char *exact = NULL;

	if (fd < 0 || io_read_all(fd, name, INPUT_MAX, &bytes) < 0)
		return -1;
	/* A copy of exactly that size: a buffer's spare room would hide it when
	 * a parser reads on. */
	exact = malloc(bytes.len ? bytes.len : 1);
	REQUIRE(exact);
	if (bytes.len)
		memcpy(exact, bytes.data, bytes.len);
	fprintf(stderr, "%s\n", name);
	LLVMFuzzerTestOneInput((const uint8_t *)exact, bytes.len);
	return 0;
}

int main(int argc, char **argv)
{
	AUTO(dir) DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	int count = 0;

	if (!dir) {
		fprintf(stderr, "usage: replay DIRECTORY\n");
		return 2;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay(dirfd(dir), entry->d_name) < 0)
			return 1;
		count++;
	}
	return count ? 0 : 1;
}
