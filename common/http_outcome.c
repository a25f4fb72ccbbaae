/* http_outcome.c - how a call ended, in few kinds and a few words; http.h */
#include "common/http_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/msg.h"
#include "common/proxy.h"

static char *origin_of(const struct http_call *call)
{
	char *url = NULL, *origin;

	curl_easy_getinfo(call->easy, CURLINFO_EFFECTIVE_URL, &url);
	origin = url ? http_url_origin(url) : NULL;
	return origin ? origin : mem_strdup("the host");
}

static void describe_connect(const struct http_call *call, struct http_result *r)
{
	AUTO(mem) char *origin = origin_of(call);
	long number = 0;

	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
	msg_format(r->why, sizeof(r->why), "cannot connect to %s%s: %s",
		   call->proxy ? "the proxy " : "",
		   call->proxy ? call->proxy->name : origin,
		   number ? strerror((int)number) : call->error);
}

/* What a proxy has said instead of leading on: its answer to CONNECT, or to a
 * request for plain http, where 407 is always its own. 0: nothing. */
static long proxy_status(const struct http_call *call, CURLcode code)
{
	long status = 0;

	if (!call->proxy)
		return 0;
	if (code == CURLE_OK)
		return http_status(call) == 407 ? 407 : 0;
	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status >= 300 ? status : 0;
}

static void judge_proxy(const struct http_call *call, long status,
			struct http_result *r)
{
	AUTO(mem) char *origin = origin_of(call);
	const char *name = call->proxy->name;
	/* tinyproxy says 401 to a wrong login. */
	bool is_login = status == 407 || status == 401;

	r->outcome = status >= 500 ? HTTP_BROKEN
		     : is_login	   ? HTTP_IMPOSSIBLE
				   : HTTP_NO_WAY;
	if (is_login)
		msg_format(r->why, sizeof(r->why), "the proxy %s %s", name,
			   call->proxy->has_login ? "does not accept the login"
						  : "asks for a login");
	else
		msg_format(r->why, sizeof(r->why),
			   "the proxy %s does not lead to %s: it answered %ld",
			   name, origin, status);
}

static void describe_proxy(const struct http_call *call, struct http_result *r)
{
	if (call->proxy && !call->proxy->url)
		msg_format(r->why, sizeof(r->why), "%s is not the URL of a proxy",
			   call->proxy->name);
	else if (call->proxy)
		msg_format(r->why, sizeof(r->why), "the proxy %s: %s",
			   call->proxy->name, call->error);
}

static void describe_trust(const struct http_call *call, struct http_result *r)
{
	const char *file = getenv("SSL_CERT_FILE");
	long of_proxy = 0;

	curl_easy_getinfo(call->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &of_proxy);
	msg_format(r->why, sizeof(r->why),
		   "%s%s%scertificate not accepted: %s (SSL_CERT_FILE=%s%s the CAs that are trusted)",
		   of_proxy ? "the proxy " : "",
		   of_proxy && call->proxy ? call->proxy->name : "",
		   of_proxy ? ": " : "", call->error, file ? file : "FILE",
		   of_proxy ? " names" : " and the registry's folder in certs.d name");
}

/* No HTTP on a connection that has carried some: the end of an answer that
 * was longer than its length. */
static bool is_reused(const struct http_call *call)
{
	long connects = 1;

	curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
	return connects == 0;
}

/* Sort libcurl's codes by what can be done about them. */
void http_judge(struct http_call *call, CURLcode code, struct http_result *r)
{
	long said = proxy_status(call, code);
	curl_off_t handshake = 0;

	curl_easy_getinfo(call->easy, CURLINFO_APPCONNECT_TIME_T, &handshake);
	r->secure_channel = handshake > 0;
	msg_format(r->why, sizeof(r->why), "%s",
		   call->error[0] ? call->error : curl_easy_strerror(code));
	if (call->aborted) {
		r->outcome = HTTP_ABORTED;
		return;
	}
	if (said) {
		judge_proxy(call, said, r);
		return;
	}
	switch ((int)code) {
	case CURLE_OK:
		r->outcome = HTTP_ANSWERED;
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		r->outcome = HTTP_UNREACHABLE;
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		r->outcome = call->proxy && !call->proxy->url ? HTTP_IMPOSSIBLE
							      : HTTP_UNREACHABLE;
		describe_proxy(call, r);
		break;
	case CURLE_PROXY:
		r->outcome = HTTP_BROKEN;
		describe_proxy(call, r);
		break;
	case CURLE_COULDNT_CONNECT:
		r->outcome = HTTP_UNREACHABLE;
		describe_connect(call, r);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		r->outcome = HTTP_UNTRUSTED;
		describe_trust(call, r);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
		r->outcome = is_reused(call) ? HTTP_BROKEN : HTTP_IMPOSSIBLE;
		msg_format(r->why, sizeof(r->why), "the answer is no HTTP");
		break;
	case CURLE_LOGIN_DENIED: /* CURLOPT_DISALLOW_USERNAME_IN_URL */
		r->outcome = HTTP_IMPOSSIBLE;
		msg_format(r->why, sizeof(r->why),
			   "led to a URL with a user's name in it");
		break;
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_NOT_BUILT_IN:
	case CURLE_UNKNOWN_OPTION:
	case CURLE_URL_MALFORMAT:
	case CURLE_OUT_OF_MEMORY:
		r->outcome = HTTP_IMPOSSIBLE;
		break;
	default:
		r->outcome = HTTP_BROKEN;
		break;
	}
}
