/* savedtar.c - see savedtar.h */
#include "common/savedtar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/manifest.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/savedblock.h"
#include "common/savedchoice.h"
#include "common/tarindex.h"

/* Between headers lie whole layers: to read ahead more would be for nothing. */
#define STEP_SIZE 65536

struct savedtar {
	int fd;
	const char *path, *name;
	bool warned;
	int64_t size;     /* of the file */
	int64_t position; /* up to where it has been lent or skipped */
	char block[STEP_SIZE];
	struct tarindex *index;
	struct saved_manifest manifest;
	struct saved_choice choice;
};

void savedtar_free(struct savedtar *tar)
{
	if (!tar)
		return;
	close(tar->fd);
	tarindex_free(tar->index);
	saved_manifest_clear(&tar->manifest);
	saved_choice_clear(&tar->choice);
	free(tar);
}

static int next_bytes(void *context, const void **data, size_t *len)
{
	struct savedtar *tar = context;
	int rc = io_read_at(tar->fd, tar->name, tar->block, STEP_SIZE,
			    tar->position, len);

	if (rc < 0)
		return rc;
	tar->position += (int64_t)*len;
	*data = tar->block;
	return *len > 0;
}

static int skip_bytes(void *context, uint64_t len)
{
	struct savedtar *tar = context;

	if (len > (uint64_t)(tar->size - tar->position))
		return 0;
	tar->position += (int64_t)len;
	return 1;
}

static bool is_wanted(const char *path)
{
	struct digest digest;

	return strcmp(path, SAVED_MANIFEST_NAME) == 0 ||
	       saved_name_parse(&digest, path, SAVED_CONFIG_SUFFIX) == 0 ||
	       saved_name_parse(&digest, path, SAVED_LAYER_SUFFIX) == 0;
}

static int bad_member(const struct savedtar *tar, const char *path,
		      const char *why)
{
	return msg_fail(STATUS_INTEGRITY, "%s: %s: %s", tar->name, path, why);
}

/* docker before 25 writes a layer that is there already as a link to it:
 * ../OTHER/layer.tar. One such step is taken, within the archive. */
static const struct tarindex_member *follow(const struct savedtar *tar,
					    const struct tarindex_member *member)
{
	struct digest digest;

	if (member->type != TAR_SYMLINK || strncmp(member->link, "../", 3) != 0 ||
	    saved_name_parse(&digest, member->link + 3, SAVED_LAYER_SUFFIX) < 0)
		return member;
	return tarindex_find(tar->index, member->link + 3);
}

/* Find a regular member. Returns 0 or a failure. */
static int find(const struct savedtar *tar, const char *path,
		const struct tarindex_member **out)
{
	const struct tarindex_member *member = tarindex_find(tar->index, path);
	struct digest digest;

	if (member && saved_name_parse(&digest, path, SAVED_LAYER_SUFFIX) == 0)
		member = follow(tar, member);
	if (!member)
		return bad_member(tar, path, "is missing");
	if (member->type != TAR_FILE)
		return bad_member(tar, path, "is no file");
	if (member->offset < 0)
		return bad_member(tar, path, "is stored as a sparse file");
	*out = member;
	return 0;
}

/* Append a member's bytes. The index has seen that they are all there. */
static int read_member(const struct savedtar *tar,
		       const struct tarindex_member *member, int64_t most,
		       struct buf *out)
{
	size_t got;
	int rc;

	if (member->size > most)
		return msg_fail(STATUS_INTEGRITY,
				"%s: %s: larger than %" PRId64 " bytes",
				tar->name, member->path, most);
	rc = io_read_at(tar->fd, tar->name,
			buf_reserve(out, (size_t)member->size),
			(size_t)member->size, member->offset, &got);
	if (rc < 0)
		return rc;
	out->len += got;
	out->data[out->len] = '\0';
	return 0;
}

static void set_place(const struct savedtar *tar, struct saved_place *place,
		      const struct tarindex_member *member)
{
	place->file = mem_strdup(tar->path);
	place->offset = member->offset;
	place->length = member->size;
}

static int read_config(void *context, const struct digest *config,
		       struct buf *bytes, struct saved_place *place)
{
	struct savedtar *tar = context;
	AUTO(mem) char *path = mem_printf("%s%s", digest_hex(config),
					  SAVED_CONFIG_SUFFIX);
	const struct tarindex_member *member = NULL;
	int rc = find(tar, path, &member);

	if (!member)
		return rc;
	set_place(tar, place, member);
	return read_member(tar, member, CONFIG_MAX_BYTES, bytes);
}

static int find_layer(void *context, const struct digest *layer,
		      struct saved_place *place)
{
	struct savedtar *tar = context;
	AUTO(mem) char *path = mem_printf("%s%s", digest_hex(layer),
					  SAVED_LAYER_SUFFIX);
	const struct tarindex_member *member = NULL;
	int rc = find(tar, path, &member);

	if (!member)
		return rc;
	set_place(tar, place, member);
	return 0;
}

int savedtar_next(struct savedtar *tar, struct json_object **records)
{
	struct saved_files files = {
		.read_config = read_config,
		.find_layer = find_layer,
		.context = tar,
		.name = tar->name,
	};
	size_t i = tar->choice.next;
	int rc;

	if (i == tar->choice.end)
		return 0;
	tar->choice.next++;
	*records = savedblock_make(&tar->manifest.images[i],
				   tar->choice.names[i], &files, &tar->warned,
				   &rc);
	return *records ? 1 : rc;
}

static int read_index(struct savedtar *tar)
{
	struct byte_source source = {
		.next = next_bytes, .skip = skip_bytes, .context = tar,
	};
	struct stat st;

	if (fstat(tar->fd, &st) != 0)
		return io_fail(tar->name);
	tar->size = st.st_size;
	return tarindex_read(&tar->index, &source, tar->name, is_wanted);
}

static int read_manifest(struct savedtar *tar)
{
	const struct tarindex_member *member =
		tarindex_find(tar->index, SAVED_MANIFEST_NAME);
	AUTO(buf) struct buf bytes = { 0 };
	char why[512];
	int rc;

	if (!member)
		return msg_fail(STATUS_INTEGRITY,
				"%s: no %s is in it: not an archive of docker save",
				tar->name, SAVED_MANIFEST_NAME);
	/* Which of the two counts, others may see otherwise. */
	if (member->is_double)
		return bad_member(tar, SAVED_MANIFEST_NAME, "is in it twice");
	rc = find(tar, SAVED_MANIFEST_NAME, &member);
	if (rc == 0)
		rc = read_member(tar, member, SAVED_MANIFEST_MAX_BYTES, &bytes);
	if (rc < 0)
		return rc;
	if (saved_manifest_parse(&tar->manifest, bytes.data, bytes.len, why,
				 sizeof(why)) < 0)
		return msg_fail(STATUS_INTEGRITY, "%s: %s: %.511s", tar->name,
				SAVED_MANIFEST_NAME, why);
	return 0;
}

int savedtar_open(struct savedtar **out, int fd, const char *path,
		  const char *name, const struct saved_want *want)
{
	AUTO(savedtar) struct savedtar *tar = mem_zalloc(1, sizeof(*tar));
	int rc;

	tar->fd = fd;
	tar->path = path;
	tar->name = name;
	rc = read_index(tar);
	if (rc == 0)
		rc = read_manifest(tar);
	if (rc == 0)
		rc = saved_choice_make(&tar->choice, &tar->manifest, want, name);
	if (rc == 0)
		*out = TAKE(tar);
	return rc;
}
