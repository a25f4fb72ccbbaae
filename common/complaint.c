/* complaint.c - what a registry says when it says no
 *
 * distribution-spec "Error Codes": a JSON object with a list of errors, each
 * with code and message. Anything else is named by its media type only: an
 * HTML page helps nobody. All of it is escaped, nothing of it is trusted.
 */
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
