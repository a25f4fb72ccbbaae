/* dirplace.h - what stands for images in an extracted or merged directory.
 *
 * catalog.json is {IMAGE: {TAG: manifest file}}. In an extracted directory
 * that file is manifest.json; a merged one has a manifest file for each image.
 * This is the format of the first Occy Strap, whose directories are read and
 * written on.
 *
 * Everything in the directory may have been made by somebody else: names from
 * it are single components, opened without following links.
 */
#ifndef OCCY_COMMON_DIRPLACE_H
#define OCCY_COMMON_DIRPLACE_H

#include <stdbool.h>

#include "common/json.h"
#include "common/platform.h"

/* One image, as it is going to stand in the directory. */
struct dirplace_image {
	const char *image, *tag; /* the catalog's keys; safe as file names */
	const char *config;      /* "<hex>.json" */
	const struct platform *platform;
	struct json_object *layers, *tags; /* arrays of strings */
};

struct dirplace {
	int dir;
	const char *path;  /* the directory's, for messages */
	bool unique_names; /* merged */
	const char *unique_option; /* how to ask for that, for messages */
	bool replace;      /* what stands there for another image */
};

/* Whether the image may take its place: what stands there is none, or of this
 * image, registry, tag and platform. Returns 0 or a failure (reported):
 * STATUS_FAILED for another image. */
int dirplace_check(const struct dirplace *place,
		  const struct dirplace_image *image);

/* Write the image's manifest file, then its entry, while holding a lock on the
 * directory; checks again. *manifest gets the file's name, which the caller
 * frees, also after a failure. Returns 0 or a failure (reported). */
int dirplace_add(const struct dirplace *place,
		const struct dirplace_image *image, char **manifest);

/* Whether text may be a key: a path or tag by distribution-spec's grammar,
 * perhaps with capitals, or a digest. */
bool dirplace_is_key(const char *text);

#endif
