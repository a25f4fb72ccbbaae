/* digestset.c - see digestset.h */
#include "common/digestset.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool digest_set_add(struct digest_set *set, const struct digest *digest)
{
	char *text;

	if (digest_set_has(set, digest))
		return false;
	text = mem_strdup(digest->text);
	if (!tsearch(text, &set->root, compare))
		mem_die("a set of digests");
	return true;
}

bool digest_set_has(const struct digest_set *set, const struct digest *digest)
{
	return tfind(digest->text, &set->root, compare) != NULL;
}

void digest_set_clear(struct digest_set *set)
{
	tdestroy(set->root, free);
	set->root = NULL;
}
