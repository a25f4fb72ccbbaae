/* dockerdir.h - write images into a directory: the members of a docker-save
 * tar as files (extracted), or many images that share layers (merged).
 *
 * `cd DIR; tar -cf ../image.tar *` is a tar for docker load. A layer appears
 * as DIR/<digest hex>/layer.tar when it is proven; what names an image
 * (manifest*.json, catalog.json) when the stream has come to its right end. A
 * layer that is there already is proven and kept.
 */
#ifndef OCCY_COMMON_DOCKERDIR_H
#define OCCY_COMMON_DOCKERDIR_H

#include <stdbool.h>

#include "common/cleanup.h"
#include "common/record.h"

struct dockerdir;

struct dockerdir_settings {
	const char *path;
	const char *name;  /* of the one image, instead of its own; or NULL */
	bool unique_names; /* merged */
	const char *unique_option; /* how to ask for that, for messages */
	bool replace;      /* take the place of another image */
};

/* Make the directory, unless it is there. settings' strings must outlive it.
 * Returns 0 or a failure (reported). */
int dockerdir_open(struct dockerdir **out, const struct dockerdir_settings *settings);

/* Without dockerdir_finish() before: layers that were proven stay, no image
 * appears, and a directory that was made for nothing goes. */
void dockerdir_free(struct dockerdir *dir);

/* Take the next record. A layer's gets a `plain` member: its JSON is changed
 * then, and *changed set. Returns 0 or a failure (reported). */
int dockerdir_put(struct dockerdir *dir, struct record *record, bool *changed);

/* The stream was right to its end: the images appear. results gets a
 * "directory" record for each. Returns 0 or a failure (reported). */
int dockerdir_finish(struct dockerdir *dir, struct json_object *results);

AUTO_DEFINE(dockerdir, struct dockerdir *, dockerdir_free);

#endif
