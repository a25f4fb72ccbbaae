/* download.h - one blob from a registry into the store.
 *
 * Bytes are counted and hashed as they come, and never more of them than the
 * descriptor says; the name appears when size and digest are right. A big blob
 * comes over several connections, if the client may have them.
 */
#ifndef OCCY_COMMON_DOWNLOAD_H
#define OCCY_COMMON_DOWNLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/client.h"
#include "common/digest.h"
#include "common/store.h"

struct download;

struct download_request {
	const struct route *route;
	struct store *store;
	const char *label;    /* for messages */
	struct digest digest;
	int64_t size;
	const char *const *urls; /* where else it may be; lent */
	size_t url_count;
};

/* To be freed before the client. Never NULL; what goes wrong is the result of
 * its transfer. */
struct download *download_start(const struct download_request *request);
const struct transfer *download_transfer(const struct download *download);
void download_free(struct download *download);

#endif
