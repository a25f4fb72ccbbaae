/* reuse.c - see reuse.h */
#include "common/reuse.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"

#define BLOCK_SIZE 262144
#define BLOCKS_PER_TURN 64 /* 16 MiB: some hundredths of a second */

static int open_layer(const char *directory, const struct digest *digest)
{
	AUTO(mem) char *folder = mem_printf("%s/%s", directory, digest_hex(digest));
	AUTO(fd) int inside = open(folder,
				   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return inside < 0 ? -1 : io_try_regular(inside, "layer.tar", INT64_MAX);
}

/* Returns 0 with how much was read, -1 in *size where that failed. */
static int hash_file(int fd, struct digest_state *state,
		     const struct client_loop *loop, int64_t *size)
{
	AUTO(mem) char *block = mem_resize(NULL, BLOCK_SIZE, 1);
	ssize_t n;

	*size = 0;
	for (int blocks = 1; (n = read(fd, block, BLOCK_SIZE)) > 0; blocks++) {
		int rc = blocks % BLOCKS_PER_TURN == 0 ? loop->turn(loop->context, 0)
						       : 0;

		if (rc < 0)
			return rc;
		digest_update(state, block, (size_t)n);
		*size += n;
	}
	if (n < 0)
		*size = -1;
	return 0;
}

int reuse_find(const char *directory, const struct digest *digest,
	       const struct digest *diff_id, const struct client_loop *loop,
	       struct reuse *out)
{
	AUTO(fd) int fd = open_layer(directory, digest);
	AUTO(digest_state) struct digest_state *state =
		digest_begin(digest_algorithm(diff_id));
	AUTO(mem) char *absolute = NULL;
	struct digest got;
	int64_t size;
	int rc;

	if (fd < 0)
		return 0;
	rc = hash_file(fd, state, loop, &size);
	if (rc < 0)
		return rc;
	digest_result(state, &got);
	absolute = realpath(directory, NULL);
	if (size < 0 || !absolute || !digest_equal(&got, diff_id))
		return 0;
	out->path = mem_printf("%s/%s/layer.tar", absolute, digest_hex(digest));
	out->size = size;
	return 0;
}
