/* outfile.c - see outfile.h */
#include "common/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/interrupt.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define LINKS_MAX 40 /* as the kernel's own limit */
#define TEMP_NAME_SIZE 224

struct outfile {
	const char *name; /* for messages */
	int fd;
	int64_t start;    /* where our first byte lies: stdout may hold more */
	int64_t position;
	bool is_seekable;

	int dir;          /* where it lies until then; -1: fd is the target
			     itself */
	char *base;       /* the name that it gets */
	bool has_mode;    /* of the file that is replaced */
	mode_t mode;
	char temp[TEMP_NAME_SIZE]; /* its name until then; "" without */
};

bool outfile_names_stdout(const char *path)
{
	struct stat file, out;

	return strcmp(path, "-") == 0 ||
	       (stat(path, &file) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
		file.st_dev == out.st_dev && file.st_ino == out.st_ino);
}

static void open_stdout(struct outfile *out)
{
	struct stat st;
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	off_t start = lseek(STDOUT_FILENO, 0, SEEK_CUR);

	out->name = "stdout";
	out->fd = STDOUT_FILENO;
	/* With O_APPEND, pwrite(2) would write at the end, wherever asked. */
	out->is_seekable = fstat(STDOUT_FILENO, &st) == 0 &&
			   S_ISREG(st.st_mode) && start >= 0 &&
			   flags >= 0 && !(flags & O_APPEND);
	out->start = out->is_seekable ? start : 0;
}

static int open_special(struct outfile *out, const char *path)
{
	out->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return out->fd < 0 ? io_fail(path) : 0;
}

/* Where links lead from path, in *out; also where nothing is yet. Returns 0,
 * or -1 with errno. */
static int follow_links(const char *path, char **out)
{
	AUTO(mem) char *at = mem_strdup(path);

	for (int i = 0; i < LINKS_MAX; i++) {
		char target[PATH_MAX];
		ssize_t n = readlink(at, target, sizeof(target));
		char *slash = strrchr(at, '/'), *next;

		if (n < 0) {
			*out = TAKE(at);
			return 0;
		}
		if (n == sizeof(target)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		next = target[0] == '/' || !slash
			       ? mem_strndup(target, (size_t)n)
			       : mem_printf("%.*s/%.*s", (int)(slash - at), at,
					    (int)n, target);
		free(at);
		at = next;
	}
	errno = ELOOP;
	return -1;
}

static int open_dir(struct outfile *out, const char *path)
{
	AUTO(mem) char *real = NULL;
	char *slash;

	if (follow_links(path, &real) < 0)
		return io_fail(path);
	slash = strrchr(real, '/');
	out->base = mem_strdup(slash ? slash + 1 : real);
	if (slash)
		slash[slash == real] = '\0'; /* the root keeps its slash */
	out->dir = open(slash ? real : ".",
			O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (out->dir < 0)
		return io_fail(path);
	if (out->base[0] == '\0') {
		errno = *path ? EISDIR : ENOENT;
		return io_fail(path);
	}
	return 0;
}

/* Make the file under a free name beside the target; returns what `make`
 * did, -1 with errno on failure. */
static int with_temp_name(struct outfile *out,
			  int (*make)(const struct outfile *, const char *))
{
	int rc = -1;

	for (int i = 0; i < 100; i++) {
		uint32_t salt = 0;

		if (getrandom(&salt, sizeof(salt), 0) < 0)
			break;
		snprintf(out->temp, sizeof(out->temp), ".%.200s.%08x",
			 out->base, salt);
		rc = make(out, out->temp);
		if (rc >= 0 || errno != EEXIST)
			break;
	}
	if (rc < 0)
		out->temp[0] = '\0';
	return rc;
}

static int create_named(const struct outfile *out, const char *name)
{
	return openat(out->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
		      0666);
}

/* An open file gets a name through /proc; AT_EMPTY_PATH wants privileges. */
static int link_in(const struct outfile *out, int dir, const char *name)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
	return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW);
}

static int link_named(const struct outfile *out, const char *name)
{
	return link_in(out, out->dir, name);
}

static int open_nameless(struct outfile *out)
{
	if (access("/proc/self/fd", X_OK) == 0) {
		out->fd = openat(out->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
				 0666);
		/* EISDIR is how kernels and filesystems without it put it. */
		if (out->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR &&
				     errno != EINVAL))
			return out->fd;
	}
	interrupt_hold();
	out->fd = with_temp_name(out, create_named);
	return out->fd;
}

static int open_regular(struct outfile *out, const char *path)
{
	int rc = open_dir(out, path);

	if (rc < 0)
		return rc;
	if (open_nameless(out) < 0)
		return io_fail(path);
	out->is_seekable = true;
	return 0;
}

int outfile_open(struct outfile **result, const char *path)
{
	AUTO(outfile) struct outfile *out = mem_zalloc(1, sizeof(*out));
	struct stat st;
	int rc = 0;

	out->fd = -1;
	out->dir = -1;
	out->name = path;
	if (outfile_names_stdout(path)) {
		open_stdout(out);
	} else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		rc = open_special(out, path);
	} else {
		out->has_mode = stat(path, &st) == 0;
		out->mode = out->has_mode ? st.st_mode & 0777 : 0;
		rc = open_regular(out, path);
	}
	if (rc == 0)
		*result = TAKE(out);
	return rc;
}

int outfile_open_in(struct outfile **result, int dir, const char *name)
{
	AUTO(outfile) struct outfile *out = mem_zalloc(1, sizeof(*out));

	out->fd = -1;
	out->name = name;
	out->base = mem_strdup("part");
	out->is_seekable = true;
	out->dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (out->dir < 0 || open_nameless(out) < 0)
		return io_fail(name);
	*result = TAKE(out);
	return 0;
}

void outfile_free(struct outfile *out)
{
	if (!out)
		return;
	if (out->temp[0]) {
		unlinkat(out->dir, out->temp, 0);
		interrupt_release();
	}
	if (out->fd >= 0 && out->fd != STDOUT_FILENO)
		close(out->fd);
	if (out->dir >= 0)
		close(out->dir);
	free(out->base);
	free(out);
}

const char *outfile_name(const struct outfile *out)
{
	return out->name;
}

bool outfile_is_seekable(const struct outfile *out)
{
	return out->is_seekable;
}

int64_t outfile_position(const struct outfile *out)
{
	return out->position;
}

int outfile_write(struct outfile *out, const void *data, size_t len)
{
	int rc = out->temp[0] ? interrupt_pending() : 0;

	if (rc == 0)
		rc = io_write(out->fd, out->name, data, len);
	if (rc == 0)
		out->position += (int64_t)len;
	return rc;
}

int outfile_skip(struct outfile *out, int64_t len)
{
	if (lseek(out->fd, len, SEEK_CUR) < 0)
		return io_fail(out->name);
	out->position += len;
	return 0;
}

int outfile_write_at(struct outfile *out, const void *data, size_t len,
		     int64_t offset)
{
	return io_write_at(out->fd, out->name, data, len, out->start + offset);
}

/* Give a nameless file its name. Only by way of a second name can it replace
 * another, and a signal must not come between the two. */
static int name_it(struct outfile *out, int dir, const char *base)
{
	if (link_in(out, dir, base) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	interrupt_hold();
	if (with_temp_name(out, link_named) < 0) {
		interrupt_release();
		return -1;
	}
	return 0;
}

int outfile_publish_as(struct outfile *out, int dir, const char *base, bool sync)
{
	if (out->has_mode && fchmod(out->fd, out->mode) != 0)
		return io_fail(out->name);
	if (sync && fdatasync(out->fd) != 0 && errno != EINVAL)
		return io_fail(out->name);
	if (!out->temp[0] && name_it(out, dir, base) < 0)
		return io_fail(out->name);
	if (out->temp[0]) {
		if (renameat(out->dir, out->temp, dir, base) != 0)
			return io_fail(out->name);
		out->temp[0] = '\0';
		interrupt_release();
	}
	return 0;
}

int outfile_publish(struct outfile *out)
{
	/* The name must never stand for bytes that a power cut can lose. */
	return out->dir < 0 ? 0
			    : outfile_publish_as(out, out->dir, out->base, true);
}
