/* imagelist.c - a list of images, and the same text as mirrors: what is taken is
 * safe in a URL, and no image is there twice. */
#include "common/imagelist.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mem.h"
#include "common/mirror.h"
#include "fuzz.h"

static void require_host(const struct reference *at)
{
	REQUIRE(at->host[0] && !strpbrk(at->host, "/@?#% \t\r\n\\"));
	REQUIRE(at->repository[0] && !strstr(at->repository, ".."));
}

static void require_list(const uint8_t *data, size_t size)
{
	AUTO(image_list) struct image_list list = { 0 };
	int file = memfd_create("list", MFD_CLOEXEC);
	AUTO(mem) char *path = mem_printf("/proc/self/fd/%d", file);

	REQUIRE(file >= 0 && write(file, data, size) == (ssize_t)size);
	if (image_list_read(&list, path) == 0)
		REQUIRE(list.count > 0);
	for (size_t i = 0; i < list.count; i++) {
		const struct wanted_image *item = &list.items[i];
		AUTO(mem) char *text = reference_text(&item->reference);

		require_host(&item->reference);
		REQUIRE(item->typed[0] && !strpbrk(item->typed, " \t\r\n@:"));
		for (size_t j = 0; j < i; j++) {
			const struct reference *other = &list.items[j].reference;
			AUTO(mem) char *its = reference_text(other);

			REQUIRE(strcmp(text, its) != 0 ||
				strcmp(item->reference.typed_host,
				       other->typed_host) != 0);
		}
	}
	close(file);
}

static void require_mirrors(const char *text)
{
	struct mirror_list mirrors = { 0 };
	char why[256] = "";

	if (mirror_add_all(&mirrors, text, why, sizeof(why)) < 0)
		require_reason(why);
	for (size_t i = 0; i < mirrors.count; i++) {
		require_host(&mirrors.items[i].at);
		mirror_serves(&mirrors.items[i], &mirrors.items[0].at);
	}
	mirror_list_clear(&mirrors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(mem) char *text = mem_strndup((const char *)data, size);

	require_list(data, size);
	require_mirrors(text);
	return 0;
}
