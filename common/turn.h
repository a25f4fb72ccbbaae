/* turn.h - one turn of occy-pull's loop: is the reader still there? write
 * records, move the network, draw.
 */
#ifndef OCCY_COMMON_TURN_H
#define OCCY_COMMON_TURN_H

#include "common/client.h"
#include "common/progress.h"
#include "common/stream.h"

struct turn {
	struct client *client;
	struct stream_writer *out; /* on stdout; NULL: no stream is written */
	struct progress *progress;
};

/* For struct client_loop; context is a struct turn. */
int turn_take(void *context, int timeout_ms);

#endif
