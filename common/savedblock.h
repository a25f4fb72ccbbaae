/* savedblock.h - the records of one image that was saved as files.
 *
 * From where the files lie does not matter here: an archive and a directory
 * each say where theirs are. The config's bytes are read and checked, because
 * they say which uncompressed digest each layer must have; whether the layers
 * have it, their readers prove.
 */
#ifndef OCCY_COMMON_SAVEDBLOCK_H
#define OCCY_COMMON_SAVEDBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/savedmanifest.h"

/* Where a file's bytes lie: with length -1 it is all of `file`. */
struct saved_place {
	char *file; /* absolute; owned by whoever asked */
	int64_t offset, length;
};

/* Who knows the files of an image. They return 0 or a failure (reported). */
struct saved_files {
	/* Append the config's bytes to *bytes, CONFIG_MAX_BYTES at most, and
	 * say where they lie. */
	int (*read_config)(void *context, const struct digest *config,
			   struct buf *bytes, struct saved_place *place);
	int (*find_layer)(void *context, const struct digest *layer,
			  struct saved_place *place);
	void *context;
	const char *name; /* for messages: the archive or the directory */
	/* Folders are called by the digests that the registry had. */
	bool has_digests;
};

/* The records, first to last, as an array of objects; or NULL with *rc the
 * failure (reported). names is an array of full names and stays the caller's.
 * *warned: the one warning about reformatted configs has been given. */
struct json_object *savedblock_make(const struct saved_image *image,
				    struct json_object *names,
				    const struct saved_files *files,
				    bool *warned, int *rc);

static inline void auto_release_saved_place(struct saved_place *place)
{
	free(place->file);
}

#endif
