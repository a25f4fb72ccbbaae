/* look.c - see look.h */
#include "common/look.h"

#include <unistd.h>

#include "common/digestfile.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/registry.h"
#include "common/tags.h"

static int look_at(const struct look *look, const struct wanted_image *image,
		   struct digest *out)
{
	AUTO(mem) char *name = reference_text(&image->reference);
	struct route route;
	const struct registry_access access = { .route = &route, .loop = look->loop };
	int rc = sources_find(look->sources, &image->reference, name, &route);

	if (rc == 0)
		rc = registry_look(&access, &image->reference, out);
	client_forget(look->client);
	return rc;
}

int look_print(const struct look *look, const struct image_list *images)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < images->count; i++) {
		AUTO(buf) struct buf line = { 0 };
		struct digest digest;

		rc = look_at(look, &images->items[i], &digest);
		if (rc < 0)
			return rc;
		buf_printf(&line, "%s\n", digest.text);
		rc = io_write(STDOUT_FILENO, "stdout", line.data, line.len);
	}
	return rc;
}

int look_print_tags(const struct look *look, const struct wanted_image *image)
{
	const struct reference *at = &image->reference;
	AUTO(mem) char *name = mem_printf("%s/%s", at->registry, at->repository);
	struct route route;
	int rc = sources_find(look->sources, at, name, &route);

	return rc == 0 ? tags_print(&route, look->loop) : rc;
}

int look_is_unchanged(const struct look *look, const struct image_list *images,
		      const char *path, const char *platform)
{
	AUTO(buf) struct buf text = { 0 };
	const char *at;
	int rc = digestfile_read(path, &text);

	if (rc <= 0 || text.len == 0)
		return rc < 0 ? rc : 0;
	at = text.data;
	for (size_t i = 0; i < images->count; i++) {
		const struct wanted_image *image = &images->items[i];
		AUTO(mem) char *name = reference_tagged_name(&image->reference);
		struct digestfile_image is = { .name = name, .platform = platform };

		rc = look_at(look, image, &is.digest);
		if (rc < 0)
			return rc;
		if (!digestfile_take(&at, &is))
			return 0;
	}
	return *at == '\0';
}
