/* exchange.c - one request of a transfer, and its answer as it comes in
 *
 * The Authorization is made for the URL that is asked; whether a range is
 * asked for depends on what the sink has already. What the answer means in the
 * end is answer.c's business.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/client_private.h"
#include "common/lead.h"
#include "common/mem.h"

/* What has come; sinks that know better count themselves. */
static void count(struct transfer *transfer, int64_t bytes)
{
	if (!transfer->sink->resume)
		transfer_count(transfer, bytes);
}

static bool is_content(const struct transfer *transfer,
		       const struct http_call *call)
{
	return transfer->sink &&
	       (http_status(call) == 200 || http_status(call) == 206);
}

/* RFC 9110 section 14.4: "bytes FIRST-LAST/TOTAL", exactly one. Returns the
 * total, -1 where it is not told, or -2 for anything but the beginning of the
 * range that was asked for. */
static int64_t range_total(const struct http_call *call,
			   const struct transfer_range *asked)
{
	const char *value = http_header(call, "Content-Range", 0);
	long long begin, last, total = -1;
	char rest;
	int n;

	if (!value || http_header(call, "Content-Range", 1))
		return -2;
	n = sscanf(value, "bytes %lld-%lld/%lld%c", &begin, &last, &total, &rest);
	if (n == 2)
		n = sscanf(value, "bytes %lld-%lld/*%c", &begin, &last, &rest) == 2
			    ? 3
			    : 0;
	return n == 3 && begin == asked->from && last >= begin &&
			       (asked->to == 0 || last < asked->to) &&
			       (total == -1 || last < total)
		       ? total
		       : -2;
}

static int begin(struct transfer *transfer, const struct http_call *call)
{
	AUTO(mem) char *next = nextpage(transfer, call);
	struct transfer_answer answer = {
		/* That of what is decoded nobody tells. */
		.length = transfer->is_decoded ? -1 : http_content_length(call),
		.type = http_header(call, "Content-Type", 0),
		.digest = http_header(call, "Docker-Content-Digest", 0),
		.is_head = transfer->is_head,
		.next = next,
	};

	if (http_status(call) == 206) {
		answer.is_range = true;
		answer.offset = transfer->range.from;
		answer.length = range_total(call, &transfer->range);
		/* A part of something else is of no use; the whole may be. */
		if (!transfer_asked_range(transfer) || answer.length == -2)
			return TRANSFER_UNRANGED;
		transfer->has_range = true;
	}
	/* What was refused on the way here was refused for this once. */
	transfer->was_rejected = false;
	transfer->refused_links = 0;
	count(transfer, 0);
	return transfer->sink->begin(transfer->context, transfer, &answer);
}

/* What a sink has said; a failure counts for all at once, not only when this
 * request is wound up. Returns what libcurl's side wants to hear. */
static int heed(struct transfer *transfer, int said)
{
	transfer->sink_said = said;
	if (said < 0 && transfer->client->failure == 0)
		transfer->client->failure = said;
	return said == 0 ? 0 : -1;
}

static int on_headers(void *context, struct http_call *call)
{
	struct transfer *transfer = context;
	const char *encoding = http_header(call, "Content-Encoding", 0);

	transfer_source(transfer)->endpoint->is_settled = true;
	complaint_tell_warnings(transfer, call);
	transfer->sink_said = 0;
	transfer->body.len = 0;
	transfer->to_sink = is_content(transfer, call);
	if (encoding && strcasecmp(encoding, "identity") != 0)
		msg_format(transfer->encoding, sizeof(transfer->encoding),
			   "%.40s", encoding);
	if (transfer->client->failure != 0)
		return heed(transfer, transfer->client->failure);
	return heed(transfer, transfer->to_sink ? begin(transfer, call) : 0);
}

static int on_body(void *context, const void *data, size_t len)
{
	struct transfer *transfer = context;
	size_t most = transfer->kind == TRANSFER_TOKEN ? TOKEN_BODY_MAX
						       : ERROR_BODY_MAX;

	/* What another transfer has failed of would be told again here. */
	if (transfer->client->failure != 0)
		return heed(transfer, transfer->client->failure);
	if (transfer->to_sink) {
		count(transfer, transfer->counted + (int64_t)len);
		return heed(transfer, transfer->sink->data(transfer->context,
							   transfer, data, len));
	}
	if (transfer->body.len + len > most)
		return -1;
	buf_append(&transfer->body, data, len);
	return 0;
}

static void on_done(void *context, struct http_call *call,
		    const struct http_result *result)
{
	struct transfer *transfer = context;

	transfer->call = NULL;
	answer_judge(transfer, call, result);
}

static const struct http_handler handler = {
	.on_headers = on_headers,
	.on_body = on_body,
	.on_done = on_done,
};

static bool is_at(const struct endpoint *endpoint, const char *url)
{
	AUTO(mem) char *root = endpoint_url(endpoint);

	return lead_is_home(root, url);
}

/* The Authorization for the URL that is asked next: only its home has one, and
 * a redirect's target what it gave out itself. */
static char *authorization_for(struct transfer *transfer, const char *url)
{
	AUTO(mem) char *home = transfer_home_url(transfer);

	if (transfer->foreign > 0)
		return NULL;
	if (!lead_is_home(home, url))
		return access_authorization(transfer, url);
	if (transfer->kind == TRANSFER_TOKEN)
		return auth_token_authorization(transfer_source(transfer)->auth);
	return auth_authorization(transfer_source(transfer)->auth,
				  &transfer->sent_generation);
}

/* Likewise what is posted. */
static char *form_for(const struct transfer *transfer, const char *url)
{
	AUTO(mem) char *home = transfer_home_url(transfer);

	return transfer->kind == TRANSFER_TOKEN && lead_is_home(home, url)
		       ? auth_token_form(transfer_source(transfer)->auth)
		       : NULL;
}

static int choose_trust(const struct transfer *transfer, const char *url,
			const struct http_trust **out)
{
	const struct endpoint *endpoint = transfer_source(transfer)->endpoint;

	if (!is_at(endpoint, url))
		return trust_other(endpoint->trust, url, out);
	*out = trust_registry(endpoint->trust);
	return 0;
}

/* What to ask for. Returns as resume(). */
static int choose_range(struct transfer *transfer)
{
	transfer->range = (struct transfer_range){ 0 };
	if (!transfer->sink || !transfer->sink->resume || transfer->is_from_start)
		return 0;
	return transfer->sink->resume(transfer->context, &transfer->range);
}

/* A manifest may name any URL. */
static bool refuse_foreign(struct transfer *transfer, const char *url)
{
	AUTO(mem) char *registry = endpoint_url(transfer_source(transfer)->endpoint);
	const char *why = answer_refuse_target(transfer, registry, registry, url);
	AUTO(mem) char *shown = why ? http_url_public(url) : NULL;

	if (why)
		transfer_fail(transfer, STATUS_NOT_FOUND, "the manifest's URL leads %s: %s",
			      why, shown ? shown : "no URL");
	return why != NULL;
}

void exchange_start(struct transfer *transfer)
{
	AUTO(mem) char *url = transfer->url ? mem_strdup(transfer->url)
					    : transfer_home_url(transfer);
	AUTO(mem) char *authorization = NULL, *form = NULL;
	struct http_request request = { .url = url, .accept = transfer->accept };
	int rc = choose_range(transfer);

	if (rc == 0)
		rc = choose_trust(transfer, url, &request.trust);
	if (rc != 0) {
		answer_settle(transfer, rc);
		return;
	}
	if (transfer->foreign > 0 && !transfer->url && refuse_foreign(transfer, url))
		return;
	request.range_from = transfer->range.from;
	request.range_to = transfer->range.to;
	request.decode = transfer->is_decoded;
	request.is_head = transfer->is_head;
	authorization = authorization_for(transfer, url);
	transfer->sent_authorization = authorization != NULL;
	request.authorization = authorization;
	form = form_for(transfer, url);
	request.form = form;
	if (!transfer->is_decoded)
		transfer->encoding[0] = '\0';
	transfer->state = TRANSFER_ON_WIRE;
	transfer->call = http_start(transfer->client->http, &request, &handler,
				    transfer);
	if (form)
		explicit_bzero(form, strlen(form));
}
