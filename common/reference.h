/* reference.h - the name of an image: host/path:tag@digest.
 *
 * Follows distribution-spec "Pulling manifests" and the normal form that
 * docker made common: no host is docker.io, a one-part path there gets
 * library/, no tag and no digest is latest. index.docker.io and
 * registry-1.docker.io are docker.io; requests go to registry-1.docker.io.
 * Hosts become lower case, so that equal names compare equal. What is parsed
 * is safe in a URL and, but for the slashes of the repository, in a path.
 */
#ifndef OCCY_COMMON_REFERENCE_H
#define OCCY_COMMON_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/digest.h"

struct reference {
	char *registry;   /* for people and for names: docker.io */
	char *host;       /* where requests go, host[:port] */
	char *typed_host; /* as typed; credentials are looked up by it */
	char *repository; /* library/busybox */
	char *tag;        /* NULL when there is only a digest */
	struct digest digest; /* wins over the tag when set */
};

/* Parse one string, as in --name or a list. Returns 0, or -1 with why it is
 * none in the caller's buffer (escaped, not reported); *out is empty then. */
int reference_parse(struct reference *out, const char *text, char *why,
		    size_t size);

/* The same from REGISTRY IMAGE TAG; tag may be a digest. REGISTRY is a host
 * even without a dot in it. */
int reference_from_parts(struct reference *out, const char *registry,
			 const char *image, const char *tag, char *why,
			 size_t size);

void reference_clear(struct reference *reference);

/* Whether text can be a tag. */
bool reference_is_tag(const char *text);

/* "docker.io/library/busybox:latest"; with a digest and no tag, or for
 * messages, "…@sha256:…". The caller frees it. */
char *reference_text(const struct reference *reference);

/* What goes into RepoTags and names: "registry/repository:tag", or NULL when
 * the image is asked for by digest. The caller frees it. */
char *reference_tagged_name(const struct reference *reference);

static inline void auto_release_reference(struct reference *reference)
{
	reference_clear(reference);
}

#endif
