/* saved.c - see saved.h */
#include "common/saved.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/saveddir.h"
#include "common/savedtar.h"
#include "common/store.h"

struct saved {
	const char *name;     /* for messages */
	char *path;           /* absolute, links resolved */
	struct saveddir *dir; /* one of the two */
	struct savedtar *tar;
	struct json_object *records; /* of the current image; owned */
	size_t next;                 /* of them */
};

void saved_free(struct saved *saved)
{
	if (!saved)
		return;
	saveddir_free(saved->dir);
	savedtar_free(saved->tar);
	json_object_put(saved->records);
	free(saved->path);
	free(saved);
}

/* Records name the file by an absolute path, and readers follow no link in its
 * last component: so the links in what the user called it end here. */
static int resolve(struct saved *saved, const char *path)
{
	saved->path = realpath(path, NULL);
	return saved->path ? 0 : io_fail(saved->name);
}

/* Put what comes from fd into the store. Returns a descriptor of the file that
 * it is there, or a failure. */
static int spool(struct saved *saved, int fd, const struct saved_want *want)
{
	AUTO(store) struct store *store = NULL;
	struct digest digest;
	int rc = store_open(want->store, &store);

	if (rc == 0)
		rc = store_spool(store, fd, saved->name, &digest);
	if (rc < 0)
		return rc;
	saved->path = store_blob_path(store, &digest);
	return io_open_regular(AT_FDCWD, saved->path);
}

static int open_spooled(struct saved *saved, int fd,
			const struct saved_want *want)
{
	int file = spool(saved, fd, want);

	return file < 0 ? file
			: savedtar_open(&saved->tar, file, saved->path,
					saved->name, want);
}

static int open_path(struct saved *saved, const char *path,
		     const struct saved_want *want)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) != 0)
		return io_fail(saved->name);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return open_spooled(saved, fd, want);
	rc = resolve(saved, path);
	if (rc < 0)
		return rc;
	if (S_ISDIR(st.st_mode))
		return saveddir_open(&saved->dir, TAKE_FD(fd), saved->path,
				     saved->name, want);
	return savedtar_open(&saved->tar, TAKE_FD(fd), saved->path, saved->name,
			     want);
}

int saved_open(struct saved **out, const char *path,
	       const struct saved_want *want)
{
	AUTO(saved) struct saved *saved = mem_zalloc(1, sizeof(*saved));
	bool is_stdin = strcmp(path, "-") == 0;
	int rc;

	saved->name = is_stdin ? "stdin" : path;
	rc = is_stdin ? open_spooled(saved, STDIN_FILENO, want)
		      : open_path(saved, path, want);
	if (rc == 0)
		*out = TAKE(saved);
	return rc;
}

static int next_image(struct saved *saved)
{
	json_object_put(TAKE(saved->records));
	saved->next = 0;
	return saved->dir ? saveddir_next(saved->dir, &saved->records)
			  : savedtar_next(saved->tar, &saved->records);
}

int saved_next(struct saved *saved, struct record *record)
{
	const char *text;
	size_t len;
	char why[512];

	while (!saved->records ||
	       saved->next == json_object_array_length(saved->records)) {
		int got = next_image(saved);

		if (got <= 0)
			return got;
	}
	text = json_text(json_object_array_get_idx(saved->records, saved->next++),
			 &len);
	record->text.len = 0;
	buf_append(&record->text, text, len);
	/* All else in it has been parsed before. */
	if (record_parse(record, why, sizeof(why)) < 0)
		return msg_fail(STATUS_STORAGE,
				"%s: its path is not UTF-8, so no record can name it",
				saved->name);
	return 1;
}
