/* address.c - hosts of URLs: what the C library, or a host written with a zone,
 * a dot at the end or other letters, takes for a private address is one. */
#include "common/private_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "fuzz.h"

static enum address_reach reach_of_v4(uint32_t address)
{
	static const struct {
		uint32_t first, last;
	} private[] = {
		{ 0x00000000, 0x00ffffff }, { 0x0a000000, 0x0affffff },
		{ 0x64400000, 0x647fffff }, { 0xa9fe0000, 0xa9feffff },
		{ 0xac100000, 0xac1fffff }, { 0xc0a80000, 0xc0a8ffff },
	};

	for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++)
		if (address >= private[i].first && address <= private[i].last)
			return ADDRESS_PRIVATE;
	return address >> 24 == 127 ? ADDRESS_LOOPBACK : ADDRESS_PUBLIC;
}

static void require_v4(const char *host)
{
	AUTO(mem) char *mapped = NULL;
	struct in_addr address;

	/* It reads no further than a blank. */
	if (strpbrk(host, " \t\r\n\v\f") || inet_aton(host, &address) != 1)
		return;
	REQUIRE(address_reach(host) == reach_of_v4(ntohl(address.s_addr)));
	mapped = mem_printf("[::ffff:%s]", inet_ntoa(address));
	REQUIRE(address_reach(mapped) == address_reach(host));
}

static void require_v6(const char *host)
{
	AUTO(mem) char *brackets = mem_printf("[%s]", host);
	AUTO(mem) char *zone = mem_printf("[%s%%25eth0]", host);
	enum address_reach reach = address_reach(host);
	struct in6_addr address;

	if (inet_pton(AF_INET6, host, &address) != 1)
		return;
	REQUIRE(address_reach(brackets) == reach);
	REQUIRE(address_reach(zone) == reach);
	REQUIRE(IN6_IS_ADDR_LOOPBACK(&address) == (reach == ADDRESS_LOOPBACK) ||
		IN6_IS_ADDR_V4MAPPED(&address));
	REQUIRE(!IN6_IS_ADDR_LINKLOCAL(&address) || reach == ADDRESS_PRIVATE);
	REQUIRE(!IN6_IS_ADDR_SITELOCAL(&address) || reach == ADDRESS_PRIVATE);
	REQUIRE((address.s6_addr[0] & 0xfe) != 0xfc || reach == ADDRESS_PRIVATE);
}

static void require_any_case(const char *host)
{
	AUTO(mem) char *upper = mem_strdup(host);
	AUTO(mem) char *dot = mem_printf("%s.", host);
	enum address_reach reach = address_reach(host);

	for (char *p = upper; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 32);
	REQUIRE(address_reach(upper) == reach);
	if (host[0] && !strpbrk(host, "[]%") && host[strlen(host) - 1] != '.' &&
	    strlen(host) < 255)
		REQUIRE(address_reach(dot) == reach);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(mem) char *host = mem_strndup((const char *)data, size);

	require_v4(host);
	require_v6(host);
	require_any_case(host);
	return 0;
}
