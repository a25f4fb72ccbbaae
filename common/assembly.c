/* assembly.c - see assembly.h */
#include "common/assembly.h"

#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/mem.h"

/* What is read back after each block that is written: more than is written, so
 * that the front catches up, but not so much that the network has to wait. */
#define CATCH_UP_BYTES ((int64_t)4 * STORE_BLOCK_SIZE)

struct assembly {
	struct store_part *part;
	int64_t size;
	struct coverage there;
	struct digest_state *state;
	int64_t front; /* hashed so far */
	char *block;   /* to read back into; once it is needed */
};

int assembly_open(struct store *store, const struct digest *digest, int64_t size,
		  struct assembly **out)
{
	AUTO(assembly) struct assembly *a = mem_zalloc(1, sizeof(*a));
	int rc;

	a->size = size;
	a->state = digest_begin(digest_algorithm(digest));
	rc = store_part_open(store, digest, &a->part);
	if (rc == 0)
		rc = store_part_load(a->part, size, &a->there);
	if (rc < 0)
		return rc;
	*out = TAKE(a);
	return 0;
}

void assembly_free(struct assembly *assembly)
{
	if (!assembly)
		return;
	store_part_free(assembly->part);
	coverage_clear(&assembly->there);
	digest_end(assembly->state);
	free(assembly->block);
	free(assembly);
}

int64_t assembly_have(const struct assembly *assembly)
{
	return assembly->there.total;
}

bool assembly_gap(const struct assembly *assembly, int64_t at,
		  struct stretch *out)
{
	int64_t next;

	out->from = coverage_end(&assembly->there, at);
	next = coverage_next(&assembly->there, out->from);
	out->to = next < assembly->size ? next : assembly->size;
	return out->from < out->to;
}

int assembly_split(struct assembly *assembly)
{
	return store_part_map(assembly->part, coverage_end(&assembly->there, 0));
}

/* Only a block of which all is there is worth a mark. */
static int mark(const struct assembly *assembly, int64_t at)
{
	int64_t block = at / STORE_BLOCK_SIZE;
	int64_t end = (block + 1) * STORE_BLOCK_SIZE;

	if (end > assembly->size)
		end = assembly->size;
	if (coverage_end(&assembly->there, block * STORE_BLOCK_SIZE) < end)
		return 0;
	return store_part_mark(assembly->part, block);
}

int assembly_write(struct assembly *assembly, int64_t from, const void *data,
		   size_t len)
{
	int rc = io_write_at(store_part_fd(assembly->part),
			     store_part_name(assembly->part), data, len, from);

	if (rc < 0)
		return rc;
	if (from == assembly->front) {
		digest_update(assembly->state, data, len);
		assembly->front += (int64_t)len;
	}
	coverage_add(&assembly->there, from, from + (int64_t)len);
	rc = mark(assembly, from);
	if (rc == 0)
		rc = assembly_hash(assembly, CATCH_UP_BYTES);
	return rc < 0 ? rc : 0;
}

/* What has become shorter meanwhile hashes as zeros: to something wrong. */
static int read_back(struct assembly *assembly, size_t len)
{
	size_t got;
	int rc;

	if (!assembly->block)
		assembly->block = mem_resize(NULL, STORE_BLOCK_SIZE, 1);
	rc = io_read_at(store_part_fd(assembly->part),
			store_part_name(assembly->part), assembly->block, len,
			assembly->front, &got);
	if (rc < 0)
		return rc;
	memset(assembly->block + got, 0, len - got);
	digest_update(assembly->state, assembly->block, len);
	assembly->front += (int64_t)len;
	return 0;
}

int assembly_hash(struct assembly *assembly, int64_t most)
{
	int64_t end = coverage_end(&assembly->there, assembly->front);
	int rc = 0;

	if (end - assembly->front > most)
		end = assembly->front + most;
	while (rc == 0 && assembly->front < end)
		rc = read_back(assembly, end - assembly->front < STORE_BLOCK_SIZE
						 ? (size_t)(end - assembly->front)
						 : STORE_BLOCK_SIZE);
	return rc < 0 ? rc : assembly->front == assembly->size;
}

void assembly_result(const struct assembly *assembly, struct digest *out)
{
	digest_result(assembly->state, out);
}

int assembly_restart(struct assembly *assembly)
{
	coverage_clear(&assembly->there);
	digest_restart(assembly->state);
	assembly->front = 0;
	return store_part_empty(assembly->part);
}

int assembly_commit(struct assembly *assembly)
{
	return store_part_commit(assembly->part);
}

void assembly_discard(struct assembly *assembly)
{
	store_part_discard(assembly->part);
}
