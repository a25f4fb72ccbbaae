/* tags.c - see tags.h */
#include "common/tags.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/http.h"
#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/reference.h"

#define FIRST_PAGE "tags/list?n=1000" /* more, and ECR refuses */
#define PAGES_MAX_STALE 100 /* in a row that bring nothing: pages in a circle */

struct listing {
	struct buf bytes; /* of a page */
	char *type;
	char *next;       /* page; NULL: none */
	struct json_object *page;
	struct json_object *seen; /* a member for each tag */
	int seen_count, stale;
};

static void listing_clear(struct listing *listing)
{
	buf_clear(&listing->bytes);
	free(listing->type);
	free(listing->next);
	json_object_put(listing->page);
	json_object_put(listing->seen);
}

/* A token for this host has no business at another. */
static int refuse_next(struct transfer *transfer, const char *url)
{
	AUTO(mem) char *shown = http_url_public(url);

	return transfer_refuse(transfer, STATUS_INTEGRITY,
			       "the next page is said to be at another place: %.256s",
			       shown ? shown : "no URL");
}

static int on_begin(void *context, struct transfer *transfer,
		    const struct transfer_answer *answer)
{
	struct listing *listing = context;

	buf_clear(&listing->bytes);
	free(listing->type);
	free(listing->next);
	listing->type = answer->type ? mem_strdup(answer->type) : NULL;
	listing->next = answer->next ? mem_strdup(answer->next) : NULL;
	return listing->next && listing->next[0] != '/'
		       ? refuse_next(transfer, listing->next)
		       : 0;
}

static int on_data(void *context, struct transfer *transfer, const void *data,
		   size_t len)
{
	struct listing *listing = context;

	if (listing->bytes.len + len > TAGS_PAGE_BYTES)
		return transfer_refuse(transfer, STATUS_INTEGRITY,
				       "a page is larger than %d bytes",
				       TAGS_PAGE_BYTES);
	buf_append(&listing->bytes, data, len);
	return 0;
}

static int on_end(void *context, struct transfer *transfer)
{
	struct listing *listing = context;
	const char *why = "";

	if (listing->type && strncasecmp(listing->type, "text/html", 9) == 0)
		return transfer_refuse(transfer, STATUS_NETWORK,
				       "not a registry's answer: %.80s",
				       listing->type);
	json_object_put(listing->page);
	listing->page = json_parse(listing->bytes.data ? listing->bytes.data : "",
				   listing->bytes.len, JSON_DEPTH_DOCUMENT, &why);
	if (listing->page)
		return 0;
	transfer_doubt(transfer, "%s", why);
	return TRANSFER_DOUBT;
}

static const struct transfer_sink page_sink = {
	.begin = on_begin,
	.data = on_data,
	.end = on_end,
};

static int take_tag(struct listing *listing, const struct route *route,
		    const char *tag, struct buf *lines)
{
	if (!tag || !reference_is_tag(tag))
		return msg_fail(STATUS_INTEGRITY, "%s: tag list: not a tag: %s",
				route->name, tag ? tag : "no text");
	if (json_object_object_get_ex(listing->seen, tag, NULL))
		return 0;
	if (listing->seen_count == TAGS_MAX)
		return msg_fail(STATUS_INTEGRITY, "%s: tag list: more than %d tags",
				route->name, TAGS_MAX);
	listing->seen_count++;
	json_add(listing->seen, tag, NULL);
	buf_printf(lines, "%s\n", tag);
	return 0;
}

/* Print what is new on the page. */
static int take_page(struct listing *listing, const struct route *route)
{
	AUTO(buf) struct buf lines = { 0 };
	struct json_object *tags = NULL;
	size_t count = 0;

	/* A repository without tags has null for them. */
	if (json_get_array(listing->page, "tags", &tags) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: tag list: \"tags\" is no list",
				route->name);
	if (tags)
		count = json_object_array_length(tags);
	for (size_t i = 0; i < count; i++) {
		int rc = take_tag(listing, route, json_string_at(tags, i), &lines);

		if (rc < 0)
			return rc;
	}
	listing->stale = lines.len > 0 ? 0 : listing->stale + 1;
	if (listing->next && listing->stale > PAGES_MAX_STALE)
		return msg_fail(STATUS_INTEGRITY,
				"%s: tag list: no new tag on %d pages, and it goes on",
				route->name, listing->stale);
	return io_write(STDOUT_FILENO, "stdout", lines.data, lines.len);
}

static int get_page(struct listing *listing, const struct route *route,
		    const struct client_loop *loop, const char *path)
{
	struct transfer_request request = {
		.route = route,
		.path = path,
		.label = "tag list",
		.accept = "application/json",
		.sink = &page_sink,
		.context = listing,
	};
	int rc = client_wait(loop, client_get(&request));

	client_forget(route->client);
	return rc;
}

int tags_print(const struct route *route, const struct client_loop *loop)
{
	struct listing listing = { .seen = json_new_object() };
	const struct route last = {
		.client = route->client,
		.name = route->name,
		.sources = route->sources + route->count - 1,
		.count = 1,
	};
	int rc = get_page(&listing, &last, loop, FIRST_PAGE);

	if (rc == 0)
		rc = take_page(&listing, &last);
	while (rc == 0 && listing.next) {
		AUTO(mem) char *path = TAKE(listing.next);

		rc = get_page(&listing, &last, loop, path);
		if (rc == 0)
			rc = take_page(&listing, &last);
	}
	listing_clear(&listing);
	return rc;
}
