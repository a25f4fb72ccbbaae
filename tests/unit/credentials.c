/* credentials.c - which place is asked first for a login, and what stops it */
#include "common/credentials.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "common/cleanup.h"
#include "quoted.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define A_B "'auth':'YTpi'" /* a:b */
#define U_P "'auth':'dTpwOnE='" /* u:p:q */

static char *scratch; /* a directory of our own: $HOME and everything */

static char *path_of(const char *name)
{
	return mem_printf("%s/%s", scratch, name);
}

static void put(const char *name, const char *text)
{
	AUTO(mem) char *path = path_of(name);
	size_t len;
	AUTO(mem) char *bytes = quoted_bytes(text, &len);
	FILE *f;

	for (char *p = path + strlen(scratch) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	f = fopen(path, "w");
	CHECK(f);
	if (!f)
		return;
	CHECK_NUMBER(fwrite(bytes, 1, len, f), len);
	CHECK_NUMBER(fclose(f), 0);
}

static void drop(const char *name)
{
	AUTO(mem) char *path = path_of(name);

	CHECK_NUMBER(remove(path), 0);
}

static void set_path(const char *variable, const char *name)
{
	AUTO(mem) char *path = path_of(name);

	setenv(variable, path, 1);
}

/* What the last failure said, with the scratch directory cut out. */
static char *said(void)
{
	AUTO(mem) char *path = path_of("stderr");
	char text[1024] = "", *found;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return mem_strdup("");
	text[n - 1] = '\0';
	found = strstr(text, ": ") ? strstr(text, ": ") + 2 : text;
	if (strncmp(found, scratch, strlen(scratch)) == 0)
		found += strlen(scratch) + 1;
	return mem_strdup(found);
}

static int quiet_find(struct credentials *out,
		      const struct credentials_query *query)
{
	AUTO(mem) char *path = path_of("stderr");
	int saved = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int got;

	dup2(fd, STDERR_FILENO);
	got = credentials_find(out, query);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	return got;
}

static char *describe(int got, const struct credentials *found)
{
	if (got == 0)
		return mem_strdup("none");
	return mem_printf("%s:%s", found->user, found->password);
}

static void check_find(const struct credentials_query *query, int want,
		       const char *text)
{
	AUTO(credentials) struct credentials found = { 0 };
	AUTO(mem) char *got_text = NULL;
	int got = quiet_find(&found, query);

	CHECK_NUMBER(got, want);
	got_text = got < 0 ? said() : describe(got, &found);
	CHECK_TEXT(got_text, text);
	CHECK(got == 0 || !found.helper);
}

static void test_order(void)
{
	static const struct {
		const char *name, *text, *want;
	} places[] = {
		{ ".dockercfg", "{'q.io':{'auth':'YTox'}}", "a:1" },
		{ ".docker/config.json",
		  "{'auths':{'q.io':{'auth':'YToy'}}}", "a:2" },
		{ ".config/containers/auth.json",
		  "{'auths':{'q.io':{'auth':'YToz'}}}", "a:3" },
		{ "run/containers/auth.json",
		  "{'auths':{'q.io':{'auth':'YTo0'}}}", "a:4" },
		{ "named.json", "{'auths':{'q.io':{'auth':'YTo1'}}}",
		  "a:5" },
	};
	struct credentials_query query = { .host = "q.io", .repository = "a",
					   .is_named = true };
	AUTO(mem) char *authfile = path_of("authfile.json");

	check_row("no file at all");
	check_find(&query, 0, "none");
	for (size_t i = 0; i < COUNT(places); i++) {
		check_row(places[i].name);
		put(places[i].name, places[i].text);
		check_find(&query, 1, places[i].want);
	}
	check_row("environment before files");
	setenv("OCCYSTRAP_USERNAME", "e", 1);
	setenv("OCCYSTRAP_PASSWORD", "v", 1);
	check_find(&query, 1, "e:v");
	setenv("DOCKER_AUTH_CONFIG", "{\"auths\":{\"q.io\":{\"auth\":\"ZG86ZQ==\"}}}", 1);
	check_find(&query, 1, "e:v");
	check_row("$DOCKER_AUTH_CONFIG before files, and for mirrors");
	query.is_named = false;
	check_find(&query, 1, "do:e");
	check_row("--authfile before that");
	query.authfile = authfile;
	put("authfile.json", "{'auths':{'q.io':{" A_B "}}}");
	check_find(&query, 1, "a:b");
	drop("authfile.json");
	query.authfile = NULL;
	unsetenv("DOCKER_AUTH_CONFIG");
	check_row("environment is not for mirrors");
	query.is_named = false;
	check_find(&query, 1, "a:5");
	query.is_named = true;
	check_row("--authfile before the environment");
	query.authfile = authfile;
	check_find(&query, -9, "authfile.json: No such file or directory");
	put("authfile.json", "{'auths':{'r.io':{" A_B "}}}");
	check_find(&query, 1, "e:v");
	put("authfile.json", "{'auths':{'q.io':{" A_B "}}}");
	check_find(&query, 1, "a:b");
	unsetenv("OCCYSTRAP_USERNAME");
	unsetenv("OCCYSTRAP_PASSWORD");
	for (size_t i = 0; i < COUNT(places); i++)
		drop(places[i].name);
}

static void test_failures(void)
{
	struct credentials_query query = { .host = "q.io", .repository = "a",
					   .is_named = true };

	check_row("half an environment");
	setenv("OCCYSTRAP_USERNAME", "e", 1);
	check_find(&query, -2,
		   "OCCYSTRAP_USERNAME is set without OCCYSTRAP_PASSWORD");
	setenv("OCCYSTRAP_USERNAME", "", 1);
	setenv("OCCYSTRAP_PASSWORD", "v", 1);
	check_find(&query, -2,
		   "OCCYSTRAP_PASSWORD is set without OCCYSTRAP_USERNAME");
	setenv("OCCYSTRAP_PASSWORD", "", 1);
	check_find(&query, 0, "none");
	check_row("a broken file stops the search, and is named");
	put("named.json", "{'auths':{'q.io':{'auth':'secret'}}}");
	put(".docker/config.json", "{'auths':{'q.io':{" A_B "}}}");
	check_find(&query, -1,
		   "named.json: \"q.io\": auth is not user:password in base64");
	put("named.json", "'secret'");
	check_find(&query, -1, "named.json: not a JSON object");
	drop("named.json");
	check_row("a file in place of a directory is no file");
	drop("run/containers");
	put("run/containers", "");
	check_find(&query, 1, "a:b");
	drop("run/containers");
	drop(".docker/config.json");
	check_row("a broken $DOCKER_AUTH_CONFIG, which nothing is told of");
	setenv("DOCKER_AUTH_CONFIG", "{\"auths\":\"secret", 1);
	check_find(&query, -1, "DOCKER_AUTH_CONFIG: not valid JSON");
	setenv("DOCKER_AUTH_CONFIG", "{\"auths\":{\"q.io\":{\"auth\":\"secret\"}}}", 1);
	check_find(&query, -1,
		   "DOCKER_AUTH_CONFIG: \"q.io\": auth is not user:password in base64");
	unsetenv("DOCKER_AUTH_CONFIG");
	check_row("a directory in place of a file");
	set_path("REGISTRY_AUTH_FILE", ".docker");
	check_find(&query, -9, ".docker: Is a directory");
	set_path("REGISTRY_AUTH_FILE", "named.json");
}

static const char *asked_helper, *asked_server;
static int helper_result;

static int fake_helper(void *context, struct credentials *out,
		       const char *helper, const char *server)
{
	CHECK(context == &helper_result);
	asked_helper = strcmp(helper, "pass") == 0 ? "pass" : "another";
	asked_server = strcmp(server, "q.io") == 0 ? "q.io" : "another";
	if (helper_result == 1) {
		out->user = mem_strdup("h");
		out->password = mem_strdup("elper");
	}
	return helper_result;
}

static void test_helpers(void)
{
	struct credentials_query query = { .host = "q.io", .repository = "a" };
	AUTO(credentials) struct credentials found = { 0 };

	check_row("a helper that nobody runs");
	put("named.json", "{'credHelpers':{'q.io':'pass'}}");
	put(".docker/config.json", "{'credsStore':'other'}");
	CHECK_NUMBER(credentials_find(&found, &query), 0);
	CHECK_TEXT(found.helper, "pass");
	CHECK_TEXT(found.helper_server, "q.io");
	credentials_clear(&found);
	check_row("and a later file that has a login");
	put(".docker/config.json", "{'auths':{'q.io':{" A_B "}}}");
	check_find(&query, 1, "a:b");
	check_row("and the same file's login");
	put("named.json", "{'credHelpers':{'q.io':'pass'},"
			  "'auths':{'q.io':{" U_P "}}}");
	check_find(&query, 1, "u:p:q");
	put("named.json", "{'credHelpers':{'q.io':'pass'}}");
	check_row("a helper that answers");
	query.ask_helper = fake_helper;
	query.context = &helper_result;
	helper_result = 1;
	check_find(&query, 1, "h:elper");
	CHECK_TEXT(asked_helper, "pass");
	CHECK_TEXT(asked_server, "q.io");
	check_row("a helper that knows nothing");
	helper_result = 0;
	check_find(&query, 1, "a:b");
	put("named.json", "{'credHelpers':{'q.io':'pass'},"
			  "'auths':{'q.io':{" U_P "}}}");
	check_find(&query, 1, "u:p:q");
	check_row("a helper that knows nothing is named all the same");
	put(".docker/config.json", "{}");
	put("named.json", "{'credHelpers':{'q.io':'pass'}}");
	CHECK_NUMBER(credentials_find(&found, &query), 0);
	CHECK_TEXT(found.helper, "pass");
	credentials_clear(&found);
	check_row("a helper that fails");
	helper_result = -1;
	check_find(&query, -1, "");
	drop("named.json");
	drop(".docker/config.json");
}

static void remove_scratch(void)
{
	static const char *const names[] = {
		"authfile.json", "stderr", ".docker",
		".config/containers", ".config", "run",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(mem) char *path = path_of(names[i]);

		CHECK_NUMBER(remove(path), 0);
	}
	CHECK_NUMBER(rmdir(scratch), 0);
}

int main(void)
{
	char template[] = "/tmp/occy-unit-XXXXXX";

	scratch = mkdtemp(template);
	if (!scratch)
		return 1;
	setenv("HOME", scratch, 1);
	set_path("REGISTRY_AUTH_FILE", "named.json");
	set_path("XDG_RUNTIME_DIR", "run");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("DOCKER_CONFIG");
	unsetenv("DOCKER_AUTH_CONFIG");
	unsetenv("OCCYSTRAP_USERNAME");
	unsetenv("OCCYSTRAP_PASSWORD");
	test_order();
	test_failures();
	test_helpers();
	remove_scratch();
	return check_result();
}
