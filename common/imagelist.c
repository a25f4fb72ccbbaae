/* imagelist.c - see imagelist.h */
#include "common/imagelist.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"

#define BLANKS " \t\r"

static void wanted_clear(struct wanted_image *wanted)
{
	reference_clear(&wanted->reference);
	free(wanted->typed);
}

void image_list_clear(struct image_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		wanted_clear(&list->items[i]);
	free(list->items);
	digest_set_clear(&list->seen);
	*list = (struct image_list){ 0 };
}

/* What tells two images of a list apart, hashed: lists are long, and may be
 * anybody's. */
static bool is_new(struct image_list *list, const struct reference *reference)
{
	AUTO(mem) char *text = reference_text(reference);
	AUTO(mem) char *all = mem_printf("%s %s %s", text, reference->typed_host,
					 reference->digest.text);
	struct digest key;

	digest_of(DIGEST_SHA256, all, strlen(all), &key);
	return digest_set_add(&list->seen, &key);
}

/* Takes over what wanted holds. */
static void append(struct image_list *list, struct wanted_image *wanted)
{
	if (!is_new(list, &wanted->reference)) {
		wanted_clear(wanted);
		return;
	}
	list->items = mem_grow(list->items, list->count, &list->room,
			       sizeof(*list->items));
	list->items[list->count++] = *wanted;
}

int image_list_add(struct image_list *list, const char *registry,
		   const char *image, const char *tag, char *why, size_t size)
{
	struct wanted_image wanted = { 0 };

	if (reference_from_parts(&wanted.reference, registry, image, tag, why,
				 size) < 0)
		return -1;
	wanted.typed = mem_strdup(image);
	append(list, &wanted);
	return 0;
}

/* "path" of "host/path:tag@digest", which has been parsed: the host goes where
 * it was written. */
static char *typed_path(const char *text, const struct reference *reference)
{
	const char *scheme = strstr(text, "://");
	const char *name = scheme ? scheme + 3 : text;
	size_t host = strlen(reference->typed_host);
	AUTO(mem) char *copy = NULL;
	char *colon;

	if (strncmp(name, reference->typed_host, host) == 0 && name[host] == '/')
		name += host + 1;
	copy = mem_strndup(name, strcspn(name, "@"));
	colon = strchr(copy, ':');
	if (colon)
		*colon = '\0';
	return TAKE(copy);
}

int image_list_add_reference(struct image_list *list, const char *text,
			     char *why, size_t size)
{
	struct wanted_image wanted = { 0 };

	if (reference_parse(&wanted.reference, text, why, size) < 0)
		return -1;
	wanted.typed = typed_path(text, &wanted.reference);
	append(list, &wanted);
	return 0;
}

/* line is cut up. */
static int add_line(struct image_list *list, char *line, char *why, size_t size)
{
	char *words[4], *rest = NULL;
	size_t count = 0;

	for (char *word = strtok_r(line, BLANKS, &rest);
	     word && word[0] != '#' && count < 4;
	     word = strtok_r(NULL, BLANKS, &rest))
		words[count++] = word;
	switch (count) {
	case 0:
		return 0;
	case 1:
		return image_list_add_reference(list, words[0], why, size);
	case 3:
		return image_list_add(list, words[0], words[1], words[2], why,
				      size);
	default:
		msg_format(why, size, "neither REGISTRY IMAGE TAG nor a reference");
		return -1;
	}
}

/* text is cut up. */
static int add_text(struct image_list *list, char *text, const char *path)
{
	char why[512], *next = text;

	for (int number = 1; next; number++) {
		char *line = next;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (add_line(list, line, why, sizeof(why)) < 0)
			return msg_fail(STATUS_USAGE, "%s:%d: %.511s", path,
					number, why);
	}
	return list->count > 0 ? 0
			       : msg_fail(STATUS_USAGE, "%s: no image is listed",
					  path);
}

int image_list_read(struct image_list *list, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	AUTO(fd) int file = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const char *name = is_stdin ? "stdin" : path;
	AUTO(buf) struct buf text = { 0 };
	int rc;

	if (!is_stdin && file < 0)
		return io_fail(path);
	rc = io_read_all(is_stdin ? STDIN_FILENO : file, name,
			 IMAGELIST_MAX_BYTES, &text);
	if (rc < 0)
		return rc;
	if (memchr(text.data ? text.data : "", '\0', text.len))
		return msg_fail(STATUS_USAGE, "%s: not a text", name);
	return add_text(list, text.data ? text.data : (char[]){ "" }, name);
}

bool image_list_has_one_registry(const struct image_list *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (strcmp(list->items[i].reference.host,
			   list->items[0].reference.host) != 0)
			return false;
	return true;
}
