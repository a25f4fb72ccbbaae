/* sources.h - where each image of a run is asked for: mirrors first, the
 * registry itself last, each with the login that belongs to it.
 *
 * Endpoints and tokens are shared by the images of a run. A login is looked up
 * for the host that is really asked: the registry's never goes to a mirror.
 */
#ifndef OCCY_COMMON_SOURCES_H
#define OCCY_COMMON_SOURCES_H

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/client.h"
#include "common/mirror.h"
#include "common/reference.h"

struct sources;
struct store;

struct sources_settings {
	bool insecure, no_tls_verify; /* for the registries that are named */
	const char *authfile;         /* or NULL */
	const char *username, *password; /* for them too; or NULL */
	const struct mirror_list *mirrors;
	const struct store *offline; /* ask nobody else, without a login; or NULL */
};

/* settings and what it points to stay the caller's and must outlive it, as
 * must the client. Never NULL. */
struct sources *sources_new(struct client *client,
			    const struct sources_settings *settings);
void sources_free(struct sources *sources);

/* Fill *out, whose parts are lent until sources_free(); name is lent to it.
 * Returns 0 or a failure (reported): a file with logins or certificates is
 * broken. */
int sources_find(struct sources *sources, const struct reference *image,
		 const char *name, struct route *out);

AUTO_DEFINE(sources, struct sources *, sources_free);

#endif
