/* savedchoice.h - which of a manifest's images are meant. */
#ifndef OCCY_COMMON_SAVEDCHOICE_H
#define OCCY_COMMON_SAVEDCHOICE_H

#include <stddef.h>

#include "common/saved.h"
#include "common/savedmanifest.h"

struct saved_choice {
	struct json_object **names; /* of each image of the manifest, owned */
	size_t count;
	size_t next, end; /* those that are meant, and not taken yet */
};

/* Choose by the images' names. where begins messages. Returns 0 or a failure
 * (reported): STATUS_NOT_FOUND where none is called so. */
int saved_choice_make(struct saved_choice *out,
		      const struct saved_manifest *manifest,
		      const struct saved_want *want, const char *where);
void saved_choice_clear(struct saved_choice *choice);

/* Report that the wanted image is not there, and what there is: an array of
 * strings that stays the caller's. */
int saved_choice_fail(const struct saved_want *want,
		      struct json_object *there, const char *where);

static inline void auto_release_saved_choice(struct saved_choice *choice)
{
	saved_choice_clear(choice);
}

#endif
