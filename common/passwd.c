/* passwd.c - see passwd.h */
#include "common/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define PASSWD_FILE "etc/passwd"
#define GROUP_FILE "etc/group"
#define ID_MAX UINT32_C(4294967294)

struct span {
	const char *text;
	size_t len;
};

/* A User, taken apart. */
struct wish {
	struct span user, group; /* group.text is NULL without one */
	bool user_is_id, group_is_id;
	uint32_t uid, gid;
};

struct finder {
	struct identity *out;
	const char *user; /* as it was written */
	struct wish wish;
	char *why;
	size_t size;
};

/* The next line of a file, and its fields; what is missing is empty. */
enum { FIELDS = 4 }; /* name, password, id, then gid or members */

struct lines {
	const char *p, *end;
	size_t number; /* of the line that is in field[] */
	struct span field[FIELDS];
};

static int refuse(const struct finder *f, const char *what)
{
	msg_format(f->why, f->size, "User '%s': %s", f->user, what);
	return -1;
}

static int refuse_line(const struct finder *f, const char *file, size_t line,
		       const char *what)
{
	msg_format(f->why, f->size, "User '%s': %s, line %zu: %s", f->user, file,
		   line, what);
	return -1;
}

static bool is_same(const struct span *a, const struct span *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool is_number(const struct span *span)
{
	for (size_t i = 0; i < span->len; i++)
		if (span->text[i] < '0' || span->text[i] > '9')
			return false;
	return span->len > 0;
}

/* Returns 0, or -1 for anything but a number from 0 to 2^32-2. A larger one
 * cut to 32 bits could be root's. */
static int read_id(const struct span *span, uint32_t *out)
{
	uint64_t id = 0;

	if (!is_number(span))
		return -1;
	for (size_t i = 0; i < span->len; i++) {
		id = id * 10 + (uint64_t)(span->text[i] - '0');
		if (id > ID_MAX)
			return -1;
	}
	*out = (uint32_t)id;
	return 0;
}

static int parse_half(const struct finder *f, const struct span *half,
		      bool *is_id, uint32_t *id)
{
	*is_id = is_number(half);
	if (*is_id && read_id(half, id) < 0)
		return refuse(f, "an id is a number from 0 to 4294967294");
	return 0;
}

static int parse_wish(struct finder *f)
{
	struct wish *wish = &f->wish;
	const char *colon = strchr(f->user, ':');

	wish->user.text = f->user;
	wish->user.len = strcspn(f->user, ":");
	if (wish->user.len == 0)
		return refuse(f, "no user before the colon");
	if (colon) {
		wish->group.text = colon + 1;
		wish->group.len = strlen(colon + 1);
		if (wish->group.len == 0)
			return refuse(f, "no group after the colon");
		if (parse_half(f, &wish->group, &wish->group_is_id,
			       &wish->gid) < 0)
			return -1;
	}
	return parse_half(f, &wish->user, &wish->user_is_id, &wish->uid);
}

static bool needs_passwd(const struct wish *wish)
{
	return !wish->user_is_id || !wish->group.text;
}

static bool needs_group(const struct wish *wish)
{
	return wish->group.text ? !wish->group_is_id : !wish->user_is_id;
}

static struct lines lines_of(const struct buf *file)
{
	return (struct lines){ .p = file->data, .end = file->data + file->len };
}

static bool next_line(struct lines *lines)
{
	const char *lf, *p = lines->p;

	if (p == lines->end)
		return false;
	lf = memchr(p, '\n', (size_t)(lines->end - p));
	if (!lf)
		lf = lines->end;
	lines->number++;
	for (size_t i = 0; i < FIELDS; i++) {
		const char *colon = memchr(p, ':', (size_t)(lf - p));
		const char *stop = colon ? colon : lf;

		lines->field[i] = (struct span){ p, (size_t)(stop - p) };
		p = colon ? colon + 1 : lf;
	}
	lines->p = lf < lines->end ? lf + 1 : lf;
	return true;
}

static int read_user(struct finder *f, const struct lines *lines)
{
	if (read_id(&lines->field[2], &f->out->uid) < 0)
		return refuse_line(f, PASSWD_FILE, lines->number,
				   "uid is no number from 0 to 4294967294");
	if (read_id(&lines->field[3], &f->out->gid) < 0)
		return refuse_line(f, PASSWD_FILE, lines->number,
				   "gid is no number from 0 to 4294967294");
	return 0;
}

static bool is_user(const struct wish *wish, const struct lines *lines)
{
	uint32_t uid;

	if (!wish->user_is_id)
		return is_same(&lines->field[0], &wish->user);
	return read_id(&lines->field[2], &uid) == 0 && uid == wish->uid;
}

/* A number needs no entry, but gets its group from one. */
static int find_user(struct finder *f, const struct buf *passwd)
{
	struct lines lines;

	f->out->uid = f->wish.uid;
	if (passwd) {
		lines = lines_of(passwd);
		while (next_line(&lines))
			if (is_user(&f->wish, &lines))
				return read_user(f, &lines);
	}
	if (f->wish.user_is_id)
		return 0;
	return refuse(f, passwd ? "no such user in " PASSWD_FILE
				: "the root filesystem has no " PASSWD_FILE);
}

static int read_group(const struct finder *f, const struct lines *lines,
		      uint32_t *gid)
{
	if (read_id(&lines->field[2], gid) < 0)
		return refuse_line(f, GROUP_FILE, lines->number,
				   "gid is no number from 0 to 4294967294");
	return 0;
}

static int find_group(struct finder *f, const struct buf *group)
{
	struct lines lines;

	if (!group)
		return refuse(f, "the root filesystem has no " GROUP_FILE);
	lines = lines_of(group);
	while (next_line(&lines))
		if (is_same(&lines.field[0], &f->wish.group))
			return read_group(f, &lines, &f->out->gid);
	return refuse(f, "no such group in " GROUP_FILE);
}

/* "a,b,c" */
static bool has_member(const struct span *members, const struct span *user)
{
	const char *p = members->text, *end = members->text + members->len;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		struct span one = { p, (size_t)((comma ? comma : end) - p) };

		if (is_same(&one, user))
			return true;
		p = comma ? comma + 1 : end;
	}
	return false;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sort_groups(struct identity *out)
{
	size_t kept = 0;

	if (out->group_count > 1)
		qsort(out->groups, out->group_count, sizeof(*out->groups),
		      compare_ids);
	for (size_t i = 0; i < out->group_count; i++)
		if (kept == 0 || out->groups[i] != out->groups[kept - 1])
			out->groups[kept++] = out->groups[i];
	out->group_count = kept;
}

static int find_memberships(struct finder *f, const struct buf *group)
{
	struct identity *out = f->out;
	struct lines lines;
	size_t capacity = 0;

	if (!group)
		return 0;
	lines = lines_of(group);
	while (next_line(&lines)) {
		if (!has_member(&lines.field[3], &f->wish.user))
			continue;
		if (out->group_count == PASSWD_MAX_GROUPS)
			return refuse(f, "is in more than 65536 groups");
		out->groups = mem_grow(out->groups, out->group_count, &capacity,
				       sizeof(*out->groups));
		if (read_group(f, &lines, &out->groups[out->group_count]) < 0)
			return -1;
		out->group_count++;
	}
	sort_groups(out);
	return 0;
}

static int find(struct finder *f, const struct buf *passwd,
		const struct buf *group)
{
	const struct wish *wish = &f->wish;

	f->out->uid = wish->uid;
	if (needs_passwd(wish) && find_user(f, passwd) < 0)
		return -1;
	if (wish->group_is_id)
		f->out->gid = wish->gid;
	else if (wish->group.text)
		return find_group(f, group);
	else if (needs_group(wish))
		return find_memberships(f, group);
	return 0;
}

int identity_find(struct identity *out, const char *user,
		  const struct buf *passwd, const struct buf *group, char *why,
		  size_t size)
{
	struct finder f = {
		.out = out, .user = user, .why = why, .size = size,
	};

	*out = (struct identity){ 0 };
	if (parse_wish(&f) == 0 && find(&f, passwd, group) == 0)
		return 0;
	identity_clear(out);
	return -1;
}

/* The type is looked at before the file is opened for reading: to open a FIFO
 * may hang, and to open a device may do anything. Returns a descriptor, or -1
 * with errno, 0 for what is no regular file. */
static int open_regular(const struct safe_root *root, const char *path)
{
	AUTO(fd) int fd = safepath_open(root, path, O_PATH);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	if (S_ISREG(st.st_mode)) {
		close(TAKE_FD(fd));
		fd = safepath_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 || fstat(fd, &st) != 0)
			return -1;
	}
	errno = 0;
	return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -1;
}

/* Returns 1 with the file's text, 0 where there is none, or a failure. */
static int read_file(const struct safe_root *root, const char *path,
		     const char *label, struct buf *out)
{
	AUTO(fd) int fd = open_regular(root, path);
	int rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0 && errno == 0)
		return msg_fail(STATUS_INTEGRITY,
				"%s: rootfs/%s: not a regular file", label, path);
	if (fd < 0)
		return msg_fail(STATUS_STORAGE, "%s: rootfs/%s: %s", label, path,
				strerror(errno));
	buf_reserve(out, 0);
	rc = io_read_all(fd, path, PASSWD_MAX_BYTES, out);
	if (rc < 0)
		return rc;
	/* A reader that stops at it would see another line than we do. */
	if (memchr(out->data, '\0', out->len))
		return msg_fail(STATUS_INTEGRITY, "%s: rootfs/%s: holds a NUL",
				label, path);
	return 1;
}

int identity_resolve(struct identity *out, const char *user,
		     const struct safe_root *root, const char *label)
{
	AUTO(buf) struct buf passwd = { 0 };
	AUTO(buf) struct buf group = { 0 };
	char why[1024];
	struct finder f = { .user = user, .why = why, .size = sizeof(why) };
	int has_passwd = 0, has_group = 0;

	*out = (struct identity){ 0 };
	if (parse_wish(&f) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: %.1023s", label, why);
	if (needs_passwd(&f.wish))
		has_passwd = read_file(root, PASSWD_FILE, label, &passwd);
	if (has_passwd >= 0 && needs_group(&f.wish))
		has_group = read_file(root, GROUP_FILE, label, &group);
	if (has_passwd < 0 || has_group < 0)
		return has_passwd < 0 ? has_passwd : has_group;
	if (identity_find(out, user, has_passwd ? &passwd : NULL,
			  has_group ? &group : NULL, why, sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: %.1023s", label, why);
	return 0;
}

void identity_clear(struct identity *identity)
{
	free(identity->groups);
	*identity = (struct identity){ 0 };
}
