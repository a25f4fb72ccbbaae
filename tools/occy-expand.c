/* occy-expand - make directories of the layers of a stream.
 *
 * - every record is passed on before it is worked on, so that what reads our
 *   stream works beside us
 * - a layer by itself has its name when it is proven, a merged root when the
 *   stream has come to its right end; our end record comes after that
 * - nothing is left of an image that is refused
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/digestfile.h"
#include "common/expand.h"
#include "common/msg.h"
#include "common/options.h"
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
	.help = "Make directories of the layers of a stream's images.\n",
};

static void check_options(const struct expand_options *e)
{
	if (!e->merged && !e->layers && !e->in)
		cli_usage(&cli, "nothing to make: --merged, --layers or --in");
	if (e->in && (e->merged || e->layers))
		cli_usage(&cli, "--in says where both go, without --merged and "
				"--layers");
	if (e->replace && !e->merged)
		cli_usage(&cli, "--replace is for --merged");
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	struct expand_options *e = &opt->expand;
	const struct cli_option options[] = {
		{ "merged", 'm', "ROOT", "apply the layers of the one image to ROOT",
		  .text = &e->merged, .is_name = true },
		{ "layers", 'l', "DIR", "make each layer DIR/<digest>/layer, as it is",
		  .text = &e->layers, .is_name = true },
		{ "in", 'i', "DIR", "both, where occy-pack --dir has written",
		  .text = &e->in, .is_name = true },
		{ "replace", 'r', NULL, "replace a ROOT that is not empty, as a whole",
		  .set = &e->replace },
		{ "strict", 's', NULL, "fail where an owner, a device or an attribute "
		  "cannot be had, or a layer has a path twice", .set = &e->strict },
		{ "max-unpacked", 0, "N", "refuse an image of more than N bytes unpacked",
		  .number = &e->max_unpacked, .max = INT64_MAX },
		{ "max-entries", 0, "N", "refuse a layer of more entries (2000000)",
		  .number = &e->max_entries, .max = INT64_MAX },
		{ "digest-file", 0, "FILE", "write the images' digests to FILE in the end",
		  .take = digestfile_option, .context = &opt->digest_file },
		{ "stream", 0, NULL, "write the stream even if stdout is a terminal",
		  .set = &opt->stream },
		{ "quiet", 'q', NULL, "say nothing but errors",
		  .set = &e->quiet, .clear = &e->verbose },
		{ "verbose", 'v', NULL, "say what was made",
		  .set = &e->verbose, .clear = &e->quiet },
		{ .name = NULL },
	};
	int first = options_parse(&cli, options, argc, argv);

	if (first < argc)
		cli_usage(&cli, "unexpected argument: %s", argv[first]);
	check_options(e);
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
			.max_unpacked = INT64_MAX,
			.max_entries = EXPAND_MAX_ENTRIES,
			.walk_only = getenv("OCCY_NO_OPENAT2") != NULL,
		},
	};

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	return cli_finish(run(&opt));
}
