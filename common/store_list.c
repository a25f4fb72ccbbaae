/* store_list.c - see store_list.h */
#include "common/store_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/store_private.h"

#define MAP_SUFFIX ".map"
#define MAP_SUFFIX_LEN 4

static int open_folder(const struct store *store, int dir, const char *name,
		       struct store_folder *out)
{
	*out = (struct store_folder){
		.path = mem_printf("%s/%s", store_path(store), name),
	};
	if (strchr(name, '/'))
		name = strchr(name, '/') + 1;
	out->fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return out->fd < 0 && errno != ENOENT ? io_fail(out->path) : 0;
}

int store_folder_of(const struct store *store, enum digest_algorithm algorithm,
		    struct store_folder *out)
{
	AUTO(store_folder) struct store_folder blobs = STORE_FOLDER_NONE;
	AUTO(mem) char *name =
		mem_printf("blobs/%s", digest_algorithm_name(algorithm));
	int rc = open_folder(store, store_fd(store), "blobs", &blobs);

	*out = (struct store_folder)STORE_FOLDER_NONE;
	if (rc < 0 || blobs.fd < 0)
		return rc;
	return open_folder(store, blobs.fd, name, out);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(struct store_folder *folder)
{
	/* The position in a directory is shared by copies of a descriptor. */
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t capacity = 0;

	if (!dir && fd >= 0)
		close(fd);
	if (!dir)
		return io_fail(folder->path);
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		folder->names = mem_grow(folder->names, folder->count, &capacity,
					 sizeof(*folder->names));
		folder->names[folder->count++] = mem_strdup(entry->d_name);
	}
	if (errno != 0)
		return io_fail(folder->path);
	if (folder->count)
		qsort(folder->names, folder->count, sizeof(*folder->names), by_name);
	return 0;
}

int store_list_blobs(const struct store *store, enum digest_algorithm algorithm,
		     struct store_folder *out)
{
	int rc = store_folder_of(store, algorithm, out);

	return rc < 0 || out->fd < 0 ? rc : read_names(out);
}

int store_list_parts(const struct store *store, struct store_folder *out)
{
	int rc = open_folder(store, store_fd(store), "parts", out);

	return rc < 0 || out->fd < 0 ? rc : read_names(out);
}

void store_folder_clear(struct store_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		free(folder->names[i]);
	free(folder->names);
	free(folder->path);
	if (folder->fd >= 0)
		close(folder->fd);
	*folder = (struct store_folder)STORE_FOLDER_NONE;
}

bool store_blob_digest(enum digest_algorithm algorithm, const char *name,
		       struct digest *out)
{
	AUTO(mem) char *text =
		mem_printf("%s:%s", digest_algorithm_name(algorithm), name);

	return digest_parse(out, text) == 0;
}

/* The first len bytes are ALGORITHM-HEX. */
static bool is_part_name(const char *name, size_t len)
{
	AUTO(mem) char *text = mem_strndup(name, len);
	char *dash = strchr(text, '-');
	struct digest digest;

	if (!dash)
		return false;
	*dash = ':';
	return digest_parse(&digest, text) == 0;
}

/* What store_temporary_name() is given. */
static bool is_written(const char *name, size_t len)
{
	static const char *const names[] = { "index.json", "oci-layout", "spool" };
	AUTO(mem) char *text = mem_strndup(name, len);
	struct digest digest;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(text, names[i]) == 0)
			return true;
	if (len > MAP_SUFFIX_LEN &&
	    strcmp(text + len - MAP_SUFFIX_LEN, MAP_SUFFIX) == 0)
		return is_part_name(name, len - MAP_SUFFIX_LEN);
	return is_part_name(name, len) ||
	       store_blob_digest(DIGEST_SHA256, text, &digest) ||
	       store_blob_digest(DIGEST_SHA512, text, &digest);
}

enum store_part_kind store_part_kind(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : strlen(name);

	if (!dot)
		return is_part_name(name, len) ? STORE_PART : STORE_FOREIGN;
	if (strcmp(dot, MAP_SUFFIX) == 0)
		return is_part_name(name, len) ? STORE_PART_MAP : STORE_FOREIGN;
	if (dot[1] == '\0' || dot[1 + strspn(dot + 1, "0123456789")] != '\0')
		return STORE_FOREIGN;
	return is_written(name, len) ? STORE_TEMPORARY : STORE_FOREIGN;
}
