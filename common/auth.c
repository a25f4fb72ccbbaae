/* auth.c - see auth.h */
#include "common/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/buf.h"
#include "common/challenge.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/scope.h"

#define LIFETIME_MIN 60  /* seconds, also where the service says nothing */
#define RENEW_BEFORE 10
#define LIFETIME_MAX 86400

enum scheme { SCHEME_NONE, SCHEME_BASIC, SCHEME_BEARER };

struct auth {
	char *repository;
	struct credentials credentials;
	enum scheme scheme;
	char *realm;   /* absolute */
	char *service; /* or NULL */
	struct scope_list scopes;
	char *token;   /* or NULL */
	int64_t token_until;
	unsigned int generation; /* counts tokens, from 1 */
	unsigned int uses;       /* requests that this one went out with */
	bool is_single_use;      /* each request needs its own */
	unsigned int single_use_from; /* the first generation kept so */
};

struct auth *auth_new(const char *repository, struct credentials *credentials)
{
	struct auth *auth = mem_zalloc(1, sizeof(*auth));

	auth->repository = mem_strdup(repository);
	auth->credentials = *credentials;
	*credentials = (struct credentials){ 0 };
	return auth;
}

static void forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

void auth_free(struct auth *auth)
{
	if (!auth)
		return;
	credentials_clear(&auth->credentials);
	forget(&auth->token);
	free(auth->repository);
	free(auth->realm);
	free(auth->service);
	scope_list_clear(&auth->scopes);
	free(auth);
}

bool auth_has_credentials(const struct auth *auth)
{
	return auth->credentials.user != NULL;
}

/* RFC 7617 */
static char *basic_value(const struct credentials *credentials)
{
	AUTO(mem) char *plain = mem_printf("%s:%s", credentials->user,
					   credentials->password);
	AUTO(mem) char *encoded = base64_encode(plain, strlen(plain));
	char *value = mem_printf("Basic %s", encoded);

	explicit_bzero(plain, strlen(plain));
	explicit_bzero(encoded, strlen(encoded));
	return value;
}

bool auth_needs_token(const struct auth *auth, int64_t now)
{
	return auth->scheme == SCHEME_BEARER &&
	       (!auth->token || auth->token_until - RENEW_BEFORE <= now ||
		(auth->is_single_use && auth->uses > 0));
}

char *auth_authorization(struct auth *auth, unsigned int *generation)
{
	*generation = auth->generation;
	auth->uses++;
	if (auth->scheme == SCHEME_BEARER && auth->token)
		return mem_printf("Bearer %s", auth->token);
	if (auth->scheme == SCHEME_BASIC)
		return basic_value(&auth->credentials);
	return NULL;
}

bool auth_reject(struct auth *auth, unsigned int generation, bool is_second)
{
	bool was_alone = auth->generation == generation && auth->uses == 1;

	if (auth->scheme == SCHEME_BASIC)
		return false;
	if (is_second && (was_alone || (auth->is_single_use &&
					generation >= auth->single_use_from)))
		return false;
	if (is_second && !auth->is_single_use) {
		auth->is_single_use = true;
		auth->single_use_from = auth->generation + 1;
	}
	if (auth->generation == generation)
		forget(&auth->token);
	return true;
}

static void set_text(char **to, const char *text)
{
	char *copy = text ? mem_strdup(text) : NULL;

	free(*to);
	*to = copy;
}

static int accept_basic(struct auth *auth, char *why, size_t size)
{
	if (!auth->credentials.user) {
		msg_format(why, size, "login needed: no user and password are known for this registry");
		return -STATUS_DENIED;
	}
	auth->scheme = SCHEME_BASIC;
	return 1;
}

/* token specification: realm, service, scope. The realm of a registry behind
 * TLS must be behind TLS too, or its challenge could collect passwords. */
static int accept_bearer(struct auth *auth, const struct challenge *challenge,
			 const char *url, char *why, size_t size)
{
	const char *realm = challenge_get(challenge, "realm");
	AUTO(mem) char *absolute = realm ? http_url_resolve(url, realm) : NULL;

	if (!absolute) {
		msg_format(why, size, "the registry's challenge has no usable realm");
		return -STATUS_DENIED;
	}
	if (strncmp(absolute, "https://", 8) != 0 &&
	    (strncmp(url, "https://", 8) == 0 ||
	     strncmp(absolute, "http://", 7) != 0)) {
		AUTO(mem) char *shown = http_url_public(absolute);

		msg_format(why, size, "the registry wants a token fetched from %s, which is not https",
			   shown ? shown : "a place");
		return -STATUS_DENIED;
	}
	if (auth->realm && strcmp(auth->realm, absolute) != 0)
		forget(&auth->token);
	set_text(&auth->realm, absolute);
	set_text(&auth->service, challenge_get(challenge, "service"));
	scope_add_pull(&auth->scopes, auth->repository);
	scope_add(&auth->scopes, challenge_get(challenge, "scope"));
	auth->scheme = SCHEME_BEARER;
	return 1;
}

int auth_challenged(struct auth *auth, const char *const *values, size_t count,
		    const char *url, char *why, size_t size)
{
	__attribute__((cleanup(auto_release_challenge_list)))
	struct challenge_list list = { 0 };
	const struct challenge *challenge;

	challenge_parse(&list, values, count);
	challenge = challenge_choose(&list);
	if (!challenge && list.count > 0) {
		msg_format(why, size, "the registry asks for %.80s, which is not supported",
			   list.items[0].scheme);
		return -STATUS_DENIED;
	}
	if (!challenge)
		return 0;
	if (strcasecmp(challenge->scheme, "basic") == 0)
		return accept_basic(auth, why, size);
	return accept_bearer(auth, challenge, url, why, size);
}

static void add_query(struct buf *url, const char *name, const char *value)
{
	buf_append_text(url, strchr(url->data, '?') ? "&" : "?");
	buf_append_text(url, name);
	buf_append_text(url, "=");
	http_append_encoded(url, value);
}

char *auth_token_url(const struct auth *auth)
{
	struct buf url = { 0 };

	buf_append_text(&url, auth->realm);
	if (auth->service)
		add_query(&url, "service", auth->service);
	for (size_t i = 0; i < auth->scopes.count; i++)
		add_query(&url, "scope", auth->scopes.items[i]);
	return buf_take(&url);
}

char *auth_token_authorization(const struct auth *auth)
{
	return auth->credentials.user ? basic_value(&auth->credentials) : NULL;
}

/* Seconds that a token lives, from now. issued_at is not looked at: clocks
 * differ, and counting from the answer's arrival errs by its way only. */
static int64_t lifetime(const struct json_object *answer)
{
	int64_t seconds = 0;

	if (json_get_integer(answer, "expires_in", &seconds) != 1 ||
	    seconds < LIFETIME_MIN)
		return LIFETIME_MIN;
	return seconds < LIFETIME_MAX ? seconds : LIFETIME_MAX;
}

/* A header's line must stay one line. */
static bool is_token_text(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0;
}

int auth_take_token(struct auth *auth, const char *body, size_t len, int64_t now,
		    char *why, size_t size)
{
	AUTO(json) struct json_object *answer = NULL;
	const char *token = NULL, *reason;

	answer = json_parse(body ? body : "", len, JSON_DEPTH_DOCUMENT, &reason);
	if (!answer) {
		msg_format(why, size, "the token service's answer is no JSON document");
		return -1;
	}
	if ((json_get_string(answer, "access_token", &token) != 1 || !*token) &&
	    (json_get_string(answer, "token", &token) != 1 || !*token)) {
		msg_format(why, size, "the token service's answer holds no token");
		return -1;
	}
	if (!is_token_text(token)) {
		msg_format(why, size, "the token service's token is no token");
		return -1;
	}
	forget(&auth->token);
	auth->token = mem_strdup(token);
	auth->token_until = now + lifetime(answer);
	auth->generation++;
	auth->uses = 0;
	return 0;
}
