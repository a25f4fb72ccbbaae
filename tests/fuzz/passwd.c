/* passwd.c - a User on the first line, etc/passwd up to a line "--", then
 * etc/group: whoever is found has ids that mean somebody. */
#include "common/passwd.h"

#include <stdbool.h>
#include <string.h>

#include "common/mem.h"
#include "fuzz.h"

struct input {
	const char *p, *end;
};

/* What stands before the next separator, in memory of exactly its length. */
static struct buf piece(struct input *input, const char *separator)
{
	size_t len = (size_t)(input->end - input->p);
	size_t skip = strlen(separator);
	const char *found = memmem(input->p, len, separator, skip);
	struct buf out = { .len = found ? (size_t)(found - input->p) : len };

	out.data = mem_dup(input->p, out.len);
	input->p = found ? found + skip : input->end;
	return out;
}

static void require_somebody(const struct identity *who, const char *user)
{
	const uint32_t nobody = UINT32_MAX; /* (uid_t)-1 */

	REQUIRE(who->uid != nobody && who->gid != nobody);
	REQUIRE(who->group_count <= PASSWD_MAX_GROUPS);
	REQUIRE(who->group_count == 0 || !strchr(user, ':'));
	for (size_t i = 0; i < who->group_count; i++)
		REQUIRE(who->groups[i] != nobody &&
			(i == 0 || who->groups[i] > who->groups[i - 1]));
}

/* A name must be the first field of some line. */
static bool has_entry(const struct buf *passwd, const char *user)
{
	size_t len = strcspn(user, ":");
	const char *p = passwd->data, *end = p + passwd->len;

	if (strspn(user, "0123456789") == len)
		return true;
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		if ((size_t)(end - p) > len && memcmp(p, user, len) == 0 &&
		    p[len] == ':')
			return true;
		p = lf ? lf + 1 : end;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { (const char *)data, (const char *)data + size };
	AUTO(buf) struct buf first = piece(&input, "\n");
	AUTO(buf) struct buf passwd = piece(&input, "\n--\n");
	AUTO(buf) struct buf group = piece(&input, "\n--\n");
	AUTO(mem) char *user = mem_strndup(first.data, first.len);
	AUTO(identity) struct identity who = { 0 };
	char why[256] = "";

	if (identity_find(&who, user, &passwd, &group, why, sizeof(why)) < 0) {
		require_reason(why);
		REQUIRE(!who.groups && !who.uid && !who.gid);
		return 0;
	}
	require_somebody(&who, user);
	REQUIRE(has_entry(&passwd, user));
	return 0;
}
