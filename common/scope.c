/* scope.c - see scope.h */
#include "common/scope.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

/* The length of "type:name:", or 0 when it is no scope of three parts. */
static size_t resource_length(const char *scope)
{
	const char *first = strchr(scope, ':'), *last = strrchr(scope, ':');

	return first && first != last ? (size_t)(last - scope) + 1 : 0;
}

static bool has_action(const char *actions, const char *action, size_t len)
{
	for (;;) {
		size_t n = strcspn(actions, ",");

		if (n == len && memcmp(actions, action, len) == 0)
			return true;
		if (actions[n] == '\0')
			return false;
		actions += n + 1;
	}
}

/* Add the actions that *scope lacks; both are of one resource. */
static void merge(char **scope, const char *other, size_t resource)
{
	const char *action = other + resource;

	while (*action) {
		size_t len = strcspn(action, ",");

		if (len && !has_action(*scope + resource, action, len)) {
			char *old = *scope;
			const char *comma = old[resource] ? "," : "";

			*scope = mem_printf("%s%s%.*s", old, comma, (int)len,
					    action);
			free(old);
		}
		action += len;
		action += *action == ',';
	}
}

/* scope is taken over. */
static void add_one(struct scope_list *list, char *scope)
{
	size_t resource = resource_length(scope);
	size_t len = resource ? resource : strlen(scope) + 1;

	for (size_t i = 0; i < list->count; i++) {
		if (strncmp(list->items[i], scope, len) != 0)
			continue;
		if (resource_length(list->items[i]) != resource)
			continue;
		if (resource)
			merge(&list->items[i], scope, resource);
		free(scope);
		return;
	}
	if (list->count == SCOPE_MAX_COUNT) {
		free(scope);
		return;
	}
	if (!list->items)
		list->items = mem_zalloc(SCOPE_MAX_COUNT, sizeof(*list->items));
	list->items[list->count++] = scope;
}

void scope_add(struct scope_list *list, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, " ");

		if (len)
			add_one(list, mem_strndup(text, len));
		text += len;
		text += strspn(text, " ");
	}
}

void scope_add_pull(struct scope_list *list, const char *repository)
{
	add_one(list, mem_printf("repository:%s:pull", repository));
}

void scope_list_clear(struct scope_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct scope_list){ 0 };
}
