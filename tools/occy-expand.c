/* occy-expand - make directories of the layers of a stream.
 *
 * - every record is passed on before it is worked on, so that what reads our
 *   stream works beside us
 * - a layer by itself has its name when it is proven, a merged root when the
 *   stream has come to its right end; our end record comes after that
 * - nothing is left of an image that is refused
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/digestfile.h"
#include "common/expand.h"
#include "common/msg.h"
#include "common/sinkstream.h"

struct options {
	struct expand_options expand;
	const char *digest_file; /* NULL without */
	bool stream; /* even to a terminal */
};

static const struct cli cli = {
	.name = "occy-expand",
	.synopsis = "[--merged ROOT] [--layers DIR] [--in DIR] [--replace]\n"
		    "                   [--strict] [--max-unpacked N] [--max-entries N]\n"
		    "                   [--digest-file FILE] [--stream] [-qv]\n"
		    "                   <stream [>stream]",
	.help = "Make directories of the layers of a stream's images.\n"
		"\n"
		"  -m, --merged ROOT     apply the layers of the one image to ROOT\n"
		"  -l, --layers DIR      make each layer DIR/<digest>/layer, as it is\n"
		"  -i, --in DIR          both, where occy-pack --dir has written\n"
		"  -r, --replace         replace a ROOT that is not empty, as a whole\n"
		"  -s, --strict          fail where an owner, a device or an attribute\n"
		"                        cannot be had, or a layer has a path twice\n"
		"      --max-unpacked N  refuse an image of more than N bytes unpacked\n"
		"      --max-entries N   refuse a layer of more entries (2000000)\n"
		"      --digest-file FILE\n"
		"                        write the images' digests to FILE in the end\n"
		"      --stream          write the stream even if stdout is a terminal\n"
		"  -q, --quiet           say nothing but errors\n"
		"  -v, --verbose         say what was made\n"
		"  -h, --help            print this help\n"
		"  -V, --version         print the version\n",
};

enum { OPT_MAX_UNPACKED = 256, OPT_MAX_ENTRIES, OPT_DIGEST_FILE, OPT_STREAM };

static const struct option longopts[] = {
	{ "merged", required_argument, NULL, 'm' },
	{ "layers", required_argument, NULL, 'l' },
	{ "in", required_argument, NULL, 'i' },
	{ "replace", no_argument, NULL, 'r' },
	{ "strict", no_argument, NULL, 's' },
	{ "max-unpacked", required_argument, NULL, OPT_MAX_UNPACKED },
	{ "max-entries", required_argument, NULL, OPT_MAX_ENTRIES },
	{ "digest-file", required_argument, NULL, OPT_DIGEST_FILE },
	{ "stream", no_argument, NULL, OPT_STREAM },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char *directory(const char *option, const char *path)
{
	if (path[0] == '\0')
		cli_usage(&cli, "%s: the name is empty", option);
	return path;
}

static uint64_t number(const char *option, const char *text)
{
	return (uint64_t)cli_number(&cli, option, text, 0, INT64_MAX);
}

static void parse_option(int c, char **argv, struct options *opt)
{
	struct expand_options *e = &opt->expand;

	switch (c) {
	case 'm':
		e->merged = directory("--merged", optarg);
		break;
	case 'l':
		e->layers = directory("--layers", optarg);
		break;
	case 'i':
		e->in = directory("--in", optarg);
		break;
	case 'r':
		e->replace = true;
		break;
	case 's':
		e->strict = true;
		break;
	case OPT_MAX_UNPACKED:
		e->max_unpacked = number("--max-unpacked", optarg);
		break;
	case OPT_MAX_ENTRIES:
		e->max_entries = number("--max-entries", optarg);
		break;
	case OPT_DIGEST_FILE:
		opt->digest_file = digestfile_option(&cli, optarg);
		break;
	case OPT_STREAM:
		opt->stream = true;
		break;
	case 'q':
	case 'v':
		e->quiet = c == 'q';
		e->verbose = c == 'v';
		break;
	case 'h':
		cli_help(&cli);
	case 'V':
		cli_version(&cli);
	default:
		cli_bad_option(&cli, c, argv);
	}
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	const struct expand_options *e = &opt->expand;
	int c;

	while ((c = getopt_long(argc, argv, ":m:l:i:rsqvhV", longopts, NULL)) != -1)
		parse_option(c, argv, opt);
	if (optind < argc)
		cli_usage(&cli, "unexpected argument: %s", argv[optind]);
	if (!e->merged && !e->layers && !e->in)
		cli_usage(&cli, "nothing to make: --merged, --layers or --in");
	if (e->in && (e->merged || e->layers))
		cli_usage(&cli, "--in says where both go, without --merged and "
				"--layers");
	if (e->replace && !e->merged)
		cli_usage(&cli, "--replace is for --merged");
	cli_need_stream(&cli);
}

static int read_stream(struct stream_reader *reader,
		       struct stream_writer *writer, struct expand *expand,
		       struct digestfile *digests)
{
	AUTO(record) struct record record = { 0 };
	int rc;

	while ((rc = stream_read(reader, &record)) > 0) {
		rc = sinkstream_put(writer, &record, false);
		if (rc == 0)
			rc = digestfile_put(digests, &record);
		if (rc == 0)
			rc = expand_put(expand, &record);
		if (rc < 0)
			return rc;
	}
	if (rc == 0)
		rc = stream_need_image(reader);
	return rc < 0 ? rc : expand_finish(expand);
}

/* What the user called it; of several the one that names an image. */
static const char *target(const struct expand_options *e)
{
	return e->merged ? e->merged : e->in ? e->in : e->layers;
}

static int run(const struct options *opt)
{
	AUTO(expand) struct expand *expand = expand_new(&opt->expand);
	AUTO(digestfile) struct digestfile *digests = NULL;
	AUTO(stream_writer) struct stream_writer *writer = NULL;
	AUTO(stream_reader) struct stream_reader *reader = NULL;
	struct stream_summary summary;
	int rc = sinkstream_open(&writer, opt->stream);

	if (rc == 0)
		rc = digestfile_open(&digests, opt->digest_file, "tree",
				     target(&opt->expand));
	if (rc == 0)
		rc = expand_open(expand);
	/* After that, which holds signals back: the reader listens for them. */
	reader = stream_reader_new(STDIN_FILENO, "stdin");
	if (rc == 0)
		rc = read_stream(reader, writer, expand, digests);
	if (rc < 0)
		return rc;
	stream_get_summary(reader, &summary);
	rc = digestfile_publish(digests, summary.left_out);
	if (rc < 0)
		return rc;
	if (writer)
		expand_put_results(expand, writer);
	return sinkstream_end(writer, &summary);
}

int main(int argc, char **argv)
{
	struct options opt = {
		.expand = {
			.max_unpacked = UINT64_MAX,
			.max_entries = EXPAND_MAX_ENTRIES,
			.walk_only = getenv("OCCY_NO_OPENAT2") != NULL,
		},
	};

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	return cli_finish(run(&opt));
}
