/* http_url.c - what http.h says of URLs; libcurl takes them apart */
#include "common/http.h"

#include <curl/curl.h>
#include <string.h>

#include "common/mem.h"

static void release_curl_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

#define AUTO_URL __attribute__((cleanup(release_curl_url)))

static CURLU *parse_url(const char *text)
{
	CURLU *url = curl_url();

	if (!url)
		mem_die("curl_url");
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK)
		return url;
	curl_url_cleanup(url);
	return NULL;
}

static char *url_part(CURLU *url, CURLUPart part, unsigned int flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
		return NULL;
	copy = mem_strdup(text);
	curl_free(text);
	return copy;
}

char *http_url_resolve(const char *base, const char *relative)
{
	AUTO_URL CURLU *url = parse_url(base);

	if (!url || curl_url_set(url, CURLUPART_URL, relative,
				 CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME) !=
			    CURLUE_OK)
		return NULL;
	curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	return url_part(url, CURLUPART_URL, 0);
}

char *http_url_origin(const char *text)
{
	AUTO_URL CURLU *url = parse_url(text);
	AUTO(mem) char *scheme = NULL, *host = NULL, *port = NULL;
	char *origin;

	if (!url)
		return NULL;
	scheme = url_part(url, CURLUPART_SCHEME, 0);
	host = url_part(url, CURLUPART_HOST, 0);
	port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (!scheme || !host || !port)
		return NULL;
	origin = mem_printf("%s://%s:%s", scheme, host, port);
	for (char *p = origin; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	return origin;
}

/* scheme://host[:port] */
static char *place(CURLU *url)
{
	AUTO(mem) char *scheme = url_part(url, CURLUPART_SCHEME, 0);
	AUTO(mem) char *host = url_part(url, CURLUPART_HOST, 0);
	AUTO(mem) char *port = url_part(url, CURLUPART_PORT, 0);

	if (!scheme || !host || !*host)
		return NULL;
	return mem_printf("%s://%s%s%s", scheme, host, port ? ":" : "",
			  port ? port : "");
}

char *http_url_place(const char *text)
{
	AUTO_URL CURLU *url = curl_url();
	AUTO(mem) char *path = NULL, *query = NULL, *fragment = NULL;

	if (!url)
		mem_die("curl_url");
	if (curl_url_set(url, CURLUPART_URL, text,
			 CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return NULL;
	path = url_part(url, CURLUPART_PATH, 0);
	query = url_part(url, CURLUPART_QUERY, 0);
	fragment = url_part(url, CURLUPART_FRAGMENT, 0);
	if ((path && strcmp(path, "/") != 0) || query || fragment)
		return NULL;
	return place(url);
}

char *http_url_public(const char *text)
{
	AUTO_URL CURLU *url = parse_url(text);

	if (!url)
		return NULL;
	curl_url_set(url, CURLUPART_USER, NULL, 0);
	curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(url, CURLUPART_QUERY, NULL, 0);
	curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	return url_part(url, CURLUPART_URL, 0);
}

void http_append_encoded(struct buf *out, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";

	for (const char *p = value; *p; p++) {
		unsigned char c = (unsigned char)*p;
		char encoded[3] = { '%', digits[c >> 4], digits[c & 15] };

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c))
			buf_append(out, p, 1);
		else
			buf_append(out, encoded, 3);
	}
}
