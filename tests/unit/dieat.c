/* dieat.c - preloaded: SIGKILL just before the Nth call that changes what a
 * directory holds (mkdirat, linkat, renameat); N is OCCY_DIE_AT */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int linkat(int from, const char *old, int to, const char *name, int flags);
int renameat(int from, const char *old, int to, const char *name);

static void count(void)
{
	static atomic_int calls;
	const char *at = getenv("OCCY_DIE_AT");

	if (at && atomic_fetch_add(&calls, 1) + 1 == atoi(at))
		raise(SIGKILL);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	count();
	return (int)syscall(SYS_mkdirat, dir, path, mode);
}

int linkat(int from, const char *old, int to, const char *name, int flags)
{
	count();
	return (int)syscall(SYS_linkat, from, old, to, name, flags);
}

int renameat(int from, const char *old, int to, const char *name)
{
	count();
	return (int)syscall(SYS_renameat2, from, old, to, name, 0);
}
