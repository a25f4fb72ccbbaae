/* access.c - tokens and challenges for the transfers of client.h
 *
 * Transfers that need a token wait for one fetch of it together. A token or
 * ping that fails has said why; those that waited end with its result and
 * say nothing more.
 */
#include "common/client_private.h"

#include <string.h>

#include "common/mem.h"

#define CHALLENGES_MAX 32

static bool share_access(const struct transfer *a, const struct transfer *b)
{
	return transfer_source(a)->auth == transfer_source(b)->auth;
}

static struct transfer *running_access(const struct transfer *for_whom)
{
	for (struct transfer *t = for_whom->client->transfers; t; t = t->next)
		if (t->kind != TRANSFER_RESOURCE && share_access(t, for_whom) &&
		    t->state != TRANSFER_FINISHED)
			return t;
	return NULL;
}

void access_request(struct transfer *transfer, enum transfer_kind kind)
{
	AUTO(mem) char *label = NULL;
	AUTO(mem) char *url = NULL, *service = NULL;
	struct transfer_request request = { .route = transfer->route, .path = "" };

	transfer->state = TRANSFER_WANTS_ACCESS;
	if (running_access(transfer))
		return;
	if (kind == TRANSFER_TOKEN) {
		url = auth_token_url(transfer_source(transfer)->auth);
		service = http_url_public(url);
		label = mem_printf("token from %s", service ? service : "?");
		request.accept = "application/json";
	} else {
		label = mem_strdup("/v2/");
	}
	request.label = label;
	client_queue(kind, transfer->source, &request);
}

/* The mirror lets nobody in: what it said is the reason for all who wait. */
static void pass_on(const struct transfer *access, struct transfer *waiting)
{
	buf_append(&waiting->elsewhere, access->elsewhere.data,
		   access->elsewhere.len);
	transfer_move_on(waiting);
}

/* A token or a challenge is there, or never will be: wake those that wait. */
void access_finished(struct transfer *access)
{
	for (struct transfer *t = access->client->transfers; t; t = t->next) {
		if (t->state != TRANSFER_WANTS_ACCESS || !share_access(t, access))
			continue;
		if (access->result == TRANSFER_ELSEWHERE)
			pass_on(access, t);
		else if (access->result == 0)
			transfer_requeue(t, 0);
		else
			transfer_finish(t, access->result);
	}
}

void access_take_token(struct transfer *transfer)
{
	char why[256];

	if (auth_take_token(transfer_source(transfer)->auth, transfer->body.data,
			    transfer->body.len, client_now_ms() / 1000, why,
			    sizeof(why)) < 0)
		transfer_fail(transfer, STATUS_DENIED, "%s", why);
	else
		transfer_finish(transfer, 0);
}

/* Returns as auth_challenged(); a failure is reported and ends the transfer. */
static int take_challenge(struct transfer *transfer, const struct http_call *call)
{
	AUTO(mem) char *url = transfer_home_url(transfer);
	const char *values[CHALLENGES_MAX];
	char why[512];
	size_t count = 0;
	int rc;

	while (count < CHALLENGES_MAX &&
	       (values[count] = http_header(call, "WWW-Authenticate", count)))
		count++;
	rc = auth_challenged(transfer_source(transfer)->auth, values, count, url, why, sizeof(why));
	if (rc < 0)
		transfer_fail(transfer, (enum status)-rc, "%s", why);
	return rc;
}

void access_take_ping(struct transfer *transfer, const struct http_call *call)
{
	/* Any other status is no error: then there is nothing to answer. */
	if (http_status(call) == 401 && take_challenge(transfer, call) < 0)
		return;
	transfer_finish(transfer, 0);
}

static void deny(struct transfer *transfer, const struct http_call *call)
{
	char said[1024];

	complaint_describe(transfer, call, said, sizeof(said));
	if (auth_has_credentials(transfer_source(transfer)->auth))
		transfer_fail(transfer, STATUS_DENIED,
			      "not found or not authorised: %s", said);
	else
		transfer_fail(transfer, STATUS_DENIED,
			      "not found or login needed: %s", said);
}

/* Returns false when the Authorization that went out was the last word. */
static bool may_try_another(struct transfer *transfer, long status)
{
	bool is_second = transfer->was_rejected;

	transfer->was_rejected = true;
	return status == 401 && auth_reject(transfer_source(transfer)->auth,
					    transfer->sent_generation, is_second);
}

void access_challenged(struct transfer *transfer, const struct http_call *call)
{
	long status = http_status(call);
	int rc;

	if (transfer->sent_authorization && !may_try_another(transfer, status)) {
		deny(transfer, call);
		return;
	}
	rc = status == 401 ? take_challenge(transfer, call) : 0;
	if (rc < 0)
		return;
	if (rc > 0 || transfer->sent_authorization) {
		transfer_requeue(transfer, 0);
	} else if (!transfer->has_pinged) {
		transfer->has_pinged = true;
		access_request(transfer, TRANSFER_PING);
	} else {
		deny(transfer, call);
	}
}
