/* racer DIR SECONDS OUTSIDE - be the attacker next door.
 *
 * Exchanges directories in what is being made below DIR (its dot-directories)
 * for links that lead OUTSIDE, and back, as fast as it can until the time is
 * over. What another program makes of the tree meanwhile is its business;
 * outside nothing may change.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define MAX_DEPTH 6

static const char *outside;

/* Put a link out in the place of dir/name, and take it away again. */
static void swap(int dirfd, const char *name)
{
	char link[64];

	snprintf(link, sizeof(link), ".racer-%ld", (long)getpid());
	unlinkat(dirfd, link, 0);
	if (symlinkat(outside, dirfd, link) != 0)
		return;
	for (int i = 0; i < 20; i++) {
		if (renameat2(dirfd, link, dirfd, name, RENAME_EXCHANGE) != 0)
			break;
		if (renameat2(dirfd, link, dirfd, name, RENAME_EXCHANGE) != 0)
			break;
	}
	unlinkat(dirfd, link, 0);
}

static void visit(int fd, int depth, time_t end)
{
	AUTO(dir) DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		close(fd);
		return;
	}
	while (time(NULL) < end && (entry = readdir(dir))) {
		int down;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    (depth == 0 && entry->d_name[0] != '.'))
			continue;
		down = openat(dirfd(dir), entry->d_name,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (down >= 0 && depth < MAX_DEPTH)
			visit(down, depth + 1, end);
		else if (down >= 0)
			close(down);
		if (depth > 0) /* not the tree itself */
			swap(dirfd(dir), entry->d_name);
	}
}

int main(int argc, char **argv)
{
	time_t end;

	if (argc != 4)
		return 2;
	outside = argv[3];
	end = time(NULL) + atoi(argv[2]);
	while (time(NULL) < end) {
		int fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return 1;
		visit(fd, 0, end);
	}
	return 0;
}
