/* proxy.h - which proxy leads to a host.
 *
 * As curl has it: --proxy, else https_proxy or HTTPS_PROXY for https,
 * http_proxy (in lower case only: HTTP_PROXY can come from a CGI request) for
 * http, else all_proxy or ALL_PROXY; but none for the hosts of no_proxy or
 * NO_PROXY. Found here and not by libcurl, so that messages can say which one
 * it was, none ever holds its password, and libcurl 7.88's errors with
 * no_proxy do not matter.
 */
#ifndef OCCY_COMMON_PROXY_H
#define OCCY_COMMON_PROXY_H

#include <stdbool.h>

#include "common/cleanup.h"

struct proxies;

struct proxy {
	char *url;      /* with its login: secret; NULL: what there is, is none */
	char *name;     /* scheme://host:port, or the variable; for messages */
	bool has_login;
};

/* Whether --proxy's text is one: http, https, socks4, socks4a, socks5 or
 * socks5h (http where it has no scheme), with or without a login. */
bool proxy_is_url(const char *text);

/* From --proxy (NULL: not given) and the environment. Never NULL. */
struct proxies *proxies_new(const char *option);
void proxies_free(struct proxies *proxies);

/* For a URL; lent. NULL: it is asked directly. */
const struct proxy *proxies_for(const struct proxies *proxies, const char *url);

AUTO_DEFINE(proxies, struct proxies *, proxies_free);

#endif
