/* store_lease.c - who uses a store, and since when; the rules are in store.h
 *
 * - A lease is a read lock on parts/ whose offset is the second in which the
 *   run began. It needs no file, ends with the process however that ends, and
 *   can be asked for across containers.
 * - The guard is a flock on parts/: a run that says that a blob is there, and
 *   gc that looks at its age and removes it, cannot do so at the same time.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "common/store.h"
#include "common/store_private.h"

/* File systems count time in steps of up to two seconds. */
#define SLACK_SECONDS 2

int64_t store_now(void)
{
	struct timespec now;

	/* The clock that files get their times from. */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * STORE_SECOND + now.tv_nsec;
}

/* Where there are no such locks gc knows nobody by them; there is its grace. */
static void lease_since(const struct store *store, int64_t second)
{
	struct flock lock = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)second,
		.l_len = 1,
	};

	(void)fcntl(store_parts_fd(store), F_OFD_SETLK, &lock);
}

void store_lease(const struct store *store)
{
	lease_since(store, store_now() / STORE_SECOND);
}

void store_lease_all(const struct store *store)
{
	lease_since(store, 0);
}

/* Which of several locks is found is not said: ask again before each. */
int64_t store_oldest_lease(const struct store *store)
{
	off_t oldest = 0;

	do {
		struct flock lock = {
			.l_type = F_WRLCK,
			.l_whence = SEEK_SET,
			.l_len = oldest,
		};

		if (fcntl(store_parts_fd(store), F_OFD_GETLK, &lock) != 0 ||
		    lock.l_type == F_UNLCK)
			break;
		oldest = lock.l_start;
		if (oldest <= SLACK_SECONDS)
			return 0;
	} while (true);
	return oldest ? ((int64_t)oldest - SLACK_SECONDS) * STORE_SECOND
		      : STORE_NOBODY;
}

/* Each use comes with a lease: where the clock has been set back, what is used
 * now is older than the run's beginning. */
void store_guard(const struct store *store, bool exclusive)
{
	if (!exclusive)
		store_lease(store);
	while (flock(store_parts_fd(store), exclusive ? LOCK_EX : LOCK_SH) != 0 &&
	       errno == EINTR)
		;
}

void store_unguard(const struct store *store)
{
	flock(store_parts_fd(store), LOCK_UN);
}
