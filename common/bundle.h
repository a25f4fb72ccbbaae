/* bundle.h - the folder of an OCI runtime bundle, and its two files.
 *
 * config.json and container-config.json get their names together, when both
 * are on the disk, config.json last: where it is the bundle is whole. Until
 * then they are nameless (outfile.h). rootfs is somebody else's work and is
 * only looked at.
 */
#ifndef OCCY_COMMON_BUNDLE_H
#define OCCY_COMMON_BUNDLE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/outfile.h"

struct bundle {
	const char *path; /* lent: as the user wrote it */
	bool replace;     /* files that are there already */
	int dir;          /* -1: not open yet */
	int rootfs;       /* -1: not open yet */
	char *config_name, *image_config_name;    /* owned; paths */
	struct outfile *config, *image_config;    /* owned */
};

#define BUNDLE_NONE { .dir = -1, .rootfs = -1 }

/* Open the folder and make sure that both files can be written; one that is
 * there already is a failure unless replaced. While the stream still runs the
 * folder may be missing, because who unpacks makes it: that is 0 too.
 * Returns 0 or a failure (reported). */
int bundle_open(struct bundle *bundle, bool may_be_missing);

/* Open rootfs if the tree that was unpacked to directory is that, and not
 * another. Returns 1, 0 if it is another, or a failure (reported). */
int bundle_open_rootfs(struct bundle *bundle, const char *directory);

/* Write both files and give them their names. Returns 0 or a failure
 * (reported); then neither is there that was not before. */
int bundle_publish(struct bundle *bundle, const struct buf *config,
		   const struct buf *image_config);

void bundle_close(struct bundle *bundle);

static inline void auto_release_bundle(struct bundle *bundle)
{
	bundle_close(bundle);
}

#endif
