/* reuse.h - layers that an extracted or merged directory holds already. */
#ifndef OCCY_COMMON_REUSE_H
#define OCCY_COMMON_REUSE_H

#include <stdint.h>

#include "common/client.h"
#include "common/digest.h"

struct reuse {
	char *path; /* absolute, owned by the caller; NULL: nothing found */
	int64_t size;
};

/* Look for directory/<digest hex>/layer.tar whose bytes hash to diff_id; they
 * are read for that, with turns of the loop between. *out is filled where
 * there is one; one that is wrong is none, it will be written again. Returns
 * 0, or what a turn failed with. */
int reuse_find(const char *directory, const struct digest *digest,
	       const struct digest *diff_id, const struct client_loop *loop,
	       struct reuse *out);

#endif
