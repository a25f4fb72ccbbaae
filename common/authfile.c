/* authfile.c - one file of credentials.h
 *
 * The order within a file is podman's: the helper for the host, the entry
 * with the longest key that fits, entries whose key is a URL of the host,
 * and last the helper for all hosts. An entry without content is none.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/credentials.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"

#define DOCKER_SERVER "https://index.docker.io/v1/"

struct lookup {
	struct credentials *out;
	enum credentials_format format;
	const char *host, *repository;
	char *why;
	size_t size;
};

static int refuse(struct lookup *l, const char *key, const char *what)
{
	msg_format(l->why, l->size, "\"%s\": %s", key, what);
	return -1;
}

static bool is_docker_hub(const char *host, size_t len)
{
	static const char *const names[] = { "docker.io", "index.docker.io",
					     "registry-1.docker.io" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == len &&
		    strncasecmp(names[i], host, len) == 0)
			return true;
	return false;
}

/* Without the port that https has anyway. */
static size_t host_length(const char *host, size_t len)
{
	return len > 4 && memcmp(host + len - 4, ":443", 4) == 0 ? len - 4 : len;
}

static bool is_same_host(const struct lookup *l, const char *key, size_t len)
{
	size_t wanted = host_length(l->host, strlen(l->host));

	len = host_length(key, len);
	if (is_docker_hub(l->host, wanted))
		return is_docker_hub(key, len);
	return len == wanted && strncasecmp(key, l->host, len) == 0;
}

static const char *without_scheme(const char *key)
{
	if (strncmp(key, "https://", 8) == 0)
		return key + 8;
	return strncmp(key, "http://", 7) == 0 ? key + 7 : key;
}

/* How well a key of auths fits: 0 not at all, 1 as a URL of the host, more
 * the more of the repository it names. */
static size_t key_fit(const struct lookup *l, const char *key)
{
	const char *host = without_scheme(key), *path;
	size_t len = strcspn(host, "/"), path_len;

	if (!is_same_host(l, host, len))
		return 0;
	if (host != key || l->format == CREDENTIALS_LEGACY)
		return 1;
	if (host[len] == '\0')
		return 2;
	path = host + len + 1;
	path_len = strlen(path);
	if (strncmp(path, l->repository, path_len) != 0)
		return 0;
	if (l->repository[path_len] != '\0' && l->repository[path_len] != '/')
		return 0;
	return 2 + path_len;
}

static void free_secret(char *text, size_t len)
{
	if (text)
		explicit_bzero(text, len);
	free(text);
}

/* "user:password" in base64. docker pads some passwords with NULs. */
static int read_auth(struct lookup *l, const char *key, const char *text)
{
	struct credentials *out = l->out;
	size_t len;
	char *decoded = base64_decode(text, &len), *colon;

	while (decoded && len && decoded[len - 1] == '\0')
		len--;
	colon = decoded ? strchr(decoded, ':') : NULL;
	if (!colon || colon == decoded || strlen(decoded) != len) {
		free_secret(decoded, decoded ? len : 0);
		return refuse(l, key, "auth is not user:password in base64");
	}
	out->user = mem_strndup(decoded, (size_t)(colon - decoded));
	out->password = mem_strdup(colon + 1);
	free_secret(decoded, len);
	return 0;
}

/* As text of an entry; absent and empty are the same. */
static int read_text(struct lookup *l, const struct json_object *entry,
		     const char *key, const char *name, const char **out)
{
	*out = NULL;
	if (json_get_string(entry, name, out) < 0) {
		msg_format(l->why, l->size, "\"%s\": %s is no string", key, name);
		return -1;
	}
	if (*out && (*out)[0] == '\0')
		*out = NULL;
	return 0;
}

/* A token becomes part of a header line: a line end would begin another. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

/* Returns 1 for an entry with content, 0 for one without, -1 when broken. */
static int read_entry(struct lookup *l, const char *key,
		      const struct json_object *entry)
{
	struct credentials *out = l->out;
	const char *auth, *user, *password, *identity, *registry;

	if (!json_object_is_type(entry, json_type_object))
		return entry ? refuse(l, key, "is no object") : 0;
	if (read_text(l, entry, key, "auth", &auth) < 0)
		return -1;
	if (l->format == CREDENTIALS_VARIABLE)
		return auth ? read_auth(l, key, auth) < 0 ? -1 : 1 : 0;
	if (read_text(l, entry, key, "username", &user) < 0 ||
	    read_text(l, entry, key, "password", &password) < 0 ||
	    read_text(l, entry, key, "identitytoken", &identity) < 0 ||
	    read_text(l, entry, key, "registrytoken", &registry) < 0)
		return -1;
	if (registry && !is_printable(registry))
		return refuse(l, key, "registrytoken is no token");
	if (auth && read_auth(l, key, auth) < 0)
		return -1;
	if (!auth && user && password) {
		out->user = mem_strdup(user);
		out->password = mem_strdup(password);
	}
	if (identity)
		out->identity_token = mem_strdup(identity);
	if (registry)
		out->registry_token = mem_strdup(registry);
	return out->user || identity || registry;
}

/* The best fit there is that is worse than `below`; 0 for none. */
static size_t next_fit(const struct lookup *l, const struct json_object *auths,
		       size_t below)
{
	size_t best = 0;

	json_object_object_foreach(auths, key, ignored) {
		size_t fit = key_fit(l, key);

		(void)ignored;
		if (fit > best && fit < below)
			best = fit;
	}
	return best;
}

static int read_auths(struct lookup *l, const struct json_object *auths)
{
	size_t fit = SIZE_MAX;

	while ((fit = next_fit(l, auths, fit)) != 0) {
		json_object_object_foreach(auths, key, entry) {
			int got = key_fit(l, key) == fit ? read_entry(l, key, entry)
							 : 0;

			if (got != 0)
				return got;
		}
	}
	return 0;
}

/* The name becomes part of a program's name. */
static int set_helper(struct lookup *l, const char *where, const char *name,
		      const char *server)
{
	if (!name[0])
		return 0;
	for (const char *p = name; *p; p++)
		if (!(*p >= 'A' && *p <= 'Z') && !(*p >= 'a' && *p <= 'z') &&
		    !(*p >= '0' && *p <= '9') && !strchr("._-", *p))
			return refuse(l, where, "is no helper's name");
	l->out->helper = mem_strdup(name);
	l->out->helper_server =
		mem_strdup(is_docker_hub(l->host, strlen(l->host)) ? DOCKER_SERVER
								   : server);
	return 1;
}

/* Returns 1 when the file names a helper for this host. */
static int read_helpers(struct lookup *l, const struct json_object *json)
{
	struct json_object *helpers = NULL;
	const char *name;

	if (json_get_object(json, "credHelpers", &helpers) < 0)
		return refuse(l, "credHelpers", "is no object");
	if (!helpers)
		return 0;
	json_object_object_foreach(helpers, key, ignored) {
		const char *host = without_scheme(key);

		(void)ignored;
		if (!is_same_host(l, host, strcspn(host, "/")))
			continue;
		if (read_text(l, helpers, "credHelpers", key, &name) < 0)
			return -1;
		return name ? set_helper(l, "credHelpers", name, key) : 0;
	}
	return 0;
}

static int read_member_auths(struct lookup *l, const struct json_object *json)
{
	struct json_object *auths = NULL;

	if (json_get_object(json, "auths", &auths) < 0)
		return refuse(l, "auths", "is no object");
	return auths ? read_auths(l, auths) : 0;
}

static int read_config(struct lookup *l, const struct json_object *json)
{
	const char *store = NULL;
	int has_helper = read_helpers(l, json), got;

	if (has_helper < 0)
		return -1;
	if (json_get_string(json, "credsStore", &store) < 0)
		return refuse(l, "credsStore", "is no string");
	got = read_member_auths(l, json);
	if (got < 0)
		return -1;
	if (!got && !has_helper && store)
		return set_helper(l, "credsStore", store, l->host);
	return got || has_helper;
}

static bool is_blank(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", bytes[i]) || bytes[i] == '\0')
			return false;
	return true;
}

int credentials_find_in_file(struct credentials *out,
			     enum credentials_format format, const char *bytes,
			     size_t len, const char *host,
			     const char *repository, char *why, size_t size)
{
	struct lookup l = { .out = out,	  .format = format,
			    .host = host, .repository = repository,
			    .why = why,	  .size = size };
	AUTO(json) struct json_object *json = NULL;
	const char *text = "larger than 1048576 bytes";
	int got;

	*out = (struct credentials){ 0 };
	if (is_blank(bytes, len))
		return 0;
	if (len <= CREDENTIALS_MAX_BYTES)
		json = json_parse(bytes, len, JSON_DEPTH_DOCUMENT, &text);
	if (!json || !json_object_is_type(json, json_type_object)) {
		msg_format(why, size, "%s", json ? "not a JSON object" : text);
		return -1;
	}
	got = format == CREDENTIALS_LEGACY     ? read_auths(&l, json)
	      : format == CREDENTIALS_VARIABLE ? read_member_auths(&l, json)
					       : read_config(&l, json);
	if (got < 0)
		credentials_clear(out);
	return got;
}
