/* store.c - see store.h */
#include "common/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/store_private.h"

#define LAYOUT_MAX_BYTES 65536
#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

struct store {
	char *path; /* absolute, links resolved */
	int fd;
	int parts;   /* the folder; leases and the guard are locks on it */
	bool shared; /* others may write into it: hash before trusting */
};

static char *default_path(void)
{
	const char *store = getenv("OCCY_STORE");
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (store && *store)
		return mem_strdup(store);
	if (cache && *cache == '/')
		return mem_printf("%s/occystrap", cache);
	if (home && *home)
		return mem_printf("%s/.cache/occystrap", home);
	return NULL;
}

/* mkdir -p. Returns 0 or a failure. */
static int make_path(const char *path)
{
	AUTO(mem) char *copy = mem_strdup(path);
	char *slash = copy;

	do {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0777) != 0 && errno != EEXIST)
			return io_fail(copy);
		if (slash)
			*slash = '/';
	} while (slash && slash[1] != '\0');
	return 0;
}

/* A directory that only root and we can change. */
static bool is_ours(const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == 0) &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Those that are missing are made, or else the store is none. */
static int check_directories(struct store *store, bool make)
{
	static const char *const names[] = {
		".", "blobs", "blobs/sha256", "parts",
	};
	struct stat rare;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct stat st;

		if ((make && i > 0 && mkdirat(store->fd, names[i], 0777) != 0 &&
		     errno != EEXIST) ||
		    fstatat(store->fd, names[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			return msg_fail(STATUS_STORAGE, "%s/%s: %s", store->path,
					names[i], strerror(errno));
		if (!S_ISDIR(st.st_mode))
			return msg_fail(STATUS_STORAGE, "%s/%s: not a directory",
					store->path, names[i]);
		store->shared |= !is_ours(&st);
	}
	if (fstatat(store->fd, "blobs/sha512", &rare, AT_SYMLINK_NOFOLLOW) == 0)
		store->shared |= !S_ISDIR(rare.st_mode) || !is_ours(&rare);
	store->parts = openat(store->fd, "parts",
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return store->parts < 0 ? io_fail(store->path) : 0;
}

/* sha512 is rare: its directory comes with its first blob. */
int store_make_blob_directory(const struct store *store,
			      const struct digest *digest)
{
	if (digest_algorithm(digest) == DIGEST_SHA512 &&
	    mkdirat(store->fd, "blobs/sha512", 0777) != 0 && errno != EEXIST)
		return io_fail("blobs/sha512");
	return 0;
}

const char *store_path(const struct store *store)
{
	return store->path;
}

int store_fd(const struct store *store)
{
	return store->fd;
}

int store_parts_fd(const struct store *store)
{
	return store->parts;
}

bool store_is_shared(const struct store *store)
{
	return store->shared;
}

/* A name that is nobody else's: process numbers repeat, in containers that
 * share a store even at one time. */
char *store_temporary_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	uint64_t salt = 0;

	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		mem_die("getrandom");
	return mem_printf("parts/%s.%llu", slash ? slash + 1 : name,
			  (unsigned long long)salt);
}

int store_replace_file(const struct store *store, const char *name,
		       const void *data, size_t len, bool sync)
{
	AUTO(mem) char *path = mem_printf("%s/%s", store->path, name);
	AUTO(mem) char *temporary = store_temporary_name(name);
	AUTO(fd) int fd = openat(store->fd, temporary,
				 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				 0666);
	int rc;

	if (fd < 0)
		return io_fail(path);
	rc = io_write(fd, path, data, len);
	if (rc == 0 &&
	    ((sync && fdatasync(fd) != 0 && errno != EINVAL) ||
	     renameat(store->fd, temporary, store->fd, name) != 0))
		rc = io_fail(path);
	if (rc < 0)
		unlinkat(store->fd, temporary, 0);
	return rc;
}

static int make_layout(const struct store *store)
{
	static const char index[] =
		"{\"schemaVersion\":2,"
		"\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
		"\"manifests\":[]}";
	int rc = 0;

	/* oci-layout last: it is what makes the directory a layout. */
	if (faccessat(store->fd, "oci-layout", F_OK, 0) == 0)
		return 0;
	if (faccessat(store->fd, "index.json", F_OK, 0) != 0)
		rc = store_replace_file(store, "index.json", index,
					strlen(index), true);
	if (rc == 0)
		rc = store_replace_file(store, "oci-layout", LAYOUT_TEXT,
					strlen(LAYOUT_TEXT), true);
	return rc;
}

static struct store *new_store(void)
{
	struct store *store = mem_zalloc(1, sizeof(*store));

	store->fd = -1;
	store->parts = -1;
	return store;
}

static char *find_path(const char *dir)
{
	return dir ? mem_strdup(dir) : default_path();
}

static int no_place(void)
{
	return msg_fail(STATUS_STORAGE,
			"no place for the store: neither OCCY_STORE nor HOME is set");
}

static int open_directory(struct store *store, const char *path)
{
	store->path = realpath(path, NULL);
	if (store->path)
		store->fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return store->fd < 0 ? io_fail(path) : 0;
}

/* Somebody's folder does not become a store because its name was mistyped. What
 * a run that was killed has made of one so far does. */
static int check_unmade(const struct store *store)
{
	static const char *const names[] = {
		".", "..", "blobs", "parts", "index.json", NULL,
	};
	AUTO(dir) DIR *dir = NULL;
	const struct dirent *entry;
	int fd;

	if (faccessat(store->fd, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return io_fail(store->path);
	while ((entry = readdir(dir))) {
		size_t i = 0;

		while (names[i] && strcmp(entry->d_name, names[i]) != 0)
			i++;
		if (!names[i])
			return msg_fail(STATUS_STORAGE,
					"%s: not a store, and not empty: %s is in it",
					store->path, entry->d_name);
	}
	return 0;
}

int store_open(const char *dir, struct store **out)
{
	AUTO(store) struct store *store = new_store();
	AUTO(mem) char *path = find_path(dir);
	int rc = path ? make_path(path) : no_place();

	if (rc == 0)
		rc = open_directory(store, path);
	if (rc < 0)
		return rc;
	/* Two runs that start together must not both write index.json. */
	if (flock(store->fd, LOCK_EX) != 0)
		return io_fail(store->path);
	rc = check_unmade(store);
	if (rc == 0)
		rc = check_directories(store, true);
	if (rc == 0)
		rc = make_layout(store);
	flock(store->fd, LOCK_UN);
	if (rc < 0)
		return rc;
	store_use(store);
	*out = TAKE(store);
	return 0;
}

/* image-layout.md, "oci-layout file": what says that this is our business. */
static int check_layout(const struct store *store)
{
	AUTO(mem) char *path = mem_printf("%s/oci-layout", store->path);
	AUTO(fd) int fd = -1;
	AUTO(json) struct json_object *layout = NULL;
	AUTO(buf) struct buf text = { 0 };
	const char *why = "", *version = "";
	int rc;

	if (faccessat(store->fd, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return msg_fail(STATUS_STORAGE, "%s: not a store: no oci-layout in it",
				store->path);
	fd = io_open_regular_as(store->fd, "oci-layout", path);
	rc = fd < 0 ? fd : io_read_all(fd, path, LAYOUT_MAX_BYTES, &text);
	if (rc < 0)
		return rc;
	layout = json_parse(text.data ? text.data : "", text.len,
			    JSON_DEPTH_DOCUMENT, &why);
	if (layout)
		json_get_string(layout, "imageLayoutVersion", &version);
	if (strcmp(version, "1.0.0") != 0)
		return msg_fail(STATUS_STORAGE, "%s: not of version 1.0.0", path);
	return 0;
}

int store_open_existing(const char *dir, struct store **out)
{
	AUTO(store) struct store *store = new_store();
	AUTO(mem) char *path = find_path(dir);
	int rc = path ? open_directory(store, path) : no_place();

	if (rc == 0)
		rc = check_layout(store);
	if (rc == 0)
		rc = check_directories(store, false);
	if (rc < 0)
		return rc;
	*out = TAKE(store);
	return 0;
}

void store_use(const struct store *store)
{
	store_lease(store);
}

void store_free(struct store *store)
{
	if (!store)
		return;
	if (store->parts >= 0)
		close(store->parts);
	if (store->fd >= 0)
		close(store->fd);
	free(store->path);
	free(store);
}

char *store_blob_name(const struct digest *digest)
{
	return mem_printf("blobs/%s/%s",
			  digest_algorithm_name(digest_algorithm(digest)),
			  digest_hex(digest));
}

char *store_blob_path(const struct store *store, const struct digest *digest)
{
	AUTO(mem) char *name = store_blob_name(digest);

	return mem_printf("%s/%s", store->path, name);
}

/* Open a blob of that size; -1 when there is none (not reported). */
static int open_blob(const struct store *store, const struct digest *digest,
		     int64_t size)
{
	AUTO(mem) char *name = store_blob_name(digest);
	AUTO(fd) int fd = openat(store->fd, name,
				 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size != size)
		return -1;
	return TAKE_FD(fd);
}

int64_t store_size(const struct store *store, const struct digest *digest)
{
	AUTO(mem) char *name = store_blob_name(digest);
	struct stat st;
	bool is_there;

	store_guard(store, false);
	is_there = fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		   S_ISREG(st.st_mode);
	if (is_there &&
	    utimensat(store->fd, name, NULL, AT_SYMLINK_NOFOLLOW) != 0)
		store_lease_all(store);
	store_unguard(store);
	return is_there ? st.st_size : -1;
}

int store_has(const struct store *store, const struct digest *digest,
	      int64_t size)
{
	AUTO(fd) int fd = -1;

	if (store_size(store, digest) != size)
		return 0;
	if (!store->shared)
		return 1;
	fd = open_blob(store, digest, size);
	return fd >= 0 && digest_matches_file(fd, digest);
}

int store_put(const struct store *store, const struct digest *digest,
	      const void *data, size_t len)
{
	AUTO(mem) char *name = store_blob_name(digest);

	int rc;

	if (store_has(store, digest, (int64_t)len))
		return 0;
	rc = store_make_blob_directory(store, digest);
	if (rc < 0)
		return rc;
	store_guard(store, false);
	rc = store_replace_file(store, name, data, len, false);
	store_unguard(store);
	return rc;
}

int store_read(const struct store *store, const struct digest *digest,
	       int64_t size, struct buf *out)
{
	AUTO(mem) char *path = store_blob_path(store, digest);
	AUTO(fd) int fd = open_blob(store, digest, size);
	struct digest got;
	int rc;

	if (fd < 0)
		return msg_fail(STATUS_STORAGE, "%s: gone from the store", path);
	rc = io_read_all(fd, path, (size_t)size, out);
	if (rc < 0)
		return rc;
	digest_of(digest_algorithm(digest), out->data, out->len, &got);
	if (!digest_equal(&got, digest))
		return msg_fail(STATUS_INTEGRITY,
				"%s: digest mismatch, got %s", path, got.text);
	return 0;
}
