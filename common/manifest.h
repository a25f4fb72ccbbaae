/* manifest.h - manifests, indexes and image configs as documents.
 *
 * image-spec manifest.md, image-index.md, config.md, and docker's schema 2,
 * which has the same members under other media types. All bytes are hostile:
 * a document that two parsers could read as two images is refused (body and
 * header of different kinds, manifests beside layers, doubled keys, sizes
 * that are no integers from 0 to 2^53-1). Unknown members, media types and
 * annotations are no error.
 */
#ifndef OCCY_COMMON_MANIFEST_H
#define OCCY_COMMON_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/json.h"
#include "common/platform.h"

#define MANIFEST_MAX_BYTES 8388608
#define MANIFEST_MAX_LAYERS 10000
#define MANIFEST_MAX_ENTRIES 10000
#define MANIFEST_MAX_INDEX_DEPTH 8
#define DESCRIPTOR_MAX_URLS 16
#define CONFIG_MAX_BYTES 4194304

#define MEDIA_TYPE_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_DOCKER_LIST \
	"application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_TYPE_DOCKER_MANIFEST \
	"application/vnd.docker.distribution.manifest.v2+json"

/* All four, for one Accept line (without OCI ones some registries say 404,
 * without docker's others send schema 1). */
#define MANIFEST_ACCEPT                                    \
	MEDIA_TYPE_OCI_INDEX ", " MEDIA_TYPE_OCI_MANIFEST  \
	", " MEDIA_TYPE_DOCKER_LIST ", " MEDIA_TYPE_DOCKER_MANIFEST

enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX };

struct descriptor {
	const char *media_type; /* lent from the document; "" when absent */
	struct digest digest;
	int64_t size;
	struct json_object *json; /* lent: annotations, urls, data */
};

struct index_entry {
	struct descriptor descriptor;
	struct platform platform; /* normalized */
	bool has_platform;
	bool is_attestation; /* unknown/unknown or docker's annotation */
	bool is_zstd; /* says that it is a twin with layers in zstd */
};

struct manifest {
	enum manifest_kind kind;
	const char *media_type; /* one of the four above, constant */
	struct json_object *json; /* owned */
	struct descriptor config; /* of an image */
	struct descriptor *layers;
	size_t layer_count;
	struct index_entry *entries; /* of an index */
	size_t entry_count;
};

/* Parse len bytes that came with content_type (may be NULL; parameters are
 * cut). The body's own mediaType wins over it within one kind; where neither
 * says anything known, the members decide. Returns 0, or -1 with what is wrong
 * with them in the caller's buffer (escaped, not reported). */
int manifest_parse(struct manifest *out, const char *bytes, size_t len,
		   const char *content_type, char *why, size_t size);
void manifest_clear(struct manifest *manifest);

/* image-spec descriptor.md, "urls": where the bytes may be had besides, at most
 * DESCRIPTOR_MAX_URLS. The array is the caller's, NULL for none, its strings
 * are lent. */
const char **descriptor_urls(const struct descriptor *descriptor, size_t *count);

/* A config of this media type describes a container image. */
bool media_type_is_image_config(const char *media_type);

/* The config's media type says that it describes a container image. */
bool manifest_is_container_image(const struct manifest *manifest);

/* The entry of an index that serves the wish best; of equals, the first whose
 * layers are not said to be in zstd, else the first. Among entries that say no
 * platform the first is the last choice. NULL when
 * nothing serves. Attestations only when the wish is unknown/unknown. */
const struct index_entry *manifest_choose(const struct manifest *index,
					  const struct platform *wish);

/* "linux/amd64, linux/arm64/v8": what the index offers, for messages; at most
 * 20, then how many more. The caller frees it. */
char *manifest_platforms(const struct manifest *index);

struct image_config {
	struct json_object *json; /* owned */
	struct platform platform; /* normalized */
	struct digest *diff_ids;
	size_t diff_id_count;
};

/* As manifest_parse(). Members that are missing or null are normal, but for
 * rootfs.diff_ids: absent counts as none. */
int image_config_parse(struct image_config *out, const char *bytes, size_t len,
		       char *why, size_t size);
void image_config_clear(struct image_config *config);

static inline void auto_release_manifest(struct manifest *manifest)
{
	manifest_clear(manifest);
}

static inline void auto_release_image_config(struct image_config *config)
{
	image_config_clear(config);
}

#endif
