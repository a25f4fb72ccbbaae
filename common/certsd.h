/* certsd.h - the folder where podman and docker keep a registry's certificates.
 *
 * containers-certs.d(5). The first that exists of
 *
 *     ~/.config/containers/certs.d/HOST[:PORT]
 *     /etc/containers/certs.d/HOST[:PORT]
 *     /etc/docker/certs.d/HOST[:PORT]
 *
 * with HOST as the user types it: docker.io's is docker.io, as podman has it
 * (docker itself looks into none for it). $XDG_CONFIG_HOME changes nothing,
 * there neither. Only names are looked at here, no certificate.
 */
#ifndef OCCY_COMMON_CERTSD_H
#define OCCY_COMMON_CERTSD_H

#include <stddef.h>

/* Paths of files; all owned. { 0 } is empty. */
struct certsd {
	char **authorities; /* *.crt, by name */
	size_t authority_count, authority_capacity;
	char *certificate, *key; /* of the client; NULL: has none */
};

/* Returns 1, 0 when there is no folder for this host, or a failure: a folder
 * that cannot be read, a X.cert without X.key or the other way round. A folder
 * that is closed to this user is passed over. Of several pairs the first by
 * name counts, with a warning. */
int certsd_find(struct certsd *out, const char *host);
void certsd_clear(struct certsd *certsd);

static inline void auto_release_certsd(struct certsd *certsd)
{
	certsd_clear(certsd);
}

#endif
