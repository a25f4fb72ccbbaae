/* trust.h - whom a registry's client trusts, host by host.
 *
 * CAs that the user gives stand beside the system's: those of SSL_CERT_FILE
 * for everybody; those of the registry's folder (certsd.h) for the registry
 * and for the hosts that it sends us to, its token service and where its blobs
 * lie, as podman and docker have it; those of such a host's own folder for
 * that host. A client's certificate is shown only to the host that its folder
 * is named for, and only the registry itself may be excused from having a
 * right one.
 */
#ifndef OCCY_COMMON_TRUST_H
#define OCCY_COMMON_TRUST_H

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/http.h"

struct trust;

/* host is the registry's, with its port, as it was typed; trust_anybody goes
 * for it alone. Reads all that concerns the registry: returns 0, or a failure
 * that names the file. */
int trust_new(struct trust **out, const char *host, bool trust_anybody);
void trust_free(struct trust *trust);

/* For the registry itself; lent. NULL: just the system's CAs. */
const struct http_trust *trust_registry(const struct trust *trust);

/* For any other URL, in *out, lent and perhaps NULL. Returns 0, or a failure
 * that names a file of that host's folder. */
int trust_other(struct trust *trust, const char *url,
		const struct http_trust **out);

AUTO_DEFINE(trust, struct trust *, trust_free);

#endif
