/* digest.h - content digests: their text, and computing them.
 *
 * image-spec descriptor.md, "Digests": ALGORITHM:HEX, and here exactly sha256
 * with 64 or sha512 with 128 lower-case digits. A struct digest that was
 * parsed is safe in a path and in a URL; nothing else from outside may become
 * part of one. This is the only user of OpenSSL's EVP.
 */
#ifndef OCCY_COMMON_DIGEST_H
#define OCCY_COMMON_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

#define DIGEST_TEXT_SIZE 136 /* "sha512:", 128 digits, NUL */

struct digest {
	char text[DIGEST_TEXT_SIZE]; /* "" is "no digest" */
};

enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA512 };

/* Returns 0, or -1 (not reported) for anything but a well-formed digest of a
 * known algorithm; then *out holds no digest. text may be NULL. */
int digest_parse(struct digest *out, const char *text);

static inline bool digest_is_set(const struct digest *d)
{
	return d->text[0] != '\0';
}

bool digest_equal(const struct digest *a, const struct digest *b);
enum digest_algorithm digest_algorithm(const struct digest *d);
const char *digest_algorithm_name(enum digest_algorithm algorithm);

/* The digits after the colon. */
const char *digest_hex(const struct digest *d);

/* A running computation. Never fails: without the algorithm in OpenSSL the
 * process ends as it does without memory. */
struct digest_state;
struct digest_state *digest_begin(enum digest_algorithm algorithm);
void digest_update(struct digest_state *state, const void *data, size_t len);

/* The digest of all bytes so far; the state can go on or be freed. */
void digest_result(const struct digest_state *state, struct digest *out);
void digest_restart(struct digest_state *state);
void digest_end(struct digest_state *state);

/* All at once. */
void digest_of(enum digest_algorithm algorithm, const void *data, size_t len,
	       struct digest *out);

/* Whether all bytes of a file, from its start, hash to this; false also where
 * they cannot be read. */
bool digest_matches_file(int fd, const struct digest *digest);

AUTO_DEFINE(digest_state, struct digest_state *, digest_end);

#endif
