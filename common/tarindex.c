/* tarindex.c - see tarindex.h */
#include "common/tarindex.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/msg.h"
#include "common/tarread.h"

struct tarindex {
	void *members; /* a tree for tsearch(3), by path */
	size_t count;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct tarindex_member *)a)->path,
		      ((const struct tarindex_member *)b)->path);
}

static void member_free(void *data)
{
	struct tarindex_member *member = data;

	free(member->path);
	free(member->link);
	free(member);
}

void tarindex_free(struct tarindex *index)
{
	if (!index)
		return;
	tdestroy(index->members, member_free);
	free(index);
}

static const char *clean(const char *path)
{
	while (strncmp(path, "./", 2) == 0)
		for (path += 2; *path == '/'; path++)
			;
	return path;
}

/* The member of that path, made where there is none. */
static struct tarindex_member *member_for(struct tarindex *index,
					  const char *path)
{
	struct tarindex_member *fresh = mem_zalloc(1, sizeof(*fresh));
	struct tarindex_member *member;
	void *node;

	fresh->path = mem_strdup(path);
	node = tsearch(fresh, &index->members, compare);
	if (!node)
		mem_die("tsearch");
	member = *(struct tarindex_member **)node;
	if (member == fresh) {
		index->count++;
		return fresh;
	}
	member_free(fresh);
	member->is_double = true;
	free(TAKE(member->link));
	return member;
}

static void add(struct tarindex *index, const char *path,
		const struct tar_entry *entry, int64_t offset)
{
	struct tarindex_member *member = member_for(index, path);

	member->type = entry->type;
	member->offset = offset;
	member->size = entry->size;
	if (entry->type == TAR_SYMLINK || entry->type == TAR_HARDLINK)
		member->link = mem_strdup(entry->link);
}

int tarindex_read(struct tarindex **out, const struct byte_source *source,
		  const char *name, bool (*wanted)(const char *path))
{
	AUTO(tarindex) struct tarindex *index = mem_zalloc(1, sizeof(*index));
	AUTO(tar_reader) struct tar_reader *reader =
		tar_reader_new(source, name, UINT64_MAX);
	const struct tar_entry *entry;
	int rc;

	while ((rc = tar_next(reader, &entry)) > 0) {
		const char *path = clean(entry->path);

		if (!wanted(path))
			continue;
		add(index, path, entry, tar_data_offset(reader));
		if (index->count > TARINDEX_MAX_MEMBERS)
			return msg_fail(STATUS_INTEGRITY,
					"%s: more than %d members", name,
					TARINDEX_MAX_MEMBERS);
	}
	if (rc == 0)
		*out = TAKE(index);
	return rc;
}

const struct tarindex_member *tarindex_find(const struct tarindex *index,
					    const char *path)
{
	AUTO(mem) char *copy = mem_strdup(path);
	struct tarindex_member key = { .path = copy };
	void *node = tfind(&key, &index->members, compare);

	return node ? *(struct tarindex_member *const *)node : NULL;
}
