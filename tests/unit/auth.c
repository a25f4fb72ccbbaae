/* auth.c - how long a token serves, and when there is a point in another */
#include "common/auth.h"

#include "check.h"
#include "common/cleanup.h"
#include "common/mem.h"

#define NOW 1000

static const char *const challenges[] = {
	"Bearer realm=\"http://h/token\",service=\"s\"",
};

static struct auth *challenged(void)
{
	struct credentials nobody = { 0 };
	struct auth *auth = auth_new("a/b", &nobody);
	struct auth_challenge challenge = {
		.values = challenges,
		.count = 1,
		.url = "http://h/v2/",
	};
	char why[128] = "";

	CHECK_NUMBER(auth_challenged(auth, &challenge, why, sizeof(why)), 1);
	return auth;
}

/* With a login, and a challenge from a registry at `url`. */
static struct auth *asked(struct credentials *login, const char *challenge,
			  const char *url, int want)
{
	struct auth *auth = auth_new("a/b", login);
	struct auth_challenge asks = { .values = &challenge, .count = 1,
				       .url = url };
	char why[256] = "";

	CHECK_NUMBER(auth_challenged(auth, &asks, why, sizeof(why)), want);
	return auth;
}

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

static int take(struct auth *auth, const char *answer, int64_t now)
{
	char why[128];

	return auth_take_token(auth, answer, strlen(answer), now, why,
			       sizeof(why));
}

/* The last second in which a token that came at NOW will do. */
static const struct {
	const char *answer;
	int64_t last;
} lifetimes[] = {
	{ "{\"token\":\"t\"}", 49 },
	{ "{\"token\":\"t\",\"expires_in\":1}", 49 },
	{ "{\"token\":\"t\",\"expires_in\":0}", 49 },
	{ "{\"token\":\"t\",\"expires_in\":-5}", 49 },
	{ "{\"token\":\"t\",\"expires_in\":\"300\"}", 49 },
	{ "{\"token\":\"t\",\"expires_in\":61}", 50 },
	{ "{\"token\":\"t\",\"expires_in\":300}", 289 },
	{ "{\"access_token\":\"t\",\"expires_in\":300,"
	  "\"issued_at\":\"2001-01-01T00:00:00Z\"}", 289 },
	{ "{\"token\":\"t\",\"expires_in\":9007199254740991}", 86389 },
};

static void check_lifetimes(void)
{
	for (size_t i = 0; i < sizeof(lifetimes) / sizeof(*lifetimes); i++) {
		AUTO(auth) struct auth *auth = challenged();

		check_row(lifetimes[i].answer);
		CHECK(auth_needs_token(auth, NOW));
		CHECK_NUMBER(take(auth, lifetimes[i].answer, NOW), 0);
		CHECK(!auth_needs_token(auth, NOW + lifetimes[i].last));
		CHECK(auth_needs_token(auth, NOW + lifetimes[i].last + 1));
	}
}

static void check_no_tokens(void)
{
	static const char *const answers[] = {
		"", "{}", "[]", "nonsense", "{\"token\":7}", "{\"token\":null}",
		"{\"token\":\"\",\"access_token\":\"\"}", "{\"token\":\"a b\"}",
		"{\"token\":\"a\\r\\nb\"}", "{\"token\":\"a\\u0000b\"}",
		"{\"token\":\"\\u00e4\"}",
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		AUTO(auth) struct auth *auth = challenged();

		check_row(answers[i]);
		CHECK_NUMBER(take(auth, answers[i], NOW), -1);
		CHECK(auth_needs_token(auth, NOW));
	}
}

/* Use the token once; the generation that went out. */
static unsigned int use(struct auth *auth)
{
	unsigned int generation = 0;
	AUTO(mem) char *value = auth_authorization(auth, &generation);

	CHECK_TEXT(value, "Bearer t");
	return generation;
}

static void check_rejections(void)
{
	AUTO(auth) struct auth *auth = challenged();
	unsigned int first, second;

	check_row("rejections");
	take(auth, "{\"token\":\"t\"}", NOW);
	first = use(auth);
	CHECK(auth_reject(auth, first, false));
	CHECK(auth_needs_token(auth, NOW));
	take(auth, "{\"token\":\"t\"}", NOW);
	/* One that is late does not take the new one with it. */
	CHECK(auth_reject(auth, first, false));
	CHECK(!auth_needs_token(auth, NOW));
	second = use(auth);
	CHECK(first != second);
	CHECK(!auth_reject(auth, second, true));
}

static const struct {
	const char *user, *password, *identity, *registry; /* the login */
	const char *challenge;
	const char *form, *basic, *bearer; /* what goes out where */
} logins[] = {
	{ NULL, NULL, NULL, NULL, "Bearer realm=\"/t\"", NULL, NULL, NULL },
	{ "u", "p", NULL, NULL, "Bearer realm=\"/t\"", NULL, "Basic dTpw", NULL },
	{ "u", "p", NULL, NULL, "Basic realm=x", NULL, NULL, "Basic dTpw" },
	{ NULL, NULL, "i d&=/+%\xff", NULL,
	  "Bearer realm=\"/t?x=1\",service=\"s &\",scope=\"c:d:e\"",
	  "grant_type=refresh_token&refresh_token=i%20d%26%3D%2F%2B%25%FF&"
	  "service=s%20%26&client_id=occy-pull&scope=repository%3Aa%2Fb%3Apull%20c%3Ad%3Ae",
	  NULL, NULL },
	{ "u", "", "i", NULL, "Bearer realm=\"/t\"",
	  "grant_type=refresh_token&refresh_token=i&client_id=occy-pull&"
	  "scope=repository%3Aa%2Fb%3Apull", NULL, NULL },
	{ "<token>", "i", NULL, NULL, "Bearer realm=\"/t\"",
	  "grant_type=refresh_token&refresh_token=i&client_id=occy-pull&"
	  "scope=repository%3Aa%2Fb%3Apull", NULL, NULL },
	{ NULL, NULL, NULL, "r", "Bearer realm=\"/t\"", NULL, NULL, "Bearer r" },
	{ NULL, NULL, NULL, "r", "Bearer", NULL, NULL, "Bearer r" },
	{ NULL, NULL, NULL, "r", "Basic realm=x", NULL, NULL, "Bearer r" },
	{ "u", "p", "i", "r", "Bearer realm=\"/t\"", NULL, NULL, "Bearer r" },
	{ "u", "p", "i", "r", "Basic realm=x", NULL, NULL, "Basic dTpw" },
};

static void check_logins(void)
{
	for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++) {
		struct credentials login = {
			.user = copy(logins[i].user),
			.password = copy(logins[i].password),
			.identity_token = copy(logins[i].identity),
			.registry_token = copy(logins[i].registry),
		};
		AUTO(auth) struct auth *auth = asked(&login, logins[i].challenge,
						     "https://h/v2/", 1);
		AUTO(mem) char *bearer = NULL, *form = NULL, *basic = NULL;
		unsigned int generation;

		check_row(logins[i].challenge);
		bearer = auth_authorization(auth, &generation);
		CHECK_TEXT(bearer, logins[i].bearer);
		CHECK(auth_needs_token(auth, NOW) == !logins[i].bearer);
		CHECK(!logins[i].bearer || !auth_reject(auth, generation, false));
		if (logins[i].bearer)
			continue;
		form = auth_token_form(auth);
		basic = auth_token_authorization(auth);
		CHECK_TEXT(form, logins[i].form);
		CHECK_TEXT(basic, logins[i].basic);
	}
}

static void check_form_refused(void)
{
	struct credentials login = { .user = mem_strdup("u"),
				     .password = mem_strdup("p"),
				     .identity_token = mem_strdup("i") };
	struct credentials bare = { .user = mem_strdup("u"),
				    .password = mem_strdup(""),
				    .identity_token = mem_strdup("i") };
	AUTO(auth) struct auth *auth = asked(&login, "Bearer realm=\"/t\"",
					     "https://h/v2/", 1);
	AUTO(auth) struct auth *lone = asked(&bare, "Bearer realm=\"/t\"",
					     "https://h/v2/", 1);
	AUTO(mem) char *basic = NULL, *url = NULL;

	check_row("a form that is not taken");
	CHECK(auth_posts_login(auth));
	CHECK(auth_form_refused(auth));
	CHECK(!auth_posts_login(auth));
	CHECK(!auth_form_refused(auth));
	basic = auth_token_authorization(auth);
	CHECK_TEXT(basic, "Basic dTpw");
	url = auth_token_url(auth);
	CHECK_TEXT(url, "https://h/t?scope=repository%3Aa%2Fb%3Apull");
	check_row("and there is no password");
	CHECK(!auth_form_refused(lone));
	CHECK(auth_posts_login(lone));
}

static void check_next_identity(void)
{
	struct credentials login = { .identity_token = mem_strdup("i") };
	AUTO(auth) struct auth *auth = asked(&login, "Bearer realm=\"/t\"",
					     "https://h/v2/", 1);
	AUTO(mem) char *form = NULL;

	check_row("an identity token that changes");
	take(auth, "{\"access_token\":\"t\",\"refresh_token\":\"\"}", NOW);
	take(auth, "{\"access_token\":\"t\",\"refresh_token\":7}", NOW);
	form = auth_token_form(auth);
	CHECK(form && strstr(form, "refresh_token=i&"));
	free(form);
	take(auth, "{\"access_token\":\"t\",\"refresh_token\":\"j\"}", NOW);
	form = auth_token_form(auth);
	CHECK(form && strstr(form, "refresh_token=j&"));
}

/* Whether the realm of a registry at `url` gets a login. */
static const struct {
	const char *url, *realm;
	bool is_for_login, is_for_nobody;
} realms[] = {
	{ "https://r.example/v2/", "https://auth.example/t", true, true },
	{ "https://r.example/v2/", "http://r.example/t", false, false },
	{ "https://r.example/v2/", "https://10.0.0.1/t", false, false },
	{ "https://r.example/v2/", "ftp://r.example/t", false, false },
	{ "https://10.0.0.1/v2/", "https://10.0.0.2/t", true, true },
	{ "http://r.example/v2/", "http://r.example:81/t", true, true },
	{ "http://r.example/v2/", "http://auth.example/t", false, true },
	{ "http://r.example/v2/", "http://127.0.0.1/t", false, false },
	{ "http://10.0.0.1/v2/", "http://10.0.0.2/t", false, true },
	{ "http://127.0.0.1/v2/", "http://localhost:81/t", true, true },
	{ "http://r.example/v2/", "https://auth.example/t", true, true },
};

static void check_realms(void)
{
	for (size_t i = 0; i < sizeof(realms) / sizeof(*realms); i++) {
		struct credentials nobody = { 0 };
		struct credentials user = { .user = mem_strdup("u"),
					    .password = mem_strdup("") };
		struct credentials holder = { .identity_token = mem_strdup("i") };
		AUTO(mem) char *text = mem_printf("Bearer realm=\"%s\"",
						  realms[i].realm);
		AUTO(auth) struct auth *one = NULL, *two = NULL, *three = NULL;

		check_row(text);
		one = asked(&nobody, text, realms[i].url,
			    realms[i].is_for_nobody ? 1 : -5);
		two = asked(&user, text, realms[i].url,
			    realms[i].is_for_login ? 1 : -5);
		three = asked(&holder, text, realms[i].url,
			      realms[i].is_for_login ? 1 : -5);
	}
}

int main(void)
{
	check_logins();
	check_form_refused();
	check_next_identity();
	check_realms();
	check_lifetimes();
	check_no_tokens();
	check_rejections();
	return check_result();
}
