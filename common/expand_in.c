/* expand_in.c - see expand_in.h */
#include "common/expand_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/reference.h"

#define CATALOG "catalog.json"
#define CATALOG_MAX_BYTES 8388608
#define NOTE_MAX_BYTES 256
#define PREFIX "manifest"
#define SUFFIX ".json"

/* The tree replaces what has its name: with any other name allowed, that could
 * be a layer's folder, or whatever else lies there. */
char *expand_in_name_of(const char *manifest)
{
	size_t len = strlen(manifest), suffix = strlen(SUFFIX);
	size_t prefix = strlen(PREFIX);

	if (len < prefix + suffix || len > 255 || strchr(manifest, '/') ||
	    strncmp(manifest, PREFIX, prefix) != 0 ||
	    (manifest[prefix] != '-' && len > prefix + suffix) ||
	    strcmp(manifest + len - suffix, SUFFIX) != 0)
		return NULL;
	return mem_strndup(manifest, len - suffix);
}

/* Returns 1 with the catalog, 0 when there is none, or a failure. */
static int read_catalog(int dir, struct json_object **out)
{
	AUTO(fd) int fd = -1;
	AUTO(buf) struct buf bytes = { 0 };
	const char *why;
	int rc;

	if (faccessat(dir, CATALOG, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	fd = io_open_regular(dir, CATALOG);
	if (fd < 0)
		return fd;
	rc = io_read_all(fd, CATALOG, CATALOG_MAX_BYTES, &bytes);
	if (rc < 0)
		return rc;
	*out = json_parse(bytes.data, bytes.len, JSON_DEPTH_DOCUMENT, &why);
	if (!*out)
		return msg_fail(STATUS_INTEGRITY, CATALOG ": %s", why);
	return 1;
}

/* Images stand in the catalog as they were typed: "busybox" may be the
 * repository library/busybox. */
static bool is_called(const char *typed, const char *repository)
{
	AUTO(reference) struct reference reference = { 0 };
	char why[256];

	if (strcmp(typed, repository) == 0)
		return true;
	return reference_from_parts(&reference, "docker.io", typed, "latest",
				    why, sizeof(why)) == 0 &&
	       strcmp(reference.repository, repository) == 0;
}

static char *name_in_catalog(struct json_object *catalog,
			     const char *repository, const char *tag,
			     bool *is_listed)
{
	json_object_object_foreach(catalog, image, tags)
	{
		const char *manifest;

		if (is_called(image, repository) &&
		    json_object_is_type(tags, json_type_object) &&
		    json_get_string(tags, tag, &manifest) == 1) {
			char *name = expand_in_name_of(manifest);

			if (!name)
				msg_fail(STATUS_INTEGRITY, CATALOG ": '%s' is no "
					 "name of a manifest", manifest);
			*is_listed = true;
			return name;
		}
	}
	return mem_strdup("manifest");
}

char *expand_in_name(int dir, const char *repository, const char *tag,
		     bool *is_listed)
{
	AUTO(json) struct json_object *catalog = NULL;
	int got = read_catalog(dir, &catalog);

	*is_listed = got == 0;
	if (got < 0)
		return NULL;
	if (got == 0 || !repository || !tag)
		return mem_strdup("manifest");
	return name_in_catalog(catalog, repository, tag, is_listed);
}

static char *note_name(const char *name)
{
	return mem_printf(".%s.tree", name);
}

/* A tree that an ordinary user made lacks owners and devices. */
static char *note_text(const struct digest *config)
{
	return mem_printf("%s %s\n", config->text,
			  geteuid() == 0 ? "root" : "user");
}

bool expand_in_is_current(int dir, const char *name, const struct digest *config)
{
	AUTO(mem) char *note = note_name(name);
	AUTO(mem) char *want = note_text(config);
	AUTO(fd) int fd = openat(dir, note, O_RDONLY | O_NOFOLLOW |
						    O_NONBLOCK | O_CLOEXEC);
	char text[NOTE_MAX_BYTES];
	struct stat stat;
	ssize_t len;

	if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return false;
	len = read(fd, text, sizeof(text));
	return len == (ssize_t)strlen(want) &&
	       memcmp(text, want, (size_t)len) == 0 &&
	       fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(stat.st_mode);
}

int expand_in_forget(int dir, const char *name)
{
	AUTO(mem) char *note = note_name(name);

	if (unlinkat(dir, note, 0) != 0 && errno != ENOENT)
		return io_fail(note);
	return 0;
}

int expand_in_note(int dir, const char *name, const struct digest *config)
{
	AUTO(mem) char *note = note_name(name);
	AUTO(mem) char *text = note_text(config);
	AUTO(fd) int fd = openat(dir, note, O_WRONLY | O_CREAT | O_TRUNC |
						    O_NOFOLLOW | O_CLOEXEC,
				 0600);
	int rc;

	if (fd < 0)
		return io_fail(note);
	rc = io_write(fd, note, text, strlen(text));
	if (close(TAKE_FD(fd)) != 0 && rc == 0)
		rc = io_fail(note);
	return rc;
}
