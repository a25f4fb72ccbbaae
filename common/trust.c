/* trust.c - see trust.h */
#include "common/trust.h"

#include <stdlib.h>
#include <string.h>

#include "common/certsd.h"
#include "common/mem.h"

/* A host with a folder of its own. */
struct known {
	char *host;
	struct http_trust *trust;
};

struct trust {
	struct certsd own; /* the registry's folder */
	struct http_trust *registry;
	struct http_trust *elsewhere; /* hosts without a folder, if that differs */
	bool is_registry_special;
	struct known *known;
	size_t known_count, known_capacity;
};

static const char *given_file(void)
{
	const char *file = getenv("SSL_CERT_FILE");

	return file && file[0] ? file : NULL;
}

/* SSL_CERT_FILE, the registry's CAs, and those of `other` (or NULL); `shown`
 * has the pair that may be shown (or NULL). */
static int load(struct http_trust **out, const struct certsd *own,
		const struct certsd *other, const struct certsd *shown,
		bool trust_anybody)
{
	const char *file = given_file();
	size_t most = own->authority_count + 1 +
		      (other ? other->authority_count : 0);
	const char **files = mem_zalloc(most, sizeof(*files));
	struct http_trust_settings settings = {
		.authorities = files,
		.certificate = shown ? shown->certificate : NULL,
		.key = shown ? shown->key : NULL,
		.trust_anybody = trust_anybody,
	};
	size_t n = 0;
	int rc;

	if (file)
		files[n++] = file;
	for (size_t i = 0; i < own->authority_count; i++)
		files[n++] = own->authorities[i];
	for (size_t i = 0; other && i < other->authority_count; i++)
		files[n++] = other->authorities[i];
	settings.authority_count = n;
	rc = http_trust_new(out, &settings);
	free(files);
	return rc;
}

int trust_new(struct trust **out, const char *host, bool trust_anybody)
{
	AUTO(trust) struct trust *trust = mem_zalloc(1, sizeof(*trust));
	int rc = certsd_find(&trust->own, host);

	if (rc >= 0)
		rc = load(&trust->registry, &trust->own, NULL, &trust->own,
			  trust_anybody);
	trust->is_registry_special = trust_anybody || trust->own.certificate;
	if (rc == 0 && trust->is_registry_special)
		rc = load(&trust->elsewhere, &trust->own, NULL, NULL, false);
	if (rc < 0)
		return rc;
	*out = TAKE(trust);
	return 0;
}

void trust_free(struct trust *trust)
{
	if (!trust)
		return;
	for (size_t i = 0; i < trust->known_count; i++) {
		free(trust->known[i].host);
		http_trust_free(trust->known[i].trust);
	}
	free(trust->known);
	http_trust_free(trust->registry);
	http_trust_free(trust->elsewhere);
	certsd_clear(&trust->own);
	free(trust);
}

const struct http_trust *trust_registry(const struct trust *trust)
{
	return trust->registry;
}

/* How a folder for this URL would be named: host[:port], without the port that
 * https has anyway. NULL where no certificate is looked at. */
static char *folder_name(const char *url)
{
	static const char https[] = "https://";
	AUTO(mem) char *origin = http_url_origin(url);
	size_t len;

	if (!origin || strncmp(origin, https, sizeof(https) - 1) != 0)
		return NULL;
	len = strlen(origin);
	if (strcmp(origin + len - 4, ":443") == 0)
		origin[len - 4] = '\0';
	return mem_strdup(origin + sizeof(https) - 1);
}

static int remember(struct trust *trust, const char *host,
		    const struct certsd *folder, const struct http_trust **out)
{
	struct http_trust *loaded = NULL;
	int rc = load(&loaded, &trust->own, folder, folder, false);

	if (rc < 0)
		return rc;
	trust->known = mem_grow(trust->known, trust->known_count,
				&trust->known_capacity, sizeof(*trust->known));
	trust->known[trust->known_count++] = (struct known){
		.host = mem_strdup(host),
		.trust = loaded,
	};
	*out = loaded;
	return 0;
}

int trust_other(struct trust *trust, const char *url,
		const struct http_trust **out)
{
	AUTO(certsd) struct certsd folder = { 0 };
	AUTO(mem) char *host = folder_name(url);
	int got;

	*out = trust->is_registry_special ? trust->elsewhere : trust->registry;
	if (!host)
		return 0;
	for (size_t i = 0; i < trust->known_count; i++) {
		if (strcmp(trust->known[i].host, host) == 0) {
			*out = trust->known[i].trust;
			return 0;
		}
	}
	got = certsd_find(&folder, host);
	return got > 0 ? remember(trust, host, &folder, out) : got;
}
