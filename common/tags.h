/* tags.h - the tags of a repository.
 *
 * distribution-spec "Content Discovery": pages, each of which may name the
 * next by a Link. A page that is short, or empty, says nothing about the end;
 * only one without a Link is the last. The registry's order is kept, what
 * occurs twice comes once.
 */
#ifndef OCCY_COMMON_TAGS_H
#define OCCY_COMMON_TAGS_H

#include "common/client.h"

#define TAGS_MAX 1000000
#define TAGS_PAGE_BYTES 8388608

/* Write them to stdout, a line each, page by page. Only the route's last
 * source is asked: a mirror knows only what was asked of it. Returns 0 or a
 * failure (reported). */
int tags_print(const struct route *route, const struct client_loop *loop);

#endif
