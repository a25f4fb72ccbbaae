/* runtimeconfig.h - config.json of an OCI runtime bundle, from the config of
 * an image.
 *
 * image-spec conversion.md says what of the image goes where; what it leaves
 * open is as `runc spec` has it (runtimedefaults.h). docs/runtime-config.md
 * lists it all.
 *
 * The image's config is hostile, and what is made of it is read by a program
 * that runs as root on the host: nothing of it may choose a mount over what
 * the runtime mounts, a working directory that is a descriptor of the
 * runtime's, or (by an annotation) a program of the host.
 */
#ifndef OCCY_COMMON_RUNTIMECONFIG_H
#define OCCY_COMMON_RUNTIMECONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/safepath.h"

struct runtime_options {
	bool terminal;
	bool readonly;
	bool labels;          /* become annotations */
	bool strict;          /* what would be a warning is a failure */
	const char *hostname; /* NULL: the default */
	struct json_object *args; /* array of strings, lent; NULL: the image's */
};

struct runtime_source {
	const char *label;            /* begins each message */
	struct json_object *image;    /* its config; lent */
	const struct safe_root *root; /* the image's filesystem */
};

struct runtime_config {
	struct json_object *json; /* owned */
	size_t labels_left_out;   /* that are no annotations */
};

/* Returns 0 or a failure (reported). */
int runtimeconfig_make(struct runtime_config *out,
		       const struct runtime_source *source,
		       const struct runtime_options *options);

/* Append the document, indented, with a newline at its end. */
void runtimeconfig_text(const struct runtime_config *config, struct buf *out);

void runtimeconfig_clear(struct runtime_config *config);

static inline void auto_release_runtime_config(struct runtime_config *config)
{
	runtimeconfig_clear(config);
}

#endif
