/* lead.c - see lead.h */
#include "common/lead.h"

#include <string.h>

#include "common/http.h"
#include "common/mem.h"
#include "common/private_address.h"

/* In lower case, in brackets where it is an IPv6 address; NULL for what is no
 * URL. */
static char *host_of(const char *url)
{
	char *origin = http_url_origin(url);
	const char *host = origin ? strstr(origin, "://") + 3 : NULL;
	char *copy = host ? mem_strndup(host, (size_t)(strrchr(host, ':') - host))
			  : NULL;

	free(origin);
	return copy;
}

bool lead_is_home(const char *home, const char *to)
{
	AUTO(mem) char *one = http_url_origin(home);
	AUTO(mem) char *two = http_url_origin(to);

	return one && two && strcmp(one, two) == 0;
}

bool lead_is_private(const char *home, const char *to)
{
	AUTO(mem) char *from = host_of(home);
	AUTO(mem) char *host = host_of(to);

	if (!from || !host)
		return true;
	return address_reach(host) != ADDRESS_PUBLIC &&
	       address_reach(from) == ADDRESS_PUBLIC &&
	       strcmp(from, host) != 0;
}

bool lead_is_safe_for_login(const char *home, const char *to)
{
	AUTO(mem) char *from = host_of(home);
	AUTO(mem) char *host = host_of(to);

	if (!from || !host)
		return false;
	return strncmp(to, "https://", 8) == 0 || strcmp(from, host) == 0 ||
	       (address_reach(from) == ADDRESS_LOOPBACK &&
		address_reach(host) == ADDRESS_LOOPBACK);
}
