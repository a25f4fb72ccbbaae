/* history.c - see history.h */
#include "common/history.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/msg.h"

void history_add(struct history *history, const char *path, uint64_t bytes,
		 bool has_new)
{
	size_t before = history->paths.count;
	uint32_t i = pathset_add(&history->paths, 0, path);
	struct version_count *count;

	if (i == before) {
		history->counts = mem_grow(history->counts, before,
					   &history->capacity,
					   sizeof(*history->counts));
		history->counts[i] = (struct version_count){ .versions = 1 };
	}
	count = &history->counts[i];
	count->versions++;
	count->wasted += bytes;
	count->deleted = !has_new;
}

/* A path that was deleted once may have come back. */
static bool is_there(const struct safe_root *root, const char *path)
{
	AUTO(fd) int fd = safepath_open(root, path, O_PATH | O_NOFOLLOW);

	return fd >= 0;
}

void history_tell(const struct history *history, const char *image,
		  const struct safe_root *root)
{
	uint64_t wasted = 0;

	for (uint32_t i = 0; i < history->paths.count; i++) {
		const struct version_count *count = &history->counts[i];
		const char *path = pathset_name(&history->paths, i);
		bool back = count->deleted && is_there(root, path);

		wasted += count->wasted;
		msg_note("%s: path \"%s\" has %" PRIu32 " versions", image, path,
			 count->versions + back);
		if (count->deleted && !back)
			msg_note("%s: path \"%s\" is deleted in the last, which "
				 "wasted %" PRIu64 " bytes", image, path,
				 count->wasted);
	}
	msg_note("%s: flattening image would save %" PRIu64 " bytes", image,
		 wasted);
}

void history_clear(struct history *history)
{
	pathset_clear(&history->paths);
	free(history->counts);
	*history = (struct history){ 0 };
}
