/* proxy.c - see proxy.h */
#include "common/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/http.h"
#include "common/mem.h"

struct proxies {
	struct proxy https, http;
	char *exempt; /* no_proxy; or NULL */
};

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static bool is_known_scheme(const char *name)
{
	static const char *const schemes[] = { "http://",    "https://",
					       "socks4://",  "socks4a://",
					       "socks5://",  "socks5h://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncmp(name, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* Returns whether the text is the URL of a proxy. */
static bool parse(struct proxy *out, const char *text)
{
	AUTO(mem) char *url = mem_printf("%s%s",
					 strstr(text, "://") ? "" : "http://", text);
	AUTO(mem) char *name = http_url_place(url);

	if (!name || !is_known_scheme(name))
		return false;
	out->has_login = strchr(url, '@') != NULL;
	out->name = TAKE(name);
	out->url = TAKE(url);
	return true;
}

static void clear(struct proxy *proxy)
{
	if (proxy->url)
		explicit_bzero(proxy->url, strlen(proxy->url));
	free(proxy->url);
	free(proxy->name);
}

bool proxy_is_url(const char *text)
{
	struct proxy proxy = { 0 };
	bool is_url = parse(&proxy, text);

	clear(&proxy);
	return is_url;
}

/* The first of the variables that is set. What is wrong with it is told when
 * it is used: some desktops set an all_proxy that no program understands. */
static void take_variable(struct proxy *out, const char *const names[])
{
	for (; *names; names++) {
		const char *value = variable(*names);

		if (!value)
			continue;
		if (!parse(out, value))
			out->name = mem_strdup(*names);
		return;
	}
}

struct proxies *proxies_new(const char *option)
{
	static const char *const https[] = { "https_proxy", "HTTPS_PROXY",
					     "all_proxy", "ALL_PROXY", NULL };
	static const char *const http[] = { "http_proxy", "all_proxy",
					    "ALL_PROXY", NULL };
	struct proxies *proxies = mem_zalloc(1, sizeof(*proxies));
	const char *exempt = variable("no_proxy");

	if (option) {
		parse(&proxies->https, option);
		parse(&proxies->http, option);
	} else {
		take_variable(&proxies->https, https);
		take_variable(&proxies->http, http);
	}
	if (!exempt)
		exempt = variable("NO_PROXY");
	proxies->exempt = exempt ? mem_strdup(exempt) : NULL;
	return proxies;
}

void proxies_free(struct proxies *proxies)
{
	if (!proxies)
		return;
	clear(&proxies->https);
	clear(&proxies->http);
	free(proxies->exempt);
	free(proxies);
}

struct address {
	int family; /* 0: is none */
	unsigned char bytes[16];
};

static struct address parse_address(const char *text)
{
	struct address address = { 0 };

	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.family = AF_INET;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.family = AF_INET6;
	return address;
}

static bool same_bits(const struct address *a, const struct address *b,
		      unsigned long bits)
{
	size_t whole = bits / 8;
	int rest = 0xff << (8 - bits % 8) & 0xff;

	return memcmp(a->bytes, b->bytes, whole) == 0 &&
	       (bits % 8 == 0 ||
		((a->bytes[whole] ^ b->bytes[whole]) & rest) == 0);
}

/* "10.0.0.0/8", "10.1.2.3", "fd00::/8", "::1" or "[::1]". item is cut up. */
static bool covers_address(char *item, const struct address *host)
{
	char *slash = strchr(item, '/'), *end = NULL;
	unsigned long most = host->family == AF_INET ? 32 : 128, bits = most;
	struct address network;
	size_t len;

	if (slash) {
		*slash = '\0';
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end || bits > most)
			return false;
	}
	len = strlen(item);
	if (len > 2 && item[0] == '[' && item[len - 1] == ']') {
		item[len - 1] = '\0';
		item++;
	}
	network = parse_address(item);
	return network.family == host->family &&
	       same_bits(&network, host, bits);
}

static size_t without_dot(const char *name)
{
	size_t len = strlen(name);

	return len && name[len - 1] == '.' ? len - 1 : len;
}

/* "example.org" and ".example.org": that host and all below it. */
static bool covers_name(const char *item, const char *host)
{
	size_t host_len = without_dot(host), len;

	if (*item == '.')
		item++;
	len = without_dot(item);
	if (!len || len > host_len ||
	    strncasecmp(item, host + host_len - len, len) != 0)
		return false;
	return len == host_len || host[host_len - len - 1] == '.';
}

static bool is_exempt(const char *list, const char *host)
{
	AUTO(mem) char *copy = mem_strdup(list);
	struct address address = parse_address(host);
	char *rest = NULL;

	if (strcmp(list, "*") == 0)
		return true;
	for (char *item = strtok_r(copy, ", \t", &rest); item;
	     item = strtok_r(NULL, ", \t", &rest))
		if (address.family ? covers_address(item, &address)
				   : covers_name(item, host))
			return true;
	return false;
}

/* Of "scheme://host:port", without brackets. */
static char *host_of(const char *origin)
{
	const char *host = strstr(origin, "://") + 3;
	const char *end = strrchr(host, ':');

	if (*host == '[')
		return mem_strndup(host + 1, strcspn(host + 1, "]"));
	return mem_strndup(host, end ? (size_t)(end - host) : strlen(host));
}

const struct proxy *proxies_for(const struct proxies *proxies, const char *url)
{
	AUTO(mem) char *origin = http_url_origin(url);
	AUTO(mem) char *host = origin ? host_of(origin) : NULL;
	const struct proxy *proxy;

	if (!host)
		return NULL;
	proxy = strncmp(origin, "https:", 6) == 0 ? &proxies->https
						  : &proxies->http;
	if (!proxy->name || (proxies->exempt && is_exempt(proxies->exempt, host)))
		return NULL;
	return proxy;
}
