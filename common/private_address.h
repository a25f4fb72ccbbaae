/* private_address.h - hosts that are near by their name alone.
 *
 * Who names such a host to somebody else's client reaches what only that
 * client can reach (the machine itself, its network, a cloud's metadata), so
 * a public registry has no business with them. No look-up is made: this is
 * about addresses written out, in every form that a resolver takes for one.
 */
#ifndef OCCY_COMMON_PRIVATE_ADDRESS_H
#define OCCY_COMMON_PRIVATE_ADDRESS_H

#include <stdbool.h>

enum address_reach {
	ADDRESS_PUBLIC,  /* also every other name */
	ADDRESS_PRIVATE, /* of a local network, a link, or no place at all */
	ADDRESS_LOOPBACK,
};

/* host as in a URL, in any case, without port: "10.0.0.1", "0x7f.1", "[::1]",
 * "localhost". What is not ASCII counts as private: it may become any of these
 * when it is prepared for the look-up. */
enum address_reach address_reach(const char *host);

#endif
