/* scope.c - what a token is asked for, without doubles and in order */
#include "common/scope.h"

#include "check.h"
#include "common/buf.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const struct {
	const char *repository, *added, *want; /* joined with | */
} merges[] = {
	{ "a/b", NULL, "repository:a/b:pull" },
	{ "a/b", "", "repository:a/b:pull" },
	{ "a/b", "repository:a/b:pull", "repository:a/b:pull" },
	{ "a/b", "repository:a/b:pull,push", "repository:a/b:pull,push" },
	{ "a/b", "repository:a/b:push,pull", "repository:a/b:pull,push" },
	{ "a/b", "repository:a/b:push,push,,pull,*",
	  "repository:a/b:pull,push,*" },
	{ "a/b", "repository:a/b:", "repository:a/b:pull" },
	{ "a/b", "repository:a:pull", "repository:a/b:pull|repository:a:pull" },
	{ "a", "repository:a/b:pull", "repository:a:pull|repository:a/b:pull" },
	{ "a", "repository(plugin):a:pull",
	  "repository:a:pull|repository(plugin):a:pull" },
	{ "a", "registry:catalog:*  repository:a:pu",
	  "repository:a:pull,pu|registry:catalog:*" },
	{ "a", "aws aws repository:a", "repository:a:pull|aws|repository:a" },
	{ NULL, "repository:h:5000/a:pull repository:h:5000/a:push repository:h:pull",
	  "repository:h:5000/a:pull,push|repository:h:pull" },
	{ NULL, "a:b: a:b:c a:b:d", "a:b:c,d" },
	{ NULL, ":: ::x", "::x" },
	{ NULL, " : :", ":" },
};

static char *joined(const struct scope_list *list)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < list->count; i++)
		buf_printf(&text, "%s%s", i ? "|" : "", list->items[i]);
	return buf_take(&text);
}

int main(void)
{
	AUTO(scope_list) struct scope_list many = { 0 };

	for (size_t i = 0; i < COUNT(merges); i++) {
		AUTO(scope_list) struct scope_list list = { 0 };
		AUTO(mem) char *text = NULL;

		check_row(merges[i].want);
		if (merges[i].repository)
			scope_add_pull(&list, merges[i].repository);
		scope_add(&list, merges[i].added);
		text = joined(&list);
		CHECK_TEXT(text, merges[i].want);
	}
	check_row("too many");
	for (int i = 0; i < 100; i++) {
		char text[32];

		snprintf(text, sizeof(text), "s%d", i);
		scope_add(&many, text);
	}
	CHECK_NUMBER(many.count, SCOPE_MAX_COUNT);
	return check_result();
}
