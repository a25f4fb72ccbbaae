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
	char why[128] = "";

	CHECK_NUMBER(auth_challenged(auth, challenges, 1, "http://h/v2/", why,
				     sizeof(why)),
		     1);
	return auth;
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

int main(void)
{
	check_lifetimes();
	check_no_tokens();
	check_rejections();
	return check_result();
}
