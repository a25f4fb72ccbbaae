/* gunzip.c - see gunzip.h */
#include "common/gunzip.h"

#include <stdint.h>

#include "common/gunzip_engines.h"
#include "common/mem.h"

enum place { BETWEEN_MEMBERS, IN_MEMBER, IN_PADDING };

struct gunzip {
	const struct gunzip_engine *engine;
	void *state;
	enum place place;
	bool any_member;
};

const struct gunzip_engine *const gunzip_engines[] = {
#if HAVE_ISAL
	&gunzip_isal,
#endif
	&gunzip_zlib,
	NULL,
};

struct gunzip *gunzip_new(const struct gunzip_engine *engine)
{
	struct gunzip *gunzip = mem_zalloc(1, sizeof(*gunzip));

	gunzip->engine = engine;
	gunzip->state = engine->new();
	return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
	if (!gunzip)
		return;
	gunzip->engine->free(gunzip->state);
	free(gunzip);
}

/* Returns GUNZIP_MORE where a member or padding begins. */
static enum gunzip_result begin_next(struct gunzip *gunzip,
				     const struct gunzip_io *io)
{
	if (io->in[0] == 0x1f) {
		gunzip->engine->restart(gunzip->state);
		gunzip->place = IN_MEMBER;
		return GUNZIP_MORE;
	}
	if (!gunzip->any_member)
		return GUNZIP_BAD_HEADER;
	gunzip->place = IN_PADDING; /* or what is found to be none */
	return GUNZIP_MORE;
}

static enum gunzip_result skip_padding(struct gunzip_io *io)
{
	for (; io->in_len > 0; io->in++, io->in_len--)
		if (io->in[0] != 0)
			return GUNZIP_GARBAGE;
	return GUNZIP_MORE;
}

static enum gunzip_result run_member(struct gunzip *gunzip,
				     struct gunzip_io *io)
{
	const unsigned char *in = io->in, *out = io->out;
	enum gunzip_result result = gunzip->engine->run(gunzip->state, io);

	if (result == GUNZIP_DONE) {
		gunzip->any_member = true;
		gunzip->place = BETWEEN_MEMBERS;
		return GUNZIP_MORE;
	}
	/* An engine that stands still would hang us. */
	if (result == GUNZIP_MORE && io->in_len > 0 && io->out_len > 0 &&
	    io->in == in && io->out == out)
		return GUNZIP_BAD_DATA;
	return result;
}

/* No input is left and none will come. */
static enum gunzip_result at_end(const struct gunzip *gunzip)
{
	return gunzip->place == IN_MEMBER || !gunzip->any_member ? GUNZIP_CUT
								 : GUNZIP_DONE;
}

enum gunzip_result gunzip_run(struct gunzip *gunzip, struct gunzip_io *io,
			      bool last)
{
	enum gunzip_result result = GUNZIP_MORE;

	while (result == GUNZIP_MORE) {
		switch (gunzip->place) {
		case IN_MEMBER:
			/* Even without input: an engine may hold output back,
			 * and only with room left over it holds no more. */
			result = run_member(gunzip, io);
			if (result == GUNZIP_MORE && io->out_len == 0 &&
			    gunzip->place == IN_MEMBER)
				return GUNZIP_MORE;
			break;
		case IN_PADDING:
			result = skip_padding(io);
			break;
		case BETWEEN_MEMBERS:
			if (io->in_len > 0)
				result = begin_next(gunzip, io);
			break;
		}
		if (result == GUNZIP_MORE && io->in_len == 0)
			return last ? at_end(gunzip) : GUNZIP_MORE;
	}
	return result;
}

const char *gunzip_fault(enum gunzip_result result)
{
	switch (result) {
	case GUNZIP_BAD_HEADER:
		return "bad gzip header";
	case GUNZIP_BAD_DATA:
		return "bad compressed data";
	case GUNZIP_BAD_TRAILER:
		return "bad CRC or length of the compressed data";
	case GUNZIP_CUT:
		return "compressed data is cut short";
	case GUNZIP_GARBAGE:
		return "garbage after the compressed data";
	case GUNZIP_MORE:
	case GUNZIP_DONE:
		break;
	}
	return "no fault";
}
