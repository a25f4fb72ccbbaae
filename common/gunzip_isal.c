/* gunzip_isal.c - one gzip member by ISA-L; the only user of isa-l
 *
 * The header is read by isal_read_gzip_header() and the trailer checked by
 * ISAL_GZIP_NO_HDR_VER: with plain ISAL_GZIP the library stops after the
 * first member without a word.
 */
#include <isa-l/igzip_lib.h>
#include <string.h>

#include "common/gunzip_engines.h"
#include "common/mem.h"

#define FLAGS_RESERVED 0xe0

struct isal {
	struct inflate_state inflate;
	struct isal_gzip_header header; /* kept: a header may come in pieces */
	bool in_body;
};

static void isal_restart(void *state)
{
	struct isal *isal = state;

	isal_inflate_reset(&isal->inflate);
	isal_gzip_header_init(&isal->header);
	isal->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
	isal->in_body = false;
}

static void *isal_new(void)
{
	struct isal *isal = mem_zalloc(1, sizeof(*isal));

	isal_inflate_init(&isal->inflate);
	isal_restart(isal);
	return isal;
}

static void isal_free(void *state)
{
	free(state);
}

static enum gunzip_result read_header(struct isal *isal)
{
	int rc = isal_read_gzip_header(&isal->inflate, &isal->header);

	if (rc == ISAL_END_INPUT)
		return GUNZIP_MORE;
	/* "Reserved FLG bits must be zero" (RFC 1952, 2.3.1.2): another field
	 * may follow that this reader would take for data. ISA-L does not look. */
	if (rc != ISAL_DECOMP_OK || isal->header.flags & FLAGS_RESERVED)
		return GUNZIP_BAD_HEADER;
	isal->in_body = true;
	return GUNZIP_MORE;
}

static enum gunzip_result read_body(struct isal *isal)
{
	int rc = isal_inflate(&isal->inflate);

	if (rc == ISAL_INCORRECT_CHECKSUM)
		return GUNZIP_BAD_TRAILER;
	if (rc != ISAL_DECOMP_OK)
		return GUNZIP_BAD_DATA;
	return isal->inflate.block_state == ISAL_BLOCK_FINISH ? GUNZIP_DONE
							      : GUNZIP_MORE;
}

static enum gunzip_result isal_run(void *state, struct gunzip_io *io)
{
	struct isal *isal = state;
	struct inflate_state *s = &isal->inflate;
	uint32_t in = io->in_len > INT32_MAX ? INT32_MAX : (uint32_t)io->in_len;
	uint32_t out = io->out_len > INT32_MAX ? INT32_MAX
					       : (uint32_t)io->out_len;
	enum gunzip_result result = GUNZIP_MORE;

	s->next_in = (uint8_t *)(uintptr_t)io->in; /* not written to */
	s->avail_in = in;
	s->next_out = io->out;
	s->avail_out = out;
	if (!isal->in_body)
		result = read_header(isal);
	if (result == GUNZIP_MORE && isal->in_body)
		result = read_body(isal);
	io->in += in - s->avail_in;
	io->in_len -= in - s->avail_in;
	io->out += out - s->avail_out;
	io->out_len -= out - s->avail_out;
	return result;
}

const struct gunzip_engine gunzip_isal = {
	.name = "isa-l",
	.new = isal_new,
	.free = isal_free,
	.restart = isal_restart,
	.run = isal_run,
};
