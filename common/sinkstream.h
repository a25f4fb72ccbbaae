/* sinkstream.h - the stream that a sink passes on to the next one.
 *
 * A sink whose stdout is a terminal passes none on, unless it is told to:
 * every function takes NULL for a writer then and has nothing to do.
 */
#ifndef OCCY_COMMON_SINKSTREAM_H
#define OCCY_COMMON_SINKSTREAM_H

#include <stdbool.h>

#include "common/stream.h"

/* Begin with the header, before anything can fail. Returns 0 or a failure. */
int sinkstream_open(struct stream_writer **out, bool even_to_terminal);

/* Pass a record on as it was read, or as its JSON is now. What names no file
 * may wait for the next record that does. */
int sinkstream_put(struct stream_writer *writer, const struct record *record,
		   bool is_changed);

/* Everything has its name: end the stream. Returns 0, a failure, or
 * -STATUS_STREAM where the input left images out; whoever did so has named
 * them. */
int sinkstream_end(struct stream_writer *writer,
		   const struct stream_summary *summary);

#endif
