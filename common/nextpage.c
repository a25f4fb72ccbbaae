/* nextpage.c - where an answer goes on; client_private.h
 *
 * RFC 8288: Link: <URL>; rel="next", one of several parameters and links. What
 * cannot be read is passed over.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/client_private.h"
#include "common/mem.h"

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* The end of a parameter's value, quoted or not. */
static const char *value_end(const char *at)
{
	if (*at != '"')
		return at + strcspn(at, " \t;,");
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

/* A relation is one of several words. */
static bool has_word(const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word), n;

	for (size_t i = 0; i < len; i += n + 1) {
		n = 0;
		while (i + n < len && !strchr("\" \t", text[i + n]))
			n++;
		if (n == word_len && strncasecmp(text + i, word, n) == 0)
			return true;
	}
	return false;
}

/* The parameters of one link, up to the comma; *is_next says what they say. */
static const char *read_parameters(const char *at, bool *is_next)
{
	for (at = skip_blanks(at); *at == ';'; at = skip_blanks(at)) {
		size_t name;
		bool is_rel;

		at = skip_blanks(at + 1);
		name = strcspn(at, " \t=;,");
		is_rel = name == 3 && strncasecmp(at, "rel", 3) == 0;
		at = skip_blanks(at + name);
		if (*at == '=') {
			const char *value = skip_blanks(at + 1);

			at = value_end(value);
			*is_next |= is_rel && has_word(value, (size_t)(at - value), "next");
		}
	}
	return at;
}

/* The target of the first link to what is next; the caller frees it, NULL
 * without. */
static char *next_target(const char *at)
{
	while (*(at = skip_blanks(at)) == '<') {
		const char *target = at + 1;
		size_t len = strcspn(target, ">");
		bool is_next = false;

		if (!target[len])
			return NULL;
		at = read_parameters(target + len + 1, &is_next);
		if (is_next)
			return mem_strndup(target, len);
		if (*at != ',')
			return NULL;
		at++;
	}
	return NULL;
}

/* Path and query of a URL. */
static char *below_host(const char *url)
{
	const char *path = strchr(strstr(url, "://") + 3, '/');

	return mem_strdup(path ? path : "/");
}

char *nextpage(const struct transfer *transfer, const struct http_call *call)
{
	AUTO(mem) char *target = NULL, *home = NULL, *url = NULL;
	AUTO(mem) char *origin = NULL, *own = NULL;
	const char *value;

	for (size_t i = 0; !target && (value = http_header(call, "Link", i)); i++)
		target = next_target(value);
	if (!target)
		return NULL;
	home = transfer_home_url(transfer);
	url = http_url_resolve(transfer->url ? transfer->url : home, target);
	own = http_url_origin(home);
	origin = url ? http_url_origin(url) : NULL;
	if (origin && own && strcmp(origin, own) == 0)
		return below_host(url);
	return url ? TAKE(url) : mem_strdup("?");
}
