/* transfer.c - what becomes of a transfer: queued, begun again, passed on to the
 * next source, finished; client_private.h
 *
 * What fails at a mirror is kept, and told when nobody else has done better.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/client_private.h"
#include "common/clock.h"
#include "common/mem.h"

#define FAILURES_MAX_MIRROR 4 /* of transfers, without a blob between them */

struct transfer *client_queue(enum transfer_kind kind, size_t source,
			      const struct transfer_request *request)
{
	struct transfer *transfer = mem_zalloc(1, sizeof(*transfer));
	struct client *client = request->route->client;

	transfer->route = request->route;
	transfer->client = client;
	transfer->kind = kind;
	transfer->path = mem_strdup(request->path);
	transfer->label = mem_strdup(request->label);
	transfer->accept = request->accept;
	transfer->source = source;
	transfer->urls = request->urls;
	transfer->url_count = request->url_count;
	transfer->is_blob = request->is_blob;
	transfer->leader = request->leader ? request->leader : transfer;
	if (request->leader)
		transfer->state = TRANSFER_WAITS;
	transfer->wants_head = transfer->is_head = request->is_head;
	transfer->sink = request->sink;
	transfer->context = request->context;
	*client->last = transfer;
	client->last = &transfer->next;
	return transfer;
}

struct transfer *client_get(const struct transfer_request *request)
{
	return client_queue(TRANSFER_RESOURCE, 0, request);
}

void transfer_free(struct transfer *transfer)
{
	http_cancel(transfer->call);
	access_free_guests(transfer);
	free(transfer->path);
	free(transfer->label);
	free(transfer->url);
	buf_clear(&transfer->body);
	buf_clear(&transfer->elsewhere);
	free(transfer);
}

bool transfer_is_finished(const struct transfer *transfer)
{
	return transfer->state == TRANSFER_FINISHED;
}

int transfer_result(const struct transfer *transfer)
{
	return transfer->result;
}

void transfer_cancel(struct transfer *transfer)
{
	http_cancel(transfer->call);
	transfer->call = NULL;
	if (transfer->state != TRANSFER_FINISHED)
		transfer->result = -STATUS_FAILED;
	transfer->state = TRANSFER_FINISHED;
}

void transfer_requeue(struct transfer *transfer, int64_t wait_ms)
{
	free(transfer->url);
	transfer->url = NULL;
	transfer->redirects = 0;
	transfer->resume_at = clock_now_ms() + wait_ms;
	transfer->state = wait_ms > 0 ? TRANSFER_PAUSED : TRANSFER_QUEUED;
}

void transfer_count(struct transfer *transfer, int64_t have)
{
	struct transfer *leader = transfer->leader;

	if (leader->is_blob)
		leader->client->received += have - leader->counted;
	leader->counted = have;
	if (have > leader->most)
		leader->most = have;
}

void transfer_note_found(struct transfer *transfer, int64_t bytes)
{
	transfer->client->found += bytes;
	if (transfer->client->settings.verbose && bytes > 0)
		msg_note("%s: %s: going on from %lld bytes that are there",
			 transfer->route->name, transfer->label, (long long)bytes);
}

void transfer_wake(struct transfer *transfer, int64_t wait_ms)
{
	if (transfer->state != TRANSFER_WAITS && transfer->state != TRANSFER_PAUSED)
		return;
	transfer->source = transfer->leader->source;
	transfer->foreign = transfer->leader->foreign;
	transfer_requeue(transfer, wait_ms);
}

void transfer_want_whole(struct transfer *transfer)
{
	transfer->is_from_start = true;
	transfer_wake(transfer, 0);
}

void transfer_want_work(struct transfer *transfer)
{
	if (transfer->state == TRANSFER_WAITS)
		transfer->state = TRANSFER_WORKS;
}

void transfer_finish(struct transfer *transfer, int result)
{
	transfer->state = TRANSFER_FINISHED;
	transfer->result = result;
	if (transfer->client->failure == 0 && result < 0)
		transfer->client->failure = result;
	/* A manifest proves little: many a cache fails at the large things. */
	if (result == 0 && transfer->is_blob)
		transfer_source(transfer)->endpoint->failures = 0;
	buf_clear(&transfer->body);
	if (transfer->kind != TRANSFER_RESOURCE)
		access_finished(transfer);
}

static bool has_source(const struct transfer *transfer)
{
	return route_next(transfer->route, transfer->source + 1) <
	       transfer->route->count;
}

/* image-spec descriptor.md, "urls": what a registry must not hand out may be
 * had elsewhere. */
bool transfer_has_elsewhere(const struct transfer *transfer, enum status status)
{
	if (has_source(transfer))
		return true;
	return transfer->foreign < transfer->url_count &&
	       (transfer->foreign > 0 || status == STATUS_NOT_FOUND);
}

bool transfer_wants_body(struct transfer *transfer)
{
	if (!transfer->is_head)
		return false;
	transfer->is_head = false;
	transfer_requeue(transfer, 0);
	return true;
}

void transfer_move_on(struct transfer *transfer)
{
	/* An access is for those who wait for it; they move on. */
	if (transfer->kind != TRANSFER_RESOURCE) {
		transfer_finish(transfer, TRANSFER_ELSEWHERE);
		return;
	}
	if (has_source(transfer))
		transfer->source = route_next(transfer->route, transfer->source + 1);
	else
		transfer->foreign++;
	transfer->tries = 0;
	/* What was thrown away need not be gone on with. */
	transfer->is_from_start = transfer->doubts > 0;
	transfer->doubts = 0;
	transfer->refused_links = 0;
	transfer->has_range = false;
	transfer->is_decoded = false;
	transfer->is_head = transfer->wants_head;
	transfer->was_rejected = false;
	transfer->has_pinged = false;
	transfer_requeue(transfer, 0);
}

/* An overloaded mirror is left alone, one that has never answered, and one that
 * keeps failing: each failure may have been minutes of silence. */
static bool is_hopeless(struct endpoint *endpoint, enum status status)
{
	if (status == STATUS_NETWORK)
		endpoint->failures++;
	return !endpoint->is_settled || status == STATUS_LIMITED ||
	       endpoint->failures >= FAILURES_MAX_MIRROR;
}

static void keep(struct transfer *transfer, enum status status, const char *text)
{
	struct endpoint *endpoint = transfer_source(transfer)->endpoint;
	const char *host = endpoint->settings.host;
	bool is_mirror = endpoint->settings.upstream;
	AUTO(mem) char *line = mem_printf("%s: %s%s%s%s", transfer->label,
					  is_mirror ? "mirror " : "",
					  is_mirror ? host : "",
					  is_mirror ? ": " : "", text);

	if (is_hopeless(endpoint, status))
		endpoint_leave(endpoint);
	if (transfer->client->settings.verbose)
		msg_note("%s: %.2500s; going on elsewhere", transfer->route->name,
			 line);
	buf_append_text(&transfer->elsewhere, line);
	buf_append(&transfer->elsewhere, "\n", 1);
}

static void tell_what_was_kept(const struct transfer *transfer)
{
	const char *line = transfer->elsewhere.data;
	const char *end;

	for (; line && (end = strchr(line, '\n')); line = end + 1)
		msg_warn("%s: %.*s", transfer->route->name, (int)(end - line),
			 line);
}

/* Only the first failure of a client is told: the others are given up for its
 * sake, or have the same cause. */
__attribute__((format(printf, 3, 0)))
static int report(struct transfer *transfer, enum status status,
		  const char *format, va_list ap)
{
	bool encoded = transfer->encoding[0] != '\0';
	char said[2048];
	AUTO(mem) char *text = NULL;

	if (transfer->client->failure != 0)
		return -(int)status;
	/* The parts are escaped already; escaping twice changes nothing. */
	vsnprintf(said, sizeof(said), format, ap);
	text = mem_printf("%s%s%s%s", said, encoded ? " (Content-Encoding: " : "",
			  transfer->encoding, encoded ? ")" : "");
	if (transfer_has_elsewhere(transfer, status)) {
		keep(transfer, status, text);
		return TRANSFER_ELSEWHERE;
	}
	tell_what_was_kept(transfer);
	return msg_fail(status, "%s: %s: %.2200s", transfer->route->name,
			transfer->label, text);
}

void transfer_fail(struct transfer *transfer, enum status status,
		   const char *format, ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = report(transfer, status, format, ap);
	va_end(ap);
	if (rc == TRANSFER_ELSEWHERE)
		transfer_move_on(transfer);
	else
		transfer_finish(transfer, rc);
}

int transfer_refuse(struct transfer *transfer, enum status status,
		    const char *format, ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = report(transfer, status, format, ap);
	va_end(ap);
	return rc;
}

bool transfer_is_encoded(const struct transfer *transfer)
{
	return transfer->encoding[0] != '\0' && !transfer->is_decoded;
}

void transfer_doubt(struct transfer *transfer, const char *format, ...)
{
	char text[sizeof(transfer->doubt)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	msg_format(transfer->doubt, sizeof(transfer->doubt), "%.511s", text);
}
