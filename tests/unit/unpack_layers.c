/* unpack_layers [-w] [-s] [-a] ROOT LAYER.tar... - apply plain tars to a root.
 *
 * The engine alone, without a stream, for tests and measurements: -w does
 * without openat2(2), -s is strict, -a takes one layer as it is.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/msg.h"
#include "common/unpack.h"

struct file_source {
	int fd;
	const char *name;
	char *data;
};

static int next(void *context, const void **data, size_t *len)
{
	struct file_source *source = context;
	int rc = io_read(source->fd, source->name, source->data, IO_BLOCK_SIZE,
			 len);

	*data = source->data;
	return rc < 0 ? rc : *len > 0;
}

static int apply(struct unpack *unpack, const char *name)
{
	AUTO(mem) char *data = malloc(IO_BLOCK_SIZE);
	AUTO(fd) int fd = io_open_regular(AT_FDCWD, name);
	struct file_source file = { .fd = fd, .name = name, .data = data };
	struct byte_source source = { .next = next, .context = &file };
	AUTO(tar_reader) struct tar_reader *tar = NULL;

	if (fd < 0)
		return fd;
	tar = tar_reader_new(&source, name, UINT64_MAX);
	return unpack_layer(&unpack, 1, tar, name, 2000000);
}

int main(int argc, char **argv)
{
	AUTO(unpack) struct unpack *unpack = NULL;
	AUTO(fd) int root = -1;
	struct unpack_options options = { 0 };
	struct unpack_counts counts = { 0 };
	int c, rc = 0;

	while ((c = getopt(argc, argv, "wsa")) != -1) {
		options.walk_only |= c == 'w';
		options.strict |= c == 's';
		options.as_is |= c == 'a';
	}
	umask(077);
	root = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -io_fail(argv[optind]);
	unpack = unpack_new(root, &options, NULL, &counts);
	for (int i = optind + 1; rc == 0 && i < argc; i++)
		rc = apply(unpack, argv[i]);
	if (rc == 0)
		rc = unpack_finish(unpack);
	return -rc;
}
