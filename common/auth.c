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
#include "common/lead.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/scope.h"

#define LIFETIME_MIN 60  /* seconds, also where the service says nothing */
#define RENEW_BEFORE 10
#define LIFETIME_MAX 86400

enum scheme {
	SCHEME_NONE,
	SCHEME_BASIC,
	SCHEME_BEARER, /* with a token that the realm gives */
	SCHEME_FIXED,  /* with the login's own registry token */
};

struct auth {
	char *repository; /* or NULL */
	struct credentials credentials;
	enum scheme scheme;
	char *realm;   /* absolute */
	char *service; /* or NULL */
	struct scope_list scopes;
	bool form_refused; /* the realm takes no identity token */
	char *token;   /* or NULL */
	int64_t token_until;
	unsigned int generation; /* counts tokens, from 1 */
	unsigned int uses;       /* requests that this one went out with */
	bool is_single_use;      /* each request needs its own */
	unsigned int single_use_from; /* the first generation kept so */
};

static void forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

/* What helpers say for an identity token. */
static void read_token_user(struct credentials *c)
{
	if (!c->user || strcmp(c->user, "<token>") != 0 || !c->password[0])
		return;
	forget(&c->identity_token);
	c->identity_token = TAKE(c->password);
	forget(&c->user);
}

struct auth *auth_new(const char *repository, struct credentials *credentials)
{
	struct auth *auth = mem_zalloc(1, sizeof(*auth));

	auth->repository = repository ? mem_strdup(repository) : NULL;
	auth->credentials = *credentials;
	*credentials = (struct credentials){ 0 };
	read_token_user(&auth->credentials);
	return auth;
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
	return auth->credentials.user || auth->credentials.identity_token ||
	       auth->credentials.registry_token;
}

bool auth_posts_login(const struct auth *auth)
{
	return auth->credentials.identity_token && !auth->form_refused;
}

bool auth_is_basic(const struct auth *auth)
{
	return auth->scheme == SCHEME_BASIC;
}

static const char *advice(const struct auth *auth, bool of_login)
{
	if (auth->scheme == SCHEME_FIXED)
		return "is the login's registrytoken still good?";
	if (of_login && !auth_is_basic(auth) && auth_posts_login(auth))
		return "is the login's identity token still good?";
	return of_login && auth->credentials.user
		       ? "are user name and password right?"
		       : NULL;
}

void auth_advice(const struct auth *auth, bool of_login, char *out, size_t size)
{
	const char *text = advice(auth, of_login);

	out[0] = '\0';
	if (text)
		msg_format(out, size, " (%s)", text);
	else if (!auth_has_credentials(auth) && auth->credentials.helper)
		msg_format(out, size, " (docker-credential-%s knows no login for it)",
			   auth->credentials.helper);
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
	if (auth->scheme == SCHEME_FIXED)
		return mem_printf("Bearer %s", auth->credentials.registry_token);
	if (auth->scheme == SCHEME_BASIC)
		return basic_value(&auth->credentials);
	return NULL;
}

bool auth_reject(struct auth *auth, unsigned int generation, bool is_second)
{
	bool was_alone = auth->generation == generation && auth->uses == 1;

	if (auth->scheme != SCHEME_BEARER)
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
	char more[256];

	if (!auth->credentials.user) {
		auth_advice(auth, false, more, sizeof(more));
		msg_format(why, size, "login needed: no user and password are known for this registry%s",
			   more);
		return -STATUS_DENIED;
	}
	auth->scheme = SCHEME_BASIC;
	return 1;
}

/* Returns what is wrong with a realm, or NULL.
 * One that is named over TLS must be behind TLS too, or a challenge could
 * collect passwords. */
static const char *refuse_realm(const struct auth *auth, const char *realm,
				const struct auth_challenge *challenge)
{
	bool is_secure = strncmp(realm, "https://", 8) == 0;
	const struct credentials *c = &auth->credentials;

	if (!is_secure && (strncmp(challenge->url, "https://", 8) == 0 ||
			   strncmp(realm, "http://", 7) != 0))
		return "not https";
	if (!challenge->allow_private && lead_is_private(challenge->url, realm))
		return "a private address (--allow-private-redirect allows it)";
	if ((c->user || c->identity_token) &&
	    !lead_is_safe_for_login(challenge->url, realm))
		return "another host, and a login is not sent there without https";
	return NULL;
}

/* token specification: realm, service, scope */
static int accept_bearer(struct auth *auth, const struct challenge *bearer,
			 const struct auth_challenge *challenge, char *why,
			 size_t size)
{
	const char *realm = challenge_get(bearer, "realm"), *fault;
	AUTO(mem) char *absolute = realm ? http_url_resolve(challenge->url, realm)
					 : NULL;

	if (!absolute) {
		msg_format(why, size, "the registry's challenge has no usable realm");
		return -STATUS_DENIED;
	}
	fault = refuse_realm(auth, absolute, challenge);
	if (fault) {
		AUTO(mem) char *shown = http_url_public(absolute);

		msg_format(why, size, "the registry wants a token fetched from %s, which is %s",
			   shown ? shown : "a place", fault);
		return -STATUS_DENIED;
	}
	if (auth->realm && strcmp(auth->realm, absolute) != 0)
		forget(&auth->token);
	set_text(&auth->realm, absolute);
	set_text(&auth->service, challenge_get(bearer, "service"));
	if (auth->repository)
		scope_add_pull(&auth->scopes, auth->repository);
	scope_add(&auth->scopes, challenge_get(bearer, "scope"));
	auth->scheme = SCHEME_BEARER;
	return 1;
}

/* A registry token is for whatever the registry asks, but a password that it
 * asks for is given where there is one. */
static bool is_fixed(const struct auth *auth, const struct challenge *chosen)
{
	return auth->credentials.registry_token &&
	       (!auth->credentials.user ||
		strcasecmp(chosen->scheme, "basic") != 0);
}

int auth_challenged(struct auth *auth, const struct auth_challenge *challenge,
		    char *why, size_t size)
{
	__attribute__((cleanup(auto_release_challenge_list)))
	struct challenge_list list = { 0 };
	const struct challenge *chosen;

	challenge_parse(&list, challenge->values, challenge->count);
	chosen = challenge_choose(&list);
	if (!chosen && list.count > 0) {
		msg_format(why, size, "the registry asks for %.80s, which is not supported",
			   list.items[0].scheme);
		return -STATUS_DENIED;
	}
	if (!chosen)
		return 0;
	if (is_fixed(auth, chosen)) {
		auth->scheme = SCHEME_FIXED;
		return 1;
	}
	if (strcasecmp(chosen->scheme, "basic") == 0)
		return accept_basic(auth, why, size);
	return accept_bearer(auth, chosen, challenge, why, size);
}

static void add_field(struct buf *to, const char *before, const char *name,
		      const char *value)
{
	buf_append_text(to, before);
	buf_append_text(to, name);
	buf_append_text(to, "=");
	http_append_encoded(to, value);
}

static void add_query(struct buf *url, const char *name, const char *value)
{
	add_field(url, strchr(url->data, '?') ? "&" : "?", name, value);
}

char *auth_token_url(const struct auth *auth)
{
	struct buf url = { 0 };

	buf_append_text(&url, auth->realm);
	if (auth_posts_login(auth))
		return buf_take(&url);
	if (auth->service)
		add_query(&url, "service", auth->service);
	for (size_t i = 0; i < auth->scopes.count; i++)
		add_query(&url, "scope", auth->scopes.items[i]);
	return buf_take(&url);
}

char *auth_token_authorization(const struct auth *auth)
{
	return auth->credentials.user && !auth_posts_login(auth)
		       ? basic_value(&auth->credentials)
		       : NULL;
}

/* distribution's OAuth2 document. The memory must not move: what a buffer
 * leaves behind when it grows could not be wiped. */
char *auth_token_form(const struct auth *auth)
{
	const struct credentials *c = &auth->credentials;
	AUTO(buf) struct buf scopes = { 0 };
	struct buf form = { 0 };

	if (!auth_posts_login(auth))
		return NULL;
	for (size_t i = 0; i < auth->scopes.count; i++)
		buf_printf(&scopes, "%s%s", i ? " " : "", auth->scopes.items[i]);
	buf_reserve(&form, 256 + 3 * (strlen(c->identity_token) + scopes.len +
				      (auth->service ? strlen(auth->service) : 0)));
	add_field(&form, "", "grant_type", "refresh_token");
	add_field(&form, "&", "refresh_token", c->identity_token);
	if (auth->service)
		add_field(&form, "&", "service", auth->service);
	add_field(&form, "&", "client_id", "occy-pull");
	add_field(&form, "&", "scope", scopes.data ? scopes.data : "");
	return buf_take(&form);
}

bool auth_form_refused(struct auth *auth)
{
	const struct credentials *c = &auth->credentials;

	/* Beside an identity token docker keeps a user without a password. */
	if (!auth_posts_login(auth) || !c->user || !c->password[0])
		return false;
	auth->form_refused = true;
	return true;
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

/* A service may change it at each use; the old one may be dead by now. */
static void take_refresh_token(struct auth *auth, const struct json_object *answer)
{
	const char *next = NULL;

	if (!auth_posts_login(auth) ||
	    json_get_string(answer, "refresh_token", &next) != 1 || !*next)
		return;
	forget(&auth->credentials.identity_token);
	auth->credentials.identity_token = mem_strdup(next);
}

int auth_take_token(struct auth *auth, const char *body, size_t len, int64_t now,
		    char *why, size_t size)
{
	AUTO(json) struct json_object *answer = NULL;
	const char *token = NULL, *reason;

	answer = json_parse(body ? body : "", len, JSON_DEPTH_DOCUMENT, &reason);
	if (!answer) {
		msg_format(why, size, "which is no JSON document");
		return -1;
	}
	if ((json_get_string(answer, "access_token", &token) != 1 || !*token) &&
	    (json_get_string(answer, "token", &token) != 1 || !*token)) {
		msg_format(why, size, "but without a token");
		return -1;
	}
	if (!is_token_text(token)) {
		msg_format(why, size, "but its token is no token");
		return -1;
	}
	forget(&auth->token);
	auth->token = mem_strdup(token);
	take_refresh_token(auth, answer);
	auth->token_until = now + lifetime(answer);
	auth->generation++;
	auth->uses = 0;
	return 0;
}
