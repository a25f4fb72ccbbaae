/* store_care.h - what keeps a store in order: verify, collect garbage, forget.
 *
 * All of it is safe beside runs that use the store, by the rules in store.h.
 * Nothing is touched but regular files under names of ours (a digest in
 * blobs/ALGORITHM, a part or temporary name in parts/) and index.json; no link
 * is followed; a directory that is no OCI layout is refused.
 */
#ifndef OCCY_COMMON_STORE_CARE_H
#define OCCY_COMMON_STORE_CARE_H

#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "common/platform.h"
#include "common/progress.h"
#include "common/store.h"

enum store_care_mode {
	STORE_CARE_NONE,
	STORE_CARE_VERIFY,
	STORE_CARE_GC,
	STORE_CARE_FORGET,
};

/* Each mode on its own: what a tool was asked for. */
struct store_care {
	enum store_care_mode mode;
	const char *store;     /* NULL: the default one */
	int64_t grace_seconds; /* of gc */
	char *const *images;   /* to forget */
	size_t image_count;
	struct platform wish;  /* of forget; normalized */
	enum progress_mode progress;
};

/* Do it, in a store that is there, and print what was done on stdout: a JSON
 * object with the counts, or each entry that was forgotten on a line. Returns
 * 0 or a failure. */
int store_care(const struct store_care *care);

/* Hash every blob, move those that are wrong to parts/, look whether what the
 * images need is there. A line on stderr for each fault. Returns 0, or -8 for
 * wrong bytes, else -4 where blobs are missing, else another failure. *out is
 * set in any case: the counts, for the caller to put. */
int store_verify(const struct store *store, struct progress *progress,
		 struct json_object **out);

/* Remove what no image needs and nobody has used for so many seconds. Returns
 * 0, or a failure; nothing has been removed then but where a file could not
 * be. *out, when it is set, is for the caller to put. */
int store_gc(const struct store *store, int64_t grace, struct json_object **out);

/* Take images out of index.json, all or none. An image is named as it is
 * there, or by a reference, or by a digest; those members of `wish` that are
 * not NULL choose among its platforms. *out, for the caller to put, is an
 * array of the entries. Returns 0, -4 when one of them is not there, or
 * another failure. */
int store_forget(const struct store *store, char *const *images, size_t count,
		 const struct platform *wish, struct json_object **out);

#endif
