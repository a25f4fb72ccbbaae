/* base64.h - RFC 4648, section 4, both ways.
 *
 * Secrets pass through here, so each function makes exactly one allocation,
 * which the caller can wipe.
 */
#ifndef OCCY_COMMON_BASE64_H
#define OCCY_COMMON_BASE64_H

#include <stddef.h>

/* Decode text, strictly: whole groups, padded, no spare bits set; line ends
 * are passed over. Returns what the caller frees, with a NUL behind it that
 * is not counted in *len, or NULL (not reported) for anything else. */
char *base64_decode(const char *text, size_t *len);

/* Never NULL; the caller frees it. */
char *base64_encode(const void *data, size_t len);

#endif
