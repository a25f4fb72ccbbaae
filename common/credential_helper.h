/* credential_helper.h - ask docker-credential-NAME for a login.
 *
 * The programs that docker and podman keep logins in (docker-credential-pass,
 * -ecr-login and so on) speak a small protocol: "get" as an argument, the
 * server on stdin, a JSON object on stdout (docker-credential-helpers,
 * client/client.go). They are found along $PATH and run without a shell. What
 * they write to stderr goes to ours: some ask for a touch or a passphrase.
 *
 * A helper that takes too long is killed with its process group, also when a
 * signal ends us meanwhile. Its answer appears in no message, but for the
 * first line of one that has failed, which is where they say why.
 */
#ifndef OCCY_COMMON_CREDENTIAL_HELPER_H
#define OCCY_COMMON_CREDENTIAL_HELPER_H

#include <stdint.h>

#include "common/cleanup.h"
#include "common/credentials.h"

#define CREDENTIAL_HELPER_MS 30000

/* What helpers have said in this run: none is asked for a server twice. */
struct credential_helpers;

/* limit_ms: what a helper may take. Never NULL. */
struct credential_helpers *credential_helpers_new(int64_t limit_ms);

/* Wipes what it frees. */
void credential_helpers_free(struct credential_helpers *helpers);

/* For credentials_query: context is the struct credential_helpers. Returns 1
 * with *out filled, 0 when the helper knows no login for the server, or a
 * failure (reported). name holds only letters, digits and "._-". */
int credential_helpers_ask(void *context, struct credentials *out,
			   const char *name, const char *server);

AUTO_DEFINE(credential_helpers, struct credential_helpers *,
	    credential_helpers_free);

#endif
