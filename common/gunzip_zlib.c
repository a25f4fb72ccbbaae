/* gunzip_zlib.c - one gzip member by zlib; the only user of zlib.h */
#define ZLIB_CONST /* next_in points to const bytes */
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "common/gunzip_engines.h"
#include "common/mem.h"

#define WINDOW_BITS_GZIP_ONLY (15 + 16)

static void *zlib_new(void)
{
	z_stream *z = mem_zalloc(1, sizeof(*z));

	if (inflateInit2(z, WINDOW_BITS_GZIP_ONLY) != Z_OK)
		mem_die("inflateInit2");
	return z;
}

static void zlib_free(void *state)
{
	inflateEnd(state);
	free(state);
}

static void zlib_restart(void *state)
{
	/* Fails only for a state that is none. */
	if (inflateReset(state) != Z_OK)
		mem_die("inflateReset");
}

/* zlib has one code for all faults; its text tells them apart. */
static enum gunzip_result fault(const z_stream *z)
{
	const char *text = z->msg ? z->msg : "";

	if (strcmp(text, "incorrect data check") == 0 ||
	    strcmp(text, "incorrect length check") == 0)
		return GUNZIP_BAD_TRAILER;
	if (strstr(text, "header") || strstr(text, "compression method"))
		return GUNZIP_BAD_HEADER;
	return GUNZIP_BAD_DATA;
}

static enum gunzip_result zlib_run(void *state, struct gunzip_io *io)
{
	z_stream *z = state;
	uInt in = io->in_len > UINT_MAX ? UINT_MAX : (uInt)io->in_len;
	uInt out = io->out_len > UINT_MAX ? UINT_MAX : (uInt)io->out_len;
	int rc;

	z->next_in = io->in;
	z->avail_in = in;
	z->next_out = io->out;
	z->avail_out = out;
	rc = inflate(z, Z_NO_FLUSH);
	io->in += in - z->avail_in;
	io->in_len -= in - z->avail_in;
	io->out += out - z->avail_out;
	io->out_len -= out - z->avail_out;
	if (rc == Z_MEM_ERROR)
		mem_die("inflate");
	if (rc == Z_STREAM_END)
		return GUNZIP_DONE;
	/* Z_BUF_ERROR: nothing to do without more input or room. */
	return rc == Z_OK || rc == Z_BUF_ERROR ? GUNZIP_MORE : fault(z);
}

const struct gunzip_engine gunzip_zlib = {
	.name = "zlib",
	.new = zlib_new,
	.free = zlib_free,
	.restart = zlib_restart,
	.run = zlib_run,
};
