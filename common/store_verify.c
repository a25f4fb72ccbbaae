/* store_verify.c - is everything in a store what it is called, and is it all
 * there? See store_care.h
 *
 * Several threads hash, since that is what takes the time; only the first one
 * speaks. Memory grows with the number of blobs, not with their size.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/store_care.h"
#include "common/store_list.h"
#include "common/store_private.h"
#include "common/store_walk.h"

#define THREADS_MAX 4
#define DRAW_MS 100

/* One blob; what a thread has found out. */
struct check {
	enum digest_algorithm algorithm;
	const char *name; /* the folder's */
	struct digest digest, got;
	struct stat st;
	int error; /* errno of what could not be read */
	bool is_there;
};

struct verify {
	const struct store *store;
	struct progress *progress;
	struct store_folder blobs[2]; /* by algorithm */
	struct check *checks;
	size_t count;
	atomic_size_t next;   /* the first that no thread has taken */
	atomic_size_t done;
	atomic_llong hashed;  /* bytes */
	int64_t bytes, wrong, images, missing, part_files, part_bytes;
	const char *image;    /* being looked at */
	int integrity, lacking, other; /* 0, or the failure */
};

static void note(struct verify *v, int rc)
{
	if (rc == -STATUS_INTEGRITY)
		v->integrity = rc;
	else if (rc == -STATUS_NOT_FOUND)
		v->lacking = rc;
	else if (rc < 0)
		v->other = rc;
}

static void add_folder(struct verify *v, enum digest_algorithm algorithm,
		       size_t *capacity)
{
	const struct store_folder *folder = &v->blobs[algorithm];

	for (size_t i = 0; i < folder->count; i++) {
		struct check check = { .algorithm = algorithm };

		check.name = folder->names[i];
		if (!store_blob_digest(algorithm, check.name, &check.digest)) {
			msg_warn("%s/%s: does not belong here", folder->path,
				 check.name);
			continue;
		}
		if (fstatat(folder->fd, check.name, &check.st,
			    AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISREG(check.st.st_mode))
			progress_expect(v->progress, check.st.st_size);
		v->checks = mem_grow(v->checks, v->count, capacity,
				     sizeof(*v->checks));
		v->checks[v->count++] = check;
	}
}

/* Hash an open file into check->got. */
static void hash(struct verify *v, struct check *check, int fd, char *block)
{
	AUTO(digest_state) struct digest_state *state = digest_begin(check->algorithm);
	off_t at = 0;
	ssize_t n;

	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	do {
		n = pread(fd, block, IO_BLOCK_SIZE, at);
		if (n > 0)
			digest_update(state, block, (size_t)n);
		at += n > 0 ? n : 0;
		v->hashed += n > 0 ? n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	check->error = n < 0 ? errno : 0;
	digest_result(state, &check->got);
}

static void check_blob(struct verify *v, struct check *check, char *block)
{
	AUTO(fd) int fd = -1;

	check->is_there = true;
	if (!S_ISREG(check->st.st_mode))
		return;
	fd = openat(v->blobs[check->algorithm].fd, check->name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		check->is_there = false; /* by gc, just now */
	else if (fd < 0 || fstat(fd, &check->st) != 0)
		check->error = errno;
	else if (S_ISREG(check->st.st_mode))
		hash(v, check, fd, block);
}

static void *run_thread(void *context)
{
	struct verify *v = context;
	AUTO(mem) char *block = mem_resize(NULL, IO_BLOCK_SIZE, 1);
	size_t i;

	while ((i = v->next++) < v->count) {
		check_blob(v, &v->checks[i], block);
		v->done++;
	}
	return NULL;
}

static void hash_all(struct verify *v)
{
	static const struct timespec pause = { .tv_nsec = DRAW_MS * 1000000L };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	int started = 0;

	while (started < THREADS_MAX && started < cores &&
	       (size_t)started < v->count &&
	       pthread_create(&threads[started], NULL, run_thread, v) == 0)
		started++;
	if (started == 0)
		run_thread(v);
	while (v->done < v->count) {
		progress_update(v->progress, v->hashed, 0);
		nanosleep(&pause, NULL);
	}
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

/* It would be taken for the blob by its size. Nobody who has it open is
 * disturbed, and whoever wants to look at it still can, until gc. */
static void move_away(struct verify *v, const struct check *check)
{
	const struct store_folder *folder = &v->blobs[check->algorithm];
	AUTO(mem) char *temporary = store_temporary_name(check->name);
	const char *to = strchr(temporary, '/') + 1;
	struct stat st;
	int rc = -1;

	store_guard(v->store, true);
	/* Somebody may have put a right one there meanwhile. */
	if (fstatat(folder->fd, check->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == check->st.st_ino && st.st_dev == check->st.st_dev)
		rc = renameat(folder->fd, check->name,
			      store_parts_fd(v->store), to);
	else
		errno = ENOENT;
	if (rc == 0)
		(void)utimensat(store_parts_fd(v->store), to, NULL,
				AT_SYMLINK_NOFOLLOW);
	store_unguard(v->store);
	if (rc == 0)
		msg_fail(STATUS_INTEGRITY, "%s/%s: digest mismatch, got %s; moved to %s",
			 folder->path, check->name, check->got.text, temporary);
	else
		msg_fail(STATUS_INTEGRITY,
			 "%s/%s: digest mismatch, got %s; cannot be moved away: %s",
			 folder->path, check->name, check->got.text,
			 strerror(errno));
}

static void judge(struct verify *v, const struct check *check)
{
	const char *folder = v->blobs[check->algorithm].path;

	if (!check->is_there)
		return;
	if (check->error) {
		note(v, msg_fail(STATUS_STORAGE, "%s/%s: %s", folder,
				 check->name, strerror(check->error)));
		return;
	}
	v->bytes += S_ISREG(check->st.st_mode) ? check->st.st_size : 0;
	if (digest_equal(&check->digest, &check->got))
		return;
	v->wrong++;
	v->integrity = -STATUS_INTEGRITY;
	if (S_ISREG(check->st.st_mode))
		move_away(v, check);
	else
		msg_fail(STATUS_INTEGRITY, "%s/%s: not a regular file", folder,
			 check->name);
}

/* What this run has found wrong is gone by now; what came since is right. */
static int need(void *context, const struct store_need *need)
{
	struct verify *v = context;
	const struct store_folder *folder = &v->blobs[digest_algorithm(need->digest)];
	struct stat st;

	v->images += need->is_top;
	if (folder->fd < 0 ||
	    fstatat(folder->fd, digest_hex(need->digest), &st,
		    AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode)) {
		if (need->is_optional)
			return 0;
		v->missing++;
		v->lacking = msg_fail(STATUS_NOT_FOUND, "%s: %s %s is missing",
				      need->image, need->what, need->digest->text);
	} else if (need->size >= 0 && need->size != st.st_size) {
		v->integrity = msg_fail(STATUS_INTEGRITY,
					"%s: %s %s: %lld bytes, but its descriptor says %lld",
					need->image, need->what,
					need->digest->text, (long long)st.st_size,
					(long long)need->size);
	}
	return 0;
}

static int count_parts(struct verify *v)
{
	AUTO(store_folder) struct store_folder parts = STORE_FOLDER_NONE;
	int rc = store_list_parts(v->store, &parts);

	for (size_t i = 0; i < parts.count && rc == 0; i++) {
		struct stat st;

		if (fstatat(parts.fd, parts.names[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (store_part_kind(parts.names[i]) == STORE_FOREIGN ||
		    !S_ISREG(st.st_mode)) {
			msg_warn("%s/%s: does not belong here", parts.path,
				 parts.names[i]);
			continue;
		}
		v->part_files++;
		v->part_bytes += st.st_size;
	}
	return rc;
}

static struct json_object *counts(const struct verify *v)
{
	struct json_object *json = json_new_object(), *parts = json_new_object();

	json_add_integer(json, "blobs", (int64_t)v->count);
	json_add_integer(json, "bytes", v->bytes);
	json_add_integer(json, "wrong", v->wrong);
	json_add_integer(json, "images", v->images);
	json_add_integer(json, "missing", v->missing);
	json_add_integer(parts, "files", v->part_files);
	json_add_integer(parts, "bytes", v->part_bytes);
	json_add(json, "parts", parts);
	return json;
}

static int verify(struct verify *v)
{
	const struct store_walk walk = {
		.store = v->store,
		.need = need,
		.context = v,
		.keep_going = true,
	};
	size_t capacity = 0;
	int rc = store_list_blobs(v->store, DIGEST_SHA256, &v->blobs[0]);

	if (rc == 0)
		rc = store_list_blobs(v->store, DIGEST_SHA512, &v->blobs[1]);
	if (rc < 0)
		return rc;
	add_folder(v, DIGEST_SHA256, &capacity);
	add_folder(v, DIGEST_SHA512, &capacity);
	hash_all(v);
	for (size_t i = 0; i < v->count; i++)
		judge(v, &v->checks[i]);
	note(v, store_walk(&walk));
	note(v, count_parts(v));
	if (v->integrity < 0)
		return v->integrity;
	return v->lacking < 0 ? v->lacking : v->other;
}

int store_verify(const struct store *store, struct progress *progress,
		 struct json_object **out)
{
	struct verify v = {
		.store = store,
		.progress = progress,
		.blobs = { STORE_FOLDER_NONE, STORE_FOLDER_NONE },
	};
	int rc = verify(&v);

	*out = counts(&v);
	store_folder_clear(&v.blobs[0]);
	store_folder_clear(&v.blobs[1]);
	free(v.checks);
	return rc;
}
