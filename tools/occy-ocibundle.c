/* occy-ocibundle - make a runtime bundle of a root filesystem that a stream
 * says is unpacked.
 *
 * - the stream is passed on; the tree record at its end says where the root
 *   filesystem is, the image's config what to run in it
 * - nothing is written before the stream has come to its right end
 * - exactly one image
 */
#include <getopt.h> /* optind: see take_words() */
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
#include "common/options.h"
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
		"occy-expand has unpacked, for runc run and crun run.\n",
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

static void take_hostname(const struct cli *tool, void *context, const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-";
	size_t len = strlen(name);

	if (len < 1 || len > HOST_NAME_MAX || strspn(name, allowed) != len)
		cli_usage(tool, "--hostname: '%s' is no host name", name);
	*(const char **)context = name;
}

/* The command line, for --args. */
struct words {
	struct json_object **out;
	int argc;
	char **argv;
};

/* Take the words after --args, up to --, from under getopt's hands. */
static void take_words(const struct cli *tool, void *context, const char *argument)
{
	const struct words *words = context;
	struct json_object *list = json_new_array();

	(void)argument;
	json_object_put(*words->out);
	*words->out = list;
	for (; optind < words->argc && strcmp(words->argv[optind], "--") != 0; optind++) {
		if (!is_utf8(words->argv[optind]))
			cli_usage(tool, "--args: '%s' is not UTF-8",
				  words->argv[optind]);
		json_append(list, json_new_string(words->argv[optind]));
	}
	if (optind == words->argc)
		cli_usage(tool, "--args: no -- after the words");
	if (json_object_array_length(list) == 0)
		cli_usage(tool, "--args: no words before --");
	optind++;
}

static void take_operands(struct options *opt, char **operands, int count)
{
	if (count == 0)
		cli_usage(&cli, "BUNDLE is missing");
	if (count > 1)
		cli_usage(&cli, "unexpected argument: %s", operands[1]);
	opt->bundle = operands[0];
	if (opt->bundle[0] == '\0')
		cli_usage(&cli, "BUNDLE is empty");
	if (!is_utf8(opt->bundle))
		cli_usage(&cli, "BUNDLE is not UTF-8: %s", opt->bundle);
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	struct runtime_options *runtime = &opt->runtime;
	struct words words = { &runtime->args, argc, argv };
	const struct cli_option options[] = {
		{ "args", 0, NULL, "run the words that follow, up to --, instead of "
		  "what the image says", .take = take_words, .context = &words },
		{ "digest-file", 0, "FILE", "write the image's digest to FILE in the end",
		  .take = digestfile_option, .context = &opt->digest_file },
		{ "hostname", 0, "NAME", "the container's host name (occystrap)",
		  .take = take_hostname, .context = &runtime->hostname },
		{ "labels", 0, NULL, "make annotations of the image's labels, too",
		  .set = &runtime->labels },
		{ "readonly", 0, NULL, "make the root filesystem read-only",
		  .set = &runtime->readonly },
		{ "replace", 0, NULL, "replace the files where they are there already",
		  .set = &opt->replace },
		{ "strict", 0, NULL, "fail where something would be left out",
		  .set = &runtime->strict },
		{ "terminal", 0, NULL, "give the process a terminal",
		  .set = &runtime->terminal },
		{ "stream", 0, NULL, "write the stream even if stdout is a terminal",
		  .set = &opt->stream },
		{ "quiet", 'q', NULL, "say nothing but errors and warnings",
		  .clear = &opt->verbose },
		{ "verbose", 'v', NULL, "say what was written", .set = &opt->verbose },
		{ .name = NULL },
	};
	int first = options_parse(&cli, options, argc, argv);

	take_operands(opt, argv + first, argc - first);
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
