/* sources.c - see sources.h */
#include "common/sources.h"

#include <stdlib.h>
#include <string.h>

#include "common/credential_helper.h"
#include "common/credentials.h"
#include "common/mem.h"
#include "common/msg.h"

/* What is known of one repository at one host. */
struct place {
	struct place *next;
	struct source source;
	char *repository;
};

/* What sources_find() has handed out. */
struct list {
	struct list *next;
	struct source items[];
};

struct sources {
	struct client *client;
	const struct sources_settings *settings;
	struct credential_helpers *helpers;
	struct place *places;
	struct list *lists;
};

struct sources *sources_new(struct client *client,
			    const struct sources_settings *settings)
{
	struct sources *sources = mem_zalloc(1, sizeof(*sources));

	sources->client = client;
	sources->settings = settings;
	sources->helpers = credential_helpers_new(CREDENTIAL_HELPER_MS);
	return sources;
}

void sources_free(struct sources *sources)
{
	if (!sources)
		return;
	credential_helpers_free(sources->helpers);
	while (sources->places) {
		struct place *place = sources->places;

		sources->places = place->next;
		auth_free(place->source.auth);
		free(place->repository);
		free(place);
	}
	while (sources->lists) {
		struct list *list = sources->lists;

		sources->lists = list->next;
		free(list);
	}
	free(sources);
}

/* Where to ask, and whose login to look for. */
struct wish {
	struct endpoint *endpoint;
	const char *typed_host;
	const char *repository;
	bool is_named; /* the registry that the user has named, no mirror */
};

static int find_credentials(const struct sources *sources, const struct wish *wish,
			    struct credentials *out)
{
	const struct sources_settings *settings = sources->settings;
	struct credentials_query query = {
		.host = wish->typed_host,
		.repository = wish->repository,
		.authfile = settings->authfile,
		.is_named = wish->is_named,
		.ask_helper = credential_helpers_ask,
		.context = sources->helpers,
	};

	if (!settings->username || !wish->is_named)
		return credentials_find(out, &query);
	out->user = mem_strdup(settings->username);
	out->password = mem_strdup(settings->password);
	return 0;
}

static struct place *known_place(const struct sources *sources,
				 const struct wish *wish)
{
	struct place *place = sources->places;

	while (place && (place->source.endpoint != wish->endpoint ||
			 strcmp(place->repository, wish->repository) != 0))
		place = place->next;
	return place;
}

static int find_place(struct sources *sources, const struct wish *wish,
		      struct source *out)
{
	AUTO(credentials) struct credentials credentials = { 0 };
	struct place *place = known_place(sources, wish);
	int rc = place ? 0 : find_credentials(sources, wish, &credentials);

	if (rc < 0)
		return rc;
	if (!place) {
		place = mem_zalloc(1, sizeof(*place));
		place->repository = mem_strdup(wish->repository);
		place->source = (struct source){
			.endpoint = wish->endpoint,
			.repository = place->repository,
			.auth = auth_new(wish->repository, &credentials),
		};
		place->next = sources->places;
		sources->places = place;
	}
	*out = place->source;
	return 0;
}

static int find_mirror(struct sources *sources, const struct mirror *mirror,
		       const struct reference *image, struct source *out)
{
	struct endpoint_settings endpoint = {
		.host = mirror->at.host,
		.typed_host = mirror->at.typed_host,
		.plain_only = mirror->plain_only,
		.upstream = image->registry,
	};
	AUTO(mem) char *repository =
		mirror->has_prefix ? mem_printf("%s/%s", mirror->at.repository,
						image->repository)
				   : mem_strdup(image->repository);
	struct wish wish = {
		.typed_host = mirror->at.typed_host,
		.repository = repository,
	};
	int rc = client_endpoint(sources->client, &endpoint, &wish.endpoint);

	return rc == 0 ? find_place(sources, &wish, out) : rc;
}

static int find_registry(struct sources *sources, const struct reference *image,
			 struct source *out)
{
	struct endpoint_settings endpoint = {
		.host = image->host,
		.typed_host = image->typed_host,
		.insecure = sources->settings->insecure,
		.no_tls_verify = sources->settings->no_tls_verify,
	};
	struct wish wish = {
		.typed_host = image->typed_host,
		.repository = image->repository,
		.is_named = true,
	};
	int rc = client_endpoint(sources->client, &endpoint, &wish.endpoint);

	return rc == 0 ? find_place(sources, &wish, out) : rc;
}

int sources_find(struct sources *sources, const struct reference *image,
		 const char *name, struct route *out)
{
	const struct mirror_list *mirrors = sources->settings->mirrors;
	struct list *list;
	size_t count = 0;
	int rc = 0;

	*out = (struct route){
		.client = sources->client,
		.name = name,
		.offline = sources->settings->offline,
	};
	if (out->offline)
		return 0;
	list = mem_zalloc(1, sizeof(*list) +
				     (mirrors->count + 1) * sizeof(*list->items));
	list->next = sources->lists;
	sources->lists = list;
	for (size_t i = 0; i < mirrors->count && rc == 0; i++)
		if (mirror_serves(&mirrors->items[i], image))
			rc = find_mirror(sources, &mirrors->items[i], image,
					 &list->items[count++]);
	if (rc == 0)
		rc = find_registry(sources, image, &list->items[count++]);
	out->sources = list->items;
	out->count = count;
	return rc;
}
