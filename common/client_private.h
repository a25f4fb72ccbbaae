/* client_private.h - what the files behind client.h share. */
#ifndef OCCY_COMMON_CLIENT_PRIVATE_H
#define OCCY_COMMON_CLIENT_PRIVATE_H

#include "common/buf.h"
#include "common/client.h"
#include "common/http.h"
#include "common/msg.h"
#include "common/trust.h"

enum transfer_kind {
	TRANSFER_RESOURCE, /* what the caller wants */
	TRANSFER_TOKEN,    /* a token for some of those */
	TRANSFER_PING,     /* /v2/, to hear the registry's challenge */
};

enum transfer_state {
	TRANSFER_QUEUED,
	TRANSFER_ON_WIRE,
	TRANSFER_WANTS_ACCESS, /* until a token or ping is there */
	TRANSFER_PAUSED,       /* until resume_at */
	TRANSFER_WAITS,        /* idle: until transfer_wake() */
	TRANSFER_WORKS,        /* off the wire */
	TRANSFER_FINISHED,
};

/* At a redirect's target that wants a token of its own: the route that it came
 * by, but with nobody's credentials at that source. */
struct guest {
	struct guest *older;
	struct route route;
	struct source *sources; /* of route */
	size_t source;
	char *url;              /* of who asked */
};

struct transfer {
	const struct route *route;
	struct client *client;
	struct transfer *next; /* in the order of client_get() */
	enum transfer_kind kind;
	enum transfer_state state;
	char *path, *label;
	const char *accept;
	size_t source;      /* of the route, in use */
	const char *const *urls; /* where else it may be, behind all sources */
	size_t url_count;
	size_t foreign;     /* urls[foreign - 1] is in use; 0: none */
	struct buf elsewhere; /* what failed at earlier ones, a line each */
	bool is_blob;
	struct transfer *leader; /* itself, or of the group that fetches a blob */
	bool is_active;          /* as leader: one of the group is on the wire */
	bool wants_head; /* the headers may do */
	bool is_head;    /* and are asked for alone, at this source */
	const struct transfer_sink *sink;
	void *context;

	struct http_call *call; /* while on the wire */
	char *url;              /* a redirect's target; NULL: the registry */
	int redirects;
	struct guest *guests; /* the last one that was made first */
	bool has_been_guest;  /* this hop has had its token */
	bool sent_authorization;
	unsigned int sent_generation;
	bool was_rejected; /* with an Authorization */
	bool has_pinged;

	int64_t resume_at; /* milliseconds */
	int tries;         /* since the last progress */
	int64_t counted;   /* of the whole; in client->received if a blob; the
			      leader's */
	int64_t most;      /* that has ever been counted; the leader's */
	int64_t furthest;  /* what that was when a try failed */
	struct transfer_range range; /* what was asked for */
	bool has_range;    /* a range was answered by just that */
	bool is_from_start; /* ask for no range any more */
	bool is_decoded;    /* what a Content-Encoding hides may be right */
	int doubts, refused_links;
	char doubt[512];   /* why, escaped */
	char encoding[64]; /* the answer's Content-Encoding, if any */

	bool to_sink;      /* this answer's body goes to the sink */
	int sink_said;     /* what made us abort */
	struct buf body;   /* of errors, tokens */
	int result;
};

struct endpoint {
	struct endpoint *next;
	struct endpoint_settings settings; /* strings owned */
	struct trust *trust;
	const char *scheme;     /* to try next, or in use */
	bool may_use_http;
	bool is_settled;        /* it has answered over scheme */
	bool is_down;           /* a mirror that nothing more is asked of */
	int failures;           /* of the network, since a blob has come */
	int jobs;               /* the client's, less after a 429 or 503 */
	int connections;        /* of blobs; likewise */
	int64_t paused_until;   /* milliseconds */
	struct {
		int all, connections, blobs; /* of blobs; those themselves */
	} on_wire; /* while client.c looks for what may be sent */
};

#define WARNINGS_MAX 16

struct client {
	struct client_settings settings;
	struct http *http;
	struct endpoint *endpoints;
	struct transfer *transfers, **last;
	int64_t received, found;
	int failure;            /* the first one of all transfers */
	char *warnings[WARNINGS_MAX]; /* of registries, that have been told */
};

#define ERROR_BODY_MAX 65536
#define TOKEN_BODY_MAX 262144
#define REDIRECTS_MAX 10

static inline const struct source *transfer_source(const struct transfer *transfer)
{
	return &transfer->route->sources[transfer->source];
}

/* client.c */

/* endpoint.c */
int endpoint_new(const struct endpoint_settings *settings, int jobs, int split,
		 struct endpoint **out);
void endpoint_free(struct endpoint *endpoint);
bool endpoint_has(const struct endpoint *endpoint,
		  const struct endpoint_settings *settings);
/* Ask nothing more of it in this run, if it is a mirror. */
void endpoint_leave(struct endpoint *endpoint);
/* "https://host:port/", as it is spoken with now; the caller frees it. */
char *endpoint_url(const struct endpoint *endpoint);
/* The first source from that one on that is not down; count where none is. */
size_t route_next(const struct route *route, size_t source);
/* The URL at the source in use; the caller frees it. */
char *transfer_home_url(const struct transfer *transfer);

/* transfer.c */
void transfer_free(struct transfer *transfer);
struct transfer *client_queue(enum transfer_kind kind, size_t source,
			      const struct transfer_request *request);
/* Go back to the source's own URL, at once or after a wait. */
void transfer_requeue(struct transfer *transfer, int64_t wait_ms);
void transfer_finish(struct transfer *transfer, int result);
/* There is another place to go when this one fails with that status. */
bool transfer_has_elsewhere(const struct transfer *transfer, enum status status);
/* After a HEAD: ask for the whole, and return true. */
bool transfer_wants_body(struct transfer *transfer);
/* To the next place, as if nothing had happened. */
void transfer_move_on(struct transfer *transfer);
/* Report and finish, or move on. */
void transfer_fail(struct transfer *transfer, enum status status,
		   const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline bool transfer_asked_range(const struct transfer *transfer)
{
	return transfer->range.from > 0 || transfer->range.to > 0;
}

/* exchange.c: send the request for where the transfer stands */
void exchange_start(struct transfer *transfer);

/* nextpage.c: transfer_answer's next; the caller frees it */
char *nextpage(const struct transfer *transfer, const struct http_call *call);

/* access.c: tokens and pings */
void access_request(struct transfer *transfer, enum transfer_kind kind);
void access_challenged(struct transfer *transfer, const struct http_call *call);
void access_finished(struct transfer *transfer);
void access_take_token(struct transfer *transfer, const struct http_call *call);
/* The token service has said no, with that status and in those words. */
void access_token_refused(struct transfer *transfer, long status,
			  const char *said);
void access_take_ping(struct transfer *transfer, const struct http_call *call);

/* At a redirect's target: a hop to it begins; the Authorization for it, or NULL
 * for none (the caller frees it); and its 401. The last returns false when that
 * names nothing that can be had for it. */
void access_follow(struct transfer *transfer);
char *access_authorization(struct transfer *transfer, const char *url);
bool access_as_guest(struct transfer *transfer, const struct http_call *call);
void access_free_guests(struct transfer *transfer);

/* answer.c: why we do not go from one URL to another, NULL for none (redirect,
 * foreign URL), home being where the transfer began; a constant */
const char *answer_refuse_target(const struct transfer *transfer,
				 const char *home, const char *from,
				 const char *to);
/* What to do about an answer, or about none */
void answer_judge(struct transfer *transfer, const struct http_call *call,
		  const struct http_result *result);

/* What a sink has said at the end of an answer, or of a piece of work */
void answer_settle(struct transfer *transfer, int said);

/* complaint.c: what the registry says of an error, in one line, escaped:
 * "HOST answered 404 MANIFEST_UNKNOWN: manifest unknown". */
void complaint_describe(const struct transfer *transfer,
			const struct http_call *call, char *out, size_t size);
/* Tell the registry's warnings, each once a run. */
void complaint_tell_warnings(const struct transfer *transfer,
			     const struct http_call *call);

#endif
