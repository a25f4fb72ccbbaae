/* tarentry.c - see tarentry.h */
#include "common/tarentry.h"

#include <string.h>

#include "common/msg.h"

static const char *set_names(struct tar_entry *e, const struct tar_header *h,
			     const struct tar_extension *x)
{
	e->path = h->name;
	e->link = h->link;
	if (x->pax && x->pax->path)
		e->path = x->pax->path;
	if (x->pax && x->pax->link)
		e->link = x->pax->link;
	if (x->pax && x->pax->sparse_name)
		e->path = x->pax->sparse_name;
	if (x->long_name)
		e->path = x->long_name;
	if (x->long_link)
		e->link = x->long_link;
	if (strlen(e->path) > TAR_NAME_MAX || strlen(e->link) > TAR_NAME_MAX)
		return "a name of more than 64 KiB";
	return NULL;
}

static const char *set_type(struct tar_entry *e, char type)
{
	static const struct {
		char letter;
		enum tar_type type;
	} types[] = {
		{ '0', TAR_FILE },      { '1', TAR_HARDLINK },
		{ '2', TAR_SYMLINK },   { '3', TAR_CHARACTER },
		{ '4', TAR_BLOCK },     { '5', TAR_DIRECTORY },
		{ '6', TAR_FIFO },      { '7', TAR_FILE }, /* POSIX: as 0 */
	};
	size_t len = strlen(e->path);

	/* V7 knew a directory by its slash alone. */
	if (type == '\0') {
		e->type = len > 0 && e->path[len - 1] == '/' ? TAR_DIRECTORY
							     : TAR_FILE;
		return NULL;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].letter == type) {
			e->type = types[i].type;
			return NULL;
		}
	return "unknown type of entry";
}

static const char *set_owner(struct tar_entry *e, const struct tar_header *h,
			     const struct pax *pax)
{
	int64_t uid = pax && pax->uid >= 0 ? pax->uid : h->uid;
	int64_t gid = pax && pax->gid >= 0 ? pax->gid : h->gid;

	/* 4294967295 is -1, by which chown(2) would change nothing: a setuid
	 * file would stay with whoever unpacks it. */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return "owner or group is out of range";
	e->uid = (uint32_t)uid;
	e->gid = (uint32_t)gid;
	return NULL;
}

static const char *set_device(struct tar_entry *e, const struct tar_header *h)
{
	if (h->major < 0 || h->minor < 0)
		return "device number is out of range";
	e->major = (uint64_t)h->major;
	e->minor = (uint64_t)h->minor;
	return NULL;
}

static const char *set_size(struct tar_entry *e, const struct tar_header *h,
			    const struct pax *pax)
{
	e->size = pax && pax->size >= 0 ? pax->size : h->size;
	/* The others have no data behind them, whatever their header says. */
	if (e->type != TAR_FILE)
		e->size = 0;
	if (e->size < 0 || e->size > INT64_MAX - TAR_BLOCK_SIZE)
		return "size is out of range";
	return NULL;
}

static void set_rest(struct tar_entry *e, const struct tar_header *h,
		     const struct pax *pax)
{
	bool finer = pax && pax->has_mtime;

	e->mode = (uint32_t)(h->mode & 07777);
	e->mtime = finer ? pax->mtime : h->mtime;
	e->mtime_nsec = finer ? pax->mtime_nsec : 0;
	e->xattrs = pax ? pax->xattrs : NULL;
	e->xattr_count = pax ? pax->xattr_count : 0;
}

int tar_entry_fill(struct tar_entry *out, const struct tar_header *header,
		   const struct tar_extension *extension, char *why,
		   size_t size)
{
	const char *text = set_names(out, header, extension);

	if (!text)
		text = set_type(out, header->type);
	if (!text)
		text = set_owner(out, header, extension->pax);
	if (!text)
		text = set_device(out, header);
	if (!text)
		text = set_size(out, header, extension->pax);
	set_rest(out, header, extension->pax);
	if (!text)
		return 0;
	if (header->type < ' ' || header->type > '7')
		msg_format(why, size, "entry %s: %s (tar type '%c')", out->path,
			   text, header->type);
	else
		msg_format(why, size, "entry %s: %s", out->path, text);
	return -1;
}
