/* private_address.c - which hosts are near, in every way to write them; and
 * where a registry may lead because of that */
#include "common/private_address.h"

#include "check.h"
#include "common/lead.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const struct {
	const char *host;
	enum address_reach reach;
} hosts[] = {
	{ "registry.example", ADDRESS_PUBLIC },
	{ "", ADDRESS_PUBLIC },
	{ ".", ADDRESS_PUBLIC },
	{ "10.example", ADDRESS_PUBLIC },
	{ "1.2.3.4.5", ADDRESS_PUBLIC },
	{ "8.8.8.8", ADDRESS_PUBLIC },
	{ "256.0.0.1", ADDRESS_PUBLIC },
	{ "10.0.0.256", ADDRESS_PUBLIC },
	{ "10..1", ADDRESS_PUBLIC },
	{ "0x", ADDRESS_PRIVATE },
	{ "09.0.0.1", ADDRESS_PUBLIC },
	{ "4294967296", ADDRESS_PUBLIC },
	{ "99999999999999999999999", ADDRESS_PUBLIC },
	/* each range, its ends and what lies beside them */
	{ "0.0.0.0", ADDRESS_PRIVATE },
	{ "0.255.255.255", ADDRESS_PRIVATE },
	{ "1.0.0.0", ADDRESS_PUBLIC },
	{ "9.255.255.255", ADDRESS_PUBLIC },
	{ "10.0.0.0", ADDRESS_PRIVATE },
	{ "10.255.255.255", ADDRESS_PRIVATE },
	{ "11.0.0.0", ADDRESS_PUBLIC },
	{ "100.63.255.255", ADDRESS_PUBLIC },
	{ "100.64.0.0", ADDRESS_PRIVATE },
	{ "100.127.255.255", ADDRESS_PRIVATE },
	{ "100.128.0.0", ADDRESS_PUBLIC },
	{ "126.255.255.255", ADDRESS_PUBLIC },
	{ "127.0.0.0", ADDRESS_LOOPBACK },
	{ "127.0.0.1", ADDRESS_LOOPBACK },
	{ "127.255.255.255", ADDRESS_LOOPBACK },
	{ "128.0.0.0", ADDRESS_PUBLIC },
	{ "169.253.255.255", ADDRESS_PUBLIC },
	{ "169.254.169.254", ADDRESS_PRIVATE },
	{ "169.255.0.0", ADDRESS_PUBLIC },
	{ "172.15.255.255", ADDRESS_PUBLIC },
	{ "172.16.0.0", ADDRESS_PRIVATE },
	{ "172.31.255.255", ADDRESS_PRIVATE },
	{ "172.32.0.0", ADDRESS_PUBLIC },
	{ "192.167.255.255", ADDRESS_PUBLIC },
	{ "192.168.0.0", ADDRESS_PRIVATE },
	{ "192.168.255.255", ADDRESS_PRIVATE },
	{ "192.169.0.0", ADDRESS_PUBLIC },
	/* as resolvers take them */
	{ "127.1", ADDRESS_LOOPBACK },
	{ "127.0.1", ADDRESS_LOOPBACK },
	{ "127.65536", ADDRESS_LOOPBACK },
	{ "127.16777216", ADDRESS_PUBLIC },
	{ "2130706433", ADDRESS_LOOPBACK },
	{ "0x7f000001", ADDRESS_LOOPBACK },
	{ "0X7F.0x1", ADDRESS_LOOPBACK },
	{ "017700000001", ADDRESS_LOOPBACK },
	{ "0177.0.0.01", ADDRESS_LOOPBACK },
	{ "0", ADDRESS_PRIVATE },
	{ "0xa9fea9fe", ADDRESS_PRIVATE },
	{ "3232235777", ADDRESS_PRIVATE },
	{ "010.0.0.1", ADDRESS_PUBLIC }, /* octal: 8.0.0.1 */
	{ "012.0.0.1", ADDRESS_PRIVATE },
	{ "127.0.0.1.", ADDRESS_LOOPBACK },
	{ "10.1.", ADDRESS_PRIVATE },
	/* IPv6 */
	{ "[::]", ADDRESS_PRIVATE },
	{ "[::1]", ADDRESS_LOOPBACK },
	{ "::1", ADDRESS_LOOPBACK },
	{ "[0:0:0:0:0:0:0:1]", ADDRESS_LOOPBACK },
	{ "[::2]", ADDRESS_PRIVATE },
	{ "[fe80::1]", ADDRESS_PRIVATE },
	{ "[fe80::1%25eth0]", ADDRESS_PRIVATE },
	{ "[FE80::1%eth0]", ADDRESS_PRIVATE },
	{ "[febf::1]", ADDRESS_PRIVATE },
	{ "[fec0::1]", ADDRESS_PRIVATE },
	{ "[fc00::1]", ADDRESS_PRIVATE },
	{ "[fdff::1]", ADDRESS_PRIVATE },
	{ "[fbff::1]", ADDRESS_PUBLIC },
	{ "[fe00::1]", ADDRESS_PUBLIC },
	{ "[2001:db8::1]", ADDRESS_PUBLIC },
	{ "[::ffff:127.0.0.1]", ADDRESS_LOOPBACK },
	{ "[::ffff:7f00:1]", ADDRESS_LOOPBACK },
	{ "[::ffff:10.0.0.1]", ADDRESS_PRIVATE },
	{ "[::ffff:8.8.8.8]", ADDRESS_PUBLIC },
	{ "[::127.0.0.1]", ADDRESS_PRIVATE },
	{ "[64:ff9b::127.0.0.1]", ADDRESS_PRIVATE },
	{ "[64:ff9b:1::8.8.8.8]", ADDRESS_PRIVATE },
	{ "[64:ff9b:2::1]", ADDRESS_PUBLIC },
	{ "[2002:c0a8:1::1]", ADDRESS_PRIVATE },
	{ "[2002:7f00:1::]", ADDRESS_PRIVATE },
	{ "[2002:808:808::1]", ADDRESS_PUBLIC },
	{ "[64:ff9b::192.168.0.1]", ADDRESS_PRIVATE },
	{ "[64:ff9b::8.8.8.8]", ADDRESS_PUBLIC },
	/* names */
	{ "localhost", ADDRESS_LOOPBACK },
	{ "LocalHost.", ADDRESS_LOOPBACK },
	{ "a.localhost", ADDRESS_LOOPBACK },
	{ "localhost.localdomain", ADDRESS_PRIVATE },
	{ "ip6-localhost", ADDRESS_PRIVATE },
	{ "notlocalhost", ADDRESS_PUBLIC },
	{ "localhost.example", ADDRESS_PUBLIC },
	{ "\xef\xbc\x91\xef\xbc\x90.0.0.1", ADDRESS_PRIVATE },
};

static void check_hosts(void)
{
	for (size_t i = 0; i < COUNT(hosts); i++) {
		check_row(hosts[i].host);
		CHECK_NUMBER(address_reach(hosts[i].host), hosts[i].reach);
	}
}

static const struct {
	const char *home, *to;
	bool is_home, is_private, is_safe;
} leads[] = {
	{ "https://r.example/v2/", "https://r.example:443/t", true, false, true },
	{ "https://r.example/v2/", "https://R.Example/t", true, false, true },
	{ "https://r.example/v2/", "https://auth.example/t", false, false, true },
	{ "https://r.example/v2/", "https://10.0.0.1/t", false, true, true },
	{ "https://r.example/v2/", "https://localhost/t", false, true, true },
	{ "https://r.example/v2/", "https://0x7f.1/t", false, true, true },
	{ "https://r.example/v2/", "https://[::ffff:a00:1]:8443/t", false, true,
	  true },
	/* a private registry may lead anywhere */
	{ "https://10.0.0.1/v2/", "https://10.0.0.2/t", false, false, true },
	{ "https://10.0.0.1/v2/", "https://localhost/t", false, false, true },
	{ "https://[fd00::1]/v2/", "https://10.0.0.2/t", false, false, true },
	{ "https://10.0.0.1/v2/", "https://auth.example/t", false, false, true },
	/* without TLS a login stays at the host, or on the machine */
	{ "http://r.example/v2/", "http://r.example:8080/t", false, false, true },
	{ "http://r.example/v2/", "http://auth.example/t", false, false, false },
	{ "http://r.example/v2/", "http://10.0.0.1/t", false, true, false },
	{ "http://10.0.0.1/v2/", "http://10.0.0.2/t", false, false, false },
	{ "http://10.0.0.1/v2/", "http://127.0.0.1/t", false, false, false },
	{ "http://127.0.0.1/v2/", "http://10.0.0.1/t", false, false, false },
	{ "http://127.0.0.1:5000/v2/", "http://localhost:5001/t", false, false,
	  true },
	{ "http://127.0.0.1/v2/", "https://auth.example/t", false, false, true },
	/* no URL */
	{ "https://r.example/v2/", "http://[::bad/", false, true, false },
};

static void check_leads(void)
{
	for (size_t i = 0; i < COUNT(leads); i++) {
		check_row(leads[i].to);
		CHECK_NUMBER(lead_is_home(leads[i].home, leads[i].to),
			     leads[i].is_home);
		CHECK_NUMBER(lead_is_private(leads[i].home, leads[i].to),
			     leads[i].is_private);
		CHECK_NUMBER(lead_is_safe_for_login(leads[i].home, leads[i].to),
			     leads[i].is_safe);
	}
}

int main(void)
{
	check_hosts();
	check_leads();
	return check_result();
}
