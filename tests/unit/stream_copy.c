/* stream_copy - pass a stream from stdin to stdout as every tool does.
 *
 * Not installed: tests see through it what common/stream.c takes, refuses,
 * and passes on.
 */
#include <getopt.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/interrupt.h"
#include "common/stream.h"

struct options {
	bool hold;
	bool sink;
};

static const struct cli cli = {
	.name = "stream_copy",
	.synopsis = "[-ks] <stream >stream",
	.help = "  -k, --hold     hold back INT, TERM and HUP, as while a name must go again\n"
		"  -s, --sink     want an image, as a sink does\n"
		"  -h, --help     print this help\n"
		"  -V, --version  print the version\n",
};

static void parse_options(int argc, char **argv, struct options *opt)
{
	static const struct option longopts[] = {
		{ "hold", no_argument, NULL, 'k' },
		{ "sink", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, ":kshV", longopts, NULL)) != -1) {
		switch (c) {
		case 'k':
			opt->hold = true;
			break;
		case 's':
			opt->sink = true;
			break;
		case 'h':
			cli_help(&cli);
		case 'V':
			cli_version(&cli);
		default:
			cli_bad_option(&cli, c, argv);
		}
	}
	if (optind < argc)
		cli_usage(&cli, "unexpected argument: %s", argv[optind]);
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
