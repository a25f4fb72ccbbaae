/* gunzip.h - gzip decoding that reads to the very end, RFC 1952.
 *
 * Two engines decode a member: ISA-L where it is built in, and zlib. What
 * goes round the members is the same code for both: a file is one member or
 * more; input that ends inside one is cut short; after the last one come
 * zero bytes (tapes are padded so, gzip(1) takes them) or nothing.
 * ISA-L takes some sets of Huffman codes that zlib refuses; what it makes of
 * them is proven by its CRC and by the layer's diff_id like everything else.
 * libarchive's own gzip filter accepts a wrong CRC, a wrong length and
 * trailing garbage, and so lets two readers see two layers.
 */
#ifndef OCCY_COMMON_GUNZIP_H
#define OCCY_COMMON_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

/* Moves on as bytes are used up and made. */
struct gunzip_io {
	const unsigned char *in;
	size_t in_len;
	unsigned char *out;
	size_t out_len; /* room */
};

enum gunzip_result {
	GUNZIP_MORE, /* give input, or room, whichever is used up */
	GUNZIP_DONE, /* of an engine: this member is complete and checked */
	GUNZIP_BAD_HEADER,
	GUNZIP_BAD_DATA,
	GUNZIP_BAD_TRAILER, /* CRC or length */
	GUNZIP_CUT,         /* engines do not return this and the next */
	GUNZIP_GARBAGE,
};

/* What decodes one member; private to the gunzip files. */
struct gunzip_engine {
	const char *name;
	void *(*new)(void);
	void (*free)(void *state);
	void (*restart)(void *state); /* before every member */
	enum gunzip_result (*run)(void *state, struct gunzip_io *io);
};

/* Those that are built in, the fastest first, then NULL. */
extern const struct gunzip_engine *const gunzip_engines[];

struct gunzip;
struct gunzip *gunzip_new(const struct gunzip_engine *engine);
void gunzip_free(struct gunzip *gunzip);

/* Decode what input and room allow; last: no input follows this. After a
 * fault only gunzip_free() may follow. */
enum gunzip_result gunzip_run(struct gunzip *gunzip, struct gunzip_io *io,
			      bool last);

/* A fault in words, for messages. */
const char *gunzip_fault(enum gunzip_result result);

AUTO_DEFINE(gunzip, struct gunzip *, gunzip_free);

#endif
