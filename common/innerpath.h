/* innerpath.h - absolute paths inside a container, as its config names them.
 *
 * What a runtime makes of such a path depends on the links in the root
 * filesystem; so a path is judged where it leads, not only as it is written.
 */
#ifndef OCCY_COMMON_INNERPATH_H
#define OCCY_COMMON_INNERPATH_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/safepath.h"

/* Bring a path into normal form in *out: it begins with "/", has no doubled
 * or trailing slash, no "." and no "..". What is relative begins at "/". */
void innerpath_clean(const char *path, struct buf *out);

/* Where a clean path leads when every link below root is followed, clean, in
 * *out. What is not there yet is taken as it is written. Returns 0, or -1 with
 * errno. */
int innerpath_real(const struct safe_root *root, const char *path,
		   struct buf *out);

/* Whether a clean path is `top` or below it. */
bool innerpath_is_at_or_below(const char *path, const char *top);

#endif
