/* challenge.c - WWW-Authenticate as registries send it, and as nobody should */
#include "common/challenge.h"

#include "check.h"
#include "common/buf.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* What comes out is written as "Scheme token68 name=value|name=value; …". */
static const struct {
	const char *values[3];
	const char *want;
} lists[] = {
	{ { "Bearer realm=\"https://a.io/token\",service=\"a.io\",scope=\"repository:a/b:pull\"" },
	  "Bearer realm=https://a.io/token|service=a.io|scope=repository:a/b:pull" },
	{ { "bearer REALM=\"x\" , Service = \"y\"" },
	  "bearer REALM=x|Service=y" },
	{ { "Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"" },
	  "Basic realm=simple; Newauth realm=apps|type=1|title=Login to \"apps\"" },
	{ { "Negotiate", "Basic realm=\"x\"", "Bearer realm=\"y\"" },
	  "Negotiate; Basic realm=x; Bearer realm=y" },
	{ { "Negotiate, Basic realm=x" }, "Negotiate; Basic realm=x" },
	{ { "Negotiate YWJj+/==, Bearer realm=\"y\"" },
	  "Negotiate YWJj+/==; Bearer realm=y" },
	{ { "NTLM abc" }, "NTLM abc" },
	{ { "Negotiate Bearer realm=\"y\"" }, "Negotiate; Bearer realm=y" },
	{ { "Negotiate abc , Bearer realm=y" }, "Negotiate abc; Bearer realm=y" },
	/* bare values */
	{ { "bearer realm=https://z.io:5000/v2/auth,service=z.io:5000" },
	  "bearer realm=https://z.io:5000/v2/auth|service=z.io:5000" },
	{ { "Bearer realm=https://z.io/a?b=c service=x" },
	  "Bearer realm=https://z.io/a?b=c|service=x" },
	{ { "Bearer realm = x\t,\tservice\t=\t\"y\"" },
	  "Bearer realm=x|service=y" },
	/* quotes */
	{ { "Bearer realm=\"a,b=c, Basic realm=d\",service=e" },
	  "Bearer realm=a,b=c, Basic realm=d|service=e" },
	{ { "Bearer realm=\"a\\\\b\\c\"" }, "Bearer realm=a\\bc" },
	{ { "Bearer realm=\"\xc3\xa4\"" }, "Bearer realm=\xc3\xa4" },
	{ { "Bearer realm=\"\",service=\"\"" }, "Bearer" },
	/* a lone word with = behind it is a token68 by the grammar */
	{ { "Bearer realm=,service=y" }, "Bearer realm= service=y" },
	{ { "bEaReR  error_description=\"say \\\"hi\\\", realm=no\" ,  SERVICE = \"f\" , x=1, Scope=\"a:b:c d:e:f\" ,realm=\"r\"" },
	  "bEaReR error_description=say \"hi\", realm=no|SERVICE=f|x=1|Scope=a:b:c d:e:f|realm=r" },
	{ { "Negotiate, Digest realm=\"d, e\", nonce=\"n==\", Bearer realm=\"r\", Basic realm=\"a realm, with \\\"quotes\\\", and commas\"" },
	  "Negotiate; Digest realm=d, e|nonce=n==; Bearer realm=r; Basic realm=a realm, with \"quotes\", and commas" },
	/* empty elements */
	{ { ",, ,Bearer realm=x,,,service=y, ," }, "Bearer realm=x|service=y" },
	{ { "", " ", "," }, "" },
	/* doubled ones are kept; the first counts */
	{ { "Bearer realm=x,realm=y" }, "Bearer realm=x|realm=y" },
	/* a parameter of nobody */
	{ { "realm=\"x\", Basic realm=y" }, "Basic realm=y" },
	/* a broken one does no harm to the others */
	{ { "Bearer realm=\"x", "Basic realm=y" }, "Basic realm=y" },
	{ { "Basic realm=y, Bearer realm=\"x" }, "Basic realm=y" },
	{ { "Bearer realm=\"x\\" }, "" },
	{ { "Basic realm=\"y\", @!? x=\"a,b\", z=q, Bearer realm=\"x\"" },
	  "Bearer realm=x" },
	{ { "@ y=\"a, Digest z=q\\\", Digest\", Basic realm=r" },
	  "Basic realm=r" },
	{ { "Digest realm=\"a\" \"b\", Bearer realm=x" }, "Bearer realm=x" },
	{ { "Bearer realm=\"a\001b\", service=\"s\", Basic realm=y" },
	  "Basic realm=y" },
	{ { "Bearer realm=a\177b, Basic realm=y" }, "Basic realm=y" },
	{ { "\"Bearer realm=x\", Basic realm=y" }, "Basic realm=y" },
};

static char *describe(const struct challenge_list *list)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		const struct challenge *c = &list->items[i];

		buf_printf(&text, "%s%s", i ? "; " : "", c->scheme);
		if (c->token68)
			buf_printf(&text, " %s", c->token68);
		for (size_t j = 0; j < c->parameter_count; j++)
			buf_printf(&text, "%s%s=%s", j ? "|" : " ",
				   c->parameters[j].name,
				   c->parameters[j].value);
	}
	return buf_take(&text);
}

static void test_lists(void)
{
	for (size_t i = 0; i < COUNT(lists); i++) {
		AUTO(challenge_list) struct challenge_list list = { 0 };
		AUTO(mem) char *text = NULL;
		size_t count = 0;

		check_row(lists[i].values[0]);
		while (count < 3 && lists[i].values[count])
			count++;
		challenge_parse(&list, lists[i].values, count);
		text = describe(&list);
		CHECK_TEXT(text, lists[i].want);
	}
}

static const struct {
	const char *value, *scheme, *realm;
} choices[] = {
	{ "Basic realm=a, Bearer realm=b", "Bearer", "b" },
	{ "Bearer realm=b, Basic realm=a", "Bearer", "b" },
	{ "bearer service=x, BEARER realm=b", "BEARER", "b" },
	{ "Bearer service=x, Basic realm=a", "Basic", "a" },
	{ "Negotiate, basic", "basic", NULL },
	{ "Bearer service=x", "Bearer", NULL },
	{ "Bearer realm=\"\"", "Bearer", NULL },
	{ "Bearer realm=a, realm=b", "Bearer", "a" },
	{ "Negotiate, Digest realm=x", NULL, NULL },
	{ "", NULL, NULL },
};

static void test_choice(void)
{
	for (size_t i = 0; i < COUNT(choices); i++) {
		AUTO(challenge_list) struct challenge_list list = { 0 };
		const struct challenge *got;

		check_row(choices[i].value);
		challenge_parse(&list, &choices[i].value, 1);
		got = challenge_choose(&list);
		CHECK_TEXT(got ? got->scheme : NULL, choices[i].scheme);
		CHECK_TEXT(got ? challenge_get(got, "Realm") : NULL,
			   choices[i].realm);
	}
}

static void test_limits(void)
{
	AUTO(challenge_list) struct challenge_list list = { 0 };
	AUTO(buf) struct buf text = { 0 };
	const char *values[2];

	check_row("too many challenges");
	for (int i = 0; i < 20; i++)
		buf_printf(&text, "S%d a=b,", i);
	values[0] = text.data;
	challenge_parse(&list, values, 1);
	CHECK_NUMBER(list.count, CHALLENGE_MAX_COUNT);
	CHECK_NUMBER(list.items[15].parameter_count, 1);
	challenge_list_clear(&list);
	check_row("too many parameters");
	buf_clear(&text);
	buf_append_text(&text, "S ");
	for (int i = 0; i < 40; i++)
		buf_printf(&text, "p%d=b,", i);
	values[0] = text.data;
	challenge_parse(&list, values, 1);
	CHECK_NUMBER(list.items[0].parameter_count, CHALLENGE_MAX_PARAMETERS);
	challenge_list_clear(&list);
	check_row("a header too long");
	buf_clear(&text);
	buf_append_text(&text, "S a=");
	while (text.len < CHALLENGE_MAX_HEADER)
		buf_append_text(&text, "x");
	values[0] = text.data;
	values[1] = "Basic";
	challenge_parse(&list, values, 2);
	CHECK_NUMBER(list.count, 2);
	challenge_list_clear(&list);
	buf_append_text(&text, "x");
	values[0] = text.data;
	challenge_parse(&list, values, 2);
	CHECK_NUMBER(list.count, 1);
	CHECK_TEXT(list.items[0].scheme, "Basic");
}

int main(void)
{
	test_lists();
	test_choice();
	test_limits();
	return check_result();
}
