/* interrupt.c - see interrupt.h */
#include "common/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>

#include "common/msg.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static void heeded(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		struct sigaction action;

		/* A blocked signal would be queued even where it is ignored. */
		if (sigaction(signals[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			sigaddset(set, signals[i]);
	}
}

void interrupt_hold(void)
{
	sigset_t set;

	heeded(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void interrupt_release(void)
{
	sigset_t set;

	heeded(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int interrupt_pending(void)
{
	sigset_t waiting;

	if (sigpending(&waiting) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (sigismember(&waiting, signals[i]) == 1)
			return -(STATUS_SIGNAL + signals[i]);
	return 0;
}

int interrupt_fd(void)
{
	sigset_t set;

	heeded(&set);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
