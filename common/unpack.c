/* unpack.c - see unpack.h; how the work is divided, unpack_state.h */
#include "common/unpack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/interrupt.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/unpack_state.h"

#define ASK_EVERY 32 /* steps between two looks for a signal */

struct unpack *unpack_new(int root, const struct unpack_options *options,
			  const struct stat *like,
			  struct unpack_counts *counts)
{
	struct unpack *u;
	struct stat stat;

	if (fstat(root, &stat) != 0) {
		io_fail("root");
		return NULL;
	}
	u = mem_zalloc(1, sizeof(*u));
	u->root = (struct safe_root){ .fd = root,
				      .walk_only = options->walk_only };
	u->options = *options;
	u->counts = counts;
	u->uid = geteuid();
	u->gid = getegid();
	u->is_root = u->uid == 0;
	u->device = stat.st_dev;
	u->file = -1;
	u->about = "/";
	u->top = (struct dir_record){ .ino = stat.st_ino, .mode = 0755,
				      .flags = DIR_IMPLIED };
	if (like) {
		u->top.mode = like->st_mode & 07777;
		u->top.uid = like->st_uid;
		u->top.gid = like->st_gid;
		u->top.mtime = like->st_mtim.tv_sec;
		u->top.mtime_nsec = (uint32_t)like->st_mtim.tv_nsec;
		u->top.flags = DIR_ENTRY;
	}
	return u;
}

static void end_layer(struct unpack *u)
{
	unpack_forget_places(u);
	dirtable_clear(&u->dirs);
	pathset_clear(&u->names);
	while (u->late_count > 0)
		free(u->late[--u->late_count]);
	if (u->file >= 0)
		close(u->file);
	u->file = -1;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	end_layer(u);
	free(u->late);
	buf_clear(&u->path);
	buf_clear(&u->parent);
	buf_clear(&u->target);
	free(u);
}

static void begin_layer(struct unpack *u, const char *name)
{
	struct dir_record *root;

	u->name = name;
	dirtable_add(&u->dirs, u->top.ino, DIR_ROOT, "");
	root = &u->dirs.records[DIR_ROOT];
	root->flags = DIR_KEPT;
	/* Under the first layer there is nothing that could be lower. */
	if (u->layers++ == 0)
		root->flags |= DIR_PURE;
}

static int finish_layer(struct unpack *u)
{
	int rc = unpack_late_whiteouts(u);

	if (rc == 0)
		rc = unpack_finish_directories(u);
	end_layer(u);
	return rc;
}

struct run {
	struct unpack *const *unpacks;
	size_t count;
	struct tar_reader *tar;
	unsigned int steps;
};

/* A look for signals now and then; it costs a system call. */
static int step(struct run *run)
{
	return ++run->steps % ASK_EVERY == 0 ? interrupt_pending() : 0;
}

static int apply_data(struct run *run)
{
	struct tar_piece piece;
	int got, rc = 0;

	while (rc == 0 && (got = tar_data(run->tar, &piece)) != 0) {
		if (got < 0)
			return got;
		for (size_t i = 0; rc == 0 && i < run->count; i++)
			rc = unpack_write(run->unpacks[i], &piece);
		if (rc == 0)
			rc = step(run);
	}
	return rc;
}

static int apply_entry(struct run *run, const struct tar_entry *entry)
{
	int rc = step(run);

	for (size_t i = 0; rc == 0 && i < run->count; i++)
		rc = unpack_begin_entry(run->unpacks[i], entry);
	if (rc == 0)
		rc = apply_data(run);
	for (size_t i = 0; rc == 0 && i < run->count; i++)
		rc = unpack_end_entry(run->unpacks[i]);
	return rc;
}

static int apply_entries(struct run *run, const char *name, uint64_t most)
{
	const struct tar_entry *entry;
	uint64_t count = 0;
	int got;

	while ((got = tar_next(run->tar, &entry)) > 0) {
		if (count++ == most)
			return msg_fail(STATUS_INTEGRITY, "%s: more than %" PRIu64
					" entries", name, most);
		got = apply_entry(run, entry);
		if (got < 0)
			return got;
	}
	return got < 0 ? got : tar_finish(run->tar, NULL);
}

int unpack_layer(struct unpack *const *unpacks, size_t count,
		 struct tar_reader *tar, const char *name,
		 uint64_t max_entries)
{
	struct run run = { .unpacks = unpacks, .count = count, .tar = tar };
	int rc;

	for (size_t i = 0; i < count; i++)
		begin_layer(unpacks[i], name);
	rc = apply_entries(&run, name, max_entries);
	for (size_t i = 0; i < count; i++) {
		if (rc == 0)
			rc = finish_layer(unpacks[i]);
		else
			end_layer(unpacks[i]);
	}
	return rc;
}
