/* occy-ocibundle - make a runtime bundle of a root filesystem that a stream
 * says is unpacked.
 *
 * - the stream is passed on; the tree record at its end says where the root
 *   filesystem is, the image's config what to run in it
 * - nothing is written before the stream has come to its right end
 * - exactly one image
 */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bundle.h"
#include "common/bundlesource.h"
#include "common/cli.h"
#include "common/digestfile.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/runtimeconfig.h"
#include "common/sinkstream.h"

struct options {
	const char *bundle;
	const char *digest_file; /* NULL without */
	struct runtime_options runtime; /* its args are owned here */
	bool replace;
	bool stream; /* even to a terminal */
	bool verbose;
};

static const struct cli cli = {
	.name = "occy-ocibundle",
	.synopsis = "[OPTION]... [--args WORD... --] BUNDLE <stream [>stream]",
	.help = "Write config.json and container-config.json into BUNDLE, whose rootfs\n"
		"occy-expand has unpacked, for runc run and crun run.\n"
		"\n"
		"      --args           run the words that follow, up to --, instead of\n"
		"                       what the image says\n"
		"      --digest-file FILE\n"
		"                       write the image's digest to FILE in the end\n"
		"      --hostname NAME  the container's host name (occystrap)\n"
		"      --labels         make annotations of the image's labels, too\n"
		"      --readonly       make the root filesystem read-only\n"
		"      --replace        replace the files where they are there already\n"
		"      --strict         fail where something would be left out\n"
		"      --terminal       give the process a terminal\n"
		"      --stream         write the stream even if stdout is a terminal\n"
		"  -q, --quiet          say nothing but errors and warnings\n"
		"  -v, --verbose        say what was written\n"
		"  -h, --help           print this help\n"
		"  -V, --version        print the version\n",
};

/* A stream, and config.json, can only hold UTF-8. */
static bool is_utf8(const char *text)
{
	AUTO(json) struct json_object *value = json_new_string(text);
	AUTO(json) struct json_object *again = NULL;
	const char *json, *why;
	size_t len;

	json = json_text(value, &len);
	again = json_parse(json, len, 1, &why);
	return again != NULL;
}

static void check_hostname(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-";
	size_t len = strlen(name);

	if (len < 1 || len > HOST_NAME_MAX || strspn(name, allowed) != len)
		cli_usage(&cli, "--hostname: '%s' is no host name", name);
}

/* Take the words after --args, up to --, from under getopt's hands. */
static struct json_object *take_words(int argc, char **argv)
{
	struct json_object *words = json_new_array();

	for (; optind < argc && strcmp(argv[optind], "--") != 0; optind++) {
		if (!is_utf8(argv[optind]))
			cli_usage(&cli, "--args: '%s' is not UTF-8",
				  argv[optind]);
		json_append(words, json_new_string(argv[optind]));
	}
	if (optind == argc)
		cli_usage(&cli, "--args: no -- after the words");
	if (json_object_array_length(words) == 0)
		cli_usage(&cli, "--args: no words before --");
	optind++;
	return words;
}

static void check_operands(int argc, char **argv, struct options *opt)
{
	if (optind == argc)
		cli_usage(&cli, "BUNDLE is missing");
	if (optind + 1 < argc)
		cli_usage(&cli, "unexpected argument: %s", argv[optind + 1]);
	opt->bundle = argv[optind];
	if (opt->bundle[0] == '\0')
		cli_usage(&cli, "BUNDLE is empty");
	if (!is_utf8(opt->bundle))
		cli_usage(&cli, "BUNDLE is not UTF-8: %s", opt->bundle);
}

enum {
	OPT_ARGS = 256,
	OPT_DIGEST_FILE,
	OPT_HOSTNAME,
	OPT_LABELS,
	OPT_READONLY,
	OPT_REPLACE,
	OPT_STRICT,
	OPT_TERMINAL,
	OPT_STREAM,
};

static const struct option longopts[] = {
	{ "args", no_argument, NULL, OPT_ARGS },
	{ "digest-file", required_argument, NULL, OPT_DIGEST_FILE },
	{ "hostname", required_argument, NULL, OPT_HOSTNAME },
	{ "labels", no_argument, NULL, OPT_LABELS },
	{ "readonly", no_argument, NULL, OPT_READONLY },
	{ "replace", no_argument, NULL, OPT_REPLACE },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "terminal", no_argument, NULL, OPT_TERMINAL },
	{ "stream", no_argument, NULL, OPT_STREAM },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void take_option(int c, int argc, char **argv, struct options *opt)
{
	switch (c) {
	case OPT_ARGS:
		json_object_put(opt->runtime.args);
		opt->runtime.args = take_words(argc, argv);
		break;
	case OPT_DIGEST_FILE:
		opt->digest_file = digestfile_option(&cli, optarg);
		break;
	case OPT_HOSTNAME:
		check_hostname(optarg);
		opt->runtime.hostname = optarg;
		break;
	case OPT_LABELS:
		opt->runtime.labels = true;
		break;
	case OPT_READONLY:
		opt->runtime.readonly = true;
		break;
	case OPT_REPLACE:
		opt->replace = true;
		break;
	case OPT_STRICT:
		opt->runtime.strict = true;
		break;
	case OPT_TERMINAL:
		opt->runtime.terminal = true;
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

static void parse_options(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt_long(argc, argv, ":qvhV", longopts, NULL)) != -1)
		take_option(c, argc, argv, opt);
	check_operands(argc, argv, opt);
	cli_need_stream(&cli);
}

/* Which of the trees is the bundle's? */
static int find_rootfs(struct bundle *bundle, struct json_object *trees)
{
	size_t count = json_object_array_length(trees);
	int got = 0;

	for (size_t i = 0; got == 0 && i < count; i++)
		got = bundle_open_rootfs(bundle, json_string_at(trees, i));
	if (got != 0)
		return got < 0 ? got : 0;
	if (count == 0)
		return msg_fail(STATUS_NOT_FOUND, "stdin: the stream says of no "
				"tree; occy-expand --merged %s/rootfs makes one",
				bundle->path);
	return msg_fail(STATUS_NOT_FOUND, "%s/rootfs: not the tree of the stream, "
			"which is %s", bundle->path, json_string_at(trees, 0));
}

static void put_result(struct stream_writer *writer, const struct bundle *bundle,
		       const struct bundle_source *input,
		       const struct runtime_config *config)
{
	AUTO(json) struct json_object *result = json_new_object();
	AUTO(mem) char *path = realpath(bundle->path, NULL);

	json_add_string(result, "type", "bundle");
	json_add_string(result, "image", input->image.label);
	json_add_string(result, "file", path ? path : bundle->path);
	if (config->labels_left_out > 0)
		json_add_integer(result, "labels_left_out",
				 (int64_t)config->labels_left_out);
	stream_put_json(writer, RECORD_RESULT, result);
}

static void say_what_was_written(const struct bundle *bundle,
				 const struct runtime_config *config)
{
	msg_note("%s: %" PRId64 " bytes", bundle->config_name,
		 outfile_position(bundle->config));
	msg_note("%s: %" PRId64 " bytes", bundle->image_config_name,
		 outfile_position(bundle->image_config));
	if (config->labels_left_out > 0)
		msg_note("labels that are no annotations: %zu",
			 config->labels_left_out);
}

/* The stream came to its right end: the bundle becomes whole. */
static int make_bundle(const struct options *opt, struct bundle *bundle,
		       const struct bundle_source *input, struct stream_writer *writer)
{
	AUTO(runtime_config) struct runtime_config config = { 0 };
	AUTO(buf) struct buf text = { 0 };
	AUTO(mem) char *label = NULL;
	struct safe_root root;
	struct runtime_source source = {
		.image = input->image.config.json, .root = &root,
	};
	int rc = imageblock_check_whole(&input->image);

	if (rc == 0)
		rc = bundle_open(bundle, false);
	if (rc == 0)
		rc = find_rootfs(bundle, input->trees);
	if (rc < 0)
		return rc;
	root = (struct safe_root){ .fd = bundle->rootfs };
	label = mem_printf("%s: config %s", input->image.label,
			   input->image.config_digest.text);
	source.label = label;
	rc = runtimeconfig_make(&config, &source, &opt->runtime);
	if (rc < 0)
		return rc;
	runtimeconfig_text(&config, &text);
	rc = bundle_publish(bundle, &text, &input->image.config_bytes);
	if (rc == 0 && opt->verbose)
		say_what_was_written(bundle, &config);
	if (rc == 0 && writer)
		put_result(writer, bundle, input, &config);
	return rc;
}

static int read_input(struct stream_reader *reader, struct stream_writer *writer,
		      struct bundle_source *input, struct digestfile *digests)
{
	AUTO(record) struct record record = { 0 };
	int rc;

	while ((rc = stream_read(reader, &record)) > 0) {
		rc = sinkstream_put(writer, &record, false);
		if (rc == 0)
			rc = digestfile_put(digests, &record);
		if (rc == 0)
			rc = bundle_source_put(input, &record);
		if (rc < 0)
			return rc;
	}
	return rc == 0 ? stream_need_image(reader) : rc;
}

static int run(const struct options *opt)
{
	AUTO(stream_writer) struct stream_writer *writer = NULL;
	AUTO(stream_reader) struct stream_reader *reader =
		stream_reader_new(STDIN_FILENO, "stdin");
	AUTO(digestfile) struct digestfile *digests = NULL;
	AUTO(bundle_source) struct bundle_source input = { 0 };
	AUTO(bundle) struct bundle bundle = BUNDLE_NONE;
	struct stream_summary summary;
	int rc;

	bundle_source_init(&input);
	bundle.path = opt->bundle;
	bundle.replace = opt->replace;
	rc = sinkstream_open(&writer, opt->stream);
	if (rc == 0)
		rc = digestfile_open(&digests, opt->digest_file, "bundle",
				     opt->bundle);
	if (rc == 0)
		rc = bundle_open(&bundle, true);
	if (rc == 0)
		rc = read_input(reader, writer, &input, digests);
	if (rc < 0)
		return rc;
	stream_get_summary(reader, &summary);
	if (summary.images > 0)
		rc = make_bundle(opt, &bundle, &input, writer);
	if (rc == 0)
		rc = digestfile_publish(digests, summary.left_out);
	return rc < 0 ? rc : sinkstream_end(writer, &summary);
}

int main(int argc, char **argv)
{
	struct options opt = { 0 };
	int rc;

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	rc = run(&opt);
	json_object_put(opt.runtime.args);
	return cli_finish(rc);
}
