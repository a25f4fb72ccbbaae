/* unpack.h - apply layers to a directory.
 *
 * Every byte of a layer is hostile, and the directory may be worked on by
 * others meanwhile: what is opened is opened by safepath.h, what is made is
 * made by *at() calls on a directory that is held open, with O_EXCL and
 * without following a link, and what is given attributes is the very thing
 * that was made.
 *
 * image-spec layer.md, "Applying Changesets":
 * - what a layer brings replaces what is there, except that a directory over
 *   a directory keeps what it holds and gets the new attributes
 * - whiteouts act on lower layers only, wherever in the layer they stand
 * - directories get owner, mode and time when the layer is over; those that
 *   only were written in get back what they had
 *
 * A failure leaves the directory half made: the caller removes it.
 */
#ifndef OCCY_COMMON_UNPACK_H
#define OCCY_COMMON_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/tarread.h"

/* What could not be done, or is not done on principle; counted. */
struct unpack_counts {
	uint64_t entries;
	uint64_t owners;  /* that only root could have set */
	uint64_t devices; /* that only root could have made */
	uint64_t xattrs;  /* that user or file system cannot have */
	uint64_t refused_xattrs; /* that no image may set */
	uint64_t links;   /* with their target in a lower layer (as_is) */
};

/* Told of each link that was left out (as_is); path is lent. */
struct unpack_listener {
	void (*skipped_link)(void *context, const char *path);
	/* A lower version of path is gone, and with it so many bytes of files;
	 * has_new: the layer brings another. */
	void (*replaced)(void *context, const char *path, uint64_t bytes,
			 bool has_new);
	void *context;
};

struct unpack_options {
	bool walk_only; /* do without openat2(2) */
	bool strict;    /* what cannot be done is a failure */
	bool as_is;     /* one layer by itself: markers are files like others */
	const struct unpack_listener *listener; /* or NULL */
};

struct unpack;

/* root is an empty directory open for reading, lent; *counts is added to.
 * With `like` the root keeps the owner, mode and time in there unless an entry
 * describes it; without, it gets those of a directory that no entry does.
 * Returns NULL when root is none (reported). */
struct unpack *unpack_new(int root, const struct unpack_options *options,
			  const struct stat *like,
			  struct unpack_counts *counts);
void unpack_free(struct unpack *unpack);

/* Read a layer to its end and apply it to each of `count` directories. name
 * begins messages; more entries than max_entries are refused. Returns 0 or a
 * failure (reported), which is also a signal's that is held back. */
int unpack_layer(struct unpack *const *unpacks, size_t count,
		 struct tar_reader *tar, const char *name,
		 uint64_t max_entries);

/* Everything is applied: give the root its owner, mode and time. Returns 0 or
 * a failure. */
int unpack_finish(struct unpack *unpack);

AUTO_DEFINE(unpack, struct unpack *, unpack_free);

#endif
