/* stream - the stream's reader and writer beside slow neighbours. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/interrupt.h"
#include "common/msg.h"
#include "common/stream.c" /* to see what a queue holds */
#include "tests/unit/check.h"

#define LINE_COUNT 20000

struct pipe_ends {
	int in, out;
};

/* The writing end blocks, as stdout does; the reading end does not, so that
 * nothing here can hang. */
static struct pipe_ends new_pipe(void)
{
	int fds[2];

	if (pipe(fds) != 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
		exit(99);
	return (struct pipe_ends){ .in = fds[0], .out = fds[1] };
}

static void close_pipe(struct pipe_ends *ends)
{
	close(ends->in);
	if (ends->out >= 0)
		close(ends->out);
}

static void put_note(struct stream_writer *writer, int number)
{
	AUTO(json) struct json_object *json = json_new_object();

	json_add_string(json, "type", "x-note");
	json_add_integer(json, "number", number);
	stream_put_json(writer, RECORD_OTHER, json);
}

/* What is in the pipe now. Returns how many bytes that was. */
static size_t drain(int fd, struct buf *into, size_t most)
{
	size_t had = into->len;

	while (into->len - had < most) {
		ssize_t n = read(fd, buf_reserve(into, 4096), 4096);

		if (n <= 0)
			break;
		into->len += (size_t)n;
	}
	return into->len - had;
}

static bool is_full(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	return poll(&wait, 1, 0) == 0;
}

/* A reader that takes little: pump returns at once with the pipe full, goes on
 * where it stopped, and every byte comes out once and in order. */
static void test_pump(void)
{
	AUTO(stream_writer) struct stream_writer *writer = NULL;
	AUTO(buf) struct buf got = { 0 };
	AUTO(buf) struct buf want = { 0 };
	struct pipe_ends ends = new_pipe();

	writer = stream_writer_new(ends.out, "pipe");
	CHECK(stream_writer_fd(writer) == ends.out);
	CHECK(!stream_is_pending(writer));
	CHECK(stream_pump(writer) == 0);
	stream_put_header(writer);
	buf_append_text(&want, "{\"type\":\"stream\",\"occy\":1}\n");
	for (int i = 0; i < LINE_COUNT; i++) {
		put_note(writer, i);
		buf_printf(&want, "{\"type\":\"x-note\",\"number\":%d}\n", i);
		if (i % 1000 == 0)
			CHECK(stream_pump(writer) == 0);
	}
	stream_put_end(writer, NULL);
	buf_printf(&want, "{\"type\":\"end\",\"images\":0,\"records\":%d}\n",
		   LINE_COUNT);
	CHECK(stream_pump(writer) == 0);
	CHECK(stream_is_pending(writer));
	CHECK(is_full(ends.out));
	while (stream_is_pending(writer)) {
		CHECK(drain(ends.in, &got, 10000) > 0);
		CHECK(stream_pump(writer) == 0);
	}
	drain(ends.in, &got, SIZE_MAX);
	CHECK(got.len == want.len && memcmp(got.data, want.data, got.len) == 0);
	close_pipe(&ends);
}

/* A queue that never quite empties must not keep what it has written. */
static void test_pump_forgets(void)
{
	AUTO(stream_writer) struct stream_writer *writer = NULL;
	AUTO(buf) struct buf got = { 0 };
	struct pipe_ends ends = new_pipe();
	size_t most = 0;
	int number = 0;

	writer = stream_writer_new(ends.out, "pipe");
	for (int i = 0; i < 1000; i++) {
		while (writer->queue.len - writer->written < 100000)
			put_note(writer, number++);
		CHECK(stream_pump(writer) == 0);
		CHECK(stream_is_pending(writer));
		got.len = 0;
		drain(ends.in, &got, 1);
		most = MAX(most, writer->queue.len);
	}
	CHECK(most < 300000);
	close_pipe(&ends);
}

static void test_reader_gone(void)
{
	AUTO(stream_writer) struct stream_writer *writer = NULL;
	struct pipe_ends ends = new_pipe();
	int saved = dup(STDOUT_FILENO);

	/* Only on stdout is a missing reader nobody's fault. */
	dup2(ends.out, STDOUT_FILENO);
	close(ends.out);
	ends.out = -1;
	close(ends.in);
	ends.in = open("/dev/null", O_RDONLY);
	writer = stream_writer_new(STDOUT_FILENO, "stdout");
	stream_put_header(writer);
	CHECK(stream_pump(writer) == -STATUS_READER_GONE);
	CHECK(stream_flush(writer) == -STATUS_READER_GONE);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close_pipe(&ends);
}

/* While signals are held back, one that comes ends a wait for the reader. */
static void test_flush_heeds_signals(void)
{
	AUTO(stream_writer) struct stream_writer *writer = NULL;
	struct pipe_ends ends = new_pipe();
	sigset_t set;
	int number;

	interrupt_hold();
	writer = stream_writer_new(ends.out, "pipe");
	for (int i = 0; i < LINE_COUNT; i++)
		put_note(writer, i);
	raise(SIGTERM);
	CHECK(stream_flush(writer) == -(STATUS_SIGNAL + SIGTERM));
	CHECK(is_full(ends.out)); /* what could be written was written first */
	CHECK(interrupt_pending() == -(STATUS_SIGNAL + SIGTERM));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigwait(&set, &number);
	CHECK(interrupt_pending() == 0);
	interrupt_release();
	close_pipe(&ends);
}

static const struct {
	const char *stream;
	int need; /* what stream_need_image() says */
	int64_t images, left_out;
	bool unchanged;
} summaries[] = {
	{ "{\"type\":\"stream\",\"occy\":1}\n{\"type\":\"end\",\"unchanged\":true}\n",
	  0, 0, 0, true },
	{ "{\"type\":\"stream\",\"occy\":1}\n{\"type\":\"end\",\"left_out\":2}\n"
	  "{\"type\":\"stream\",\"occy\":1}\n{\"type\":\"end\",\"left_out\":3}\n",
	  0, 0, 5, false },
	{ "{\"type\":\"stream\",\"occy\":1}\n{\"type\":\"image\"}\n"
	  "{\"type\":\"image\"}\n{\"type\":\"end\"}\n",
	  0, 2, 0, false },
	{ "{\"type\":\"stream\",\"occy\":1}\n{\"type\":\"end\"}\n",
	  -STATUS_STREAM, 0, 0, false },
};

static void test_summaries(void)
{
	for (size_t i = 0; i < sizeof(summaries) / sizeof(*summaries); i++) {
		AUTO(stream_reader) struct stream_reader *reader = NULL;
		AUTO(record) struct record record = { 0 };
		struct stream_summary summary;
		struct pipe_ends ends = new_pipe();
		const char *text = summaries[i].stream;
		int rc;

		CHECK(write(ends.out, text, strlen(text)) > 0);
		close(ends.out);
		ends.out = -1;
		reader = stream_reader_new(ends.in, "in");
		while ((rc = stream_read(reader, &record)) > 0)
			CHECK(record.type == RECORD_IMAGE);
		CHECK(rc == 0);
		stream_get_summary(reader, &summary);
		check_row(text);
		CHECK(summary.images == summaries[i].images);
		CHECK(summary.left_out == summaries[i].left_out);
		CHECK(summary.unchanged == summaries[i].unchanged);
		CHECK(stream_need_image(reader) == summaries[i].need);
		close_pipe(&ends);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	alarm(30); /* a wait that never ends is a failure too */
	test_pump();
	test_pump_forgets();
	test_reader_gone();
	test_flush_heeds_signals();
	test_summaries();
	return check_result();
}
