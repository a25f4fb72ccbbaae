/* endpoint.c - the hosts that answer as registries, and where a transfer's
 * home is at the one in use; client.h
 */
#include <stdlib.h>
#include <string.h>

#include "common/client_private.h"
#include "common/mem.h"
#include "common/private_address.h"

#define CONNECTIONS_MAX 16

/* There plain http stays on this machine. host may have a port. */
static bool is_loopback(const char *host)
{
	size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	AUTO(mem) char *name = mem_strndup(host, len);

	return address_reach(name) == ADDRESS_LOOPBACK;
}

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

bool endpoint_has(const struct endpoint *endpoint,
		  const struct endpoint_settings *settings)
{
	const struct endpoint_settings *has = &endpoint->settings;

	return mem_same_text(has->host, settings->host) &&
	       mem_same_text(has->typed_host, settings->typed_host) &&
	       mem_same_text(has->upstream, settings->upstream) &&
	       has->plain_only == settings->plain_only &&
	       has->insecure == settings->insecure &&
	       has->no_tls_verify == settings->no_tls_verify;
}

int endpoint_new(const struct endpoint_settings *settings, int jobs, int split,
		 struct endpoint **out)
{
	struct endpoint *endpoint;
	struct trust *trust = NULL;
	int rc = trust_new(&trust, settings->typed_host, settings->no_tls_verify);

	if (rc < 0)
		return rc;
	endpoint = mem_zalloc(1, sizeof(*endpoint));
	endpoint->trust = trust;
	endpoint->settings = *settings;
	endpoint->settings.host = mem_strdup(settings->host);
	endpoint->settings.typed_host = mem_strdup(settings->typed_host);
	endpoint->settings.upstream = copy(settings->upstream);
	endpoint->scheme = settings->plain_only ? "http" : "https";
	endpoint->may_use_http = settings->insecure || is_loopback(settings->host);
	endpoint->jobs = jobs;
	endpoint->connections = jobs * split < CONNECTIONS_MAX ? jobs * split
							       : CONNECTIONS_MAX;
	if (settings->no_tls_verify)
		msg_warn("the certificate of %s is not checked", settings->host);
	*out = endpoint;
	return 0;
}

void endpoint_free(struct endpoint *endpoint)
{
	free((void *)(uintptr_t)endpoint->settings.host);
	free((void *)(uintptr_t)endpoint->settings.typed_host);
	free((void *)(uintptr_t)endpoint->settings.upstream);
	trust_free(endpoint->trust);
	free(endpoint);
}

void endpoint_leave(struct endpoint *endpoint)
{
	endpoint->is_down = endpoint->settings.upstream != NULL;
}

char *endpoint_url(const struct endpoint *endpoint)
{
	return mem_printf("%s://%s/", endpoint->scheme, endpoint->settings.host);
}

size_t route_next(const struct route *route, size_t source)
{
	while (source < route->count && route->sources[source].endpoint->is_down)
		source++;
	return source;
}

char *transfer_home_url(const struct transfer *transfer)
{
	const struct source *source = transfer_source(transfer);
	const struct endpoint_settings *host = &source->endpoint->settings;
	AUTO(mem) char *root = endpoint_url(source->endpoint);
	struct buf url = { 0 };

	if (transfer->foreign > 0)
		return mem_strdup(transfer->urls[transfer->foreign - 1]);
	if (transfer->kind == TRANSFER_TOKEN)
		return auth_token_url(source->auth);
	buf_append_text(&url, root);
	if (transfer->path[0] == '/') {
		buf_append_text(&url, transfer->path + 1);
		return buf_take(&url);
	}
	buf_append_text(&url, "v2/");
	if (transfer->kind == TRANSFER_PING)
		return buf_take(&url);
	buf_append_text(&url, source->repository);
	buf_append_text(&url, "/");
	buf_append_text(&url, transfer->path);
	/* distribution-spec "Registry Proxying" */
	if (host->upstream) {
		buf_append_text(&url, strchr(transfer->path, '?') ? "&ns=" : "?ns=");
		http_append_encoded(&url, host->upstream);
	}
	return buf_take(&url);
}
