/* savedmanifest.h - manifest.json of a saved image: which files it consists of.
 *
 * [{"Config":"<hex>.json","RepoTags":[…],"Layers":["<hex>/layer.tar",…]},…],
 * as docker save began and Occy Strap writes into tars and directories. All
 * bytes are hostile: a file's name is taken for the digest that it holds, and
 * no other name is taken at all, so none leads out of the archive or directory
 * it stands in.
 */
#ifndef OCCY_COMMON_SAVEDMANIFEST_H
#define OCCY_COMMON_SAVEDMANIFEST_H

#include <stddef.h>

#include "common/digest.h"
#include "common/json.h"

#define SAVED_MANIFEST_NAME "manifest.json"
#define SAVED_MANIFEST_MAX_BYTES 1048576
/* As many fit into a record's line. */
#define SAVED_MAX_TAGS 1000

/* The names that the digests stand for. */
#define SAVED_CONFIG_SUFFIX ".json"
#define SAVED_LAYER_SUFFIX "/layer.tar"

struct saved_image {
	struct digest config;     /* of the file's name; its bytes may differ */
	const char *image_name;   /* lent; NULL where it is not said */
	struct json_object *tags; /* an array of strings, lent; or NULL */
	struct digest *layers;    /* of folders' names, the lowest first */
	size_t layer_count;
};

struct saved_manifest {
	struct json_object *json; /* owned */
	struct saved_image *images;
	size_t count;
};

/* Returns 0, or -1 with what is wrong in the caller's buffer (escaped, not
 * reported); *out is empty then. */
int saved_manifest_parse(struct saved_manifest *out, const char *bytes,
			 size_t len, char *why, size_t size);
void saved_manifest_clear(struct saved_manifest *manifest);

/* The digest that `name` consists of, before that suffix. Returns 0, or -1 for
 * any other name. */
int saved_name_parse(struct digest *out, const char *name, const char *suffix);

static inline void auto_release_saved_manifest(struct saved_manifest *manifest)
{
	saved_manifest_clear(manifest);
}

#endif
