/* expand.h - the layers of a stream's images as directories.
 *
 * Each layer by itself as DIR/<digest hex>/layer, named as soon as it is
 * proven; the layers of an image applied to one root, named when the stream
 * has come to its right end. One decoded layer feeds both.
 */
#ifndef OCCY_COMMON_EXPAND_H
#define OCCY_COMMON_EXPAND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/record.h"
#include "common/stream.h"

#define EXPAND_MAX_ENTRIES 2000000

struct expand_options {
	const char *merged; /* the root of the one image; or NULL */
	const char *layers; /* a directory for layers; or NULL */
	const char *in;     /* what occy-pack --dir made: both go there; or NULL */
	bool replace;
	bool strict;
	bool walk_only;     /* do without openat2(2) */
	bool quiet, verbose;
	int64_t max_unpacked; /* bytes of an image's tars; INT64_MAX: any */
	int64_t max_entries;  /* of a layer */
};

struct expand;

/* options must outlive it. Never NULL. */
struct expand *expand_new(const struct expand_options *options);

/* What is not published goes. */
void expand_free(struct expand *expand);

/* See that the outputs can be made, before the first record is read. Returns
 * 0 or a failure (reported). */
int expand_open(struct expand *expand);

/* A record has been read. Returns 0 or a failure (reported). */
int expand_put(struct expand *expand, const struct record *record);

/* The stream has come to its right end: publish, and say what is to be said
 * on stderr. Returns 0 or a failure (reported). */
int expand_finish(struct expand *expand);

/* After that: the records of what was made. */
void expand_put_results(const struct expand *expand,
			struct stream_writer *writer);

AUTO_DEFINE(expand, struct expand *, expand_free);

#endif
