/* credentials.h - what to log in with, from the environment and from files.
 *
 * docker's config.json, podman's auth.json (the same format) and the legacy
 * .dockercfg. No message ever holds a value from one of them; the memory that
 * is handled here is wiped.
 */
#ifndef OCCY_COMMON_CREDENTIALS_H
#define OCCY_COMMON_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

#define CREDENTIALS_MAX_BYTES 1048576

/* Each may be NULL. The password may be empty, the others are not. */
struct credentials {
	char *user, *password;
	char *identity_token; /* a refresh token for the token service */
	char *registry_token; /* goes out as Bearer as it is */
	/* docker-credential-NAME is to be asked first, for this server; the
	 * members above are what to use when it knows nothing. */
	char *helper, *helper_server;
};

enum credentials_format {
	CREDENTIALS_CONFIG, /* {"auths": {...}, "credHelpers": ..., ...} */
	CREDENTIALS_LEGACY, /* .dockercfg: what auths holds, alone */
	CREDENTIALS_VARIABLE, /* {"auths": {HOST: {"auth": ...}}}, no more */
};

/* Look host (as typed, with port) and repository up in a file's bytes.
 * Returns 1 with something in *out, 0 without, or -1 with what is wrong with
 * the file in the caller's buffer (escaped, without secrets, not reported). */
int credentials_find_in_file(struct credentials *out,
			     enum credentials_format format, const char *bytes,
			     size_t len, const char *host,
			     const char *repository, char *why, size_t size);

struct credentials_query {
	const char *host;       /* as typed, with port */
	const char *repository;
	const char *authfile;   /* --authfile, or NULL */
	/* The registry that the user named, not a mirror: what stands in
	 * $OCCYSTRAP_USERNAME and $OCCYSTRAP_PASSWORD is for that one. */
	bool is_named;
	/* Runs a helper. Returns 1 with *out filled, 0 when it knows nothing,
	 * or a failure (reported). NULL: helpers are passed over. */
	int (*ask_helper)(void *context, struct credentials *out,
			  const char *helper, const char *server);
	void *context;
};

/* Look in --authfile, the environment ($DOCKER_AUTH_CONFIG last), and the files
 * where podman and docker keep their logins; the first place that has some
 * wins. Files that are not there are passed over, but for --authfile. Returns
 * 1 with *out filled, 0 without, or a failure (reported). out->helper is NULL,
 * or with 0 the first helper that was named for this registry and knew
 * nothing, or was passed over; for a message. */
int credentials_find(struct credentials *out,
		     const struct credentials_query *query);

/* The first line of stdin is a password. Returns 0 with *out for the caller to
 * wipe and free, or a failure (reported). */
int credentials_read_password(char **out);

/* Wipes what it frees. */
void credentials_clear(struct credentials *credentials);

static inline void auto_release_credentials(struct credentials *credentials)
{
	credentials_clear(credentials);
}

#endif
