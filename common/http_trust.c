/* http_trust.c - http.h's trust, and how libcurl is told of it */
#include "common/http_private.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/truststore.h"

struct http_trust {
	bool trust_anybody;
	struct truststore *store; /* NULL: the system's, by libcurl */
	char *store_name;         /* tells libcurl this store from others */
	char *certificate, *key;  /* or NULL */
};

/* A directory of hashed certificates is read as needed; libcurl's other
 * default, the bundle, costs 28 ms and 1 MB for each connection. */
static char *hashed_ca_directory(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	AUTO(dir) DIR *dir = NULL;
	const struct dirent *entry;

	if (info->age < CURLVERSION_SEVENTH || !info->capath)
		return NULL;
	dir = opendir(info->capath);
	while (dir && (entry = readdir(dir)))
		if (strspn(entry->d_name, "0123456789abcdef") == 8 &&
		    strcmp(entry->d_name + 8, ".0") == 0)
			return mem_strdup(info->capath);
	return NULL;
}

/* Where the system's CAs are: what a user has put there goes first. */
char *http_trust_directory(void)
{
	const char *directory = getenv("SSL_CERT_DIR");

	return directory && directory[0] ? mem_strdup(directory)
					 : hashed_ca_directory();
}

static const char *system_bundle(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	return info->age < CURLVERSION_SEVENTH ? NULL : info->cainfo;
}

static int load_store(struct http_trust *trust,
		      const struct http_trust_settings *settings)
{
	AUTO(mem) char *directory = http_trust_directory();
	AUTO(buf) struct buf name = { 0 };
	int rc = 0;

	trust->store = truststore_new(directory, system_bundle());
	for (size_t i = 0; i < settings->authority_count && rc == 0; i++) {
		buf_printf(&name, "%s:", settings->authorities[i]);
		rc = truststore_add(trust->store, settings->authorities[i]);
	}
	trust->store_name = buf_take(&name);
	return rc;
}

int http_trust_new(struct http_trust **out,
		   const struct http_trust_settings *settings)
{
	AUTO(http_trust) struct http_trust *trust = mem_zalloc(1, sizeof(*trust));
	int rc = 0;

	*out = NULL;
	trust->trust_anybody = settings->trust_anybody;
	if (settings->certificate) {
		rc = truststore_check_pair(settings->certificate, settings->key);
		trust->certificate = mem_strdup(settings->certificate);
		trust->key = mem_strdup(settings->key);
	}
	if (rc == 0 && settings->authority_count)
		rc = load_store(trust, settings);
	if (rc < 0)
		return rc;
	if (trust->store || trust->certificate || trust->trust_anybody)
		*out = TAKE(trust);
	return 0;
}

void http_trust_free(struct http_trust *trust)
{
	if (!trust)
		return;
	truststore_free(trust->store);
	free(trust->store_name);
	free(trust->certificate);
	free(trust->key);
	free(trust);
}

static CURLcode on_tls(CURL *easy, void *ssl_ctx, void *context)
{
	const struct http_trust *trust = context;

	(void)easy;
	truststore_give(trust->store, ssl_ctx);
	return CURLE_OK;
}

/* libcurl opens no file of CAs then, and our store takes the place of its own.
 * It cannot look into ours, so it learns from a folder's name, where nothing
 * is, which connections are not alike. The name is needed for more: 7.87 to
 * 8.3 set up their CAs after our turn, and without a folder they would put a
 * store that they share between connections in place of ours. */
static CURLcode set_store(CURL *easy, const struct http_trust *trust)
{
	CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);

	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, trust);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, trust->store_name);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, trust->store_name);
	return code;
}

CURLcode http_trust_set(CURL *easy, const struct http_trust *trust,
			const char *ca_directory)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (trust && trust->trust_anybody) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (trust && trust->certificate) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, trust->certificate);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, trust->key);
	}
	if (trust && trust->store)
		return set_store(easy, trust);
	if (ca_directory) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, ca_directory);
		curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, ca_directory);
	}
	return CURLE_OK;
}
