/* authfile.c - what one file of logins says about a host */
#include <stdlib.h>

#include "check.h"
#include "common/buf.h"
#include "common/credentials.h"
#include "quoted.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define A_B "'auth':'YTpi'" /* a:b */
#define U_P "'auth':'dTpwOnE='" /* u:p:q */

/* Files are written with ' for ". What is found is written as
 * "user:password identity registry helper@server", "-" for what is not. */
static const struct {
	const char *file, *host, *repository, *want;
} files[] = {
	{ "{}", "q.io", "a", "none" },
	{ "", "q.io", "a", "none" },
	{ " \n", "q.io", "a", "none" },
	{ "{'auths':null}", "q.io", "a", "none" },
	{ "{'auths':{},'HttpHeaders':{}}", "q.io", "a", "none" },
	{ "{'auths':{'q.io':{" A_B "}}}", "q.io", "a", "a:b - - -" },
	{ "{'auths':{'q.io':{" U_P "}}}", "Q.io", "a", "u:p:q - - -" },
	{ "{'auths':{'q.io':{" A_B "}}}", "r.io", "a", "none" },
	{ "{'auths':{'q.io':{" A_B "}}}", "xq.io", "a", "none" },
	{ "{'auths':{'q.io':{" A_B "}}}", "q.io:5000", "a", "none" },
	{ "{'auths':{'q.io:5000':{" A_B "}}}", "q.io", "a", "none" },
	{ "{'auths':{'q.io:443':{" A_B "}}}", "q.io", "a", "a:b - - -" },
	{ "{'auths':{'q.io':{" A_B "}}}", "q.io:443", "a", "a:b - - -" },
	{ "{'auths':{'[::1]:5000':{" A_B "}}}", "[::1]:5000", "a",
	  "a:b - - -" },
	/* entries without content */
	{ "{'auths':{'q.io':{}}}", "q.io", "a", "none" },
	{ "{'auths':{'q.io':null}}", "q.io", "a", "none" },
	{ "{'auths':{'q.io':{'auth':'','email':'x'}}}", "q.io", "a", "none" },
	{ "{'auths':{'q.io':{'username':'u'}}}", "q.io", "a", "none" },
	{ "{'auths':{'q.io':{},'https://q.io/v1/':{" A_B "}}}", "q.io", "a",
	  "a:b - - -" },
	{ "{'auths':{'https://q.io/v1/':{'auth':''},'https://q.io/v2/':{" A_B
	  "}}}", "q.io", "a", "a:b - - -" },
	/* the longest key */
	{ "{'auths':{'q.io':{" A_B "},'q.io/n':{" U_P "}}}", "q.io", "n/r",
	  "u:p:q - - -" },
	{ "{'auths':{'q.io/n/r':{" U_P "},'q.io/n':{" A_B "}}}", "q.io", "n/r",
	  "u:p:q - - -" },
	{ "{'auths':{'q.io/n':{" U_P "},'q.io':{" A_B "}}}", "q.io", "nn/r",
	  "a:b - - -" },
	{ "{'auths':{'q.io/n/r/x':{" U_P "}}}", "q.io", "n/r", "none" },
	{ "{'auths':{'q.io/':{" U_P "}}}", "q.io", "n/r", "none" },
	{ "{'auths':{'q.io/n':{},'q.io':{" A_B "}}}", "q.io", "n/r",
	  "a:b - - -" },
	/* a URL as key */
	{ "{'auths':{'https://q.io':{" A_B "}}}", "q.io", "a", "a:b - - -" },
	{ "{'auths':{'http://q.io/v1/x':{" A_B "}}}", "q.io", "a",
	  "a:b - - -" },
	{ "{'auths':{'https://q.io':{" U_P "},'q.io':{" A_B "}}}", "q.io", "a",
	  "a:b - - -" },
	{ "{'auths':{'https://evil.io/q.io':{" U_P "}}}", "q.io", "a", "none" },
	{ "{'auths':{'https://q.io@evil.io/':{" U_P "}}}", "q.io", "a",
	  "none" },
	/* Docker Hub */
	{ "{'auths':{'https://index.docker.io/v1/':{" A_B "}}}", "docker.io",
	  "library/a", "a:b - - -" },
	{ "{'auths':{'index.docker.io':{" A_B "}}}", "registry-1.docker.io",
	  "library/a", "a:b - - -" },
	{ "{'auths':{'docker.io':{" A_B "}}}", "index.docker.io", "library/a",
	  "a:b - - -" },
	{ "{'auths':{'docker.io/n':{" A_B "}}}", "docker.io", "n/a",
	  "a:b - - -" },
	{ "{'auths':{'docker.io':{" A_B "}}}", "q.io", "a", "none" },
	/* other members */
	{ "{'auths':{'q.io':{'username':'u','password':'p'}}}", "q.io", "a",
	  "u:p - - -" },
	{ "{'auths':{'q.io':{" A_B ",'username':'u','password':'p'}}}", "q.io",
	  "a", "a:b - - -" },
	{ "{'auths':{'q.io':{'auth':'dTo=','identitytoken':'I'}}}", "q.io", "a",
	  "u: I - -" },
	{ "{'auths':{'q.io':{'identitytoken':'I'}}}", "q.io", "a", "- I - -" },
	{ "{'auths':{'q.io':{'registrytoken':'R'}}}", "q.io", "a", "- - R -" },
	{ "{'auths':{'q.io':{'auth':'dTpwAAA='}}}", "q.io", "a", "u:p - - -" },
	/* helpers */
	{ "{'credHelpers':{'q.io':'pass'}}", "q.io", "a", "- - - pass@q.io" },
	{ "{'credHelpers':{'https://q.io':'pass'}}", "q.io", "a",
	  "- - - pass@https://q.io" },
	{ "{'credHelpers':{'q.io':''}}", "q.io", "a", "none" },
	{ "{'credHelpers':{'r.io':'pass'}}", "q.io", "a", "none" },
	{ "{'credHelpers':{'docker.io':'pass'}}", "registry-1.docker.io", "a",
	  "- - - pass@https://index.docker.io/v1/" },
	{ "{'credHelpers':{'q.io':'pass'},'auths':{'q.io':{" A_B
	  "}},'credsStore':'s'}", "q.io", "a", "a:b - - pass@q.io" },
	{ "{'credHelpers':{'q.io':'pass'},'credsStore':'s'}", "q.io", "a",
	  "- - - pass@q.io" },
	{ "{'credsStore':'s'}", "q.io", "a", "- - - s@q.io" },
	{ "{'credsStore':'s','auths':{'q.io':{}}}", "q.io", "a",
	  "- - - s@q.io" },
	{ "{'credsStore':'s','auths':{'q.io':{" A_B "}}}", "q.io", "a",
	  "a:b - - -" },
	{ "{'credsStore':''}", "q.io", "a", "none" },
	/* broken, and nothing that could be a secret is told */
	{ "{", "q.io", "a", "broken: not valid JSON" },
	{ "[]", "q.io", "a", "broken: not a JSON object" },
	{ "{'auths':[]}", "q.io", "a", "broken: \"auths\": is no object" },
	{ "{'credHelpers':7}", "q.io", "a",
	  "broken: \"credHelpers\": is no object" },
	{ "{'credHelpers':{'q.io':7}}", "q.io", "a",
	  "broken: \"credHelpers\": q.io is no string" },
	{ "{'credHelpers':{'q.io':'../x'}}", "q.io", "a",
	  "broken: \"credHelpers\": is no helper's name" },
	{ "{'credsStore':'a b'}", "q.io", "a",
	  "broken: \"credsStore\": is no helper's name" },
	{ "{'credsStore':[]}", "q.io", "a",
	  "broken: \"credsStore\": is no string" },
	{ "{'auths':{'q.io':'secret'}}", "q.io", "a",
	  "broken: \"q.io\": is no object" },
	{ "{'auths':{'q.io':{'auth':7}}}", "q.io", "a",
	  "broken: \"q.io\": auth is no string" },
	{ "{'auths':{'q.io':{'auth':'secret'}}}", "q.io", "a",
	  "broken: \"q.io\": auth is not user:password in base64" },
	{ "{'auths':{'q.io':{'auth':'YWI='}}}", "q.io", "a",
	  "broken: \"q.io\": auth is not user:password in base64" },
	{ "{'auths':{'q.io':{'auth':'OmI='}}}", "q.io", "a",
	  "broken: \"q.io\": auth is not user:password in base64" },
	{ "{'auths':{'q.io':{'auth':'dTpwAHE='}}}", "q.io", "a",
	  "broken: \"q.io\": auth is not user:password in base64" },
	{ "{'auths':{'q.io':{'registrytoken':'a\\r\\nb: c'}}}", "q.io", "a",
	  "broken: \"q.io\": registrytoken is no token" },
	{ "{'auths':{'q.io':{" A_B ",'identitytoken':7}}}", "q.io", "a",
	  "broken: \"q.io\": identitytoken is no string" },
	/* what is broken elsewhere is nobody's business now */
	{ "{'auths':{'r.io':7,'q.io':{" A_B "}}}", "q.io", "a", "a:b - - -" },
};

static char *describe(int got, const struct credentials *c, const char *why)
{
	struct buf text = { 0 };

	if (got < 0) {
		buf_printf(&text, "broken: %s", why);
	} else if (got == 0) {
		buf_append_text(&text, "none");
	} else {
		buf_printf(&text, "%s%s%s", c->user ? c->user : "-",
			   c->user ? ":" : "", c->user ? c->password : "");
		buf_printf(&text, " %s %s ",
			   c->identity_token ? c->identity_token : "-",
			   c->registry_token ? c->registry_token : "-");
		buf_printf(&text, "%s%s%s", c->helper ? c->helper : "-",
			   c->helper ? "@" : "",
			   c->helper ? c->helper_server : "");
	}
	return buf_take(&text);
}

static void check_file(enum credentials_format format, const char *file,
		       const char *host, const char *repository,
		       const char *want)
{
	AUTO(credentials) struct credentials found = { 0 };
	size_t len;
	AUTO(mem) char *bytes = quoted_bytes(file, &len);
	AUTO(mem) char *text = NULL;
	char why[512] = "";
	int got;

	check_row(file);
	got = credentials_find_in_file(&found, format, bytes, len, host,
				       repository, why, sizeof(why));
	text = describe(got, &found, why);
	CHECK_TEXT(text, want);
	CHECK(got > 0 || (!found.user && !found.helper));
}

int main(void)
{
	for (size_t i = 0; i < COUNT(files); i++)
		check_file(CREDENTIALS_CONFIG, files[i].file, files[i].host,
			   files[i].repository, files[i].want);
	check_file(CREDENTIALS_LEGACY, "{'q.io':{" A_B "}}", "q.io", "a",
		   "a:b - - -");
	check_file(CREDENTIALS_LEGACY, "{'q.io/v1/':{" A_B "}}", "q.io", "a",
		   "a:b - - -");
	check_file(CREDENTIALS_LEGACY, "{'https://index.docker.io/v1/':{" A_B
		   "}}", "docker.io", "a", "a:b - - -");
	check_file(CREDENTIALS_VARIABLE, "{'auths':{'q.io':{" A_B "}}}", "q.io",
		   "a", "a:b - - -");
	check_file(CREDENTIALS_VARIABLE,
		   "{'auths':{'q.io':{" A_B ",'identitytoken':'I',"
		   "'registrytoken':7}},'credsStore':'s'}",
		   "q.io", "a", "a:b - - -");
	check_file(CREDENTIALS_VARIABLE,
		   "{'auths':{'q.io':{'username':'u','password':'p'}},"
		   "'credHelpers':{'q.io':'pass'}}",
		   "q.io", "a", "none");
	check_file(CREDENTIALS_VARIABLE, "{'auths':{'q.io':{'auth':'secret'}}}",
		   "q.io", "a",
		   "broken: \"q.io\": auth is not user:password in base64");
	check_file(CREDENTIALS_VARIABLE, "{'auths':'secret'}", "q.io", "a",
		   "broken: \"auths\": is no object");
	return check_result();
}
