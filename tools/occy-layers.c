/* occy-layers - prove the layers of images and say what is in them.
 *
 * - the images come as a stream, or from a saved image that an operand names
 * - every layer is read to its end and must hash to its diff_id; its record
 *   goes on with what was learnt
 * - a layer whose diff_id nobody says cannot be proven: its record passes
 * - what is left out of a stream on purpose is not missed
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/imageblock.h"
#include "common/layerscan.h"
#include "common/msg.h"
#include "common/options.h"
#include "common/saved.h"
#include "common/stream.h"

struct options {
	const char *saved; /* where images were saved; NULL: a stream on stdin */
	struct saved_want want;
	int64_t tar; /* the layer to write out; -1: none, write a stream */
};

static const struct cli cli = {
	.name = "occy-layers",
	.synopsis = "[--tar N] <stream >stream\n"
		    "       occy-layers [--tar N] [--store DIR] SAVED [IMAGE TAG] >stream",
	.help = "Read every layer of a stream, prove it, and add to its record how large it\n"
		"is, how many entries it has and what made it.\n"
		"\n"
		"SAVED is a directory of images or a docker-save tar, - a tar on stdin;\n"
		"without IMAGE and TAG, every image in it.\n",
};

/* [SAVED [IMAGE TAG]] */
static void take_operands(struct options *opt, char **operands, int count)
{
	for (int i = 0; i < count; i++)
		if (operands[i][0] == '\0')
			cli_usage(&cli, "an operand is empty");
	if (count > 3)
		cli_usage(&cli, "unexpected argument: %s", operands[3]);
	if (count == 2)
		cli_usage(&cli, "TAG is missing");
	if (count == 3) {
		opt->want.image = operands[1];
		opt->want.tag = operands[2];
	}
	if (count == 0) {
		cli_need_stream(&cli);
		return;
	}
	opt->saved = operands[0];
	if (strcmp(opt->saved, "-") == 0 && isatty(STDIN_FILENO))
		cli_usage(&cli, "stdin is a terminal; a tar does not come from there");
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	const struct cli_option options[] = {
		{ "tar", 't', "N", "write the uncompressed tar of layer N to stdout, "
		  "no stream", .number = &opt->tar, .max = MANIFEST_MAX_LAYERS - 1 },
		{ "store", 0, "DIR", "keep what came through a pipe in DIR",
		  .text = &opt->want.store, .is_name = true },
		{ .name = "quiet", .letter = 'q', .help = "say nothing but errors" },
		{ .name = "verbose", .letter = 'v',
		  .help = "the same: there is nothing more to say" },
		{ .name = NULL },
	};
	int first = options_parse(&cli, options, argc, argv);

	if (opt->tar >= 0 && isatty(STDOUT_FILENO))
		cli_usage(&cli, "stdout is a terminal; a tar does not go there");
	take_operands(opt, argv + first, argc - first);
}

struct work {
	const struct options *opt;
	struct stream_reader *stream; /* one of the two */
	struct saved *saved;
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

static int finish(const struct work *work)
{
	struct stream_summary summary;

	if (!work->out && !work->is_written)
		return msg_fail(STATUS_NOT_FOUND, "%s has no layer %" PRId64,
				work->saved ? work->opt->saved : "the stream",
				work->opt->tar);
	if (!work->out)
		return 0;
	if (work->stream)
		stream_get_summary(work->stream, &summary);
	stream_put_end(work->out, work->stream ? &summary : NULL);
	return stream_flush(work->out);
}

static int open_source(struct work *work)
{
	if (work->opt->saved)
		return saved_open(&work->saved, work->opt->saved,
				  &work->opt->want);
	work->stream = stream_reader_new(STDIN_FILENO, "stdin");
	return 0;
}

static int run(struct work *work)
{
	AUTO(record) struct record record = { 0 };
	int rc = 0;

	if (work->out) {
		stream_put_header(work->out);
		rc = stream_flush(work->out);
	}
	if (rc == 0)
		rc = open_source(work);
	if (rc < 0)
		return rc;
	while ((rc = work->saved ? saved_next(work->saved, &record)
				 : stream_read(work->stream, &record)) > 0) {
		rc = take(work, &record);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : finish(work);
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
	stream_reader_free(work.stream);
	saved_free(work.saved);
	imageblock_clear(&work.block);
	return cli_finish(rc);
}
