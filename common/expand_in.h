/* expand_in.h - where occy-pack --dir has written: which of its manifests an
 * image is, and whether the tree beside it is still that image's.
 *
 * The merged filesystem of manifest.json is manifest/, that of
 * manifest-IMAGE-TAG.json is manifest-IMAGE-TAG/. What a tree was made of
 * stands in .NAME.tree beside it, so that a second run can leave it alone.
 */
#ifndef OCCY_COMMON_EXPAND_IN_H
#define OCCY_COMMON_EXPAND_IN_H

#include <stdbool.h>

#include "common/digest.h"
#include "common/json.h"

/* The name of the image's merged tree: what its manifest is called without
 * ".json", by catalog.json in the directory, else "manifest". The caller
 * frees it; NULL on failure (reported: a hostile catalog). repository and tag
 * are the image's, or NULL. *is_listed: it is not a guess; occy-pack writes
 * the catalog last. */
char *expand_in_name(int dir, const char *repository, const char *tag,
		     bool *is_listed);

/* The same from the name of the manifest's file, which comes from outside;
 * NULL (not reported) for what cannot be one. */
char *expand_in_name_of(const char *manifest);

/* Is the tree there, made of this config and by this user? */
bool expand_in_is_current(int dir, const char *name,
			  const struct digest *config);

/* Forget what the tree was made of, before it is replaced; and note it, after
 * it is. Return 0 or a failure (reported). */
int expand_in_forget(int dir, const char *name);
int expand_in_note(int dir, const char *name, const struct digest *config);

#endif
