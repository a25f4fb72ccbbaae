/* store_private.h - what the files of the store share; nobody else's. */
#ifndef OCCY_COMMON_STORE_PRIVATE_H
#define OCCY_COMMON_STORE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

#define STORE_SECOND INT64_C(1000000000) /* times are nanoseconds since 1970 */
#define STORE_NOBODY INT64_MAX

struct digest;
struct store;
struct stat;

const char *store_path(const struct store *store);
int store_fd(const struct store *store);
int store_parts_fd(const struct store *store);

/* Others may write into it. */
bool store_is_shared(const struct store *store);

/* Below the store: "blobs/ALGORITHM/HEX". The caller frees it. */
char *store_blob_name(const struct digest *digest);

/* The directory for that. Returns 0 or a failure. */
int store_make_blob_directory(const struct store *store,
			      const struct digest *digest);

/* For a file in the making: below the store, in parts/. The caller frees it. */
char *store_temporary_name(const char *name);

/* Write a file below the store so that its name never stands for half of it;
 * with sync, not even after a power loss, which blobs show by their size.
 * Returns 0 or a failure. */
int store_replace_file(const struct store *store, const char *name,
		       const void *data, size_t len, bool sync);

/* Open and lock the part file of that name below the store, made if it is
 * missing. Returns the descriptor, -1 with errno EWOULDBLOCK when another
 * process has it or it is not ours, or -1 for other errors. */
int store_lock_part(const struct store *store, const char *name);

/* index.json. `edit` changes it in place while nobody else can, and returns 1
 * to have it written, 0 to leave it, or a failure. */
int store_read_index(const struct store *store, struct json_object **out);
int store_edit_index(const struct store *store,
		     int (*edit)(void *context, struct json_object *index),
		     void *context);

/* Of an entry of index.json: its name, or the digest of the index that led to
 * it; lent, or "". */
const char *store_entry_name(const struct json_object *entry);
const char *store_entry_tag_digest(const struct json_object *entry);

/* Leases and the guard: see store.h. The guard is exclusive for who removes,
 * and shared for who uses. */
void store_lease(const struct store *store);
/* One since ever: for who uses what it cannot set the mtime of. */
void store_lease_all(const struct store *store);
/* When the oldest run began that is still going on; STORE_NOBODY if there is
 * none, other than by this struct store. */
int64_t store_oldest_lease(const struct store *store);
void store_guard(const struct store *store, bool exclusive);
void store_unguard(const struct store *store);
int64_t store_now(void);

#endif
