/* record.h - the records of occy-stream(5) and what their members mean.
 *
 * A record keeps its line as it was read, because what a tool does not change
 * it must write byte for byte; beside it stand the parsed JSON and, for the
 * types we know, a checked view of the members. Views lend from the JSON.
 */
#ifndef OCCY_COMMON_RECORD_H
#define OCCY_COMMON_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/json.h"

enum record_type {
	RECORD_HEADER, /* header and end are never handed out by the reader */
	RECORD_END,
	RECORD_IMAGE,
	RECORD_CONFIG,
	RECORD_LAYER,
	RECORD_RESULT, /* tar, directory, tree, bundle: what a sink made */
	RECORD_OTHER,  /* from a newer writer, or entry: pass it through */
};

/* Where bytes lie: `length` bytes at `offset` of a file. */
struct extent {
	const char *file; /* lent; NULL: nowhere */
	int64_t offset;
	int64_t length; /* -1: to the end of the file */
};

struct image_view {
	struct json_object *names; /* array of strings, lent; NULL without */
	const char *typed; /* IMAGE as the user typed it; or NULL */
	const char *registry, *repository, *tag, *media_type; /* or NULL */
	struct digest digest;      /* of the manifest; may be unset */
	struct digest tag_digest;  /* of what was asked for; may be unset */
	const char *platform_asked; /* or NULL */
	int64_t size;              /* -1: not said */
	int64_t layers;            /* -1: not said */
	struct extent file;
};

struct config_view {
	struct digest digest;
	int64_t size; /* -1: not said */
	const char *media_type;
	struct extent file;
};

struct layer_view {
	int64_t index;
	struct digest digest, diff_id;
	int64_t size;              /* of the bytes that hash to digest; or -1 */
	int64_t uncompressed_size; /* -1: not said */
	const char *media_type;    /* or NULL */
	const char *compression;   /* or NULL; told by the magic then */
	struct extent file;        /* the bytes that hash to digest */
	struct extent plain;       /* the tar that hashes to diff_id */
	bool digest_unchecked;
	bool is_absent;            /* it was not fetched: there are no bytes */
};

struct end_view {
	int64_t images, records; /* -1: not said */
	int64_t left_out;        /* blocks that --keep-going left out */
	bool unchanged;
};

struct record {
	enum record_type type;
	uint64_t line;   /* counted from 1, for messages */
	struct buf text; /* the line without its LF */
	struct json_object *json; /* owned */
	struct image_view image;
	struct config_view config;
	struct layer_view layer;
	struct end_view end;
};

/* Parse record->text into the rest. Returns 0, or -1 with *why (not
 * reported): JSON, type, or a member that is missing or of a wrong kind. The
 * text in *why is the caller's buffer of size bytes. */
int record_parse(struct record *record, char *why, size_t size);

void record_clear(struct record *record);

/* The name for messages: the image's first name, else its digest, else
 * "image"; lent. */
const char *image_view_name(const struct image_view *image);

static inline void auto_release_record(struct record *record)
{
	record_clear(record);
}

#endif
