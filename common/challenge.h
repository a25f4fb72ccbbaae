/* challenge.h - what a registry wants to see: WWW-Authenticate.
 *
 * RFC 9110, 11.6.1: several header lines, several challenges in one line,
 * schemes and parameter names in any case, quoted and bare values, token68.
 * Beyond it, a bare value may hold any printable byte up to a comma or space
 * (zot sends realm=https://… without quotes). A challenge that is broken is
 * left out and does no harm to the others. Everything is bounded, and no
 * value holds a control byte.
 */
#ifndef OCCY_COMMON_CHALLENGE_H
#define OCCY_COMMON_CHALLENGE_H

#include <stddef.h>

#include "common/cleanup.h"

#define CHALLENGE_MAX_HEADER 16384 /* a longer header value is passed over */
#define CHALLENGE_MAX_COUNT 16
#define CHALLENGE_MAX_PARAMETERS 32

struct challenge_parameter {
	char *name, *value; /* value is never empty */
};

struct challenge {
	char *scheme;
	char *token68; /* NULL: none */
	struct challenge_parameter *parameters;
	size_t parameter_count;
};

struct challenge_list {
	struct challenge *items;
	size_t count;
};

/* Parse the values of all WWW-Authenticate headers of one answer. Always
 * gives a list, perhaps an empty one; the caller clears it. */
void challenge_parse(struct challenge_list *out, const char *const *values,
		     size_t count);
void challenge_list_clear(struct challenge_list *list);

/* The first of a scheme (any case), lent; NULL without one. */
const struct challenge *challenge_find(const struct challenge_list *list,
				       const char *scheme);

/* The one to answer, lent: the first Bearer with a realm, else the first
 * Basic, else a Bearer without a realm (which is an error to report), else
 * NULL. */
const struct challenge *challenge_choose(const struct challenge_list *list);

/* The value of a parameter (any case; the first of doubled ones), lent; NULL
 * when it is absent or empty. */
const char *challenge_get(const struct challenge *challenge, const char *name);

static inline void auto_release_challenge_list(struct challenge_list *list)
{
	challenge_list_clear(list);
}

#endif
