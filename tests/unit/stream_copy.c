/* stream_copy - pass a stream from stdin to stdout as every tool does.
 *
 * Not installed: tests see through it what common/stream.c takes, refuses,
 * and passes on.
 */
#include <stdbool.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/interrupt.h"
#include "common/options.h"
#include "common/stream.h"

struct options {
	bool hold;
	bool sink;
};

static const struct cli cli = {
	.name = "stream_copy",
	.synopsis = "[-ks] <stream >stream",
	.help = "Pass a stream on.\n",
};

static void parse_options(int argc, char **argv, struct options *opt)
{
	const struct cli_option options[] = {
		{ "hold", 'k', NULL, "hold back INT, TERM and HUP, as while a name must "
		  "go again", .set = &opt->hold },
		{ "sink", 's', NULL, "want an image, as a sink does", .set = &opt->sink },
		{ .name = NULL },
	};
	int first = options_parse(&cli, options, argc, argv);

	if (first < argc)
		cli_usage(&cli, "unexpected argument: %s", argv[first]);
	cli_need_stream(&cli);
}

static int copy(const struct options *opt, struct stream_reader *in,
		struct stream_writer *out)
{
	AUTO(record) struct record record = { 0 };
	struct stream_summary summary;
	int rc;

	stream_put_header(out);
	rc = stream_flush(out);
	while (rc == 0 && (rc = stream_read(in, &record)) > 0) {
		stream_put(out, &record);
		rc = stream_flush(out);
	}
	if (rc == 0 && opt->sink)
		rc = stream_need_image(in);
	if (rc < 0)
		return rc;
	stream_get_summary(in, &summary);
	stream_put_end(out, &summary);
	return stream_flush(out);
}

static int run(const struct options *opt)
{
	AUTO(stream_reader) struct stream_reader *in = NULL;
	AUTO(stream_writer) struct stream_writer *out = NULL;

	if (opt->hold)
		interrupt_hold();
	in = stream_reader_new(STDIN_FILENO, "stdin");
	out = stream_writer_new(STDOUT_FILENO, "stdout");
	return copy(opt, in, out);
}

int main(int argc, char **argv)
{
	struct options opt = { 0 };

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	return cli_finish(run(&opt));
}
