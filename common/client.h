/* client.h - GETs at registries, made good.
 *
 * A transfer is one document or blob. The client sees it through what may lie
 * between: a registry's challenge and a token for it, redirects, failures that
 * a repeat can mend, answers that do not hold what they should, mirrors that
 * fail where the registry itself does not. Everything runs in one thread, from
 * client_step(); nothing blocks but that.
 *
 * - a request carries an Authorization only to the origin it belongs to; it
 *   is made anew for every hop and never carried over
 * - every repeat starts at the registry again: redirect targets are good for
 *   one use
 * - what no repeat can mend fails at once
 */
#ifndef OCCY_COMMON_CLIENT_H
#define OCCY_COMMON_CLIENT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/auth.h"
#include "common/cleanup.h"
#include "common/msg.h"
#include "common/proxy.h"
#include "common/trust.h"

struct client;
struct store;
struct transfer;

struct client_settings {
	const struct proxies *proxies; /* lent; or NULL */
	bool allow_private_redirect; /* also from public registries */
	bool verbose;           /* tell of repeats and of mirrors that fail */
	int64_t jobs;           /* blobs at a time */
	int64_t split;          /* connections for one big blob */
	int64_t retry_wait_ms;  /* before the first repeat; doubles */
	int64_t stall_seconds;
	int64_t max_wait_seconds; /* the longest Retry-After obeyed */
};

/* A host that answers as a registry: one for all that is asked of it, because
 * how it is spoken with and when it wants to be left alone is learnt once. */
struct endpoint;

struct endpoint_settings {
	const char *host;      /* host[:port]; copied */
	const char *typed_host; /* as the user has it, for the folder of its
				  certificates; copied */
	bool plain_only;       /* http, and never https */
	bool insecure;         /* plain http will do */
	bool no_tls_verify;    /* its certificate need not be right; those of
				  other hosts must */
	const char *upstream;  /* of a mirror: the registry it stands for, which
				  goes along as ?ns=; copied. NULL: no mirror */
};

/* Where a repository can be had, and with which access. */
struct source {
	struct endpoint *endpoint;
	const char *repository; /* as that host calls it */
	struct auth *auth;
};

/* The sources of an image in the order in which they are tried; a transfer
 * that fails at one goes on at the next. All of it is lent to the transfers. */
struct route {
	struct client *client;
	const char *name; /* the image, for messages */
	const struct source *sources;
	size_t count; /* 1 at least */
	const struct store *offline; /* nobody is asked but this; or NULL */
};

/* What a sink says to a piece of an answer: 0, a failure (reported), or this,
 * once transfer_doubt() has said why: the answer is not what it should be.
 * One more try is made then. */
#define TRANSFER_DOUBT 1

/* The same where what came is right as far as it goes: after an answer to a
 * request for a range the rest is asked for. */
#define TRANSFER_SHORT 2

/* What came is of no use to who asked for a range: whole() has the word. */
#define TRANSFER_UNRANGED 3

/* What transfer_refuse() returns where another source is left to try. */
#define TRANSFER_ELSEWHERE 4

/* Of a blob that comes in several ranges: this one is there, ask resume() for
 * the next; there is none, until transfer_wake(); call work(), again and
 * again, until it says something else. */
#define TRANSFER_MORE 5
#define TRANSFER_IDLE 6
#define TRANSFER_WORK 7

struct transfer_range {
	int64_t from, to; /* as in http.h */
};

struct transfer_answer {
	bool is_range;      /* the one that was asked for, or its beginning */
	int64_t offset;     /* where it begins, because of resume() */
	int64_t length;     /* of the whole, as the server says; -1: nothing */
	const char *type;   /* Content-Type, or NULL */
	const char *digest; /* Docker-Content-Digest, or NULL */
	bool is_head;       /* nothing but this comes */
	const char *next;   /* where a Link says that it goes on: a path below the
			       host, or a URL at another; or NULL */
};

struct transfer_sink {
	/* Which bytes to ask for: fill *range, which is empty. Returns 0,
	 * TRANSFER_IDLE, TRANSFER_WORK or a failure (reported). NULL: always
	 * all. Who has this counts by transfer_count(). */
	int (*resume)(void *context, struct transfer_range *range);
	/* A range cannot be had. Returns 0 where all is to be asked for, in one
	 * piece, or TRANSFER_IDLE where others see to it. NULL: 0. */
	int (*whole)(void *context);
	/* Do something that takes no more than some milliseconds. Returns as
	 * end(). */
	int (*work)(void *context, struct transfer *transfer);
	/* An answer begins: forget what came before, or go on at its offset. */
	int (*begin)(void *context, struct transfer *transfer,
		     const struct transfer_answer *answer);
	int (*data)(void *context, struct transfer *transfer, const void *data,
		    size_t len);
	/* All of the answer is there. */
	int (*end)(void *context, struct transfer *transfer);
};

struct transfer_request {
	const struct route *route;
	const char *path;   /* below the repository: "blobs/…"; with a slash in
			       front, as in an answer's next, below the host; copied */
	const char *label;  /* for messages: "layer 3 sha256:…"; copied */
	const char *accept; /* or NULL; lent */
	bool is_head;       /* the headers may do; what is in doubt, or refused, is
			       asked for again by a GET */
	bool is_blob;       /* counts against jobs; client_received() has its bytes */
	struct transfer *leader; /* whose blob it helps to fetch: it counts as that
				    one does, and is idle at first; or NULL */
	/* Where it may be had when no source has it, without any login; lent. */
	const char *const *urls;
	size_t url_count;
	const struct transfer_sink *sink; /* lent, as is context */
	void *context;
};

struct client *client_new(const struct client_settings *settings);
void client_free(struct client *client);

/* The endpoint with these settings, made where there is none yet; lent until
 * client_free(). Returns 0, or a failure that names a file with certificates. */
int client_endpoint(struct client *client, const struct endpoint_settings *settings,
		    struct endpoint **out);

/* Queue a transfer; they start in this order. Lent until client_forget(). */
struct transfer *client_get(const struct transfer_request *request);

/* Drop all transfers, and with them the failure of any: what comes next is
 * another image. */
void client_forget(struct client *client);

/* Wait for the network, for one of fds (poll them afterwards), or for
 * timeout_ms, and do what there is to do. */
void client_step(struct client *client, const struct pollfd *fds, size_t count,
		 int timeout_ms);

/* Bytes of blobs that have come and are not in doubt. */
int64_t client_received(const struct client *client);

/* Of these, so many were there from an earlier run. */
int64_t client_found(const struct client *client);

/* How many connections a big blob may have. */
int client_split(const struct client *client);

/* For sinks that resume: so much of the blob is there. */
void transfer_count(struct transfer *transfer, int64_t have);

/* So many of what is counted an earlier run has left; once for a blob. */
void transfer_note_found(struct transfer *transfer, int64_t bytes);

/* Let one that is idle, or waits before a repeat, go on in wait_ms; a helper
 * where its leader gets the blob now. Others do anyway. */
void transfer_wake(struct transfer *transfer, int64_t wait_ms);

/* Let one that is idle ask for all of the blob, or work. */
void transfer_want_whole(struct transfer *transfer);
void transfer_want_work(struct transfer *transfer);

bool transfer_is_finished(const struct transfer *transfer);
/* Once it is: 0, or the failure (reported; where one reason failed several
 * transfers, once). */
int transfer_result(const struct transfer *transfer);

/* Give it up: its sink is not called again. */
void transfer_cancel(struct transfer *transfer);

/* For sinks: the answer has a Content-Encoding that was not undone. That is done
 * when the answer is in doubt. */
bool transfer_is_encoded(const struct transfer *transfer);

/* For sinks: why the answer is in doubt. */
void transfer_doubt(struct transfer *transfer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For sinks: what no repeat can mend. Reports it and returns -status, or keeps
 * it and returns TRANSFER_ELSEWHERE where there is another source. */
int transfer_refuse(struct transfer *transfer, enum status status,
		    const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* One turn of the tool's own loop, for functions that wait, or work for long:
 * it may wait for timeout_ms. Returns 0, or the failure that ends the wait. */
struct client_loop {
	int (*turn)(void *context, int timeout_ms);
	void *context;
};

#define CLIENT_TURN_MS 1000

/* Take turns until the transfer is finished. Returns its result, or the first
 * failure of a turn or of any other transfer. */
int client_wait(const struct client_loop *loop, const struct transfer *transfer);

AUTO_DEFINE(client, struct client *, client_free);

#endif
