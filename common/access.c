/* access.c - tokens and challenges for the transfers of client.h
 *
 * Transfers that need a token wait for one fetch of it together. A token or
 * ping that fails has said why; those that waited end with its result and
 * say nothing more.
 */
#include "common/client_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/lead.h"
#include "common/mem.h"

#define CHALLENGES_MAX 32

static bool is_guest_of(const struct guest *guest,
			const struct transfer *transfer, const char *url)
{
	return guest && guest->source == transfer->source &&
	       lead_is_home(guest->url, url);
}

/* By which route a token for the URL that is asked next is had. */
static const struct route *access_route(const struct transfer *transfer)
{
	return transfer->kind == TRANSFER_RESOURCE && transfer->url &&
			       transfer->guests
		       ? &transfer->guests->route
		       : transfer->route;
}

static struct auth *auth_of(const struct transfer *transfer)
{
	return access_route(transfer)->sources[transfer->source].auth;
}

static bool is_running_for(const struct client *client, const struct auth *auth)
{
	for (const struct transfer *t = client->transfers; t; t = t->next)
		if (t->kind != TRANSFER_RESOURCE && auth_of(t) == auth &&
		    t->state != TRANSFER_FINISHED)
			return true;
	return false;
}

void access_request(struct transfer *transfer, enum transfer_kind kind)
{
	AUTO(mem) char *label = NULL;
	AUTO(mem) char *url = NULL, *service = NULL;
	struct transfer_request request = { .route = access_route(transfer),
					    .path = "" };

	transfer->state = TRANSFER_WANTS_ACCESS;
	if (is_running_for(transfer->client, auth_of(transfer)))
		return;
	if (kind == TRANSFER_TOKEN) {
		url = auth_token_url(auth_of(transfer));
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
		if (t->state != TRANSFER_WANTS_ACCESS || auth_of(t) != auth_of(access))
			continue;
		if (access->result == TRANSFER_ELSEWHERE)
			pass_on(access, t);
		else if (access->result < 0)
			transfer_finish(t, access->result);
		else if (t->url) /* a 401 has not used it up */
			t->state = TRANSFER_QUEUED;
		else
			transfer_requeue(t, 0);
	}
}

void access_take_token(struct transfer *transfer, const struct http_call *call)
{
	char why[256], said[1024];

	if (auth_take_token(transfer_source(transfer)->auth, transfer->body.data,
			    transfer->body.len, clock_now_ms() / 1000, why,
			    sizeof(why)) == 0) {
		transfer_finish(transfer, 0);
		return;
	}
	complaint_describe(transfer, call, said, sizeof(said));
	transfer_fail(transfer, STATUS_DENIED, "%s, %s", said, why);
}

/* Services without OAuth2 say so in many ways (BuildKit, containerd): 400 is
 * ACR's, 401 Artifactory's, 404 Google's, 405 Docker Hub's. */
void access_token_refused(struct transfer *transfer, long status, const char *said)
{
	bool may_lack_form = status == 400 || status == 401 || status == 404 ||
			     status == 405;
	struct auth *auth = transfer_source(transfer)->auth;
	char advice[256];

	if (may_lack_form && auth_form_refused(auth)) {
		transfer_requeue(transfer, 0);
		return;
	}
	auth_advice(auth, true, advice, sizeof(advice));
	transfer_fail(transfer, STATUS_DENIED, "%s%s", said, advice);
}

/* Returns as auth_challenged(). */
static int read_challenge(const struct transfer *transfer, struct auth *auth,
			  const char *url, const struct http_call *call,
			  char *why, size_t size)
{
	const char *values[CHALLENGES_MAX];
	struct auth_challenge challenge = {
		.values = values,
		.url = url,
		.allow_private = transfer->client->settings.allow_private_redirect,
	};

	while (challenge.count < CHALLENGES_MAX &&
	       (values[challenge.count] = http_header(call, "WWW-Authenticate",
						      challenge.count)))
		challenge.count++;
	return auth_challenged(auth, &challenge, why, size);
}

/* The same; a failure is reported and ends the transfer. */
static int take_challenge(struct transfer *transfer, const struct http_call *call)
{
	AUTO(mem) char *url = transfer_home_url(transfer);
	char why[512];
	int rc = read_challenge(transfer, transfer_source(transfer)->auth, url,
				call, why, sizeof(why));

	if (rc < 0)
		transfer_fail(transfer, (enum status)-rc, "%.511s", why);
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
	const struct auth *auth = transfer_source(transfer)->auth;
	char said[1024], advice[256];

	/* The registry may say why. */
	if (transfer_wants_body(transfer))
		return;
	complaint_describe(transfer, call, said, sizeof(said));
	auth_advice(auth, http_status(call) == 401 && auth_is_basic(auth), advice,
		    sizeof(advice));
	transfer_fail(transfer, STATUS_DENIED, "not found or %s: %s%s",
		      auth_has_credentials(auth) ? "not authorised" : "login needed",
		      said, advice);
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

/* They outlive the tokens that were asked for with them. */
void access_free_guests(struct transfer *transfer)
{
	while (transfer->guests) {
		struct guest *guest = transfer->guests;

		transfer->guests = guest->older;
		auth_free(guest->sources[guest->source].auth);
		free(guest->sources);
		free(guest->url);
		free(guest);
	}
}

static void become_guest(struct transfer *transfer)
{
	struct guest *guest = mem_zalloc(1, sizeof(*guest));
	const struct route *route = transfer->route;
	struct credentials nobody = { 0 };

	guest->older = transfer->guests;
	guest->sources = mem_dup(route->sources,
				 route->count * sizeof(*route->sources));
	guest->source = transfer->source;
	guest->sources[guest->source].auth = auth_new(NULL, &nobody);
	guest->route = *route;
	guest->route.sources = guest->sources;
	guest->url = mem_strdup(transfer->url);
	transfer->guests = guest;
}

void access_follow(struct transfer *transfer)
{
	transfer->has_been_guest = false;
}

char *access_authorization(struct transfer *transfer, const char *url)
{
	return is_guest_of(transfer->guests, transfer, url)
		       ? auth_authorization(auth_of(transfer),
					    &transfer->sent_generation)
		       : NULL;
}

/* Registries behind a common front, such as registry.k8s.io's, have token
 * services of their own. */
bool access_as_guest(struct transfer *transfer, const struct http_call *call)
{
	AUTO(mem) char *home = transfer_home_url(transfer);
	char why[512], said[1024];
	int rc;

	/* A foreign URL, and whatever it leads to, gets no Authorization. */
	if (transfer->kind != TRANSFER_RESOURCE || transfer->foreign > 0 ||
	    lead_is_home(home, transfer->url))
		return false;
	complaint_describe(transfer, call, said, sizeof(said));
	if (transfer->has_been_guest) {
		transfer_fail(transfer, STATUS_DENIED, "%s", said);
		return true;
	}
	if (!is_guest_of(transfer->guests, transfer, transfer->url))
		become_guest(transfer);
	if (transfer->sent_authorization)
		auth_reject(auth_of(transfer), transfer->sent_generation, false);
	rc = read_challenge(transfer, auth_of(transfer), transfer->url, call,
			    why, sizeof(why));
	if (rc < 0)
		transfer_fail(transfer, (enum status)-rc, "%.700s: %.511s", said, why);
	if (rc > 0) {
		transfer->has_been_guest = true;
		access_request(transfer, TRANSFER_TOKEN);
	}
	return rc != 0;
}
