/* look.h - what references stand for, without fetching it.
 *
 * One HEAD for each where the registry says enough; on Docker Hub that does
 * not count as a pull. What it says is all there is then: the digest in its
 * header, which nothing proves.
 */
#ifndef OCCY_COMMON_LOOK_H
#define OCCY_COMMON_LOOK_H

#include "common/client.h"
#include "common/imagelist.h"
#include "common/sources.h"

struct look {
	struct client *client;
	struct sources *sources;
	const struct client_loop *loop;
};

/* Write the digest of each to stdout, a line each, as they come. Returns 0 or
 * a failure (reported). */
int look_print(const struct look *look, const struct image_list *images);

/* Write the tags of an image's repository to stdout; see tags.h. Returns 0 or a
 * failure (reported). */
int look_print_tags(const struct look *look, const struct wanted_image *image);

/* Whether they are what the digest file (digestfile.h) at path tells of, for
 * that platform ("all": for all). Returns 1, 0 or a failure (reported). */
int look_is_unchanged(const struct look *look, const struct image_list *images,
		      const char *path, const char *platform);

#endif
