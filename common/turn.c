/* turn.c - see turn.h */
#include "common/turn.h"

#include <poll.h>
#include <unistd.h>

#include "common/msg.h"

int turn_take(void *context, int timeout_ms)
{
	const struct turn *turn = context;
	struct pollfd out = { .fd = STDOUT_FILENO };
	int rc = 0;

	if (poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLNVAL))
		return -STATUS_READER_GONE;
	if (turn->out)
		rc = stream_pump(turn->out);
	if (rc < 0)
		return rc;
	out.events = turn->out && stream_is_pending(turn->out) ? POLLOUT : 0;
	client_step(turn->client, &out, 1, timeout_ms);
	progress_update(turn->progress, client_received(turn->client),
			client_found(turn->client));
	return 0;
}
