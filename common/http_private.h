/* http_private.h - what http.c and http_trust.c share. */
#ifndef OCCY_COMMON_HTTP_PRIVATE_H
#define OCCY_COMMON_HTTP_PRIVATE_H

#include <curl/curl.h>

#include "common/http.h"

/* The folder of hashed certificates of CAs; the caller frees it. NULL: there
 * is none, and libcurl's bundle serves. */
char *http_trust_directory(void);

/* Set it up for a request. trust may be NULL, and so may ca_directory, which is
 * what http_trust_directory() has given. Returns libcurl's complaint where it
 * is built with another library than OpenSSL. */
CURLcode http_trust_set(CURL *easy, const struct http_trust *trust,
			const char *ca_directory);

#endif
