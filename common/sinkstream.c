/* sinkstream.c - see sinkstream.h */
#include "common/sinkstream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/msg.h"

int sinkstream_open(struct stream_writer **out, bool even_to_terminal)
{
	if (isatty(STDOUT_FILENO) && !even_to_terminal)
		return 0;
	*out = stream_writer_new(STDOUT_FILENO, "stdout");
	stream_put_header(*out);
	return stream_flush(*out);
}

int sinkstream_put(struct stream_writer *writer, const struct record *record,
		   bool is_changed)
{
	if (!writer)
		return 0;
	if (is_changed)
		stream_put_json(writer, record->type, record->json);
	else
		stream_put(writer, record);
	return record->type == RECORD_OTHER || record->type == RECORD_RESULT
		       ? 0
		       : stream_flush(writer);
}

int sinkstream_end(struct stream_writer *writer,
		   const struct stream_summary *summary)
{
	int rc = 0;

	if (writer) {
		stream_put_end(writer, summary);
		rc = stream_flush(writer);
	}
	if (rc < 0 || summary->left_out == 0)
		return rc;
	if (getenv("OCCY_WRAPPED"))
		return -STATUS_STREAM;
	return msg_fail(STATUS_STREAM, "stdin: images that were left out: %" PRId64,
			summary->left_out);
}
