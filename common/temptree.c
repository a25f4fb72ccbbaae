/* temptree.c - see temptree.h */
#include "common/temptree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/treeremove.h"

#define SUFFIX_LEN 6
#define NAME_PART_MAX 200 /* of the final name in the temporary one */
#define TRIES 100
#define FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct temp_tree {
	int parent; /* lent */
	int fd;     /* owned, locked */
	char *what;
	char *name; /* NULL when it has its own */
};

int temp_tree_fd(const struct temp_tree *tree)
{
	return tree->fd;
}

static char *random_name(const char *prefix)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char bytes[SUFFIX_LEN];
	char suffix[SUFFIX_LEN + 1] = "";

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		mem_die("getrandom");
	for (size_t i = 0; i < SUFFIX_LEN; i++)
		suffix[i] = letters[bytes[i] % 32];
	return mem_printf("%s%s", prefix, suffix);
}

/* Ours, and nobody has it locked: whoever made it is dead. */
static bool is_stale(int parent, const char *name)
{
	AUTO(fd) int fd = openat(parent, name, FLAGS);
	struct stat stat;

	return fd >= 0 && fstat(fd, &stat) == 0 && stat.st_uid == geteuid() &&
	       flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void remove_stale(int parent, const char *prefix)
{
	AUTO(dir) DIR *dir = NULL;
	const struct dirent *entry;
	int fd = openat(parent, ".", FLAGS);

	dir = fd >= 0 ? fdopendir(fd) : NULL;
	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strncmp(name, prefix, strlen(prefix)) == 0 &&
		    strlen(name) == strlen(prefix) + SUFFIX_LEN &&
		    is_stale(parent, name))
			tree_remove(parent, name); /* else the next one does */
	}
}

/* Where others may write, they may have put something of theirs in the place
 * of ours. */
static int check_name(const struct temp_tree *tree)
{
	struct stat ours, there;

	if (fstat(tree->fd, &ours) != 0 ||
	    fstatat(tree->parent, tree->name, &there, AT_SYMLINK_NOFOLLOW) != 0)
		return io_fail(tree->what);
	if (ours.st_dev != there.st_dev || ours.st_ino != there.st_ino)
		return msg_fail(STATUS_STORAGE,
				"%s: somebody else has exchanged %s in it",
				tree->what, tree->name);
	return 0;
}

static int make(struct temp_tree *tree, const char *prefix)
{
	struct stat stat;

	for (int i = 0; i < TRIES; i++) {
		free(tree->name);
		tree->name = random_name(prefix);
		if (mkdirat(tree->parent, tree->name, 0700) == 0)
			break;
		if (errno != EEXIST || i == TRIES - 1) {
			free(TAKE(tree->name));
			return io_fail(tree->what);
		}
	}
	tree->fd = openat(tree->parent, tree->name, FLAGS);
	if (tree->fd < 0 || flock(tree->fd, LOCK_EX | LOCK_NB) != 0)
		return io_fail(tree->what);
	if (fstat(tree->fd, &stat) != 0 || stat.st_uid != geteuid())
		return msg_fail(STATUS_STORAGE, "%s: somebody else made %s in it",
				tree->what, tree->name);
	return 0;
}

struct temp_tree *temp_tree_new(int parent, const char *name, const char *what)
{
	AUTO(temp_tree) struct temp_tree *tree = mem_zalloc(1, sizeof(*tree));
	AUTO(mem) char *prefix = mem_printf(".%.*s.occy-", NAME_PART_MAX, name);
	/* Between mkdir and flock it would look like a dead one's. */
	AUTO(fd) int lock = openat(parent, ".", FLAGS);
	int rc;

	tree->parent = parent;
	tree->fd = -1;
	tree->what = mem_strdup(what);
	if (lock >= 0)
		flock(lock, LOCK_EX);
	remove_stale(parent, prefix);
	rc = make(tree, prefix);
	return rc < 0 ? NULL : TAKE(tree);
}

void temp_tree_free(struct temp_tree *tree)
{
	if (!tree)
		return;
	if (tree->name && tree_remove(tree->parent, tree->name) != 0)
		msg_warn("%s: cannot remove what was made of it, %s: %s",
			 tree->what, tree->name, strerror(errno));
	if (tree->fd >= 0)
		close(tree->fd);
	free(tree->name);
	free(tree->what);
	free(tree);
}

/* Where the file system cannot exchange names there is a moment without a
 * tree of that name. */
static int swap_in_steps(struct temp_tree *tree, int dirfd, const char *name)
{
	AUTO(mem) char *aside = random_name(".old.occy-");

	if (renameat(dirfd, name, tree->parent, aside) != 0)
		return -1;
	if (renameat(tree->parent, tree->name, dirfd, name) != 0)
		return -1;
	free(tree->name);
	tree->name = TAKE(aside);
	return 0;
}

/* Afterwards the old tree has our temporary name, by which it goes. */
static int swap(struct temp_tree *tree, int dirfd, const char *name)
{
	struct stat stat;

	if (fstatat(dirfd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	errno = ENOTDIR;
	if (!S_ISDIR(stat.st_mode))
		return -1;
	if (renameat2(tree->parent, tree->name, dirfd, name,
		      RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return swap_in_steps(tree, dirfd, name);
}

static int rename_free(const struct temp_tree *tree, int dirfd,
		       const char *name)
{
	int rc = renameat2(tree->parent, tree->name, dirfd, name,
			   RENAME_NOREPLACE);

	/* Without the flag an empty directory would be replaced, at worst. */
	if (rc != 0 && (errno == EINVAL || errno == ENOSYS))
		rc = renameat(tree->parent, tree->name, dirfd, name);
	return rc;
}

int temp_tree_publish(struct temp_tree *tree, int dirfd, const char *name,
		      enum temp_tree_over over)
{
	int rc = check_name(tree);

	if (rc < 0)
		return rc;
	if (rename_free(tree, dirfd, name) == 0) {
		free(TAKE(tree->name));
		return 0;
	}
	if (errno != EEXIST && errno != ENOTEMPTY)
		return io_fail(tree->what);
	if (over == TEMP_TREE_OVER_NOTHING)
		return 1;
	if (over == TEMP_TREE_OVER_ALL)
		return swap(tree, dirfd, name) == 0 ? 0 : io_fail(tree->what);
	if (renameat(tree->parent, tree->name, dirfd, name) == 0) {
		free(TAKE(tree->name));
		return 0;
	}
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : io_fail(tree->what);
}
