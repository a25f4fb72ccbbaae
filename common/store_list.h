/* store_list.h - what lies in a store's folders, name by name.
 *
 * Each folder is opened without following a link and held, so that nothing
 * outside the store is touched by who works on what is listed here, even if
 * somebody else swaps folders meanwhile.
 */
#ifndef OCCY_COMMON_STORE_LIST_H
#define OCCY_COMMON_STORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/digest.h"
#include "common/store.h"

struct store_folder {
	char *path;   /* for messages */
	int fd;       /* -1: there is none */
	char **names; /* sorted; without "." and ".." */
	size_t count;
};

#define STORE_FOLDER_NONE { .fd = -1 }

/* Open blobs/ALGORITHM; one that is missing is empty. Returns 0 or a failure. */
int store_folder_of(const struct store *store, enum digest_algorithm algorithm,
		    struct store_folder *out);

/* Read the names of blobs/ALGORITHM or of parts/. Returns 0 or a failure. */
int store_list_blobs(const struct store *store, enum digest_algorithm algorithm,
		     struct store_folder *out);
int store_list_parts(const struct store *store, struct store_folder *out);

void store_folder_clear(struct store_folder *folder);

/* The digest that a blob's name in that folder stands for; false for a name
 * that is none. */
bool store_blob_digest(enum digest_algorithm algorithm, const char *name,
		       struct digest *out);

enum store_part_kind {
	STORE_PART,      /* ALGORITHM-HEX: a blob that has not come whole */
	STORE_PART_MAP,  /* ALGORITHM-HEX.map: which of its blocks have */
	STORE_TEMPORARY, /* NAME.NUMBER: nobody's but its writer's */
	STORE_FOREIGN,
};
enum store_part_kind store_part_kind(const char *name);

static inline void auto_release_store_folder(struct store_folder *folder)
{
	store_folder_clear(folder);
}

#endif
