/* certsd.c - see certsd.h */
#include "common/certsd.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

/* A folder's names, in order. */
struct listing {
	char *path;
	struct dirent **entries;
	int count;
};

static void auto_release_listing(struct listing *listing)
{
	for (int i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
	free(listing->path);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool has_name(const struct listing *listing, const char *name)
{
	for (int i = 0; i < listing->count; i++)
		if (strcmp(listing->entries[i]->d_name, name) == 0)
			return true;
	return false;
}

/* The name with another ending, or NULL where it does not end so. */
static char *with_ending(const char *name, const char *ending, const char *other)
{
	size_t len = strlen(name), ending_len = strlen(ending);

	if (len < ending_len || strcmp(name + len - ending_len, ending) != 0)
		return NULL;
	return mem_printf("%.*s%s", (int)(len - ending_len), name, other);
}

static void add_authority(struct certsd *out, const struct listing *listing,
			  const char *name)
{
	out->authorities = mem_grow(out->authorities, out->authority_count,
				    &out->authority_capacity,
				    sizeof(*out->authorities));
	out->authorities[out->authority_count++] =
		mem_printf("%s/%s", listing->path, name);
}

static void take_pair(struct certsd *out, const struct listing *listing,
		      const char *certificate, const char *key)
{
	if (out->certificate) {
		msg_warn("%.4096s/%s: not used, there is %.4096s", listing->path,
			 certificate, out->certificate);
		return;
	}
	out->certificate = mem_printf("%s/%s", listing->path, certificate);
	out->key = mem_printf("%s/%s", listing->path, key);
}

static int take_name(struct certsd *out, const struct listing *listing,
		     const char *name)
{
	AUTO(mem) char *authority = with_ending(name, ".crt", "");
	AUTO(mem) char *key = with_ending(name, ".cert", ".key");
	AUTO(mem) char *certificate = with_ending(name, ".key", ".cert");

	if (authority)
		add_authority(out, listing, name);
	if (key && !has_name(listing, key))
		return msg_fail(STATUS_FAILED,
				"%.4096s/%s: its key %s is missing (a CA is named .crt)",
				listing->path, name, key);
	if (certificate && !has_name(listing, certificate))
		return msg_fail(STATUS_FAILED,
				"%.4096s/%s: its certificate %s is missing",
				listing->path, name, certificate);
	if (key)
		take_pair(out, listing, name, key);
	return 0;
}

/* Returns 1, 0 when there is no such folder for this user, or a failure. */
static int read_folder(struct certsd *out, char *path)
{
	AUTO(listing) struct listing listing = { .path = path };
	int rc = 0;

	listing.count = scandir(path, &listing.entries, NULL, by_bytes);
	if (listing.count < 0 &&
	    (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (listing.count < 0)
		return io_fail(path);
	for (int i = 0; i < listing.count && rc == 0; i++)
		rc = take_name(out, &listing, listing.entries[i]->d_name);
	return rc < 0 ? rc : 1;
}

int certsd_find(struct certsd *out, const char *host)
{
	static const char *const places[] = {
		"/etc/containers/certs.d",
		"/etc/docker/certs.d",
	};
	const char *home = getenv("HOME");
	int got = 0;

	*out = (struct certsd){ 0 };
	/* Not every host comes from reference.c, where it would be no name. */
	if (host[0] == '.' || strchr(host, '/'))
		return 0;
	if (home && home[0])
		got = read_folder(out, mem_printf("%s/.config/containers/certs.d/%s",
						  home, host));
	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && got == 0; i++)
		got = read_folder(out, mem_printf("%s/%s", places[i], host));
	if (got < 0)
		certsd_clear(out);
	return got;
}

void certsd_clear(struct certsd *certsd)
{
	for (size_t i = 0; i < certsd->authority_count; i++)
		free(certsd->authorities[i]);
	free(certsd->authorities);
	free(certsd->certificate);
	free(certsd->key);
	*certsd = (struct certsd){ 0 };
}
