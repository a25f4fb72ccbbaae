/* mirror.c - see mirror.h */
#include "common/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/msg.h"

static void mirror_clear(struct mirror *mirror)
{
	reference_clear(&mirror->at);
	free(mirror->upstream);
	*mirror = (struct mirror){ 0 };
}

void mirror_list_clear(struct mirror_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		mirror_clear(&list->items[i]);
	free(list->items);
	*list = (struct mirror_list){ 0 };
}

/* A reference wants a path and a tag; these are never asked for. */
static int parse_host(struct reference *out, const char *host, const char *prefix,
		      char *why, size_t size)
{
	return reference_from_parts(out, host, prefix ? prefix : "x", "x", why, size);
}

/* text is cut up. */
static int parse(struct mirror *mirror, char *text, char *why, size_t size)
{
	char *equals = strchr(text, '='), *slash;

	if (equals) {
		AUTO(reference) struct reference upstream = { 0 };

		*equals = '\0';
		if (parse_host(&upstream, equals + 1, NULL, why, size) < 0)
			return -1;
		mirror->upstream = TAKE(upstream.registry);
	}
	if (strncmp(text, "https://", 8) == 0) {
		text += 8;
	} else if (strncmp(text, "http://", 7) == 0) {
		text += 7;
		mirror->plain_only = true;
	}
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	mirror->has_prefix = slash && *slash;
	return parse_host(&mirror->at, text, mirror->has_prefix ? slash : NULL,
			  why, size);
}

int mirror_add(struct mirror_list *list, const char *text, char *why, size_t size)
{
	struct mirror mirror = { 0 };
	AUTO(mem) char *copy = mem_strdup(text);

	if (parse(&mirror, copy, why, size) < 0) {
		mirror_clear(&mirror);
		return -1;
	}
	list->items = mem_resize(list->items, list->count + 1, sizeof(mirror));
	list->items[list->count++] = mirror;
	return 0;
}

int mirror_add_all(struct mirror_list *list, const char *text, char *why,
		   size_t size)
{
	AUTO(mem) char *copy = text ? mem_strdup(text) : NULL;
	char *rest = NULL;

	for (char *word = copy ? strtok_r(copy, " \t\r\n", &rest) : NULL; word;
	     word = strtok_r(NULL, " \t\r\n", &rest))
		if (mirror_add(list, word, why, size) < 0)
			return -1;
	return 0;
}

bool mirror_serves(const struct mirror *mirror, const struct reference *image)
{
	if (mirror->upstream && strcmp(mirror->upstream, image->registry) != 0)
		return false;
	/* It is no mirror of itself. */
	return mirror->has_prefix || strcmp(mirror->at.host, image->host) != 0;
}
