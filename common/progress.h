/* progress.h - how far a fetch has come, on stderr.
 *
 * On a terminal one live line, redrawn in place; msg.c clears it before a
 * message, the next turn draws it again. Elsewhere one line every ten
 * seconds, or with `json` one object a second for other programs.
 */
#ifndef OCCY_COMMON_PROGRESS_H
#define OCCY_COMMON_PROGRESS_H

#include <stdint.h>

#include "common/cleanup.h"

struct progress;

enum progress_mode {
	PROGRESS_AUTO, /* TTY where stderr is one, else LINES */
	PROGRESS_TTY,
	PROGRESS_LINES,
	PROGRESS_JSON,
	PROGRESS_NONE,
};

/* Returns the mode of that name, or -1. */
int progress_mode_from(const char *name);

/* Never NULL. */
struct progress *progress_new(enum progress_mode mode);

/* What is being fetched from now on; copied. */
void progress_name(struct progress *progress, const char *name);

/* So many more bytes are going to be fetched. */
void progress_expect(struct progress *progress, int64_t bytes);

/* So many are there altogether, and so many of these were from the beginning,
 * which tells nothing of the speed; draws when it is time to. */
void progress_update(struct progress *progress, int64_t received, int64_t found);

/* Clear the live line. */
void progress_free(struct progress *progress);

AUTO_DEFINE(progress, struct progress *, progress_free);

#endif
