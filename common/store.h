/* store.h - where blobs are kept: a directory that is at all times a valid
 * OCI image layout (image-spec image-layout.md).
 *
 *   oci-layout, index.json      what other tools look for
 *   blobs/ALGORITHM/HEX         whole and verified, always
 *   parts/ALGORITHM-HEX         what is still being fetched
 *   parts/ALGORITHM-HEX.map     which blocks of that are there, if not just
 *                               the first ones
 *
 * A blob appears under its name by rename, when it is complete, so whoever
 * sees the name may use the file. Many processes may share a store. Blobs are
 * not synced to disk: size and use prove them.
 *
 * What may be removed (store_care.h), and when:
 *
 * - A blob that an image in index.json needs is never removed.
 * - Any other is as old as its last use: a run that puts a blob or finds it
 *   there sets its mtime. What is younger than a grace stays, since a tool
 *   downstream may open it long after the run that named it has ended.
 * - A run holds a lease on the store, which says when it began. What was used
 *   since the oldest run began that is still going on stays, whatever the
 *   grace: its image is not in index.json yet. A run that cannot set the mtime
 *   of what it uses (another user's file, a store that may only be read) takes
 *   one since ever: all stays then until it ends.
 * - To say that a blob is there and set its mtime, or to give it its name, is
 *   one step, and so is looking at its age and removing it: the guard.
 * - A part belongs to whoever has its lock; others are as old as their mtime.
 */
#ifndef OCCY_COMMON_STORE_H
#define OCCY_COMMON_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/coverage.h"
#include "common/digest.h"
#include "common/platform.h"

struct store;

/* Open, and make where it is missing, the store in dir; NULL stands for
 * $OCCY_STORE, else $XDG_CACHE_HOME/occystrap, else ~/.cache/occystrap.
 * Returns 0 with *out to be freed, or a failure. */
int store_open(const char *dir, struct store **out);
void store_free(struct store *store);

/* The same for one that is there; nothing is made. The caller, if it relies on
 * blobs, says so by store_use(). */
int store_open_existing(const char *dir, struct store **out);

/* From here on what this struct store finds or puts is in use, for gc. Part of
 * store_open(). */
void store_use(const struct store *store);

/* The absolute path of a blob's file, whether it is there or not; the caller
 * frees it. */
char *store_blob_path(const struct store *store, const struct digest *digest);

/* Returns 1 when the blob is there with that size, else 0. In a store that
 * others may write to, the bytes are hashed first. */
int store_has(const struct store *store, const struct digest *digest,
	      int64_t size);

/* Put bytes whose digest the caller has just computed. Returns 0 or a
 * failure. */
int store_put(const struct store *store, const struct digest *digest,
	      const void *data, size_t len);

/* Append the blob's bytes to *out; they must be `size` long and hash to the
 * digest. Returns 0 or a failure. */
int store_read(const struct store *store, const struct digest *digest,
	       int64_t size, struct buf *out);

/* Put all bytes that come from fd, a pipe's, as one blob whose digest shows at
 * the end. name is for messages. Returns 0 or a failure. */
int store_spool(const struct store *store, int fd, const char *name,
		struct digest *digest);

#define STORE_BLOCK_SIZE 262144 /* what a part's map counts in */

/* A blob in the making: a file that store_part_commit() renames into place,
 * once the caller has checked size and digest. It may hold what an earlier run
 * has left, to be believed when the digest of the whole is right. Freed
 * without that it stays for the next run, unless it is empty or was found
 * wrong: store_part_discard(). Where another process is fetching the same
 * blob, or its file is another user's, this one gets a nameless file of its
 * own. */
struct store_part;
int store_part_open(struct store *store, const struct digest *digest,
		    struct store_part **out);
int store_part_fd(const struct store_part *part);
const char *store_part_name(const struct store_part *part);

/* Add to *out what an earlier run has left of a blob of that size. What makes
 * no sense is thrown away. Returns 0 or a failure. */
int store_part_load(struct store_part *part, int64_t size, struct coverage *out);

/* Throw all of it away. Returns 0 or a failure. */
int store_part_empty(struct store_part *part);

/* To be called before anything is written that leaves a gap before it: from
 * now on a next run believes in the blocks that are marked, and in those that
 * lie in the first from_start bytes, and in nothing else. Returns 0 or a
 * failure. */
int store_part_map(struct store_part *part, int64_t from_start);

/* A block is written. Nothing happens without store_part_map(). Returns 0 or a
 * failure. */
int store_part_mark(struct store_part *part, int64_t block);

int store_part_commit(struct store_part *part);
void store_part_discard(struct store_part *part);
void store_part_free(struct store_part *part);

/* What index.json says of an image: its manifest and, unless name is NULL,
 * its full name. An older entry of that name and platform is replaced. */
struct store_image {
	const char *name;
	struct digest digest;
	struct digest tag_digest; /* of the index that led there; or none */
	int64_t size;
	const char *media_type;
	const struct platform *platform;
};
int store_add_image(const struct store *store, const struct store_image *image);

/* An image of that name in index.json: the newest of those that serve the wish
 * best; with wish NULL, the newest. One that no index has led to is the last
 * choice for any wish, as at a registry. Returns 1 with *out to be cleared, 0
 * where there is none of that name, or a failure: STATUS_NOT_FOUND for other
 * platforms only. */
struct store_found {
	struct digest digest, tag_digest;
	struct platform platform;
	char *media_type;
};
int store_find_image(const struct store *store, const char *name,
		     const struct platform *wish, struct store_found *out);
void store_found_clear(struct store_found *found);

/* The size of a blob that is there, which is in use from now on; -1 where it
 * is not there. */
int64_t store_size(const struct store *store, const struct digest *digest);

static inline void auto_release_store_found(struct store_found *found)
{
	store_found_clear(found);
}

AUTO_DEFINE(store, struct store *, store_free);
AUTO_DEFINE(store_part, struct store_part *, store_part_free);

#endif
