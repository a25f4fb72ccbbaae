/* store_sync - what names an image is on the disk before it has its name. */
#include <errno.h>

#include "common/digest.h"
#include "common/msg.h"
#include "common/platform.h"
#include "common/store.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

static int synced, failure;

/* In place of libc's. */
int fdatasync(int fd)
{
	(void)fd;
	synced++;
	errno = failure;
	return failure ? -1 : 0;
}

static int add(const struct store *store, const char *name)
{
	const struct platform platform = { 0 };
	struct store_image image = {
		.name = name, .size = 1, .media_type = "x", .platform = &platform,
	};

	synced = 0;
	digest_of(DIGEST_SHA256, "x", 1, &image.digest);
	return store_add_image(store, &image);
}

int main(void)
{
	AUTO(store) struct store *store = NULL;
	struct store_found found;
	struct digest digest;

	close(scratch_open());
	CHECK_NUMBER(store_open(scratch_path, &store), 0);
	CHECK_NUMBER(synced, 2);
	check_row("an image");
	CHECK_NUMBER(add(store, "a"), 0);
	CHECK_NUMBER(synced, 1);
	check_row("nothing new");
	CHECK_NUMBER(add(store, "a"), 0);
	CHECK_NUMBER(synced, 0);
	check_row("a blob");
	digest_of(DIGEST_SHA256, "x", 1, &digest);
	CHECK_NUMBER(store_put(store, &digest, "x", 1), 0);
	CHECK_NUMBER(synced, 0);
	check_row("a filesystem that cannot");
	failure = EINVAL;
	CHECK_NUMBER(add(store, "b"), 0);
	check_row("a disk that fails");
	failure = EIO;
	CHECK_NUMBER(add(store, "c"), -STATUS_STORAGE);
	CHECK_NUMBER(store_find_image(store, "c", NULL, &found), 0);
	store_found_clear(&found);
	return check_result();
}
