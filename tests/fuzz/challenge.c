/* challenge.c - the values of WWW-Authenticate headers, one a line; the scope
 * of each challenge goes through the merger of scopes. */
#include "common/challenge.h"

#include <string.h>

#include "common/mem.h"
#include "common/scope.h"
#include "fuzz.h"

#define VALUES_MAX 8

static void require_sound(const struct challenge *c)
{
	AUTO(scope_list) struct scope_list scopes = { 0 };

	REQUIRE(c->scheme[0] && !strpbrk(c->scheme, " \t,=\""));
	for (size_t i = 0; i < c->parameter_count; i++) {
		const char *p = c->parameters[i].value;

		REQUIRE(p[0] && c->parameters[i].name[0]);
		for (; *p; p++)
			REQUIRE(((unsigned char)*p >= 0x20 || *p == '\t') &&
				*p != 0x7f);
		REQUIRE(challenge_get(c, c->parameters[i].name));
	}
	scope_add_pull(&scopes, "library/a");
	scope_add(&scopes, challenge_get(c, "scope"));
	for (size_t i = 0; i < scopes.count; i++) {
		REQUIRE(scopes.items[i][0] && !strchr(scopes.items[i], ' '));
		for (size_t j = 0; j < i; j++)
			REQUIRE(strcmp(scopes.items[i], scopes.items[j]) != 0);
	}
	REQUIRE(strncmp(scopes.items[0], "repository:library/a:pull", 25) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(challenge_list) struct challenge_list list = { 0 };
	AUTO(mem) char *text = mem_strndup((const char *)data, size);
	const char *values[VALUES_MAX], *bearer;
	const struct challenge *chosen;
	char *rest = text;
	size_t count = 0;

	while (rest && count < VALUES_MAX)
		values[count++] = strsep(&rest, "\n");
	challenge_parse(&list, values, count);
	REQUIRE(list.count <= CHALLENGE_MAX_COUNT);
	for (size_t i = 0; i < list.count; i++)
		require_sound(&list.items[i]);
	chosen = challenge_choose(&list);
	bearer = chosen ? challenge_get(chosen, "realm") : NULL;
	REQUIRE(chosen || (!challenge_find(&list, "basic") &&
			   !challenge_find(&list, "bearer")));
	REQUIRE(!bearer || bearer[0]);
	return 0;
}
