/* occy-pack - write the images of a stream as one tar.
 *
 * - FILE is opened before the first record is read, and gets its name when
 *   the stream has come to its right end
 * - every record is passed on before it is worked on, so that what reads our
 *   stream works beside us
 * - the end record is written when FILE has its name
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/dockersave.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/outfile.h"
#include "common/reference.h"
#include "common/stream.h"

struct options {
	const char *file;
	char *name; /* owned: the full name, or NULL */
	bool stream; /* even to a terminal */
	bool verbose;
};

static const struct cli cli = {
	.name = "occy-pack",
	.synopsis = "[--name NAME:TAG] [--stream] [-qv] FILE <stream [>stream]",
	.help = "Write the images of a stream to FILE as a tar for docker load and\n"
		"podman load; - is stdout.\n"
		"\n"
		"  -n, --name NAME:TAG  call the one image so, not by its own names\n"
		"      --stream         write the stream even if stdout is a terminal\n"
		"  -q, --quiet          say nothing but errors\n"
		"  -v, --verbose        say what was written\n"
		"  -h, --help           print this help\n"
		"  -V, --version        print the version\n",
};

static char *full_name(const char *text)
{
	AUTO(reference) struct reference reference = { 0 };
	char why[512];
	char *name;

	if (reference_parse(&reference, text, why, sizeof(why)) < 0)
		cli_usage(&cli, "--name: %s", why);
	name = reference_tagged_name(&reference);
	if (!name)
		cli_usage(&cli, "--name: '%s' is no name but a digest", text);
	return name;
}

static void check_operands(int argc, char **argv, struct options *opt)
{
	if (optind == argc)
		cli_usage(&cli, "FILE is missing");
	if (optind + 1 < argc)
		cli_usage(&cli, "unexpected argument: %s", argv[optind + 1]);
	opt->file = argv[optind];
	if (opt->file[0] == '\0')
		cli_usage(&cli, "FILE is empty");
	if (!outfile_names_stdout(opt->file))
		return;
	if (opt->stream)
		cli_usage(&cli, "--stream: stdout is taken by the tar");
	if (isatty(STDOUT_FILENO))
		cli_usage(&cli, "stdout is a terminal; a tar does not go there");
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	enum { OPT_STREAM = 256 };
	static const struct option longopts[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "stream", no_argument, NULL, OPT_STREAM },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, ":n:qvhV", longopts, NULL)) != -1) {
		switch (c) {
		case 'n':
			free(opt->name);
			opt->name = full_name(optarg);
			break;
		case OPT_STREAM:
			opt->stream = true;
			break;
		case 'q':
			opt->verbose = false;
			break;
		case 'v':
			opt->verbose = true;
			break;
		case 'h':
			cli_help(&cli);
		case 'V':
			cli_version(&cli);
		default:
			cli_bad_option(&cli, c, argv);
		}
	}
	check_operands(argc, argv, opt);
	cli_need_stream(&cli);
}

/* NULL where no stream is wanted. */
static struct stream_writer *open_stream(const struct options *opt)
{
	if (outfile_names_stdout(opt->file) ||
	    (isatty(STDOUT_FILENO) && !opt->stream))
		return NULL;
	return stream_writer_new(STDOUT_FILENO, "stdout");
}

/* What names no file may wait for the next record that does. */
static int pass_on(struct stream_writer *writer, const struct record *record)
{
	if (!writer)
		return 0;
	stream_put(writer, record);
	return record->type == RECORD_OTHER || record->type == RECORD_RESULT
		       ? 0
		       : stream_flush(writer);
}

static void put_results(struct stream_writer *writer, const struct options *opt,
			const struct dockersave *save, int64_t size)
{
	struct json_object *images = dockersave_images(save);

	for (size_t i = 0; i < json_object_array_length(images); i++) {
		AUTO(json) struct json_object *result = json_new_object();

		json_add_string(result, "type", "tar");
		json_add_string(result, "image", json_string_at(images, i));
		json_add_string(result, "format", "docker-save");
		json_add_string(result, "file", opt->file);
		json_add_integer(result, "size", size);
		stream_put_json(writer, RECORD_RESULT, result);
	}
}

/* The stream came to its right end: FILE gets its name, then ours ends. */
static int publish(const struct options *opt, struct outfile *out,
		   struct dockersave *save, struct stream_writer *writer,
		   const struct stream_summary *summary)
{
	int rc = summary->images > 0 ? dockersave_finish(save) : 0;

	if (rc == 0 && summary->images > 0)
		rc = outfile_publish(out);
	if (rc < 0)
		return rc;
	if (opt->verbose && summary->images > 0)
		msg_note("%s: %" PRId64 " bytes", outfile_name(out),
			 outfile_position(out));
	if (writer) {
		put_results(writer, opt, save, outfile_position(out));
		stream_put_end(writer, summary);
		rc = stream_flush(writer);
	}
	return rc;
}

/* What the stream left out has been named by whoever did so. */
static int say_left_out(const struct stream_summary *summary)
{
	if (summary->left_out == 0)
		return 0;
	if (getenv("OCCY_WRAPPED"))
		return -STATUS_STREAM;
	return msg_fail(STATUS_STREAM, "stdin: images that were left out: %" PRId64,
			summary->left_out);
}

static int pack(const struct options *opt)
{
	AUTO(stream_writer) struct stream_writer *writer = open_stream(opt);
	AUTO(stream_reader) struct stream_reader *reader =
		stream_reader_new(STDIN_FILENO, "stdin");
	AUTO(record) struct record record = { 0 };
	AUTO(outfile) struct outfile *out = NULL;
	AUTO(dockersave) struct dockersave *save = NULL;
	struct stream_summary summary;
	int rc = 0;

	if (writer) {
		stream_put_header(writer);
		rc = stream_flush(writer);
	}
	if (rc == 0)
		rc = outfile_open(&out, opt->file);
	if (rc < 0)
		return rc;
	save = dockersave_new(out, opt->name);
	while ((rc = stream_read(reader, &record)) > 0) {
		rc = pass_on(writer, &record);
		if (rc == 0)
			rc = dockersave_put(save, &record);
		if (rc < 0)
			return rc;
	}
	if (rc == 0)
		rc = stream_need_image(reader);
	if (rc < 0)
		return rc;
	stream_get_summary(reader, &summary);
	rc = publish(opt, out, save, writer, &summary);
	return rc < 0 ? rc : say_left_out(&summary);
}

int main(int argc, char **argv)
{
	struct options opt = { 0 };
	int rc;

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	rc = pack(&opt);
	free(opt.name);
	return cli_finish(rc);
}
