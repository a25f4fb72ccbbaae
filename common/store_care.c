/* store_care.c - see store_care.h */
#include "common/store_care.h"

#include "common/buf.h"
#include "common/io.h"
#include "common/store_private.h"

static int print_json(struct json_object *json)
{
	AUTO(buf) struct buf line = { 0 };

	buf_append_text(&line, json_text(json, NULL));
	buf_append(&line, "\n", 1);
	return io_write(STDOUT_FILENO, "stdout", line.data, line.len);
}

static int print_entries(struct json_object *entries)
{
	int rc = 0;

	for (size_t i = 0; i < json_object_array_length(entries) && rc == 0; i++)
		rc = print_json(json_object_array_get_idx(entries, i));
	return rc;
}

static int verify(const struct store_care *care, const struct store *store,
		  struct json_object **out)
{
	AUTO(progress) struct progress *progress = progress_new(care->progress);

	progress_name(progress, store_path(store));
	return store_verify(store, progress, out);
}

int store_care(const struct store_care *care)
{
	AUTO(store) struct store *store = NULL;
	AUTO(json) struct json_object *out = NULL;
	int rc = store_open_existing(care->store, &store), printed = 0;

	if (rc < 0)
		return rc;
	if (care->mode == STORE_CARE_FORGET) {
		rc = store_forget(store, care->images, care->image_count,
				  &care->wish, &out);
		return rc < 0 ? rc : print_entries(out);
	}
	rc = care->mode == STORE_CARE_GC
		     ? store_gc(store, care->grace_seconds, &out)
		     : verify(care, store, &out);
	if (out)
		printed = print_json(out);
	return rc < 0 ? rc : printed;
}
