/* index.c - which entry of an index to take; see manifest.h */
#include <limits.h>
#include <string.h>

#include "common/buf.h"
#include "common/manifest.h"
#include "common/mem.h"

#define LISTED_MAX 20

static bool is_unknown(const struct platform *p)
{
	return p->os && p->architecture && strcmp(p->os, "unknown") == 0 &&
	       strcmp(p->architecture, "unknown") == 0;
}

const struct index_entry *manifest_choose(const struct manifest *index,
					  const struct platform *wish)
{
	const struct index_entry *best = NULL;
	int best_rank = INT_MAX;

	for (size_t i = 0; i < index->entry_count; i++) {
		const struct index_entry *entry = &index->entries[i];
		int rank = INT_MAX - 1;

		if (entry->is_attestation && !is_unknown(wish))
			continue;
		if (entry->has_platform)
			rank = platform_rank(wish, &entry->platform);
		if (rank < 0 || rank > best_rank)
			continue;
		if (best && rank == best_rank &&
		    (!best->is_zstd || entry->is_zstd))
			continue;
		best = entry;
		best_rank = rank;
	}
	return best;
}

struct listing {
	char *names[LISTED_MAX];
	size_t count, more;
};

static void add(struct listing *list, char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->names[i], name) == 0) {
			free(name);
			return;
		}
	}
	if (list->count < LISTED_MAX) {
		list->names[list->count++] = name;
		return;
	}
	list->more++;
	free(name);
}

char *manifest_platforms(const struct manifest *index)
{
	struct listing list = { .count = 0 };
	struct buf text = { 0 };

	for (size_t i = 0; i < index->entry_count; i++) {
		const struct index_entry *entry = &index->entries[i];

		if (entry->is_attestation)
			continue;
		add(&list, entry->has_platform ? platform_text(&entry->platform)
					       : mem_strdup("one that is not named"));
	}
	for (size_t i = 0; i < list.count; i++) {
		buf_printf(&text, "%s%s", i ? ", " : "", list.names[i]);
		free(list.names[i]);
	}
	if (list.more)
		buf_printf(&text, " and %zu more", list.more);
	return buf_take(&text);
}
