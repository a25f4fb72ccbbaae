/* client.c - the queue of transfers and the loop that moves them; client.h */
#include "common/client.h"

#include <stdlib.h>

#include "common/client_private.h"
#include "common/clock.h"
#include "common/mem.h"

#define CONNECT_SECONDS 30

struct client *client_new(const struct client_settings *settings)
{
	struct client *client = mem_zalloc(1, sizeof(*client));
	struct http_settings http = {
		.user_agent = "occy-pull/" OCCY_VERSION,
		.connect_seconds = CONNECT_SECONDS,
		.stall_seconds = settings->stall_seconds,
		.proxies = settings->proxies,
	};

	client->settings = *settings;
	client->http = http_new(&http);
	client->last = &client->transfers;
	return client;
}

void client_forget(struct client *client)
{
	struct transfer *transfer, *next;

	for (transfer = client->transfers; transfer; transfer = next) {
		next = transfer->next;
		transfer_free(transfer);
	}
	client->transfers = NULL;
	client->last = &client->transfers;
	client->failure = 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	client_forget(client);
	while (client->endpoints) {
		struct endpoint *endpoint = client->endpoints;

		client->endpoints = endpoint->next;
		endpoint_free(endpoint);
	}
	for (size_t i = 0; i < WARNINGS_MAX; i++)
		free(client->warnings[i]);
	http_free(client->http);
	free(client);
}

int client_endpoint(struct client *client, const struct endpoint_settings *settings,
		    struct endpoint **out)
{
	int rc;

	for (*out = client->endpoints; *out; *out = (*out)->next)
		if (endpoint_has(*out, settings))
			return 0;
	rc = endpoint_new(settings, (int)client->settings.jobs,
			  (int)client->settings.split, out);
	if (rc < 0)
		return rc;
	(*out)->next = client->endpoints;
	client->endpoints = *out;
	return 0;
}

int64_t client_received(const struct client *client)
{
	return client->received;
}

int64_t client_found(const struct client *client)
{
	return client->found;
}

int client_split(const struct client *client)
{
	return (int)client->settings.split;
}

/* Those that fetch one blob together count as one. */
static void add_load(struct transfer *transfer)
{
	struct endpoint *endpoint = transfer_source(transfer)->endpoint;

	if (transfer->state != TRANSFER_ON_WIRE)
		return;
	endpoint->on_wire.all++;
	endpoint->on_wire.connections += transfer->is_blob;
	endpoint->on_wire.blobs += transfer->is_blob && !transfer->leader->is_active;
	transfer->leader->is_active = true;
}

static void count_load(const struct client *client)
{
	for (struct endpoint *e = client->endpoints; e; e = e->next)
		e->on_wire.blobs = e->on_wire.connections = e->on_wire.all = 0;
	for (struct transfer *t = client->transfers; t; t = t->next)
		t->is_active = false;
	for (struct transfer *t = client->transfers; t; t = t->next)
		add_load(t);
}

/* Until a host has answered once, one request finds out how. */
static bool may_send(const struct transfer *transfer, int64_t now)
{
	const struct endpoint *endpoint = transfer_source(transfer)->endpoint;

	if (transfer->state != TRANSFER_QUEUED || now < endpoint->paused_until)
		return false;
	if (!endpoint->is_settled && endpoint->on_wire.all > 0)
		return false;
	if (!transfer->is_blob)
		return true;
	return endpoint->on_wire.connections < endpoint->connections &&
	       (transfer->leader->is_active ||
		endpoint->on_wire.blobs < endpoint->jobs);
}

static void send_ready(struct client *client)
{
	int64_t now = clock_now_ms();

	count_load(client);
	for (struct transfer *t = client->transfers; t && client->failure == 0;
	     t = t->next) {
		if (t->state == TRANSFER_PAUSED && t->resume_at <= now)
			t->state = TRANSFER_QUEUED;
		if (t->state == TRANSFER_QUEUED && t->kind == TRANSFER_RESOURCE &&
		    transfer_source(t)->endpoint->is_down)
			transfer_move_on(t);
		if (!may_send(t, now))
			continue;
		if (t->kind == TRANSFER_RESOURCE && !t->url &&
		    auth_needs_token(transfer_source(t)->auth, now / 1000)) {
			access_request(t, TRANSFER_TOKEN);
			continue;
		}
		exchange_start(t);
		add_load(t);
	}
}

static void do_work(struct client *client)
{
	for (struct transfer *t = client->transfers; t && client->failure == 0;
	     t = t->next)
		if (t->state == TRANSFER_WORKS)
			answer_settle(t, t->sink->work(t->context, t));
}

/* How long nothing will be ready but what the network brings. */
static int64_t next_wakeup(const struct client *client, int64_t timeout_ms)
{
	int64_t now = clock_now_ms();

	for (const struct transfer *t = client->transfers; t; t = t->next) {
		int64_t paused_until = transfer_source(t)->endpoint->paused_until;
		int64_t at = t->state == TRANSFER_PAUSED ? t->resume_at
			     : t->state == TRANSFER_WORKS ? now
			     : t->state == TRANSFER_QUEUED && paused_until > now
				     ? paused_until
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
	do_work(client);
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
