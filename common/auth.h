/* auth.h - what a registry asks for, and the Authorization to answer it with.
 *
 * One struct auth is the access to one repository at one registry: the
 * challenge that the registry has made (RFC 9110 section 11.6.1), the user's
 * credentials for that host, and the bearer token in force (distribution's
 * token specification, and its OAuth2 form for identity tokens). No I/O:
 * client.c carries the requests.
 *
 * A credential leaves here only as the Authorization of the registry itself
 * or of the realm that its challenge has named; which URL that is, client.c
 * decides by origin.
 */
#ifndef OCCY_COMMON_AUTH_H
#define OCCY_COMMON_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/credentials.h"

struct auth;

/* credentials may be empty (anonymous); they are taken over. The user
 * "<token>" has an identity token for a password. repository: what is asked
 * for where a challenge names no scope; NULL for nothing. */
struct auth *auth_new(const char *repository, struct credentials *credentials);
void auth_free(struct auth *auth);

bool auth_has_credentials(const struct auth *auth);

/* What gets a token is an identity token in a form, not a password. */
bool auth_posts_login(const struct auth *auth);

/* A 401. */
struct auth_challenge {
	const char *const *values; /* of its WWW-Authenticate headers */
	size_t count;
	const char *url;           /* of who asks */
	bool allow_private;        /* the realm may be a private address */
};

/* Take the challenge out of a 401's WWW-Authenticate values. Returns 1 when
 * there is one that we can answer, 0 when there is none at all, or minus a
 * status with the reason in the caller's buffer (escaped, not reported). */
int auth_challenged(struct auth *auth, const struct auth_challenge *challenge,
		    char *why, size_t size);

/* A bearer token is needed and there is none that will last. now in seconds
 * of any clock that only goes forward. */
bool auth_needs_token(const struct auth *auth, int64_t now);

/* The Authorization for the next request to the registry, or NULL for none;
 * the caller frees it. *generation identifies it for auth_reject(). */
char *auth_authorization(struct auth *auth, unsigned int *generation);

/* The registry did not accept that generation: forget it, unless there is a
 * newer one already. Returns true when there is a point in asking again:
 * there is a newer one, or one can be had. A second refusal of the same
 * request (is_second) is final, but for a token that several requests have
 * used: some registries' tokens are good for one. From then on each request
 * gets its own. */
bool auth_reject(struct auth *auth, unsigned int generation, bool is_second);

/* Where to ask for a token, and with which Authorization (NULL: anonymously)
 * and form to POST (NULL: GET); the caller frees them, and wipes the form. */
char *auth_token_url(const struct auth *auth);
char *auth_token_authorization(const struct auth *auth);
char *auth_token_form(const struct auth *auth);

/* The token service has not taken the form. Returns true when there is a user
 * and password to GET a token with from now on. */
bool auth_form_refused(struct auth *auth);

/* Whether the registry itself is sent a user and password. */
bool auth_is_basic(const struct auth *auth);

/* For a message about a refusal: what the user might look after, in brackets
 * behind a space; "" for nothing. of_login: it was the login that was refused,
 * at the realm or where there is none. */
void auth_advice(const struct auth *auth, bool of_login, char *out, size_t size);

/* Take the token service's answer. Returns 0, or -1 with the reason, which
 * goes on after "HOST answered 200, " and never quotes the answer. */
int auth_take_token(struct auth *auth, const char *body, size_t len, int64_t now,
		    char *why, size_t size);

AUTO_DEFINE(auth, struct auth *, auth_free);

#endif
