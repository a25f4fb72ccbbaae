/* stream.h - read and write the stream of occy-stream(5).
 *
 * Framing: header, blocks, end record; what the members mean is the business
 * of record.h. The reader takes any number of streams, one after another, as
 * one; it believes nothing it has not checked. What is wrong it reports
 * itself, with input and line number, as STATUS_STREAM.
 *
 * A stream that merely stops has its cause upstream, and whoever caused it
 * has spoken: with OCCY_WRAPPED in the environment (the occystrap wrapper
 * hears every stage) that one message is left out.
 */
#ifndef OCCY_COMMON_STREAM_H
#define OCCY_COMMON_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/record.h"

#define STREAM_LINE_MAX 1048576

struct stream_reader;
struct stream_writer;

/* What the end records said, all streams together. */
struct stream_summary {
	int64_t images;   /* blocks that came */
	int64_t left_out; /* blocks that --keep-going left out */
	bool unchanged;   /* nothing came because nothing has changed */
};

/* name stays the caller's and must outlive the reader. */
struct stream_reader *stream_reader_new(int fd, const char *name);
void stream_reader_free(struct stream_reader *reader);

/* Fill *record, reusing what it held before. Returns 1 for a record, 0 after
 * a correct end record and end of file, or a failure (reported). While it
 * waits it heeds held signals, and a pipe on stdout that has lost its reader
 * (-STATUS_READER_GONE). */
int stream_read(struct stream_reader *reader, struct record *record);

/* Valid after stream_read() returned 0. */
void stream_get_summary(const struct stream_reader *reader,
			struct stream_summary *out);

/* A sink calls this after stream_read() returned 0: a stream of no image that
 * does not say "unchanged" is STATUS_STREAM (reported); otherwise 0. */
int stream_need_image(const struct stream_reader *reader);

/* The writer queues lines; nothing is written before stream_flush() or
 * stream_pump(). name stays the caller's. */
struct stream_writer *stream_writer_new(int fd, const char *name);
void stream_writer_free(struct stream_writer *writer);

/* The header; once, before anything that can fail. */
void stream_put_header(struct stream_writer *writer);

/* Queue a record as it was read, or a changed or new one. Result records are
 * held back until the end, where they belong. */
void stream_put(struct stream_writer *writer, const struct record *record);
void stream_put_json(struct stream_writer *writer, enum record_type type,
		     struct json_object *json);

/* The end record. Call it only when everything before went well: its absence
 * is how the next tool learns that we failed. summary may be NULL. */
void stream_put_end(struct stream_writer *writer,
		    const struct stream_summary *summary);

/* Write all that is queued, waiting for the reader or a held signal. Returns
 * 0, -STATUS_READER_GONE, or a failure (reported). */
int stream_flush(struct stream_writer *writer);

/* For a tool with its own event loop: write what goes without waiting, while
 * poll(2) says that stream_writer_fd() takes it (at most PIPE_BUF a time, so
 * that a pipe somebody else shares need not be made non-blocking). Returns as
 * stream_flush(). */
int stream_pump(struct stream_writer *writer);
bool stream_is_pending(const struct stream_writer *writer);
int stream_writer_fd(const struct stream_writer *writer);

AUTO_DEFINE(stream_reader, struct stream_reader *, stream_reader_free);
AUTO_DEFINE(stream_writer, struct stream_writer *, stream_writer_free);

#endif
