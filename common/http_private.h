/* http_private.h - what http.c, http_outcome.c and http_trust.c share. */
#ifndef OCCY_COMMON_HTTP_PRIVATE_H
#define OCCY_COMMON_HTTP_PRIVATE_H

#include <curl/curl.h>

#include "common/http.h"

struct http {
	CURLM *multi;
	CURLSH *share; /* TLS sessions: saves handshakes between calls */
	char *user_agent;
	char *ca_directory; /* NULL: libcurl's default */
	long connect_seconds, stall_seconds;
	const struct proxies *proxies; /* or NULL */
	struct http_call *calls;
};

struct http_call {
	struct http *http;
	struct http_call *next, *previous;
	struct curl_slist *headers;
	CURL *easy;
	const struct http_handler *handler;
	void *context;
	char *form; /* or NULL; it may hold a secret */
	const struct proxy *proxy; /* or NULL */
	CURLcode start_error;
	bool has_headers, aborted;
	char error[CURL_ERROR_SIZE];
};

/* http_outcome.c: what has become of a call that libcurl is done with. */
void http_judge(struct http_call *call, CURLcode code, struct http_result *r);

/* The folder of hashed certificates of CAs; the caller frees it. NULL: there
 * is none, and libcurl's bundle serves. */
char *http_trust_directory(void);

/* Set it up for a request. trust may be NULL, and so may ca_directory, which is
 * what http_trust_directory() has given. Returns libcurl's complaint where it
 * is built with another library than OpenSSL. */
CURLcode http_trust_set(CURL *easy, const struct http_trust *trust,
			const char *ca_directory);

#endif
