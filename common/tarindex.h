/* tarindex.h - where the members of an archive lie in its file.
 *
 * Only members whose names somebody wants are kept, so that an archive of
 * millions costs time and no memory. A "./" before a name is dropped, and of
 * two members of one name the later one counts, as for tar itself.
 */
#ifndef OCCY_COMMON_TARINDEX_H
#define OCCY_COMMON_TARINDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/tarentry.h"
#include "common/tarsource.h"

#define TARINDEX_MAX_MEMBERS 100000

struct tarindex_member {
	char *path; /* both owned by the index */
	char *link; /* of a link; else NULL */
	enum tar_type type;
	int64_t offset; /* of the data; -1 if they lie in several pieces */
	int64_t size;
	bool is_double; /* an earlier one had this name */
};

struct tarindex;

/* Read the archive's headers; name begins messages, wanted says which paths are
 * kept. Returns 0, or a failure (reported). */
int tarindex_read(struct tarindex **out, const struct byte_source *source,
		  const char *name, bool (*wanted)(const char *path));
void tarindex_free(struct tarindex *index);

/* Lent; NULL when there is no such member. */
const struct tarindex_member *tarindex_find(const struct tarindex *index,
					    const char *path);

AUTO_DEFINE(tarindex, struct tarindex *, tarindex_free);

#endif
