/* http.h - single HTTP requests, many at a time, in one thread.
 *
 * The http*.c files are the only users of libcurl. One call is one request
 * and one answer: nothing is followed, repeated or authorised here, that is
 * client.h's business. No credential, cookie, netrc entry or Referer is ever
 * added on the way; an Authorization line goes out only where the caller gives
 * one, for exactly the URL it is given with.
 *
 * Blobs come over HTTP/1.1, one connection each: libcurl 7.88's HTTP/2 stalls
 * all streams when one is slow, and reports some cut bodies as complete.
 */
#ifndef OCCY_COMMON_HTTP_H
#define OCCY_COMMON_HTTP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/cleanup.h"

struct http;
struct http_call;
struct proxies;

struct http_settings {
	const char *user_agent;
	int64_t connect_seconds; /* for connecting, TLS included */
	int64_t stall_seconds;   /* below 1 KiB/s for so long: given up */
	const struct proxies *proxies; /* lent; NULL: none */
};

/* How a call ended. What went wrong before there was an answer, by what can
 * be done about it. */
enum http_outcome {
	HTTP_ANSWERED,    /* a whole answer; look at the status */
	HTTP_ABORTED,     /* a callback said no */
	HTTP_UNREACHABLE, /* no such host, or it refuses connections */
	HTTP_BROKEN,      /* timed out, reset, cut short: worth a repeat */
	HTTP_UNTRUSTED,   /* the certificate was not accepted */
	HTTP_NO_WAY,      /* the proxy refuses to lead there */
	HTTP_IMPOSSIBLE,  /* a repeat cannot help */
};

struct http_result {
	enum http_outcome outcome;
	bool secure_channel; /* the TLS handshake was completed */
	char why[512];       /* for all but HTTP_ANSWERED; escaped */
};

struct http_handler {
	/* The answer's headers are complete (informational ones are not shown).
	 * Returns 0, or -1 to abort. */
	int (*on_headers)(void *context, struct http_call *call);
	/* A piece of the body, at most 16 KiB. Returns 0, or -1 to abort. */
	int (*on_body)(void *context, const void *data, size_t len);
	/* The end; the call is freed when this returns. */
	void (*on_done)(void *context, struct http_call *call,
			const struct http_result *result);
};

/* Whose certificates are taken, and which is shown. */
struct http_trust;

struct http_trust_settings {
	const char *const *authorities; /* PEM files, besides the system's CAs */
	size_t authority_count;
	const char *certificate, *key; /* PEM files; shown if asked for; or NULL */
	bool trust_anybody;            /* look at no certificate */
};

struct http_request {
	const char *url;           /* absolute, http or https */
	const char *accept;        /* or NULL */
	const char *authorization; /* the whole value, or NULL */
	const char *form;          /* POST this, form-encoded; NULL: GET */
	/* Ask for the bytes from the first to before the second; 0 is the end.
	 * Both 0: no range is asked for. */
	int64_t range_from, range_to;
	const struct http_trust *trust; /* lent until the end; NULL: the system's */
	bool decode;               /* undo the answer's Content-Encoding, which
				      was not asked for */
	bool is_head;              /* the answer's headers alone */
};

/* Neither returns NULL. settings' strings are copied. */
struct http *http_new(const struct http_settings *settings);
void http_free(struct http *http);

/* Read the files; what is not there now is not asked for later. Returns 0, or
 * a failure that names the file. *out is NULL where the settings add nothing
 * to what the system trusts. */
int http_trust_new(struct http_trust **out,
		   const struct http_trust_settings *settings);
void http_trust_free(struct http_trust *trust);

/* Begin a request; strings are copied, handler and context must live until
 * on_done or http_cancel(). Never fails at once: what is wrong comes as
 * on_done, from http_step(). */
struct http_call *http_start(struct http *http, const struct http_request *request,
			     const struct http_handler *handler, void *context);

/* Drop a call without on_done. */
void http_cancel(struct http_call *call);

/* Wait for at most timeout_ms for the network or for one of fds (their
 * revents are not set: poll them), then run what has come. */
void http_step(struct http *http, const struct pollfd *fds, size_t count,
	       int timeout_ms);

/* Of the answer, from on_headers to on_done. */
long http_status(const struct http_call *call);
/* The index-th header of that name (any case), lent; NULL when there are no
 * more. A name of NULL gives NULL. */
const char *http_header(const struct http_call *call, const char *name,
			size_t index);
/* -1 without. Retry-After is in seconds from now, dates are converted; -1 for
 * what makes no sense: past, negative, decades. */
int64_t http_content_length(const struct http_call *call);
int64_t http_retry_after(const struct http_call *call);

/* URLs. Each result is the caller's to free, NULL for what is no URL. */
char *http_url_resolve(const char *base, const char *relative);
/* "https://host:443": equal for equal origins (scheme, host, port). */
char *http_url_origin(const char *url);
/* "socks5h://host:1080" of a URL of any scheme that has only these and perhaps
 * user info, which is left out: for proxies. */
char *http_url_place(const char *url);
/* scheme://host/path, without user info, query and fragment: for messages. */
char *http_url_public(const char *url);
/* Percent-encode one query value and append it. */
void http_append_encoded(struct buf *out, const char *value);

AUTO_DEFINE(http, struct http *, http_free);
AUTO_DEFINE(http_trust, struct http_trust *, http_trust_free);

#endif
