/* tarheader.c - see tarheader.h */
#include "common/tarheader.h"

#include <stddef.h>
#include <string.h>

/* Where the fields lie: POSIX pax, "ustar Interchange Format". */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_CHECKSUM = 148,
	AT_TYPE = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_MAJOR = 329,
	AT_MINOR = 337,
	AT_PREFIX = 345,
	AT_GNU_ATIME = 345,
	AT_GNU_CTIME = 357,
	AT_STAR_TRAILER = 508,
};

enum flavour { FLAVOUR_V7, FLAVOUR_USTAR, FLAVOUR_STAR, FLAVOUR_GNU };

bool tar_header_is_zero(const unsigned char *block)
{
	return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK_SIZE - 1) == 0;
}

/* GNU's base-256: big-endian two's complement below a marker bit. */
static bool binary_number(const unsigned char *field, size_t len, int64_t *out)
{
	unsigned char invert = field[0] & 0x40 ? 0xff : 0;
	uint64_t number = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = field[i] ^ invert;

		if (i == 0)
			byte &= 0x7f;
		if (number >> 55)
			return false;
		number = number << 8 | byte;
	}
	*out = invert ? -(int64_t)number - 1 : (int64_t)number;
	return true;
}

/* Octal digits with blanks or NULs around; what follows a NUL is nothing. A
 * field without digits is 0. */
static bool octal_number(const unsigned char *field, size_t len, int64_t *out)
{
	int64_t number = 0;
	size_t i = 0;

	while (i < len && (field[i] == ' ' || field[i] == '\0'))
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		number = number << 3 | (field[i] - '0'); /* at most 12 digits */
	while (i < len && field[i] == ' ')
		i++;
	*out = number;
	return i == len || field[i] == '\0';
}

static bool number(const unsigned char *field, size_t len, int64_t *out)
{
	return field[0] & 0x80 ? binary_number(field, len, out)
			       : octal_number(field, len, out);
}

/* Old programs summed signed chars; nobody minds either. */
static bool checksum_fits(const unsigned char *block)
{
	int64_t said, plain = 0, with_sign = 0;

	if (!octal_number(block + AT_CHECKSUM, 8, &said))
		return false;
	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
		bool blank = i >= AT_CHECKSUM && i < AT_CHECKSUM + 8;

		plain += blank ? ' ' : block[i];
		with_sign += blank ? ' ' : (signed char)block[i];
	}
	return said == plain || said == with_sign;
}

static enum flavour flavour_of(const unsigned char *block)
{
	if (memcmp(block + AT_MAGIC, "ustar  ", 8) == 0)
		return FLAVOUR_GNU;
	if (memcmp(block + AT_MAGIC, "ustar", 6) != 0)
		return FLAVOUR_V7;
	if (memcmp(block + AT_STAR_TRAILER, "tar", 4) == 0)
		return FLAVOUR_STAR;
	return FLAVOUR_USTAR;
}

/* Go before 1.8 wrote GNU's magic and yet a prefix, where GNU has two times;
 * layers from those days are still about. Go's own reader goes by this. */
static bool gnu_has_prefix(const unsigned char *block)
{
	int64_t unused;

	if (number(block + AT_GNU_ATIME, 12, &unused) &&
	    number(block + AT_GNU_CTIME, 12, &unused))
		return false;
	for (size_t i = 0; i < 155 && block[AT_PREFIX + i]; i++)
		if (block[AT_PREFIX + i] & 0x80)
			return false;
	return true;
}

static size_t prefix_size(const unsigned char *block, enum flavour flavour)
{
	switch (flavour) {
	case FLAVOUR_USTAR:
		return 155;
	case FLAVOUR_STAR:
		return 131;
	case FLAVOUR_GNU:
		return gnu_has_prefix(block) ? 155 : 0;
	case FLAVOUR_V7:
		break;
	}
	return 0;
}

static size_t copy_text(char *out, const unsigned char *field, size_t size)
{
	size_t len = strnlen((const char *)field, size);

	memcpy(out, field, len);
	out[len] = '\0';
	return len;
}

static void copy_names(const unsigned char *block, enum flavour flavour,
		       struct tar_header *out)
{
	size_t size = prefix_size(block, flavour);
	size_t len = copy_text(out->name, block + AT_PREFIX, size);

	if (len > 0)
		out->name[len++] = '/';
	copy_text(out->name + len, block + AT_NAME, 100);
	copy_text(out->link, block + AT_LINK, 100);
}

int tar_header_parse(const unsigned char *block, struct tar_header *out,
		     const char **why)
{
	enum flavour flavour = flavour_of(block);

	*why = "a tar header has a wrong checksum";
	if (!checksum_fits(block))
		return -1;
	*why = "a tar header has a field that is not a number";
	out->type = (char)block[AT_TYPE];
	out->major = 0;
	out->minor = 0;
	if (!number(block + AT_MODE, 8, &out->mode) ||
	    !number(block + AT_UID, 8, &out->uid) ||
	    !number(block + AT_GID, 8, &out->gid) ||
	    !number(block + AT_SIZE, 12, &out->size) ||
	    !number(block + AT_MTIME, 12, &out->mtime))
		return -1;
	if ((out->type == '3' || out->type == '4') && flavour != FLAVOUR_V7 &&
	    (!number(block + AT_MAJOR, 8, &out->major) ||
	     !number(block + AT_MINOR, 8, &out->minor)))
		return -1;
	copy_names(block, flavour, out);
	return 0;
}
