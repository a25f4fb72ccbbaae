/* lead.h - where a registry may lead us, and what may go along.
 *
 * A registry names other places: its token service, redirects' targets, the
 * URLs of foreign layers. These are the rules for such a place; `home` is the
 * URL of who names it. What is no URL at all is refused by each of them.
 */
#ifndef OCCY_COMMON_LEAD_H
#define OCCY_COMMON_LEAD_H

#include <stdbool.h>

/* The same scheme, host and port: an Authorization goes nowhere else. */
bool lead_is_home(const char *home, const char *to);

/* A private address (private_address.h), named by who is none itself and is
 * not that host. */
bool lead_is_private(const char *home, const char *to);

/* A password or a refresh token may go there: over TLS anywhere, else only to
 * the same host, at any port, or within this machine. */
bool lead_is_safe_for_login(const char *home, const char *to);

#endif
