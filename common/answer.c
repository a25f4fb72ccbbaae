/* answer.c - what to do about an answer, or about none; client_private.h
 *
 * The order of things a transfer may meet: no connection (another scheme, or
 * later again), a challenge (access.c), a redirect, a refusal, a failure that
 * a repeat can mend, and at last bytes, which the sink judges.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/client_private.h"
#include "common/clock.h"
#include "common/lead.h"
#include "common/mem.h"

#define TRIES_MAX 6
#define TRIES_MAX_STRANGER 3 /* for a host that has never answered */
#define TRIES_MAX_MIRROR 2   /* where another host may do better */
#define PROGRESS_BYTES 1048576 /* after so many the tries count anew */

/* wait_ms, more or less a quarter, so that many clients spread out. */
static int64_t spread(int64_t wait_ms)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return wait_ms;
	return wait_ms * 3 / 4 + (int64_t)(random % 1000) * wait_ms / 2000;
}

struct failure {
	enum status status; /* if it is the last one */
	bool is_unreachable;
	bool for_all;       /* the host is overloaded: everybody waits */
	int64_t retry_after; /* seconds; -1: not said */
	const char *why;
};

static void slow_down(struct endpoint *endpoint, int64_t wait_ms)
{
	int64_t until = clock_now_ms() + wait_ms;

	/* Those that were on their way together are told the same. */
	if (clock_now_ms() >= endpoint->paused_until) {
		endpoint->jobs = endpoint->jobs > 1 ? endpoint->jobs / 2 : 1;
		endpoint->connections = endpoint->connections > 1
						? endpoint->connections / 2
						: 1;
	}
	if (until > endpoint->paused_until)
		endpoint->paused_until = until;
}

/* Returns true where others of the group see to the range. */
static bool leaves_range(struct transfer *transfer)
{
	int said = transfer->sink && transfer->sink->whole
			   ? transfer->sink->whole(transfer->context)
			   : 0;

	if (said != 0) {
		answer_settle(transfer, said);
		return true;
	}
	transfer->is_from_start = true;
	return false;
}

static void start_over(struct transfer *transfer)
{
	if (!leaves_range(transfer))
		transfer_requeue(transfer, 0);
}

/* The server may be one that cannot be asked for ranges. */
static bool is_unproven(const struct transfer *transfer)
{
	return transfer_asked_range(transfer) && !transfer->has_range &&
	       !transfer->is_from_start;
}

static int most_tries(const struct transfer *transfer, bool is_unreachable)
{
	if (transfer_has_elsewhere(transfer, STATUS_NETWORK))
		return TRIES_MAX_MIRROR;
	return is_unreachable && !transfer_source(transfer)->endpoint->is_settled
		       ? TRIES_MAX_STRANGER
		       : TRIES_MAX;
}

static void try_again(struct transfer *transfer, const struct failure *failure)
{
	struct client *client = transfer->client;
	int most = most_tries(transfer, failure->is_unreachable);
	int64_t wait_ms;

	/* A try may begin at the first byte: only what none has seen is new.
	 * Where a blob comes in ranges the whole of it is looked at: one that
	 * stands still does no harm while others move. */
	if (transfer->leader->most - transfer->furthest >= PROGRESS_BYTES)
		transfer->tries = 0;
	transfer->furthest = transfer->leader->most;
	transfer->tries++;
	if (failure->for_all && transfer_has_elsewhere(transfer, failure->status)) {
		endpoint_leave(transfer_source(transfer)->endpoint);
		transfer_fail(transfer, failure->status, "%s", failure->why);
		return;
	}
	if (failure->retry_after > client->settings.max_wait_seconds) {
		transfer_fail(transfer, failure->status,
			      "%s; asks for a wait of %lld s", failure->why,
			      (long long)failure->retry_after);
		return;
	}
	if (transfer->tries >= most) {
		transfer_fail(transfer, failure->status, "%s (%d tries)",
			      failure->why, transfer->tries);
		return;
	}
	/* Nothing is lost by asking for all of it. */
	if (transfer->tries > 1 && !failure->for_all &&
	    !failure->is_unreachable && is_unproven(transfer) &&
	    transfer->range.from == 0 && leaves_range(transfer))
		return;
	wait_ms = spread(client->settings.retry_wait_ms << (transfer->tries - 1));
	if (failure->retry_after * 1000 > wait_ms)
		wait_ms = failure->retry_after * 1000;
	if (failure->for_all)
		slow_down(transfer_source(transfer)->endpoint, wait_ms);
	if (client->settings.verbose)
		msg_note("%s: %s: %.1000s; again in %ld ms",
			 transfer->route->name, transfer->label, failure->why, (long)wait_ms);
	transfer_requeue(transfer, wait_ms);
}

/* The bytes are not what they should be: once may be the network's fault, or
 * that of a server that encodes unasked. */
static void judge_doubt(struct transfer *transfer)
{
	if (transfer_wants_body(transfer))
		return;
	transfer->is_from_start = true;
	transfer->is_decoded = transfer->encoding[0] != '\0';
	if (transfer->doubts++ == 0)
		transfer_requeue(transfer, 0);
	else
		transfer_fail(transfer, STATUS_INTEGRITY, "%s", transfer->doubt);
}

static void judge_short(struct transfer *transfer)
{
	struct failure failure = {
		.status = STATUS_NETWORK,
		.retry_after = -1,
		.why = transfer->doubt,
	};

	if (transfer_asked_range(transfer) && !transfer->is_from_start)
		try_again(transfer, &failure);
	else
		judge_doubt(transfer);
}

void answer_settle(struct transfer *transfer, int said)
{
	if (said == TRANSFER_DOUBT)
		judge_doubt(transfer);
	else if (said == TRANSFER_SHORT)
		judge_short(transfer);
	else if (said == TRANSFER_UNRANGED && !transfer->is_from_start)
		start_over(transfer);
	else if (said == TRANSFER_ELSEWHERE)
		transfer_move_on(transfer);
	else if (said == TRANSFER_UNRANGED)
		transfer_fail(transfer, STATUS_NETWORK,
			      "the server sent a part that nobody asked for");
	else if (said == TRANSFER_MORE)
		transfer_requeue(transfer, 0);
	else if (said == TRANSFER_IDLE)
		transfer->state = TRANSFER_WAITS;
	else if (said == TRANSFER_WORK)
		transfer->state = TRANSFER_WORKS;
	else
		transfer_finish(transfer, said);
}

const char *answer_refuse_target(const struct transfer *transfer,
				 const char *home, const char *from,
				 const char *to)
{
	if (strncmp(to, "http://", 7) != 0 && strncmp(to, "https://", 8) != 0)
		return "to something that is neither http nor https";
	if (strncmp(from, "https://", 8) == 0 && strncmp(to, "https://", 8) != 0)
		return "from https to http";
	if (!transfer->client->settings.allow_private_redirect &&
	    lead_is_private(home, to))
		return "to a private address (--allow-private-redirect allows it)";
	if (transfer->kind == TRANSFER_TOKEN && !lead_is_home(home, to) &&
	    auth_posts_login(transfer_source(transfer)->auth))
		return "of a login to another host";
	return NULL;
}

static void follow(struct transfer *transfer, const struct http_call *call)
{
	AUTO(mem) char *home = transfer_home_url(transfer);
	const char *from = transfer->url ? transfer->url : home;
	const char *location = http_header(call, "Location", 0);
	AUTO(mem) char *to = location && *location ? http_url_resolve(from, location)
						   : NULL;
	AUTO(mem) char *shown = to ? http_url_public(to) : NULL;
	const char *why = to ? answer_refuse_target(transfer, home, from, to)
			     : "without a usable Location";

	if (why || transfer->redirects >= REDIRECTS_MAX) {
		transfer_fail(transfer, STATUS_NETWORK, "%s%s%s%s",
			      why ? "redirect " : "too many redirects",
			      why ? why : "", shown ? ": " : "",
			      shown ? shown : "");
		return;
	}
	access_follow(transfer);
	transfer->redirects++;
	free(transfer->url);
	transfer->url = TAKE(to);
	transfer->state = TRANSFER_QUEUED;
}

/* Some have their challenge not before a hop at home. */
static bool is_unasked_at_home(const struct transfer *transfer)
{
	AUTO(mem) char *home = transfer_home_url(transfer);

	return transfer->kind == TRANSFER_RESOURCE && transfer->foreign == 0 &&
	       !transfer->sent_authorization && lead_is_home(home, transfer->url);
}

/* A redirect's target that refuses may just have a link that is too old. */
static void judge_target(struct transfer *transfer, const struct http_call *call)
{
	long status = http_status(call);
	char said[1024];

	if (status == 401 && is_unasked_at_home(transfer)) {
		transfer_requeue(transfer, 0);
		access_challenged(transfer, call);
		return;
	}
	if ((status == 401 && access_as_guest(transfer, call)) ||
	    transfer_wants_body(transfer))
		return;
	complaint_describe(transfer, call, said, sizeof(said));
	if (transfer->refused_links++ == 0)
		transfer_requeue(transfer, 0);
	else if (is_unproven(transfer))
		start_over(transfer);
	else
		transfer_fail(transfer,
			      status == 401 || status == 403 ? STATUS_DENIED
			      : status == 404		     ? STATUS_NOT_FOUND
							     : STATUS_NETWORK,
			      "%s", said);
}

static bool is_passing(long status)
{
	static const long passing[] = { 408, 429, 499, 500, 502, 503, 504, 522 };

	for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
		if (passing[i] == status)
			return true;
	return false;
}

static void judge_passing(struct transfer *transfer, const struct http_call *call)
{
	long status = http_status(call);
	char said[1024];
	struct failure failure = {
		.status = status == 429 ? STATUS_LIMITED : STATUS_NETWORK,
		.for_all = status == 429 || status == 503,
		.retry_after = -1,
		.why = said,
	};

	complaint_describe(transfer, call, said, sizeof(said));
	if (failure.for_all)
		failure.retry_after = http_retry_after(call);
	try_again(transfer, &failure);
}

static void judge_refusal(struct transfer *transfer, const struct http_call *call)
{
	long status = http_status(call);
	char said[1024];

	if (transfer_wants_body(transfer))
		return;
	complaint_describe(transfer, call, said, sizeof(said));
	if (transfer->kind == TRANSFER_TOKEN)
		access_token_refused(transfer, status, said);
	else if (status == 404 || status == 410)
		transfer_fail(transfer, STATUS_NOT_FOUND,
			      "not found or not authorised: %s", said);
	else
		transfer_fail(transfer, STATUS_FAILED, "%s", said);
}

/* Who says no to a range may have all of it; who says so at a redirect's target
 * may mean the link. */
static bool refuses_range(const struct transfer *transfer, long status)
{
	if (status == 416)
		return transfer_asked_range(transfer);
	return is_unproven(transfer) && !transfer->url && transfer->foreign == 0 &&
	       !is_passing(status) && status != 401 && status != 404 &&
	       status != 410;
}

static void judge_status(struct transfer *transfer, const struct http_call *call)
{
	long status = http_status(call);

	if (transfer->kind == TRANSFER_PING)
		access_take_ping(transfer, call);
	else if (status == 200 && transfer->kind == TRANSFER_TOKEN)
		access_take_token(transfer, call);
	else if (transfer->sink && (status == 200 || status == 206))
		answer_settle(transfer, transfer->sink->end(transfer->context, transfer));
	else if (status == 301 || status == 302 || status == 303 ||
		 status == 307 || status == 308)
		follow(transfer, call);
	else if (refuses_range(transfer, status))
		start_over(transfer);
	else if (is_passing(status))
		judge_passing(transfer, call);
	else if (transfer->url || transfer->foreign > 0)
		judge_target(transfer, call);
	else if ((status == 401 || status == 403) &&
		 transfer->kind == TRANSFER_RESOURCE)
		access_challenged(transfer, call);
	else
		judge_refusal(transfer, call);
}

/* Over https nothing was heard: where that is allowed, try plain http. */
static bool try_plain(struct transfer *transfer, const struct http_result *result)
{
	struct endpoint *endpoint = transfer_source(transfer)->endpoint;
	bool was_secure = strcmp(endpoint->scheme, "https") == 0;

	if (endpoint->is_settled || !endpoint->may_use_http ||
	    endpoint->settings.plain_only || transfer->url ||
	    transfer->kind == TRANSFER_TOKEN || result->secure_channel)
		return false;
	endpoint->scheme = was_secure ? "http" : "https";
	if (was_secure)
		transfer_requeue(transfer, 0);
	return was_secure;
}

static void judge_silence(struct transfer *transfer,
			  const struct http_result *result)
{
	struct failure failure = {
		.status = STATUS_NETWORK,
		.is_unreachable = result->outcome == HTTP_UNREACHABLE,
		.retry_after = -1,
		.why = result->why,
	};

	if (!try_plain(transfer, result))
		try_again(transfer, &failure);
}

void answer_judge(struct transfer *transfer, const struct http_call *call,
		  const struct http_result *result)
{
	/* Given up for the sake of one that has failed. */
	if (transfer->client->failure != 0) {
		transfer_finish(transfer, transfer->client->failure);
		return;
	}
	switch (result->outcome) {
	case HTTP_ANSWERED:
		judge_status(transfer, call);
		break;
	case HTTP_ABORTED:
		if (transfer->to_sink)
			answer_settle(transfer, transfer->sink_said);
		else if (http_status(call) == 200 && transfer->kind == TRANSFER_TOKEN)
			transfer_fail(transfer, STATUS_DENIED,
				      "the answer is larger than 256 KiB");
		else
			judge_status(transfer, call); /* its text was too long */
		break;
	case HTTP_UNREACHABLE:
	case HTTP_BROKEN:
		judge_silence(transfer, result);
		break;
	case HTTP_NO_WAY:
		/* A proxy may lead to few ports of https, and anywhere over http. */
		if (!try_plain(transfer, result))
			transfer_fail(transfer, STATUS_NETWORK, "%s", result->why);
		break;
	case HTTP_UNTRUSTED:
	case HTTP_IMPOSSIBLE:
		transfer_fail(transfer, STATUS_NETWORK, "%s", result->why);
		break;
	}
}
