/* assembly.h - a blob that is put together from pieces, in any order.
 *
 * Bytes are written where they belong, and hashed in order: those that come at
 * the front from memory, those behind a gap are read back once the gap is
 * closed. The name appears when size and digest are right.
 */
#ifndef OCCY_COMMON_ASSEMBLY_H
#define OCCY_COMMON_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/coverage.h"
#include "common/digest.h"
#include "common/store.h"

struct assembly;

/* Begin, with what an earlier run has left. Returns 0 with *out to be freed, or
 * a failure. */
int assembly_open(struct store *store, const struct digest *digest, int64_t size,
		  struct assembly **out);

/* Ends with what is there kept for the next run. */
void assembly_free(struct assembly *assembly);

/* Bytes that are there. */
int64_t assembly_have(const struct assembly *assembly);

/* The first missing stretch that ends behind `at`, from there on. Returns
 * false when nothing is missing. */
bool assembly_gap(const struct assembly *assembly, int64_t at,
		  struct stretch *out);

/* To be called before the first piece that leaves a gap before it. Returns 0
 * or a failure. */
int assembly_split(struct assembly *assembly);

/* A piece that lies within one block of STORE_BLOCK_SIZE. Returns 0 or a
 * failure. */
int assembly_write(struct assembly *assembly, int64_t from, const void *data,
		   size_t len);

/* Hash on, `most` bytes or as far as there is no gap. Returns 1 when all of
 * the blob is hashed, else 0, or a failure. */
int assembly_hash(struct assembly *assembly, int64_t most);

/* When all of it is: what it hashes to. */
void assembly_result(const struct assembly *assembly, struct digest *out);

/* Throw all of it away. Returns 0 or a failure. */
int assembly_restart(struct assembly *assembly);

/* What is there was found right: give it its name. Returns 0 or a failure. */
int assembly_commit(struct assembly *assembly);

/* Leave nothing for a next run. */
void assembly_discard(struct assembly *assembly);

AUTO_DEFINE(assembly, struct assembly *, assembly_free);

#endif
