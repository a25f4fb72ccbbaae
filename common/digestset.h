/* digestset.h - a set of digests.
 *
 * A balanced tree: names that somebody has chosen do not make it slow.
 */
#ifndef OCCY_COMMON_DIGESTSET_H
#define OCCY_COMMON_DIGESTSET_H

#include <stdbool.h>

#include "common/digest.h"

/* { 0 } is an empty set. */
struct digest_set {
	void *root;
};

/* Returns whether it is new. The digest is copied. */
bool digest_set_add(struct digest_set *set, const struct digest *digest);
bool digest_set_has(const struct digest_set *set, const struct digest *digest);
void digest_set_clear(struct digest_set *set);

static inline void auto_release_digest_set(struct digest_set *set)
{
	digest_set_clear(set);
}

#endif
