/* client.c - the queue of transfers and the loop that moves them; client.h */
#include "common/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/client_private.h"
#include "common/mem.h"

#define CONNECT_SECONDS 30

int64_t client_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* localhost, 127.0.0.0/8 and [::1]: plain http stays on this machine. */
static bool is_loopback(const char *host)
{
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	unsigned int a, b, c, d;
	char end;

	if (len == 9 && strncasecmp(host, "localhost", len) == 0)
		return true;
	if (len == 5 && strncmp(host, "[::1]", len) == 0)
		return true;
	return sscanf(host, "%3u.%3u.%3u.%3u%c", &a, &b, &c, &d, &end) >= 4 &&
	       a == 127 && strspn(host, "0123456789.") == len;
}

struct client *client_new(const struct client_settings *settings)
{
	struct client *client = mem_zalloc(1, sizeof(*client));
	struct http_settings http = {
		.user_agent = "occy-pull/" OCCY_VERSION,
		.connect_seconds = CONNECT_SECONDS,
		.stall_seconds = settings->stall_seconds,
	};

	client->settings = *settings;
	client->settings.host = mem_strdup(settings->host);
	client->settings.name = mem_strdup(settings->name);
	client->http = http_new(&http);
	client->last = &client->transfers;
	client->scheme = "https";
	client->may_use_http = settings->insecure || is_loopback(settings->host);
	client->jobs = settings->jobs;
	return client;
}

static void transfer_free(struct transfer *transfer)
{
	http_cancel(transfer->call);
	free(transfer->path);
	free(transfer->label);
	free(transfer->url);
	buf_clear(&transfer->body);
	free(transfer);
}

void client_free(struct client *client)
{
	struct transfer *transfer, *next;

	if (!client)
		return;
	for (transfer = client->transfers; transfer; transfer = next) {
		next = transfer->next;
		transfer_free(transfer);
	}
	http_free(client->http);
	free((void *)(uintptr_t)client->settings.host);
	free((void *)(uintptr_t)client->settings.name);
	free(client);
}

struct transfer *client_queue(struct client *client, enum transfer_kind kind,
			      const struct transfer_request *request)
{
	struct transfer *transfer = mem_zalloc(1, sizeof(*transfer));

	transfer->client = client;
	transfer->kind = kind;
	transfer->path = mem_strdup(request->path);
	transfer->label = mem_strdup(request->label);
	transfer->accept = request->accept;
	transfer->auth = request->auth;
	transfer->is_blob = request->is_blob;
	transfer->sink = request->sink;
	transfer->context = request->context;
	*client->last = transfer;
	client->last = &transfer->next;
	return transfer;
}

struct transfer *client_get(struct client *client,
			    const struct transfer_request *request)
{
	return client_queue(client, TRANSFER_RESOURCE, request);
}

int64_t client_received(const struct client *client)
{
	return client->received;
}

bool transfer_is_finished(const struct transfer *transfer)
{
	return transfer->state == TRANSFER_FINISHED;
}

int transfer_result(const struct transfer *transfer)
{
	return transfer->result;
}

char *transfer_home_url(const struct transfer *transfer)
{
	if (transfer->kind == TRANSFER_TOKEN)
		return auth_token_url(transfer->auth);
	return mem_printf("%s://%s%s", transfer->client->scheme,
			  transfer->client->settings.host, transfer->path);
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
	transfer->resume_at = client_now_ms() + wait_ms;
	transfer->state = wait_ms > 0 ? TRANSFER_PAUSED : TRANSFER_QUEUED;
}

void transfer_finish(struct transfer *transfer, int result)
{
	transfer->state = TRANSFER_FINISHED;
	transfer->result = result;
	if (transfer->client->failure == 0)
		transfer->client->failure = result;
	buf_clear(&transfer->body);
	if (transfer->kind != TRANSFER_RESOURCE)
		access_finished(transfer);
}

/* Only the first failure of a client is told: the others are given up for its
 * sake, or have the same cause. */
__attribute__((format(printf, 3, 0)))
static int report(const struct transfer *transfer, enum status status,
		  const char *format, va_list ap)
{
	bool encoded = transfer->encoding[0] != '\0';
	char text[2048];

	if (transfer->client->failure != 0)
		return -(int)status;
	/* The parts are escaped already; escaping twice changes nothing. */
	vsnprintf(text, sizeof(text), format, ap);
	return msg_fail(status, "%s: %s: %.2047s%s%s%s",
			transfer->client->settings.name, transfer->label, text,
			encoded ? " (Content-Encoding: " : "",
			transfer->encoding, encoded ? ")" : "");
}

void transfer_fail(struct transfer *transfer, enum status status,
		   const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	transfer_finish(transfer, report(transfer, status, format, ap));
	va_end(ap);
}

int transfer_refuse(const struct transfer *transfer, enum status status,
		    const char *format, ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = report(transfer, status, format, ap);
	va_end(ap);
	return rc;
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

struct load {
	int blobs, all; /* on the wire */
};

static struct load count_load(const struct client *client)
{
	struct load load = { 0 };

	for (const struct transfer *t = client->transfers; t; t = t->next) {
		load.all += t->state == TRANSFER_ON_WIRE;
		load.blobs += t->state == TRANSFER_ON_WIRE && t->is_blob;
	}
	return load;
}

/* Until the registry has answered once, one request finds out how. */
static bool may_send(const struct client *client, const struct transfer *transfer,
		     const struct load *load)
{
	if (transfer->state != TRANSFER_QUEUED)
		return false;
	if (!client->is_settled && load->all > 0)
		return false;
	return !transfer->is_blob || load->blobs < client->jobs;
}

static void send_ready(struct client *client)
{
	int64_t now = client_now_ms();
	struct load load = count_load(client);

	for (struct transfer *t = client->transfers; t && client->failure == 0;
	     t = t->next) {
		if (t->state == TRANSFER_PAUSED && t->resume_at <= now)
			t->state = TRANSFER_QUEUED;
		if (now < client->paused_until || !may_send(client, t, &load))
			continue;
		if (t->kind == TRANSFER_RESOURCE && !t->url &&
		    auth_needs_token(t->auth, now / 1000)) {
			access_request(t, TRANSFER_TOKEN);
			continue;
		}
		exchange_start(t);
		load.all++;
		load.blobs += t->is_blob;
	}
}

/* How long nothing will be ready but what the network brings. */
static int64_t next_wakeup(const struct client *client, int64_t timeout_ms)
{
	int64_t now = client_now_ms();

	for (const struct transfer *t = client->transfers; t; t = t->next) {
		int64_t at = t->state == TRANSFER_PAUSED ? t->resume_at
			     : t->state == TRANSFER_QUEUED && client->paused_until > now
				     ? client->paused_until
				     : INT64_MAX;

		if (at - now < timeout_ms)
			timeout_ms = at > now ? at - now : 0;
	}
	return timeout_ms;
}

void client_step(struct client *client, const struct pollfd *fds, size_t count,
		 int timeout_ms)
{
	send_ready(client);
	http_step(client->http, fds, count,
		  (int)next_wakeup(client, timeout_ms));
}

int client_wait(const struct client_loop *loop, const struct transfer *transfer)
{
	int rc = 0;

	while (rc == 0 && transfer->client->failure == 0 &&
	       !transfer_is_finished(transfer))
		rc = loop->turn(loop->context, CLIENT_TURN_MS);
	return rc < 0 ? rc : transfer->client->failure;
}
