/* tarsparse.h - the map of a sparse file where it stands in the archive: GNU
 * tar's PAX form 1.0, decimal lines before the data, in blocks of their own.
 */
#ifndef OCCY_COMMON_TARSPARSE_H
#define OCCY_COMMON_TARSPARSE_H

#include <stdint.h>

#include "common/sparse.h"
#include "common/tarsource.h"

/* Take the map, and what fills its last block, off the source; *stored, the
 * bytes that the entry has there, becomes less by that. path is the entry's,
 * for messages. Returns 0 or a failure (reported). */
int tar_sparse_read(struct tar_source *source, const char *path,
		    int64_t *stored, struct sparse_map *map);

/* Report that the entry's sparse file makes no sense. */
int tar_sparse_bad(const struct tar_source *source, const char *path);

#endif
