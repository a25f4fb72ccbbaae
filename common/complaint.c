/* complaint.c - what a registry says when it says no
 *
 * distribution-spec "Error Codes": a JSON object with a list of errors, each
 * with code and message. Anything else is named by its media type only: an
 * HTML page helps nobody. All of it is escaped, nothing of it is trusted.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/client_private.h"
#include "common/json.h"
#include "common/mem.h"

/* The first error of the list, as "CODE: message"; "" without. */
static void first_error(const struct buf *body, char *out, size_t size)
{
	AUTO(json) struct json_object *json = NULL;
	struct json_object *errors = NULL, *error;
	const char *why, *code = "", *message = "";

	out[0] = '\0';
	if (!body->len)
		return;
	json = json_parse(body->data, body->len, JSON_DEPTH_DOCUMENT, &why);
	if (!json || json_get_array(json, "errors", &errors) != 1)
		return;
	error = json_object_array_get_idx(errors, 0);
	json_get_string(error, "code", &code);
	json_get_string(error, "message", &message);
	if (*code || *message)
		msg_format(out, size, " %s%s%s", code, *code && *message ? ": " : "",
			   message);
}

static void append_limits(const struct http_call *call, char *out, size_t size)
{
	static const char *const names[] = {
		"RateLimit-Limit", "RateLimit-Remaining",
		"Docker-RateLimit-Source", "Retry-After",
	};
	size_t len = strlen(out);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = http_header(call, names[i], 0);

		if (!value)
			continue;
		msg_format(out + len, size - len, "; %s: %.80s", names[i], value);
		len += strlen(out + len);
	}
}

/* RFC 9111 section 5.5, as distribution-spec "Warnings" has it: 299 - "text".
 * Returns what stands between the quotes, or NULL. */
static char *warning_text(const char *value)
{
	static const char before[] = "299 - \"";
	const char *p = value + strlen(before);
	char *text, *end;

	if (strncmp(value, before, strlen(before)) != 0)
		return NULL;
	text = end = mem_strdup(p);
	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		*end++ = *p;
	}
	*end = '\0';
	return text;
}

void complaint_tell_warnings(const struct transfer *transfer,
			     const struct http_call *call)
{
	char **told = transfer->client->warnings;
	const char *value;

	for (size_t i = 0; (value = http_header(call, "Warning", i)); i++) {
		char *text = warning_text(value);
		size_t at = 0;

		while (text && at < WARNINGS_MAX && told[at] &&
		       strcmp(told[at], text) != 0)
			at++;
		if (!text || at == WARNINGS_MAX || told[at]) {
			free(text);
			continue;
		}
		told[at] = text;
		msg_warn("%s: the registry says: %.256s", transfer->route->name, text);
	}
}

void complaint_describe(const struct transfer *transfer,
			const struct http_call *call, char *out, size_t size)
{
	AUTO(mem) char *home = transfer_home_url(transfer);
	AUTO(mem) char *origin = http_url_origin(transfer->url ? transfer->url : home);
	const char *host = origin ? strstr(origin, "://") + 3 : "the registry";
	const char *type = http_header(call, "Content-Type", 0);
	char error[600];

	first_error(&transfer->body, error, sizeof(error));
	if (!error[0] && type && strncasecmp(type, "application/json", 16) != 0)
		msg_format(error, sizeof(error), " (%.80s)", type);
	msg_format(out, size, "%s answered %ld%.599s", host, http_status(call),
		   error);
	if (http_status(call) == 429)
		append_limits(call, out, size);
}
