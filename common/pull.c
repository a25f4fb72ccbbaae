/* pull.c - see pull.h */
#include "common/pull.h"

#include <stdlib.h>
#include <string.h>

#include "common/download.h"
#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/pull_work.h"

static void work_clear(struct pull_work *work)
{
	for (size_t i = 0; work->layers && i < work->image.document.manifest.layer_count; i++) {
		download_free(work->layers[i].download);
		free(work->layers[i].urls);
		free(work->layers[i].found.path);
	}
	free(work->layers);
	download_free(work->config_download);
	image_config_clear(&work->config);
	registry_image_clear(&work->image);
}

static inline void auto_release_work(struct pull_work *work)
{
	work_clear(work);
}

/* Sets *out to NULL when the blob is in the store already. Returns 0 or a
 * failure: nobody can be asked for it. */
static int start(const struct pull_work *work, const char *label,
		 const struct descriptor *blob, const char *const *urls,
		 size_t url_count, struct download **out)
{
	const struct pull *pull = work->pull;
	struct download_request request = {
		.route = work->route,
		.store = pull->store,
		.label = label,
		.digest = blob->digest,
		.size = blob->size,
		.urls = urls,
		.url_count = url_count,
	};

	*out = NULL;
	if (store_has(pull->store, &blob->digest, blob->size))
		return 0;
	if (work->route->offline)
		return msg_fail(STATUS_NOT_FOUND, "%s: %s is missing from the store",
				work->route->name, label);
	progress_expect(pull->progress, blob->size);
	*out = download_start(&request);
	return 0;
}

/* Whether an earlier layer is the same blob, and not one to be reused: that may
 * be so for one of them alone, where a config gives them other diff_ids. */
static bool came_before(const struct pull_work *work, size_t index)
{
	const struct manifest *manifest = &work->image.document.manifest;

	for (size_t i = 0; i < index; i++)
		if (!work->layers[i].found.path &&
		    digest_equal(&manifest->layers[i].digest,
				 &manifest->layers[index].digest))
			return true;
	return false;
}

static int start_config(struct pull_work *work)
{
	const struct manifest *manifest = &work->image.document.manifest;
	AUTO(mem) char *label = mem_printf("config %s", manifest->config.digest.text);

	if (manifest_is_container_image(manifest) &&
	    manifest->config.size > CONFIG_MAX_BYTES)
		return msg_fail(STATUS_INTEGRITY, "%s: %s: larger than %d bytes",
				work->route->name, label, CONFIG_MAX_BYTES);
	return start(work, label, &manifest->config, NULL, 0,
		     &work->config_download);
}

static int start_layer(const struct pull_work *work, size_t index)
{
	const struct descriptor *descriptor =
		&work->image.document.manifest.layers[index];
	AUTO(mem) char *name = mem_printf("layer %zu %s", index,
					  descriptor->digest.text);
	struct pull_layer *layer = &work->layers[index];
	size_t count = 0;

	if (!work->pull->no_foreign)
		layer->urls = descriptor_urls(descriptor, &count);
	return start(work, name, descriptor, layer->urls, count,
		     &layer->download);
}

/* Looks into the directory to reuse first, if the config is known by now. Of
 * layers that cannot be had each is named. */
static int start_layers(struct pull_work *work)
{
	const struct pull *pull = work->pull;
	const struct manifest *manifest = &work->image.document.manifest;
	int rc = 0, missing = 0;

	work->layers = mem_zalloc(manifest->layer_count, sizeof(*work->layers));
	if (pull->no_layers)
		return 0;
	for (size_t i = 0; i < manifest->layer_count && rc == 0; i++) {
		const struct descriptor *layer = &manifest->layers[i];

		if (i < work->config.diff_id_count && pull->reuse)
			rc = reuse_find(pull->reuse, &layer->digest,
					&work->config.diff_ids[i], pull->loop,
					&work->layers[i].found);
		if (rc == 0 && !work->layers[i].found.path &&
		    !came_before(work, i) && start_layer(work, i) < 0)
			missing = -STATUS_NOT_FOUND;
	}
	return rc < 0 ? rc : missing;
}

static int wait_for(const struct pull_work *work, const struct download *download)
{
	return download ? client_wait(work->pull->loop,
				      download_transfer(download))
			: 0;
}

static int check_platform(struct pull_work *work)
{
	const struct pull *pull = work->pull;
	AUTO(mem) char *wanted = platform_text(&pull->wish);
	AUTO(mem) char *is = platform_text(&work->config.platform);

	/* An entry that says a platform is believed, as everybody does. */
	if (pull->all_platforms || work->image.has_platform || !work->config.platform.os ||
	    !work->config.platform.architecture ||
	    platform_rank(&pull->wish, &work->config.platform) >= 0)
		return 0;
	if (work->image.has_index || pull->strict_platform)
		return msg_fail(STATUS_NOT_FOUND, "%s: no image for %s, only for: %s",
				work->route->name, wanted, is);
	msg_warn("%s: the image is for %s, not for %s", work->route->name, is, wanted);
	return 0;
}

static int take_config(struct pull_work *work)
{
	const struct pull *pull = work->pull;
	const struct manifest *manifest = &work->image.document.manifest;
	AUTO(buf) struct buf bytes = { 0 };
	char why[512];
	int rc = wait_for(work, work->config_download);

	if (rc < 0 || !manifest_is_container_image(manifest))
		return rc;
	rc = store_read(pull->store, &manifest->config.digest,
			manifest->config.size, &bytes);
	if (rc < 0)
		return rc;
	if (image_config_parse(&work->config, bytes.data ? bytes.data : "",
			       bytes.len, why, sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: config %s: %s", work->route->name,
				manifest->config.digest.text, why);
	if (work->config.diff_id_count != manifest->layer_count)
		return msg_fail(STATUS_INTEGRITY,
				"%s: the manifest has %zu layers, but the config %zu diff_ids",
				work->route->name, manifest->layer_count,
				work->config.diff_id_count);
	return check_platform(work);
}

/* Layers of the directory to reuse may be in the store as well, or not. */
static bool is_complete(const struct pull_work *work)
{
	const struct manifest *manifest = &work->image.document.manifest;

	if (work->pull->no_layers)
		return false;
	for (size_t i = 0; i < manifest->layer_count; i++) {
		const struct descriptor *layer = &manifest->layers[i];

		if (work->layers[i].found.path &&
		    store_size(work->pull->store, &layer->digest) != layer->size)
			return false;
	}
	return true;
}

/* What the store lists must be there as a whole. */
static int remember(const struct pull_work *work)
{
	const struct document *document = &work->image.document;
	AUTO(mem) char *name = reference_tagged_name(&work->wanted->reference);
	struct store_image image = {
		.name = name,
		.digest = document->digest,
		.size = (int64_t)document->bytes.len,
		.media_type = document->manifest.media_type,
		.platform = pull_work_platform(work),
	};

	if (work->image.has_index)
		image.tag_digest = work->image.tag_digest;
	return store_add_image(work->pull->store, &image);
}

static int start_all(struct pull_work *work)
{
	const struct pull *pull = work->pull;
	const struct document *document = &work->image.document;
	int rc = store_put(pull->store, &document->digest, document->bytes.data,
			   document->bytes.len);

	if (rc == 0)
		rc = start_config(work);
	/* What can be reused only the config tells. */
	if (rc == 0 && !pull->reuse)
		rc = start_layers(work);
	if (rc == 0)
		rc = take_config(work);
	if (rc == 0 && pull->reuse)
		rc = start_layers(work);
	return rc;
}

static int wait_for_layers(const struct pull_work *work)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < work->image.document.manifest.layer_count; i++)
		rc = wait_for(work, work->layers[i].download);
	return rc;
}

/* image is taken over. */
static int pull_block(const struct pull *pull, const struct wanted_image *wanted,
		      const struct route *route, struct registry_image *image)
{
	AUTO(work) struct pull_work work = {
		.pull = pull, .wanted = wanted, .route = route, .image = *image,
	};
	int rc;

	*image = (struct registry_image){ 0 };
	rc = start_all(&work);
	if (rc == 0 && pull->keep_going)
		rc = wait_for_layers(&work);
	if (rc != 0)
		return rc;
	pull_put_image(&work);
	pull_put_config(&work);
	for (size_t i = 0; i < work.image.document.manifest.layer_count; i++) {
		rc = wait_for(&work, work.layers[i].download);
		if (rc < 0)
			return rc;
		pull_put_layer(&work, i);
	}
	return route->offline || !is_complete(&work) ? 0 : remember(&work);
}

/* Returns 0 where the next image may do better. */
static int leave_out(struct pull *pull, int failure)
{
	if (!pull->keep_going || failure == -STATUS_STORAGE ||
	    failure == -STATUS_READER_GONE)
		return failure;
	pull->left_out++;
	if (pull->failure == 0)
		pull->failure = failure;
	return 0;
}

static int pull_all_platforms(struct pull *pull, const struct wanted_image *wanted,
			      const struct registry_access *access)
{
	AUTO(registry_walk) struct registry_walk *walk = NULL;
	const struct document *index;
	bool is_empty = true;
	int got = registry_walk_begin(access, &wanted->reference, &walk);

	if (got < 0)
		return leave_out(pull, got);
	index = registry_walk_index(walk);
	if (index)
		got = pull_put_index(pull, wanted, index);
	while (got >= 0) {
		AUTO(registry_image) struct registry_image image = { 0 };

		got = registry_walk_next(walk, &image);
		if (got == 0 && is_empty)
			got = msg_fail(STATUS_NOT_FOUND, "%s: no image for any platform",
				       access->route->name);
		if (got == 0)
			break;
		is_empty = false;
		if (got > 0)
			got = pull_block(pull, wanted, access->route, &image);
		if (got < 0)
			got = leave_out(pull, got);
		client_forget(pull->client);
	}
	return got;
}

int pull_image(struct pull *pull, const struct wanted_image *image)
{
	AUTO(mem) char *name = reference_text(&image->reference);
	AUTO(registry_image) struct registry_image found = { 0 };
	struct route route;
	const struct registry_access access = {
		.route = &route,
		.loop = pull->loop,
		.store = pull->store,
	};
	int rc = sources_find(pull->sources, &image->reference, name, &route);

	progress_name(pull->progress, name);
	if (rc < 0)
		return leave_out(pull, rc);
	if (pull->all_platforms) {
		rc = pull_all_platforms(pull, image, &access);
	} else {
		rc = registry_find_image(&access, &image->reference, &pull->wish,
					 &found);
		if (rc == 0)
			rc = pull_block(pull, image, &route, &found);
		if (rc < 0)
			rc = leave_out(pull, rc);
	}
	client_forget(pull->client);
	return rc;
}
