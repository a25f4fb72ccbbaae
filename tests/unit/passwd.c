/* passwd.c - users and groups: who is found, and why others are not */
#include "common/passwd.h"

#include "check.h"
#include "common/mem.h"
#include "common/msg.h"
#include "scratch.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define PASSWD                                  \
	"root:x:0:0:root:/root:/bin/sh\n"       \
	"app:x:1000:1001::/home/app:/bin/sh\n"  \
	"second:x:1000:7::/:\n"                 \
	"1234:x:55:55::/:\n"                    \
	"short:x:9\n"                           \
	"minus:x:-1:5::/:\n"                    \
	"plus:x:+1:5::/:\n"                     \
	"space:x: 1:5::/:\n"                    \
	"wide:x:4294967296:5::/:\n"             \
	"none:x:4294967295:5::/:\n"             \
	"most:x:4294967294:4294967294::/:\n"    \
	"badgid:x:77:wheel::/:\n"               \
	"empty:x:::\n"                          \
	":x:66:66::/:\n"                        \
	"last:x:8:9::/:"
#define GROUP                       \
	"root:x:0:root\n"           \
	"wheel:x:10:root,app\n"     \
	"video:x:44:app\n"          \
	"again:x:10:app\n"          \
	"app:x:1001:application,xapp,ap\n" \
	"video:x:45:\n"             \
	"bad:x:ten:minus\n"         \
	"wide:x:4294967296:\n"      \
	"nomembers:x:12\n"          \
	"numbers:x:14:1000,7\n"     \
	"last:x:13:last"

static const struct {
	const char *user, *passwd, *group;
	const char *want; /* uid:gid:groups */
	const char *why;  /* instead */
} users[] = {
	{ "root", PASSWD, GROUP, "0:0:0,10", NULL },
	{ "app", PASSWD, GROUP, "1000:1001:10,44", NULL },
	{ "app", PASSWD, NULL, "1000:1001:", NULL },
	{ "last", PASSWD, GROUP, "8:9:13", NULL },
	{ "most", PASSWD, GROUP, "4294967294:4294967294:", NULL },
	/* A number is that number, also where it is somebody's name. */
	{ "1234", PASSWD, GROUP, "1234:0:", NULL },
	{ "1000", PASSWD, GROUP, "1000:1001:", NULL },
	{ "7", PASSWD, GROUP, "7:0:", NULL },
	{ "7", NULL, NULL, "7:0:", NULL },
	{ "007", NULL, NULL, "7:0:", NULL },
	{ "0", NULL, NULL, "0:0:", NULL },
	{ "4294967294:4294967294", NULL, NULL, "4294967294:4294967294:", NULL },
	/* With a group there are no additional ones. */
	{ "app:video", PASSWD, GROUP, "1000:44:", NULL },
	{ "app:5", PASSWD, NULL, "1000:5:", NULL },
	{ "app:5", PASSWD, GROUP, "1000:5:", NULL },
	{ "5:wheel", NULL, GROUP, "5:10:", NULL },
	{ "1000:10", NULL, NULL, "1000:10:", NULL },
	{ "root:nomembers", PASSWD, GROUP, "0:12:", NULL },

	{ "nobody", PASSWD, GROUP, NULL,
	  "User 'nobody': no such user in etc/passwd" },
	{ "ap", PASSWD, GROUP, NULL, "User 'ap': no such user in etc/passwd" },
	{ "appl", PASSWD, GROUP, NULL,
	  "User 'appl': no such user in etc/passwd" },
	{ "app", "", GROUP, NULL, "User 'app': no such user in etc/passwd" },
	{ "app", NULL, GROUP, NULL,
	  "User 'app': the root filesystem has no etc/passwd" },
	{ "app:nogroup", PASSWD, GROUP, NULL,
	  "User 'app:nogroup': no such group in etc/group" },
	{ "0:wheel", PASSWD, NULL, NULL,
	  "User '0:wheel': the root filesystem has no etc/group" },
	{ "0:0\n", PASSWD, GROUP, NULL,
	  "User '0:0\\x0a': no such group in etc/group" },
	{ "0:0:0", PASSWD, GROUP, NULL,
	  "User '0:0:0': no such group in etc/group" },
	{ "-1", PASSWD, GROUP, NULL, "User '-1': no such user in etc/passwd" },
	{ " 0", PASSWD, GROUP, NULL, "User ' 0': no such user in etc/passwd" },
	{ "4294967295", NULL, NULL, NULL,
	  "User '4294967295': an id is a number from 0 to 4294967294" },
	{ "4294967296", NULL, NULL, NULL,
	  "User '4294967296': an id is a number from 0 to 4294967294" },
	{ "18446744073709551616", NULL, NULL, NULL,
	  "User '18446744073709551616': an id is a number from 0 to 4294967294" },
	{ "0:4294967296", NULL, NULL, NULL,
	  "User '0:4294967296': an id is a number from 0 to 4294967294" },
	{ "", PASSWD, GROUP, NULL, "User '': no user before the colon" },
	{ ":100", PASSWD, GROUP, NULL,
	  "User ':100': no user before the colon" },
	{ "1000:", PASSWD, GROUP, NULL,
	  "User '1000:': no group after the colon" },

	{ "short", PASSWD, GROUP, NULL,
	  "User 'short': etc/passwd, line 5: gid is no number from 0 to 4294967294" },
	{ "minus", PASSWD, GROUP, NULL,
	  "User 'minus': etc/passwd, line 6: uid is no number from 0 to 4294967294" },
	{ "plus", PASSWD, GROUP, NULL,
	  "User 'plus': etc/passwd, line 7: uid is no number from 0 to 4294967294" },
	{ "space", PASSWD, GROUP, NULL,
	  "User 'space': etc/passwd, line 8: uid is no number from 0 to 4294967294" },
	{ "wide", PASSWD, GROUP, NULL,
	  "User 'wide': etc/passwd, line 9: uid is no number from 0 to 4294967294" },
	{ "none", PASSWD, GROUP, NULL,
	  "User 'none': etc/passwd, line 10: uid is no number from 0 to 4294967294" },
	{ "77", PASSWD, GROUP, NULL,
	  "User '77': etc/passwd, line 12: gid is no number from 0 to 4294967294" },
	{ "empty", PASSWD, GROUP, NULL,
	  "User 'empty': etc/passwd, line 13: uid is no number from 0 to 4294967294" },
	{ "0:bad", PASSWD, GROUP, NULL,
	  "User '0:bad': etc/group, line 7: gid is no number from 0 to 4294967294" },
	{ "0:wide", PASSWD, GROUP, NULL,
	  "User '0:wide': etc/group, line 8: gid is no number from 0 to 4294967294" },
	{ "minus", "minus:x:1:1", GROUP, NULL,
	  "User 'minus': etc/group, line 7: gid is no number from 0 to 4294967294" },
};

/* A file's text in memory of exactly its length; NULL for none. */
static const struct buf *file_of(const char *text, struct buf *buf)
{
	if (!text)
		return NULL;
	buf->len = strlen(text);
	buf->data = mem_dup(text, buf->len);
	return buf;
}

static char *identity_text(const struct identity *who)
{
	AUTO(buf) struct buf text = { 0 };

	buf_printf(&text, "%u:%u:", who->uid, who->gid);
	for (size_t i = 0; i < who->group_count; i++)
		buf_printf(&text, "%s%u", i ? "," : "", who->groups[i]);
	return buf_take(&text);
}

static void check_users(void)
{
	for (size_t i = 0; i < COUNT(users); i++) {
		AUTO(identity) struct identity who = { 0 };
		AUTO(buf) struct buf passwd = { 0 };
		AUTO(buf) struct buf group = { 0 };
		AUTO(mem) char *text = NULL;
		char why[512] = "";

		check_row(users[i].user);
		CHECK_NUMBER(identity_find(&who, users[i].user,
					   file_of(users[i].passwd, &passwd),
					   file_of(users[i].group, &group), why,
					   sizeof(why)),
			     users[i].why ? -1 : 0);
		CHECK_TEXT(why, users[i].why ? users[i].why : "");
		text = identity_text(&who);
		CHECK_TEXT(text, users[i].why ? "0:0:" : users[i].want);
	}
}

/* More groups than the kernel takes, and a line of a megabyte. */
static void check_sizes(void)
{
	AUTO(identity) struct identity who = { 0 };
	AUTO(buf) struct buf group = { 0 };
	AUTO(buf) struct buf passwd = { 0 };
	char why[512] = "";

	check_row("65536 groups");
	buf_append_text(&passwd, "u::1:2");
	for (unsigned int i = 0; i < PASSWD_MAX_GROUPS; i++)
		buf_printf(&group, "g::%u:u\n", i);
	CHECK_NUMBER(identity_find(&who, "u", &passwd, &group, why,
				   sizeof(why)), 0);
	CHECK_NUMBER(who.group_count, PASSWD_MAX_GROUPS);
	identity_clear(&who);

	check_row("65537 groups");
	buf_append_text(&group, "g::7:u\n");
	CHECK_NUMBER(identity_find(&who, "u", &passwd, &group, why,
				   sizeof(why)), -1);
	CHECK_TEXT(why, "User 'u': is in more than 65536 groups");

	check_row("a long line");
	group.len = 0;
	buf_append_text(&group, "g::3:");
	for (unsigned int i = 0; i < 300000; i++)
		buf_append_text(&group, "uu,");
	buf_append_text(&group, "u");
	CHECK_NUMBER(identity_find(&who, "u", &passwd, &group, why,
				   sizeof(why)), 0);
	CHECK_NUMBER(who.group_count, 1);
}

static int resolve(const struct safe_root *root, const char *user,
		   struct identity *who)
{
	identity_clear(who);
	return identity_resolve(who, user, root, "test");
}

static void check_files(int dir, bool walk_only)
{
	struct safe_root root = { .fd = dir, .walk_only = walk_only };
	AUTO(identity) struct identity who = { 0 };
	AUTO(mem) char *large = mem_zalloc(PASSWD_MAX_BYTES + 1, 1);

	check_row(walk_only ? "files by walking" : "files by the kernel");
	memset(large, '#', PASSWD_MAX_BYTES);
	scratch_write(dir, "real/passwd", PASSWD, strlen(PASSWD));
	scratch_write(dir, "real/group", GROUP, strlen(GROUP));
	CHECK_NUMBER(resolve(&root, "app", &who), 0);
	CHECK_NUMBER(who.uid, 1000);
	CHECK_NUMBER(who.group_count, 2);

	/* A link in the image leads to a place in the image. */
	unlinkat(dir, "real/passwd", 0);
	scratch_write(dir, "other", "app:x:5:6", 9);
	CHECK_NUMBER(symlinkat("/other", dir, "real/passwd"), 0);
	CHECK_NUMBER(resolve(&root, "app", &who), 0);
	CHECK_NUMBER(who.uid, 5);

	/* A group file that is not needed is not looked at. */
	unlinkat(dir, "real/group", 0);
	CHECK_NUMBER(mkfifoat(dir, "real/group", 0644), 0);
	CHECK_NUMBER(resolve(&root, "app:7", &who), 0);
	CHECK_NUMBER(resolve(&root, "app", &who), -STATUS_INTEGRITY);
	CHECK_NUMBER(resolve(&root, "7:wheel", &who), -STATUS_INTEGRITY);

	unlinkat(dir, "real/passwd", 0);
	CHECK_NUMBER(mkdirat(dir, "real/passwd", 0755), 0);
	CHECK_NUMBER(resolve(&root, "app:7", &who), -STATUS_INTEGRITY);
	CHECK_NUMBER(resolve(&root, "7:7", &who), 0);
	unlinkat(dir, "real/passwd", AT_REMOVEDIR);

	scratch_write(dir, "real/passwd", large, PASSWD_MAX_BYTES);
	CHECK_NUMBER(resolve(&root, "7", &who), 0);
	scratch_write(dir, "real/passwd", large, PASSWD_MAX_BYTES + 1);
	CHECK_NUMBER(resolve(&root, "7", &who), -STATUS_INTEGRITY);
	scratch_write(dir, "real/passwd", "a\0b", 3);
	CHECK_NUMBER(resolve(&root, "7", &who), -STATUS_INTEGRITY);
	unlinkat(dir, "real/passwd", 0);
	CHECK_NUMBER(resolve(&root, "7", &who), 0);
	CHECK_NUMBER(resolve(&root, "app:7", &who), -STATUS_INTEGRITY);
	unlinkat(dir, "real/group", 0);
}

int main(void)
{
	int dir = scratch_open();

	check_users();
	check_sizes();
	check_row("files");
	/* As where /etc has been moved. */
	CHECK_NUMBER(mkdirat(dir, "real", 0755), 0);
	CHECK_NUMBER(symlinkat("/real", dir, "etc"), 0);
	check_files(dir, false);
	check_files(dir, true);
	close(dir);
	return check_result();
}
