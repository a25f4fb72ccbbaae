/* occy-layers - prove the layers of a stream and say what is in them.
 *
 * - every layer is read to its end and must hash to its diff_id; its record
 *   goes on with what was learnt
 * - a layer whose diff_id nobody says cannot be proven: its record passes
 * - what is left out of a stream on purpose is not missed
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/imageblock.h"
#include "common/layerscan.h"
#include "common/msg.h"
#include "common/stream.h"

struct options {
	int64_t tar; /* the layer to write out; -1: none, write a stream */
};

static const struct cli cli = {
	.name = "occy-layers",
	.synopsis = "[--tar N] <stream >stream",
	.help = "Read every layer of a stream, prove it, and add to its record how large it\n"
		"is, how many entries it has and what made it.\n"
		"\n"
		"  -t, --tar N    write the uncompressed tar of layer N to stdout, no stream\n"
		"  -q, --quiet    say nothing but errors\n"
		"  -v, --verbose  the same: there is nothing more to say\n"
		"  -h, --help     print this help\n"
		"  -V, --version  print the version\n",
};

static void parse_options(int argc, char **argv, struct options *opt)
{
	static const struct option longopts[] = {
		{ "tar", required_argument, NULL, 't' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, ":t:qvhV", longopts, NULL)) != -1) {
		switch (c) {
		case 't':
			opt->tar = cli_number(&cli, "--tar", optarg, 0,
					      MANIFEST_MAX_LAYERS - 1);
			break;
		case 'q':
		case 'v':
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
	if (opt->tar >= 0 && isatty(STDOUT_FILENO))
		cli_usage(&cli, "stdout is a terminal; a tar does not go there");
	cli_need_stream(&cli);
}

struct work {
	const struct options *opt;
	struct stream_writer *out; /* NULL with --tar */
	struct imageblock block;
	int64_t images;
	bool is_written; /* the tar that was asked for */
};

static int describe_layer(struct work *work, struct record *record)
{
	const struct layer_view *layer = &record->layer;
	AUTO(mem) char *name = imageblock_layer_name(&work->block, layer);
	const struct digest *diff_id;
	const char *created_by = imageblock_created_by(&work->block, layer);
	struct layer_facts facts;
	int rc = imageblock_diff_id(&work->block, layer, name, &diff_id);

	if (rc < 0)
		return rc;
	if (!diff_id) {
		stream_put(work->out, record);
		return 0;
	}
	rc = layer_scan(layer, diff_id, name, &facts);
	if (rc < 0)
		return rc;
	json_add_string(record->json, "diff_id", diff_id->text);
	json_add_integer(record->json, "uncompressed_size",
			 facts.uncompressed_size);
	json_add_integer(record->json, "entries", facts.entries);
	if (created_by)
		json_add_string(record->json, "created_by", created_by);
	stream_put_json(work->out, RECORD_LAYER, record->json);
	return 0;
}

static int write_tar(struct work *work, const struct layer_view *layer)
{
	AUTO(mem) char *name = imageblock_layer_name(&work->block, layer);
	const struct digest *diff_id;
	int rc;

	if (layer->index != work->opt->tar)
		return 0;
	rc = imageblock_diff_id(&work->block, layer, name, &diff_id);
	if (rc < 0)
		return rc;
	if (!diff_id)
		return msg_fail(STATUS_NOT_FOUND, "%s: nobody says its diff_id",
				name);
	work->is_written = true;
	return layer_copy_to_stdout(layer, diff_id, name);
}

static int begin_image(struct work *work, const struct image_view *image)
{
	imageblock_begin(&work->block, image);
	if (++work->images > 1 && !work->out)
		return msg_fail(STATUS_USAGE,
				"%s: a second image, and --tar is for one only",
				work->block.label);
	return 0;
}

static int take(struct work *work, struct record *record)
{
	int rc = 0;

	if (record->type == RECORD_IMAGE)
		rc = begin_image(work, &record->image);
	else if (record->type == RECORD_CONFIG)
		rc = imageblock_take_config(&work->block, &record->config);
	if (rc < 0)
		return rc;
	if (!work->out)
		return record->type == RECORD_LAYER ? write_tar(work, &record->layer)
						    : 0;
	if (record->type == RECORD_LAYER)
		rc = describe_layer(work, record);
	else
		stream_put(work->out, record);
	return rc == 0 ? stream_flush(work->out) : rc;
}

static int finish(const struct work *work, const struct stream_reader *reader)
{
	struct stream_summary summary;

	if (!work->out && !work->is_written)
		return msg_fail(STATUS_NOT_FOUND, "the stream has no layer %" PRId64,
				work->opt->tar);
	if (!work->out)
		return 0;
	stream_get_summary(reader, &summary);
	stream_put_end(work->out, &summary);
	return stream_flush(work->out);
}

static int run(struct work *work)
{
	AUTO(stream_reader) struct stream_reader *reader =
		stream_reader_new(STDIN_FILENO, "stdin");
	AUTO(record) struct record record = { 0 };
	int rc = 0;

	if (work->out) {
		stream_put_header(work->out);
		rc = stream_flush(work->out);
	}
	if (rc < 0)
		return rc;
	while ((rc = stream_read(reader, &record)) > 0) {
		rc = take(work, &record);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : finish(work, reader);
}

int main(int argc, char **argv)
{
	struct options opt = { .tar = -1 };
	struct work work = { .opt = &opt };
	int rc;

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	if (opt.tar < 0)
		work.out = stream_writer_new(STDOUT_FILENO, "stdout");
	rc = run(&work);
	stream_writer_free(work.out);
	imageblock_clear(&work.block);
	return cli_finish(rc);
}
