/* scope.h - what a token is asked for: "repository:PATH:pull".
 *
 * Scopes of one resource are one scope with all their actions, in the order
 * in which they came: some registries look at the first one only. A name may
 * hold colons (host:port/path), so a scope is cut at its first and its last.
 */
#ifndef OCCY_COMMON_SCOPE_H
#define OCCY_COMMON_SCOPE_H

#include <stddef.h>

#include "common/cleanup.h"

#define SCOPE_MAX_COUNT 64

struct scope_list {
	char **items;
	size_t count;
};

/* Add what text holds, scopes separated by spaces, without doubles: those
 * added first stay first. What is no scope of three parts is kept as it is.
 * text may be NULL; beyond SCOPE_MAX_COUNT scopes are dropped. */
void scope_add(struct scope_list *list, const char *text);

/* Add "repository:PATH:pull". */
void scope_add_pull(struct scope_list *list, const char *repository);

void scope_list_clear(struct scope_list *list);

static inline void auto_release_scope_list(struct scope_list *list)
{
	scope_list_clear(list);
}

#endif
