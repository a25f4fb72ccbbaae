/* credentials.c - see credentials.h */
#include "common/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

struct place {
	char *path; /* NULL: there is none */
	enum credentials_format format;
	bool must_exist, may_be_roots;
};

#define PLACES_MAX 5
#define PASSWORD_MAX 65536

static void clear_secret(char **text)
{
	char *secret = *text;

	*text = NULL;
	/* The analyzer takes what was freed for what was copied over it since. */
	if (secret) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static int find_in_environment(struct credentials *out)
{
	const char *user = variable("OCCYSTRAP_USERNAME");
	const char *password = variable("OCCYSTRAP_PASSWORD");

	if (!user && !password)
		return 0;
	if (!user || !password)
		return msg_fail(STATUS_USAGE, "%s is set without %s",
				user ? "OCCYSTRAP_USERNAME" : "OCCYSTRAP_PASSWORD",
				user ? "OCCYSTRAP_PASSWORD" : "OCCYSTRAP_USERNAME");
	out->user = mem_strdup(user);
	out->password = mem_strdup(password);
	return 1;
}

/* docker's: a login for each host, for machines that have no files. */
static int try_variable(struct credentials *out,
			const struct credentials_query *query)
{
	const char *text = variable("DOCKER_AUTH_CONFIG");
	char why[512];
	int got = 0;

	if (text)
		got = credentials_find_in_file(out, CREDENTIALS_VARIABLE, text,
					       strlen(text), query->host,
					       query->repository, why,
					       sizeof(why));
	return got < 0 ? msg_fail(STATUS_FAILED, "DOCKER_AUTH_CONFIG: %.511s", why)
		       : got;
}

/* DIRECTORY/NAME from a variable, else $HOME/FALLBACK. */
static char *path_from(const char *name, const char *below, const char *fallback)
{
	const char *directory = variable(name), *home = variable("HOME");

	if (directory)
		return mem_printf("%s/%s", directory, below);
	return home ? mem_printf("%s/%s", home, fallback) : NULL;
}

static char *runtime_path(void)
{
	const char *directory = variable("XDG_RUNTIME_DIR");

	if (directory)
		return mem_printf("%s/containers/auth.json", directory);
	return mem_printf("/run/containers/%lu/auth.json",
			  (unsigned long)getuid());
}

/* All but --authfile, in podman's order and then docker's. */
static void list_places(struct place places[static PLACES_MAX])
{
	const char *named = variable("REGISTRY_AUTH_FILE");

	places[0].path = named ? mem_strdup(named) : NULL;
	places[1].path = runtime_path();
	/* Where root has used podman /run/containers is root's alone. */
	places[1].may_be_roots = !variable("XDG_RUNTIME_DIR");
	places[2].path = path_from("XDG_CONFIG_HOME", "containers/auth.json",
				   ".config/containers/auth.json");
	places[3].path = path_from("DOCKER_CONFIG", "config.json",
				   ".docker/config.json");
	places[4].path = path_from("HOME", ".dockercfg", ".dockercfg");
	places[4].format = CREDENTIALS_LEGACY;
}

/* The whole file, in memory that does not move: what a buffer leaves behind
 * when it grows could not be wiped. Returns 1, 0 when there is no such file,
 * or a failure. Links are followed: these are the user's own files, and some
 * keep them elsewhere. (What json-c copies is out of reach.) */
static int read_place(const struct place *place, struct buf *bytes)
{
	AUTO(fd) int fd = open(place->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc;

	if (fd < 0 && !place->must_exist &&
	    (errno == ENOENT || errno == ENOTDIR ||
	     (errno == EACCES && place->may_be_roots)))
		return 0;
	if (fd < 0)
		return io_fail(place->path);
	buf_reserve(bytes, CREDENTIALS_MAX_BYTES + 2 * IO_BLOCK_SIZE);
	rc = io_read_all(fd, place->path, CREDENTIALS_MAX_BYTES, bytes);
	return rc < 0 ? rc : 1;
}

static void wipe(struct buf *bytes)
{
	if (bytes->data)
		explicit_bzero(bytes->data, bytes->len);
	buf_clear(bytes);
}

static int search_place(struct credentials *out, const struct place *place,
			const struct credentials_query *query)
{
	struct buf bytes = { 0 };
	char why[512] = "";
	int got = read_place(place, &bytes);

	if (got > 0)
		got = credentials_find_in_file(out, place->format, bytes.data,
					       bytes.len, query->host,
					       query->repository, why,
					       sizeof(why));
	wipe(&bytes);
	if (got < 0 && why[0])
		return msg_fail(STATUS_FAILED, "%s: %.512s", place->path, why);
	return got;
}

static bool has_content(const struct credentials *c)
{
	return c->user || c->identity_token || c->registry_token;
}

/* What the helper says stands in place of the file's entry. */
static int ask_helper(struct credentials *found,
		      const struct credentials_query *query)
{
	struct credentials answer = { 0 };
	int got = query->ask_helper(query->context, &answer, found->helper,
				    found->helper_server);

	if (got > 0) {
		credentials_clear(found);
		*found = answer;
		return 1;
	}
	credentials_clear(&answer);
	return got < 0 ? got : has_content(found);
}

static int try_place(struct credentials *out, const struct place *place,
		     const struct credentials_query *query)
{
	struct credentials found = { 0 };
	int got = search_place(&found, place, query);

	if (got > 0 && found.helper && query->ask_helper)
		got = ask_helper(&found, query);
	else if (got > 0)
		got = has_content(&found);
	if (got > 0 || (got == 0 && !out->helper)) {
		credentials_clear(out);
		*out = found;
	} else {
		credentials_clear(&found);
	}
	return got;
}

static int try_places(struct credentials *out,
		      const struct credentials_query *query)
{
	struct place places[PLACES_MAX] = { 0 };
	int got = 0;

	list_places(places);
	for (size_t i = 0; i < PLACES_MAX; i++) {
		if (places[i].path && got == 0)
			got = try_place(out, &places[i], query);
		free(places[i].path);
	}
	return got;
}

int credentials_find(struct credentials *out,
		     const struct credentials_query *query)
{
	int got = 0;

	*out = (struct credentials){ 0 };
	if (query->authfile) {
		char *path = mem_strdup(query->authfile);
		struct place place = { .path = path, .must_exist = true };

		got = try_place(out, &place, query);
		free(path);
	}
	if (got == 0 && query->is_named)
		got = find_in_environment(out);
	if (got == 0)
		got = try_variable(out, query);
	if (got == 0)
		got = try_places(out, query);
	if (got > 0) {
		clear_secret(&out->helper);
		clear_secret(&out->helper_server);
	} else if (got < 0) {
		credentials_clear(out);
	}
	return got;
}

void credentials_clear(struct credentials *credentials)
{
	clear_secret(&credentials->user);
	clear_secret(&credentials->password);
	clear_secret(&credentials->identity_token);
	clear_secret(&credentials->registry_token);
	clear_secret(&credentials->helper);
	clear_secret(&credentials->helper_server);
}

int credentials_read_password(char **out)
{
	AUTO(buf) struct buf text = { 0 };
	int rc = io_read_all(STDIN_FILENO, "stdin", PASSWORD_MAX, &text);

	if (rc < 0)
		return rc;
	if (!text.len)
		return msg_fail(STATUS_USAGE, "stdin: no password came");
	text.data[strcspn(text.data, "\r\n")] = '\0';
	*out = mem_strdup(text.data);
	explicit_bzero(text.data, text.len);
	return 0;
}
