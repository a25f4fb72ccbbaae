/* store_gc.c - remove what nobody needs; see store_care.h
 *
 * First the whole walk, then the removal: what cannot be understood removes
 * nothing. An image that is added meanwhile has been used meanwhile, and is
 * too young.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/digestset.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/store_care.h"
#include "common/store_list.h"
#include "common/store_private.h"
#include "common/store_walk.h"

struct tally {
	int64_t blobs, parts, bytes;
};

struct gc {
	const struct store *store;
	struct digest_set needed;
	struct store_folder blobs[2]; /* by algorithm */
	struct store_folder parts;
	int64_t cutoff; /* what was used since stays */
	struct tally removed, kept;
	int worst;
};

static bool is_blob(const struct store_folder *folder, const char *name,
		    struct stat *st)
{
	return folder->fd >= 0 &&
	       fstatat(folder->fd, name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st->st_mode);
}

/* Without its manifest nobody knows which blobs an image has. */
static int need(void *context, const struct store_need *need)
{
	struct gc *gc = context;
	struct stat st;

	digest_set_add(&gc->needed, need->digest);
	if (!need->is_top ||
	    is_blob(&gc->blobs[digest_algorithm(need->digest)],
		    digest_hex(need->digest), &st))
		return 0;
	return msg_fail(STATUS_NOT_FOUND,
			"%s: manifest %s is missing: pull the image again, or --forget it",
			need->image, need->digest->text);
}

static int64_t mtime(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * STORE_SECOND + st->st_mtim.tv_nsec;
}

/* May a blob (in the guard), or a temporary file, be in use? */
static bool is_in_use(const struct gc *gc, const struct stat *st)
{
	return mtime(st) >= gc->cutoff ||
	       mtime(st) >= store_oldest_lease(gc->store);
}

/* What has holes takes less than its size. */
static int64_t bytes_of(const struct stat *st)
{
	int64_t taken = (int64_t)st->st_blocks * 512;

	return taken && taken < st->st_size ? taken : st->st_size;
}

static void keep(struct gc *gc, int64_t *count, const struct stat *st)
{
	++*count;
	gc->kept.bytes += bytes_of(st);
}

static void remove_file(struct gc *gc, const struct store_folder *folder,
			const char *name, int64_t *count, const struct stat *st)
{
	int rc;

	if (unlinkat(folder->fd, name, 0) == 0) {
		++*count;
		gc->removed.bytes += bytes_of(st);
	} else if (errno != ENOENT) {
		rc = msg_fail(STATUS_STORAGE, "%s/%s: %s", folder->path, name,
			      strerror(errno));
		gc->worst = gc->worst < 0 ? gc->worst : rc;
	}
}

static void sweep_blob(struct gc *gc, const struct store_folder *folder,
		       const char *name)
{
	struct stat st;

	store_guard(gc->store, true);
	if (is_blob(folder, name, &st)) {
		if (is_in_use(gc, &st))
			keep(gc, &gc->kept.blobs, &st);
		else
			remove_file(gc, folder, name, &gc->removed.blobs, &st);
	}
	store_unguard(gc->store);
}

static void sweep_blobs(struct gc *gc, enum digest_algorithm algorithm)
{
	const struct store_folder *folder = &gc->blobs[algorithm];
	struct digest digest;

	for (size_t i = 0; i < folder->count; i++)
		if (store_blob_digest(algorithm, folder->names[i], &digest) &&
		    !digest_set_has(&gc->needed, &digest))
			sweep_blob(gc, folder, folder->names[i]);
}

/* Parts are never found by a run without being opened and locked, so that a
 * lease alone says nothing about an old one. */
static bool is_old(const struct gc *gc, const struct stat *st)
{
	return mtime(st) < gc->cutoff;
}

/* A part goes with its map, under its lock. For a map that has lost its part,
 * one is made: whoever else begins it must wait, or keep off. */
static void sweep_part(struct gc *gc, const char *part)
{
	AUTO(mem) char *path = mem_printf("parts/%s", part);
	AUTO(mem) char *map = mem_printf("%s.map", part);
	AUTO(fd) int fd = store_lock_part(gc->store, path);
	struct stat st, beside;
	bool has_map = is_blob(&gc->parts, map, &beside), is_empty;

	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	is_empty = st.st_size == 0;
	if (!is_empty && !is_old(gc, &st)) {
		keep(gc, &gc->kept.parts, &st);
		return;
	}
	has_map = has_map && (!is_empty || is_old(gc, &beside));
	if (has_map)
		unlinkat(gc->parts.fd, map, 0);
	if (has_map || !is_empty)
		remove_file(gc, &gc->parts, part, &gc->removed.parts, &st);
	else
		unlinkat(gc->parts.fd, part, 0);
}

static void sweep_temporary(struct gc *gc, const char *name)
{
	struct stat st;

	if (!is_blob(&gc->parts, name, &st))
		return;
	if (is_in_use(gc, &st))
		keep(gc, &gc->kept.parts, &st);
	else
		remove_file(gc, &gc->parts, name, &gc->removed.parts, &st);
}

static bool has_name(const struct store_folder *folder, const char *name)
{
	struct stat st;

	return fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void sweep_parts(struct gc *gc)
{
	for (size_t i = 0; i < gc->parts.count; i++) {
		const char *name = gc->parts.names[i];
		AUTO(mem) char *part = mem_strndup(name, strcspn(name, "."));

		switch (store_part_kind(name)) {
		case STORE_PART:
			sweep_part(gc, name);
			break;
		case STORE_PART_MAP:
			if (!has_name(&gc->parts, part) && has_name(&gc->parts, name))
				sweep_part(gc, part);
			break;
		case STORE_TEMPORARY:
			sweep_temporary(gc, name);
			break;
		case STORE_FOREIGN:
			break;
		}
	}
}

static struct json_object *tally_json(const struct tally *tally)
{
	struct json_object *json = json_new_object();

	json_add_integer(json, "blobs", tally->blobs);
	json_add_integer(json, "parts", tally->parts);
	json_add_integer(json, "bytes", tally->bytes);
	return json;
}

static int collect(struct gc *gc)
{
	const struct store_walk walk = {
		.store = gc->store,
		.need = need,
		.context = gc,
	};
	int rc = store_list_blobs(gc->store, DIGEST_SHA256, &gc->blobs[0]);

	if (rc == 0)
		rc = store_list_blobs(gc->store, DIGEST_SHA512, &gc->blobs[1]);
	if (rc == 0)
		rc = store_list_parts(gc->store, &gc->parts);
	if (rc == 0)
		rc = store_walk(&walk);
	if (rc < 0)
		return rc;
	sweep_blobs(gc, DIGEST_SHA256);
	sweep_blobs(gc, DIGEST_SHA512);
	sweep_parts(gc);
	return gc->worst;
}

/* The time is taken before index.json is read: of a run that was going on
 * then, or has begun since, all that it uses is younger. */
int store_gc(const struct store *store, int64_t grace, struct json_object **out)
{
	struct gc gc = {
		.store = store,
		.blobs = { STORE_FOLDER_NONE, STORE_FOLDER_NONE },
		.parts = STORE_FOLDER_NONE,
		.cutoff = store_now() - grace * STORE_SECOND,
	};
	int64_t lease = store_oldest_lease(store);
	int rc;

	if (lease < gc.cutoff)
		gc.cutoff = lease;
	rc = collect(&gc);
	if (rc == 0 || gc.worst < 0) {
		*out = json_new_object();
		json_add(*out, "removed", tally_json(&gc.removed));
		json_add(*out, "kept", tally_json(&gc.kept));
	}
	store_folder_clear(&gc.blobs[0]);
	store_folder_clear(&gc.blobs[1]);
	store_folder_clear(&gc.parts);
	digest_set_clear(&gc.needed);
	return rc;
}
