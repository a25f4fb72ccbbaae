/* private_address.c - see private_address.h
 *
 * RFC 6890 and the registries that follow it: 0/8, 10/8, 100.64/10, 127/8,
 * 169.254/16, 172.16/12, 192.168/16; ::, ::1, fe80::/10, fec0::/10, fc00::/7,
 * 64:ff9b:1::/48, and IPv6 addresses that stand for one of IPv4.
 */
#include "common/private_address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 256

struct range {
	uint32_t first;
	unsigned int bits;
	enum address_reach reach;
};

static const struct range ranges[] = {
	{ 0x00000000, 8, ADDRESS_PRIVATE },  { 0x0a000000, 8, ADDRESS_PRIVATE },
	{ 0x64400000, 10, ADDRESS_PRIVATE }, { 0x7f000000, 8, ADDRESS_LOOPBACK },
	{ 0xa9fe0000, 16, ADDRESS_PRIVATE }, { 0xac100000, 12, ADDRESS_PRIVATE },
	{ 0xc0a80000, 16, ADDRESS_PRIVATE },
};

static enum address_reach reach_of_v4(uint32_t address)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if ((address ^ ranges[i].first) >> (32 - ranges[i].bits) == 0)
			return ranges[i].reach;
	return ADDRESS_PUBLIC;
}

static uint32_t four_at(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Of one that a router, and not this machine, takes for an IPv4 address: what
 * is loopback there is not ours. */
static enum address_reach reach_beyond(uint32_t address)
{
	return reach_of_v4(address) == ADDRESS_PUBLIC ? ADDRESS_PUBLIC
						      : ADDRESS_PRIVATE;
}

static enum address_reach reach_of_v6(const unsigned char bytes[static 16])
{
	static const unsigned char zeros[16];
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const unsigned char nat64[12] = { 0, 0x64, 0xff, 0x9b };
	static const unsigned char own_nat64[6] = { 0, 0x64, 0xff, 0x9b, 0, 1 };

	if (memcmp(bytes, zeros, 15) == 0)
		return bytes[15] == 1 ? ADDRESS_LOOPBACK : ADDRESS_PRIVATE;
	if (memcmp(bytes, mapped, 12) == 0)
		return reach_of_v4(four_at(bytes + 12));
	if (memcmp(bytes, zeros, 12) == 0 || memcmp(bytes, nat64, 12) == 0)
		return reach_beyond(four_at(bytes + 12));
	if (bytes[0] == 0x20 && bytes[1] == 2) /* 6to4 */
		return reach_beyond(four_at(bytes + 2));
	if (memcmp(bytes, own_nat64, 6) == 0)
		return ADDRESS_PRIVATE;
	if ((bytes[0] & 0xfe) == 0xfc || (bytes[0] == 0xfe && bytes[1] & 0x80))
		return ADDRESS_PRIVATE;
	return ADDRESS_PUBLIC;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* As inet_aton(3): decimal, 0 octal, 0x hexadecimal. Returns the end of the
 * number, or NULL where there is none. */
static const char *read_number(const char *p, uint64_t *out)
{
	int base = 10;
	const char *start = p;

	if (*p == '0')
		base = p[1] == 'x' ? 16 : 8;
	if (base == 16)
		start = p += 2;
	for (*out = 0; digit_of(*p) < base; p++) {
		*out = *out * (uint64_t)base + (uint64_t)digit_of(*p);
		if (*out > UINT32_MAX)
			return NULL;
	}
	/* "0x" alone is 0 to some. */
	return p > start || base == 16 ? p : NULL;
}

/* One to four numbers, of which the last fills what is left: 127.1 */
static bool parse_v4(const char *host, uint32_t *out)
{
	uint64_t number = 0, address = 0;
	const char *p = host;
	int dots = 0;

	while ((p = read_number(p, &number)) && *p == '.' && dots < 3) {
		if (number > 255)
			return false;
		address = address << 8 | number;
		dots++;
		p++;
	}
	if (!p || *p != '\0' || number >> (32 - 8 * dots) != 0)
		return false;
	*out = (uint32_t)(address << (32 - 8 * dots) | number);
	return true;
}

static bool ends_in(const char *host, const char *end)
{
	size_t len = strlen(host), end_len = strlen(end);

	return len >= end_len && strcmp(host + len - end_len, end) == 0;
}

/* RFC 6761 section 6.3: libcurl asks no resolver for them. */
static bool is_localhost(const char *host)
{
	return strcmp(host, "localhost") == 0 || ends_in(host, ".localhost");
}

/* What Debian's /etc/hosts adds: near, but where a file lacks the line the
 * network says what they are. */
static bool is_local_name(const char *host)
{
	return strcmp(host, "localhost.localdomain") == 0 ||
	       strcmp(host, "ip6-localhost") == 0 ||
	       strcmp(host, "ip6-loopback") == 0;
}

/* In lower case, without brackets, zone and the dot of the root. Returns
 * false for what is too long or not ASCII. */
static bool tidy(char *out, const char *host)
{
	size_t len;

	if (*host == '[')
		host++;
	len = strcspn(host, "]%");
	if (len >= HOST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)host[i] > 0x7e)
			return false;
		out[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] + 32)
							  : host[i];
	}
	if (len > 1 && out[len - 1] == '.')
		len--;
	out[len] = '\0';
	return true;
}

enum address_reach address_reach(const char *host)
{
	unsigned char v6[16];
	char plain[HOST_MAX];
	uint32_t v4;

	if (!tidy(plain, host))
		return ADDRESS_PRIVATE;
	if (is_localhost(plain))
		return ADDRESS_LOOPBACK;
	if (is_local_name(plain))
		return ADDRESS_PRIVATE;
	if (inet_pton(AF_INET6, plain, v6) == 1)
		return reach_of_v6(v6);
	return parse_v4(plain, &v4) ? reach_of_v4(v4) : ADDRESS_PUBLIC;
}
