/* digestfile.c - see digestfile.h */
#include "common/digestfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/outfile.h"

#define FILE_MAX_BYTES 16777216

struct digestfile {
	const char *path, *kind, *target;
	struct buf text;
};

void digestfile_option(const struct cli *cli, void *path, const char *argument)
{
	if (argument[0] == '\0')
		cli_usage(cli, "--digest-file: the name is empty");
	if (outfile_names_stdout(argument))
		cli_usage(cli, "--digest-file: stdout is for other things");
	*(const char **)path = argument;
}

/* Where it cannot be written the user should hear so before the images are
 * fetched. It is not kept open: what is made meanwhile has a claim to the
 * signals, which a file with a name until then would need too. */
static int try_to_write(const char *path)
{
	AUTO(outfile) struct outfile *out = NULL;
	struct stat st;

	/* Whoever reads a FIFO must not see it end twice. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	return outfile_open(&out, path);
}

int digestfile_open(struct digestfile **out, const char *path, const char *kind,
		    const char *target)
{
	AUTO(digestfile) struct digestfile *file = NULL;
	int rc;

	if (!path)
		return 0;
	rc = try_to_write(path);
	if (rc < 0)
		return rc;
	file = mem_zalloc(1, sizeof(*file));
	file->path = path;
	file->kind = kind;
	file->target = target;
	*out = TAKE(file);
	return 0;
}

void digestfile_free(struct digestfile *file)
{
	if (!file)
		return;
	buf_clear(&file->text);
	free(file);
}

/* " key=value" */
static void add_word(struct buf *line, const char *key, const char *value)
{
	char shown[4 * 512 + 8];

	msg_format(shown, sizeof(shown), "%.512s", value);
	buf_printf(line, " %s=", key);
	for (const char *p = shown; *p; p++)
		if (*p == ' ')
			buf_append_text(line, "\\x20");
		else
			buf_append(line, p, 1);
}

/* The last component of a path, whatever slashes stand behind it. */
static char *base_name(const char *path)
{
	size_t end = strlen(path), begin;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (begin = end; begin > 0 && path[begin - 1] != '/'; begin--)
		;
	return mem_strndup(path + begin, end - begin);
}

int digestfile_put(struct digestfile *file, const struct record *record)
{
	const struct image_view *image = &record->image;
	const struct digest *digest = digest_is_set(&image->tag_digest)
					      ? &image->tag_digest
					      : &image->digest;

	if (!file || record->type != RECORD_IMAGE)
		return 0;
	if (!digest_is_set(digest))
		return msg_fail(STATUS_NOT_FOUND,
				"%s: %s: the stream does not say the image's digest",
				file->path, image_view_name(image));
	buf_append_text(&file->text, digest->text);
	if (image->names && json_object_array_length(image->names) > 0)
		add_word(&file->text, "image", json_string_at(image->names, 0));
	if (image->platform_asked)
		add_word(&file->text, "platform", image->platform_asked);
	if (file->target) {
		AUTO(mem) char *name = base_name(file->target);

		add_word(&file->text, file->kind, name);
	}
	buf_append_text(&file->text, "\n");
	return 0;
}

static int replace(const struct digestfile *file)
{
	AUTO(outfile) struct outfile *out = NULL;
	int rc = outfile_open(&out, file->path);

	if (rc == 0)
		rc = outfile_write(out, file->text.data, file->text.len);
	return rc == 0 ? outfile_publish(out) : rc;
}

int digestfile_publish(struct digestfile *file, int64_t left_out)
{
	int rc;

	if (!file || file->text.len == 0)
		return 0;
	if (left_out > 0)
		buf_printf(&file->text, "left_out=%lld\n", (long long)left_out);
	rc = replace(file);
	if (rc < 0)
		msg_warn("%s: published all the same; its digest is in no file",
			 file->target ? file->target : "stdout");
	return rc;
}

int digestfile_read(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : io_fail(path);
	rc = io_read_all(fd, path, FILE_MAX_BYTES, out);
	close(fd);
	return rc < 0 ? rc : 1;
}

/* The len bytes at word are key=value, of which value is another. */
static bool differs(const char *word, size_t len, const char *key,
		    const char *value)
{
	size_t key_len = strlen(key);
	AUTO(buf) struct buf ours = { 0 };

	if (len <= key_len || strncmp(word, key, key_len) != 0 ||
	    word[key_len] != '=')
		return false;
	if (!value)
		return true;
	add_word(&ours, key, value);
	return ours.len != len + 1 || memcmp(ours.data + 1, word, len) != 0;
}

static bool take_line(const char **at, const struct digestfile_image *image)
{
	const char *end = *at + strcspn(*at, "\n");
	const char *word = *at;
	size_t len = strcspn(word, " \n");

	if (len != strlen(image->digest.text) ||
	    memcmp(word, image->digest.text, len) != 0)
		return false;
	for (word += len; word < end; word += len) {
		word += strspn(word, " ");
		len = strcspn(word, " \n");
		if (differs(word, len, "image", image->name) ||
		    differs(word, len, "platform", image->platform))
			return false;
	}
	*at = *end ? end + 1 : end;
	return true;
}

bool digestfile_take(const char **at, const struct digestfile_image *image)
{
	if (!take_line(at, image))
		return false;
	while (strcmp(image->platform, "all") == 0 && take_line(at, image))
		;
	return true;
}
