/* truststore.h - certificates of those who are trusted, loaded once.
 *
 * The only user of OpenSSL's TLS and X.509 (digest.h has its EVP). libcurl
 * reads a bundle of CAs anew for each connection, 28 ms and 1 MB each; this
 * one is read once and lent to all of them. Files are the user's own: links
 * are followed.
 */
#ifndef OCCY_COMMON_TRUSTSTORE_H
#define OCCY_COMMON_TRUSTSTORE_H

#include "common/cleanup.h"

struct truststore;

/* What the system trusts: a folder of hashed certificates, which are read as
 * they are needed, or (where directory is NULL) a bundle. Either may be NULL,
 * or missing: then it trusts nobody yet. Never NULL. */
struct truststore *truststore_new(const char *directory, const char *bundle);
void truststore_free(struct truststore *store);

/* Trust the certificates in this PEM file, too. Returns 0, or a failure that
 * names it: STATUS_STORAGE where it cannot be read, STATUS_FAILED where it
 * holds none or a broken one. */
int truststore_add(struct truststore *store, const char *path);

/* Let an SSL_CTX of OpenSSL use it. */
void truststore_give(const struct truststore *store, void *ssl_ctx);

/* Whether the PEM files of a certificate and of a private key can be read,
 * without a passphrase, and belong together. Returns 0 or a failure that names
 * them, statuses as above. */
int truststore_check_pair(const char *certificate, const char *key);

AUTO_DEFINE(truststore, struct truststore *, truststore_free);

#endif
