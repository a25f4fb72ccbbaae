/* stream.c - see stream.h; the rules by number are those of occy-stream(5) */
#include "common/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "common/interrupt.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define READ_SIZE 65536

struct stream_reader {
	int fd;
	int signals; /* readable when a held signal waits; or -1 */
	const char *name;
	struct buf input;
	size_t start;   /* of the next line in input */
	size_t scanned; /* no LF stands between start and here */
	uint64_t line;
	bool at_end_of_file;

	bool in_stream;  /* between a header and its end record */
	bool any_stream; /* a whole one has come */
	bool in_block, has_config, has_result;
	int64_t records, images;   /* in this stream */
	int64_t layers, layers_said, last_index; /* in this block */
	struct stream_summary summary;
};

struct stream_reader *stream_reader_new(int fd, const char *name)
{
	struct stream_reader *reader = mem_zalloc(1, sizeof(*reader));

	reader->fd = fd;
	reader->name = name;
	reader->signals = interrupt_fd();
	return reader;
}

void stream_reader_free(struct stream_reader *reader)
{
	if (!reader)
		return;
	if (reader->signals >= 0)
		close(reader->signals);
	buf_clear(&reader->input);
	free(reader);
}

/* The input is over before the stream is: somebody upstream has failed. */
static int cut_short(const struct stream_reader *reader, const char *how)
{
	if (getenv("OCCY_WRAPPED"))
		return -STATUS_STREAM;
	return msg_fail(STATUS_STREAM, "%s:%" PRIu64 ": %s", reader->name,
			reader->line, how);
}

static int broken(const struct stream_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int broken(const struct stream_reader *reader, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return msg_fail(STATUS_STREAM, "%s:%" PRIu64 ": %.1023s", reader->name,
			reader->line, text);
}

/* Wait until there is input; returns 0 or the failure of a held signal. Input
 * may be hours away: that our own reader has gone must show before, so that a
 * whole pipeline ends soon after its last program. */
static int wait_for_input(const struct stream_reader *reader)
{
	struct pollfd fds[3] = {
		{ .fd = reader->fd, .events = POLLIN },
		{ .fd = reader->signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR: a pipe without a reader */
	};

	while (poll(fds, 3, -1) < 0)
		if (errno != EINTR)
			return io_fail(reader->name);
	if (fds[1].revents & POLLIN)
		return interrupt_pending();
	return fds[2].revents & POLLERR ? -STATUS_READER_GONE : 0;
}

static int fill(struct stream_reader *reader)
{
	int rc = wait_for_input(reader);
	ssize_t n;

	if (rc < 0)
		return rc;
	buf_consume(&reader->input, reader->start);
	reader->scanned -= reader->start;
	reader->start = 0;
	n = read(reader->fd, buf_reserve(&reader->input, READ_SIZE), READ_SIZE);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return io_fail(reader->name);
	reader->at_end_of_file = n == 0;
	reader->input.len += (size_t)n;
	reader->input.data[reader->input.len] = '\0';
	return 0;
}

/* Returns 1 with the next line in *line, 0 at end of file, or a failure. */
static int read_line(struct stream_reader *reader, struct buf *line)
{
	const struct buf *input = &reader->input;
	const char *lf = NULL;
	size_t len;
	int rc;

	for (;;) {
		if (input->len > reader->scanned)
			lf = memchr(input->data + reader->scanned, '\n',
				    input->len - reader->scanned);
		len = (lf ? (size_t)(lf - input->data) : input->len) -
		      reader->start;
		reader->scanned = reader->start + len;
		if (lf || reader->at_end_of_file || len > STREAM_LINE_MAX)
			break;
		rc = fill(reader);
		if (rc < 0)
			return rc;
	}
	if (!lf && len == 0)
		return 0;
	reader->line++;
	if (len > STREAM_LINE_MAX)
		return broken(reader, "line is longer than 1 MiB");
	if (!lf)
		return cut_short(reader, "stream is cut short within a line");
	line->len = 0;
	buf_append(line, input->data + reader->start, len);
	reader->start += len + 1;
	reader->scanned = reader->start;
	return 1;
}

static int end_block(struct stream_reader *reader)
{
	if (!reader->in_block)
		return 0;
	reader->in_block = false;
	if (reader->layers_said >= 0 && reader->layers_said != reader->layers)
		return broken(reader, "image record says %" PRId64
			      " layers, but %" PRId64 " came",
			      reader->layers_said, reader->layers);
	return 0;
}

static int see_header(struct stream_reader *reader)
{
	if (reader->in_stream)
		return broken(reader, "a new stream begins before the end record");
	reader->in_stream = true;
	reader->has_result = false;
	reader->records = 0;
	reader->images = 0;
	return 0;
}

static int see_end(struct stream_reader *reader, const struct end_view *end)
{
	int rc = end_block(reader);

	if (rc < 0)
		return rc;
	if (end->records >= 0 && end->records != reader->records)
		return broken(reader, "end record says %" PRId64
			      " records, but %" PRId64 " came",
			      end->records, reader->records);
	if (end->images >= 0 && end->images != reader->images)
		return broken(reader, "end record says %" PRId64
			      " images, but %" PRId64 " came",
			      end->images, reader->images);
	reader->in_stream = false;
	reader->any_stream = true;
	reader->summary.images += reader->images;
	reader->summary.left_out =
		MIN(reader->summary.left_out + end->left_out, JSON_INTEGER_MAX);
	reader->summary.unchanged |= end->unchanged;
	return 0;
}

static int see_image(struct stream_reader *reader, const struct record *record)
{
	int rc = end_block(reader);

	if (rc < 0)
		return rc;
	if (reader->has_result)
		return broken(reader, "image record after a sink's record");
	reader->images++;
	reader->in_block = true;
	reader->has_config = false;
	reader->layers = 0;
	reader->layers_said = record->image.layers;
	reader->last_index = -1;
	return 0;
}

static int see_config(struct stream_reader *reader)
{
	if (!reader->in_block)
		return broken(reader, "config record without an image record");
	if (reader->has_config)
		return broken(reader, "second config record in an image");
	if (reader->layers > 0)
		return broken(reader, "config record after a layer record");
	reader->has_config = true;
	return 0;
}

static int see_layer(struct stream_reader *reader, const struct record *record)
{
	if (!reader->in_block)
		return broken(reader, "layer record without an image record");
	if (record->layer.index <= reader->last_index)
		return broken(reader, "layer %" PRId64 " after layer %" PRId64,
			      record->layer.index, reader->last_index);
	reader->last_index = record->layer.index;
	reader->layers++;
	return 0;
}

static int see_result(struct stream_reader *reader)
{
	reader->has_result = true;
	return end_block(reader);
}

static int check_order(struct stream_reader *reader, const struct record *record)
{
	if (record->type == RECORD_HEADER)
		return see_header(reader);
	if (!reader->in_stream)
		return broken(reader, reader->any_stream
				      ? "something follows the end record"
				      : "no stream: the first line is not a header");
	if (record->type == RECORD_END)
		return see_end(reader, &record->end);
	reader->records++;
	switch (record->type) {
	case RECORD_IMAGE:
		return see_image(reader, record);
	case RECORD_CONFIG:
		return see_config(reader);
	case RECORD_LAYER:
		return see_layer(reader, record);
	case RECORD_RESULT:
		return see_result(reader);
	case RECORD_HEADER:
	case RECORD_END:
	case RECORD_OTHER:
		break;
	}
	return 0;
}

static int end_of_file(const struct stream_reader *reader)
{
	if (reader->in_stream)
		return cut_short(reader, "stream ends without an end record");
	if (!reader->any_stream)
		return cut_short(reader, "no stream: the input is empty");
	return 0;
}

int stream_read(struct stream_reader *reader, struct record *record)
{
	char why[1024];
	int rc;

	for (;;) {
		rc = read_line(reader, &record->text);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return end_of_file(reader);
		record->line = reader->line;
		if (record_parse(record, why, sizeof(why)) < 0)
			return broken(reader, "%s", why);
		rc = check_order(reader, record);
		if (rc < 0)
			return rc;
		if (record->type != RECORD_HEADER && record->type != RECORD_END)
			return 1;
	}
}

void stream_get_summary(const struct stream_reader *reader,
			struct stream_summary *out)
{
	*out = reader->summary;
}

int stream_need_image(const struct stream_reader *reader)
{
	if (reader->summary.images == 0 && !reader->summary.unchanged &&
	    reader->summary.left_out == 0)
		return msg_fail(STATUS_STREAM, "%s: the stream holds no image",
				reader->name);
	return 0;
}

struct stream_writer {
	int fd;
	int signals; /* as the reader's */
	const char *name;
	struct buf queue;
	struct buf results; /* held back until the end */
	size_t written;     /* of queue */
	int64_t records, images;
};

struct stream_writer *stream_writer_new(int fd, const char *name)
{
	struct stream_writer *writer = mem_zalloc(1, sizeof(*writer));

	writer->fd = fd;
	writer->name = name;
	writer->signals = interrupt_fd();
	return writer;
}

void stream_writer_free(struct stream_writer *writer)
{
	if (!writer)
		return;
	if (writer->signals >= 0)
		close(writer->signals);
	buf_clear(&writer->queue);
	buf_clear(&writer->results);
	free(writer);
}

void stream_put_header(struct stream_writer *writer)
{
	buf_append_text(&writer->queue, "{\"type\":\"stream\",\"occy\":1}\n");
}

static void put_line(struct stream_writer *writer, enum record_type type,
		     const char *text, size_t len)
{
	struct buf *to = type == RECORD_RESULT ? &writer->results
					       : &writer->queue;

	buf_append(to, text, len);
	buf_append(to, "\n", 1);
	writer->records++;
	writer->images += type == RECORD_IMAGE;
}

void stream_put(struct stream_writer *writer, const struct record *record)
{
	put_line(writer, record->type, record->text.data, record->text.len);
}

void stream_put_json(struct stream_writer *writer, enum record_type type,
		     struct json_object *json)
{
	size_t len;
	const char *text = json_text(json, &len);

	put_line(writer, type, text, len);
}

void stream_put_end(struct stream_writer *writer,
		    const struct stream_summary *summary)
{
	buf_append(&writer->queue, writer->results.data, writer->results.len);
	buf_clear(&writer->results);
	buf_printf(&writer->queue,
		   "{\"type\":\"end\",\"images\":%" PRId64 ",\"records\":%" PRId64,
		   writer->images, writer->records);
	if (summary && summary->left_out > 0)
		buf_printf(&writer->queue, ",\"left_out\":%" PRId64,
			   summary->left_out);
	if (summary && summary->unchanged && writer->images == 0)
		buf_append_text(&writer->queue, ",\"unchanged\":true");
	buf_append_text(&writer->queue, "}\n");
}

/* Forget what is written, but do not move a long queue for each piece of it. */
static void compact(struct stream_writer *writer)
{
	if (writer->written >= writer->queue.len / 2) {
		buf_consume(&writer->queue, writer->written);
		writer->written = 0;
	}
}

/* Write on while the descriptor takes it, at most timeout milliseconds (-1:
 * for ever) between two pieces, and only until a held signal comes. */
static int write_queue(struct stream_writer *writer, int timeout)
{
	while (stream_is_pending(writer)) {
		struct pollfd fds[2] = {
			{ .fd = writer->fd, .events = POLLOUT },
			{ .fd = writer->signals, .events = POLLIN },
		};
		size_t len = writer->queue.len - writer->written;
		int rc = poll(fds, 2, timeout);

		if (rc < 0 && errno != EINTR)
			return io_fail(writer->name);
		if (rc == 0)
			return 0;
		if (rc < 0)
			continue;
		rc = fds[0].revents ? 0 : interrupt_pending();
		if (rc < 0)
			return rc;
		rc = io_write(writer->fd, writer->name,
			      writer->queue.data + writer->written,
			      MIN(len, PIPE_BUF));
		if (rc < 0)
			return rc;
		writer->written += MIN(len, PIPE_BUF);
		compact(writer);
	}
	return 0;
}

int stream_flush(struct stream_writer *writer)
{
	return write_queue(writer, -1);
}

int stream_pump(struct stream_writer *writer)
{
	return write_queue(writer, 0);
}

bool stream_is_pending(const struct stream_writer *writer)
{
	return writer->written < writer->queue.len;
}

int stream_writer_fd(const struct stream_writer *writer)
{
	return writer->fd;
}
