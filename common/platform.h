/* platform.h - operating system, architecture, variant: their normal forms,
 * and which one of an index serves a wish best.
 *
 * image-spec image-index.md "platform"; normal forms and the order of
 * preference as containerd has made them common.
 */
#ifndef OCCY_COMMON_PLATFORM_H
#define OCCY_COMMON_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/json.h"

struct platform {
	char *os, *architecture; /* NULL: not said */
	char *variant;           /* NULL: none */
	char *os_version;        /* NULL: none */
	char **os_features;
	size_t os_feature_count;
};

/* Bring a wish or an entry into normal form: any case, x86_64 is amd64,
 * aarch64 is arm64, armhf is arm/v7, armel arm/v6, i386 is 386, arm without a
 * variant is v7, arm64/v8 and amd64/v1 have none. */
void platform_normalize(struct platform *platform);

/* Read a descriptor's platform object or an image config (both use these
 * member names), normalized. Members of a wrong kind: -1 (not reported). */
int platform_from_json(struct platform *out, const struct json_object *json);

/* How well an entry serves the wish, both normalized: 0 exactly, higher is
 * worse, -1 not at all. A higher variant than the wish never serves. */
int platform_rank(const struct platform *wish, const struct platform *entry);

/* "linux/arm64/v8"; the caller frees it. */
char *platform_text(const struct platform *platform);

void platform_clear(struct platform *platform);

static inline void auto_release_platform(struct platform *platform)
{
	platform_clear(platform);
}

#endif
