/* occy-pack - write the images of a stream as one tar, or into a directory.
 *
 * - FILE or DIR is opened before the first record is read; what names an image
 *   appears when the stream has come to its right end
 * - every record is passed on at once, so that what reads our stream works
 *   beside us; a layer's, when it has its place in DIR
 * - the end record is written when everything has its name
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/digestfile.h"
#include "common/dockerdir.h"
#include "common/dockersave.h"
#include "common/json.h"
#include "common/msg.h"
#include "common/options.h"
#include "common/outfile.h"
#include "common/reference.h"
#include "common/sinkstream.h"

struct options {
	const char *file; /* NULL with --dir */
	const char *dir;  /* NULL without */
	const char *digest_file; /* NULL without */
	bool unique_names, replace;
	char *name; /* owned: the full name, or NULL */
	bool stream; /* even to a terminal */
	bool verbose;
};

static const struct cli cli = {
	.name = "occy-pack",
	.synopsis = "[--name NAME:TAG] [--digest-file DIGESTS] [--stream] [-qv] FILE\n"
		    "                 <stream [>stream]\n"
		    "       occy-pack --dir DIR [--unique-names] [--replace] [--name NAME:TAG]\n"
		    "                 [--digest-file DIGESTS] [--stream] [-qv] <stream [>stream]",
	.help = "Write the images of a stream to FILE as a tar for docker load and\n"
		"podman load; - is stdout. Or write what would be in the tar into DIR.\n",
};

static void take_name(const struct cli *tool, void *context, const char *text)
{
	AUTO(reference) struct reference reference = { 0 };
	char **name = context, why[512];

	if (reference_parse(&reference, text, why, sizeof(why)) < 0)
		cli_usage(tool, "--name: %s", why);
	free(*name);
	*name = reference_tagged_name(&reference);
	if (!*name)
		cli_usage(tool, "--name: '%s' is no name but a digest", text);
}

static void take_operands(struct options *opt, char **operands, int count)
{
	int wanted = opt->dir ? 0 : 1;

	if (count > wanted)
		cli_usage(&cli, "unexpected argument: %s", operands[wanted]);
	if (opt->dir)
		return;
	if (opt->unique_names || opt->replace)
		cli_usage(&cli, "--unique-names and --replace are for --dir");
	if (count == 0)
		cli_usage(&cli, "FILE is missing");
	opt->file = operands[0];
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
	const struct cli_option options[] = {
		{ "dir", 'd', "DIR", "write into DIR, not into a tar",
		  .text = &opt->dir, .is_name = true },
		{ "unique-names", 'u', NULL, "many images in one DIR, which share layers",
		  .set = &opt->unique_names },
		{ "replace", 0, NULL, "take the place of another image in DIR",
		  .set = &opt->replace },
		{ "name", 'n', "NAME:TAG", "call the one image so, not by its own names",
		  .take = take_name, .context = &opt->name },
		{ "digest-file", 0, "FILE", "write the images' digests there in the end",
		  .take = digestfile_option, .context = &opt->digest_file },
		{ "stream", 0, NULL, "write the stream even if stdout is a terminal",
		  .set = &opt->stream },
		{ "quiet", 'q', NULL, "say nothing but errors", .clear = &opt->verbose },
		{ "verbose", 'v', NULL, "say what was written", .set = &opt->verbose },
		{ .name = NULL },
	};
	int first = options_parse(&cli, options, argc, argv);

	take_operands(opt, argv + first, argc - first);
	cli_need_stream(&cli);
}

static bool is_stdout(const struct options *opt)
{
	return opt->file && outfile_names_stdout(opt->file);
}

/* Where the images go: into a tar or into a directory, never both. */
struct sink {
	struct outfile *out;
	struct dockersave *save;
	struct dockerdir *dir;
	struct digestfile *digests; /* or NULL */
	struct json_object *results; /* records of what was made */
};

static void sink_clear(struct sink *sink)
{
	digestfile_free(sink->digests);
	dockerdir_free(sink->dir);
	dockersave_free(sink->save);
	outfile_free(sink->out);
	json_object_put(sink->results);
}

static int sink_open(struct sink *sink, const struct options *opt)
{
	struct dockerdir_settings settings = {
		.path = opt->dir,
		.name = opt->name,
		.unique_names = opt->unique_names,
		.unique_option = getenv("OCCY_WRAPPED") ? "--use-unique-names"
							: "--unique-names",
		.replace = opt->replace,
	};
	int rc;

	sink->results = json_new_array();
	rc = digestfile_open(&sink->digests, opt->digest_file,
			     opt->dir ? "directory" : "tar",
			     is_stdout(opt) ? NULL : opt->dir ? opt->dir : opt->file);
	if (rc < 0)
		return rc;
	if (opt->dir)
		return dockerdir_open(&sink->dir, &settings);
	rc = outfile_open(&sink->out, opt->file);
	if (rc == 0)
		sink->save = dockersave_new(sink->out, opt->name);
	return rc;
}

static int take(struct sink *sink, struct stream_writer *writer,
		struct record *record)
{
	bool is_changed = false;
	int rc = digestfile_put(sink->digests, record);

	if (rc < 0)
		return rc;
	if (sink->dir) {
		rc = dockerdir_put(sink->dir, record, &is_changed);
		return rc == 0 ? sinkstream_put(writer, record, is_changed) : rc;
	}
	rc = sinkstream_put(writer, record, false);
	return rc == 0 ? dockersave_put(sink->save, record) : rc;
}

static void add_tar_results(const struct sink *sink, const struct options *opt)
{
	struct json_object *images = dockersave_images(sink->save);

	for (size_t i = 0; i < json_object_array_length(images); i++) {
		struct json_object *result = json_new_object();

		json_add_string(result, "type", "tar");
		json_add_string(result, "image", json_string_at(images, i));
		json_add_string(result, "format", "docker-save");
		json_add_string(result, "file", opt->file);
		json_add_integer(result, "size", outfile_position(sink->out));
		json_append(sink->results, result);
	}
}

static int publish_tar(const struct sink *sink, const struct options *opt)
{
	int rc = dockersave_finish(sink->save);

	if (rc == 0)
		rc = outfile_publish(sink->out);
	if (rc < 0)
		return rc;
	add_tar_results(sink, opt);
	if (opt->verbose)
		msg_note("%s: %" PRId64 " bytes", outfile_name(sink->out),
			 outfile_position(sink->out));
	return 0;
}

/* The stream came to its right end: names appear, then our stream ends. */
static int publish(const struct options *opt, const struct sink *sink,
		   struct stream_writer *writer,
		   const struct stream_summary *summary)
{
	int rc = 0;

	if (summary->images > 0)
		rc = sink->dir ? dockerdir_finish(sink->dir, sink->results)
			       : publish_tar(sink, opt);
	if (rc == 0)
		rc = digestfile_publish(sink->digests, summary->left_out);
	if (rc < 0)
		return rc;
	for (size_t i = 0; writer && i < json_object_array_length(sink->results); i++)
		stream_put_json(writer, RECORD_RESULT,
				json_object_array_get_idx(sink->results, i));
	return sinkstream_end(writer, summary);
}

static int read_all(struct sink *sink, struct stream_reader *reader,
		    struct stream_writer *writer)
{
	AUTO(record) struct record record = { 0 };
	int rc;

	while ((rc = stream_read(reader, &record)) > 0) {
		rc = take(sink, writer, &record);
		if (rc < 0)
			return rc;
	}
	return rc == 0 ? stream_need_image(reader) : rc;
}

static int pack(const struct options *opt, struct sink *sink)
{
	AUTO(stream_writer) struct stream_writer *writer = NULL;
	AUTO(stream_reader) struct stream_reader *reader =
		stream_reader_new(STDIN_FILENO, "stdin");
	struct stream_summary summary;
	int rc = is_stdout(opt) ? 0 : sinkstream_open(&writer, opt->stream);

	if (rc == 0)
		rc = sink_open(sink, opt);
	if (rc == 0)
		rc = read_all(sink, reader, writer);
	if (rc < 0)
		return rc;
	stream_get_summary(reader, &summary);
	return publish(opt, sink, writer, &summary);
}

int main(int argc, char **argv)
{
	struct options opt = { 0 };
	struct sink sink = { 0 };
	int rc;

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	rc = pack(&opt, &sink);
	sink_clear(&sink);
	free(opt.name);
	return cli_finish(rc);
}
