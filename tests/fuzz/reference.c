/* reference.c - names of images: one name, or REGISTRY, IMAGE and TAG on three
 * lines. A name that is taken is safe in a URL and means the same when it is
 * written out and read again. */
#include "common/reference.h"

#include <string.h>

#include "common/mem.h"
#include "fuzz.h"

static void require_same(const struct reference *a, const struct reference *b)
{
	REQUIRE(strcmp(a->registry, b->registry) == 0);
	REQUIRE(strcmp(a->host, b->host) == 0);
	REQUIRE(strcmp(a->repository, b->repository) == 0);
	REQUIRE(!a->tag == !b->tag);
	REQUIRE(!a->tag || strcmp(a->tag, b->tag) == 0);
	REQUIRE(digest_equal(&a->digest, &b->digest));
}

static void require_sound(const struct reference *ref)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz0123456789._/-";
	AUTO(reference) struct reference again = { 0 };
	AUTO(mem) char *text = reference_text(ref);
	AUTO(mem) char *tagged = reference_tagged_name(ref);
	char why[256] = "";

	REQUIRE(ref->repository[strspn(ref->repository, safe)] == '\0');
	REQUIRE(ref->repository[0] != '/' && !strstr(ref->repository, "//"));
	REQUIRE(!strstr(ref->repository, ".."));
	REQUIRE(!strpbrk(ref->host, "/@?#% \\"));
	REQUIRE(ref->tag || digest_is_set(&ref->digest));
	REQUIRE(!tagged || strcmp(tagged, text) == 0);
	/* A host that looks like the first part of a path cannot come back. */
	if (!strpbrk(ref->registry, ".:") && strcmp(ref->registry, "localhost") != 0)
		return;
	REQUIRE(reference_parse(&again, text, why, sizeof(why)) == 0);
	require_same(ref, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(reference) struct reference ref = { 0 };
	AUTO(mem) char *text = mem_strndup((const char *)data, size);
	char *image = strchr(text, '\n'), *tag, why[256] = "";
	int got;

	tag = image ? strchr(image + 1, '\n') : NULL;
	if (tag) {
		*image = *tag = '\0';
		tag[1 + strcspn(tag + 1, "\n")] = '\0';
		got = reference_from_parts(&ref, text, image + 1, tag + 1, why,
					   sizeof(why));
	} else {
		text[strcspn(text, "\n")] = '\0';
		got = reference_parse(&ref, text, why, sizeof(why));
	}
	if (got == 0) {
		require_sound(&ref);
		return 0;
	}
	require_reason(why);
	REQUIRE(!ref.registry && !ref.repository && !ref.tag);
	return 0;
}
