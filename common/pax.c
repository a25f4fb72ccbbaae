/* pax.c - see pax.h */
#include "common/pax.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static const char bad_record[] = "a PAX header has a malformed record";
static const char bad_value[] = "a PAX header has a malformed value";

struct record {
	char *key, *value; /* both end in a NUL, written in place */
	size_t value_len;
};

/* Cut the next record off *bytes. Returns 1, 0 at the end, or -1. */
static int next_record(char **bytes, size_t *len, struct record *out)
{
	const char *p = *bytes;
	size_t digits, size = 0;
	char *equals;

	if (*len == 0)
		return 0;
	for (digits = 0; digits < *len && p[digits] >= '0' && p[digits] <= '9'; digits++) {
		size = size * 10 + (size_t)(p[digits] - '0');
		if (size > *len)
			return -1;
	}
	if (digits == 0 || size < digits + 2 || p[digits] != ' ' ||
	    p[size - 1] != '\n')
		return -1;
	out->key = *bytes + digits + 1;
	equals = memchr(out->key, '=', size - digits - 2);
	if (!equals || equals == out->key ||
	    memchr(out->key, '\0', (size_t)(equals - out->key)))
		return -1;
	out->value = equals + 1;
	out->value_len = (size_t)(*bytes + size - 1 - out->value);
	*equals = '\0';
	out->value[out->value_len] = '\0';
	*bytes += size;
	*len -= size;
	return 1;
}

static bool is_text(const struct record *r)
{
	return strlen(r->value) == r->value_len;
}

static int take_text(const char **out, const struct record *r)
{
	*out = r->value;
	return is_text(r) ? 0 : -1;
}

static int take_number(int64_t *out, const struct record *r)
{
	const char *p = r->value;

	if (!is_text(r) || !sparse_number(&p, out) || *p != '\0')
		return -1;
	return 0;
}

/* Seconds with an optional fraction; what is finer than a nanosecond is cut. */
static int take_time(struct pax *pax, const struct record *r)
{
	const char *p = r->value;
	bool negative = *p == '-';
	uint32_t nsec = 0, unit = 100000000;

	p += negative;
	if (!is_text(r) || !sparse_number(&p, &pax->mtime))
		return -1;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
			nsec += unit * (uint32_t)(*p - '0');
	if (*p != '\0')
		return -1;
	if (negative) {
		pax->mtime = -pax->mtime - (nsec > 0);
		nsec = nsec > 0 ? 1000000000 - nsec : 0;
	}
	pax->mtime_nsec = nsec;
	pax->has_mtime = true;
	return 0;
}

static void add_xattr(struct pax *pax, const char *name, const void *value,
		      size_t len)
{
	struct pax_xattr *x;

	for (size_t i = 0; i < pax->xattr_count; i++) {
		x = &pax->xattrs[i];
		if (strcmp(x->name, name) == 0) {
			pax->xattr_bytes += len - x->len;
			*x = (struct pax_xattr){ name, value, len };
			return;
		}
	}
	pax->has_too_many = pax->xattr_count == PAX_XATTR_COUNT_MAX;
	if (pax->has_too_many)
		return;
	pax->xattrs = mem_grow(pax->xattrs, pax->xattr_count,
			       &pax->xattr_capacity, sizeof(*pax->xattrs));
	pax->xattrs[pax->xattr_count++] = (struct pax_xattr){ name, value, len };
	pax->xattr_bytes += len;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undo %HH in place. */
static int decode_percent(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		int high = 0, low = 0;

		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		high = hex_digit(p[1]);
		low = high < 0 ? -1 : hex_digit(p[2]);
		if (low < 0 || (high == 0 && low == 0))
			return -1;
		*to++ = (char)(high << 4 | low);
		p += 2;
	}
	*to = '\0';
	return 0;
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* In place; bsdtar writes it without padding. Returns the length, or -1. */
static ssize_t decode_base64(char *text, size_t len)
{
	unsigned int bits = 0, held = 0;
	size_t out = 0;

	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		int digit = base64_digit(text[i]);

		if (digit < 0)
			return -1;
		bits = (bits << 6 | (unsigned int)digit) & 0xffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			text[out++] = (char)(bits >> held & 0xff);
		}
	}
	return (ssize_t)out;
}

static int take_xattr(struct pax *pax, const struct record *r)
{
	static const char schily[] = "SCHILY.xattr.";
	static const char libarchive[] = "LIBARCHIVE.xattr.";
	ssize_t len;

	if (strncmp(r->key, schily, sizeof(schily) - 1) == 0) {
		add_xattr(pax, r->key + sizeof(schily) - 1, r->value,
			  r->value_len);
		return 0;
	}
	if (strncmp(r->key, libarchive, sizeof(libarchive) - 1) != 0)
		return 0;
	len = decode_base64(r->value, r->value_len);
	if (len < 0 || decode_percent(r->key + sizeof(libarchive) - 1) < 0)
		return -1;
	add_xattr(pax, r->key + sizeof(libarchive) - 1, r->value, (size_t)len);
	return 0;
}

/* Form 0.0: a pair of records for each segment. */
static int take_segment(struct pax *pax, const struct record *r)
{
	int64_t length;

	if (strcmp(r->key, "GNU.sparse.offset") == 0)
		return pax->sparse_offset >= 0
			       ? -1
			       : take_number(&pax->sparse_offset, r);
	if (pax->sparse_offset < 0 || take_number(&length, r) < 0)
		return -1;
	sparse_add(&pax->sparse_map, pax->sparse_offset, length);
	pax->sparse_offset = -1;
	pax->has_sparse_map = true;
	return 0;
}

static int take_sparse(struct pax *pax, const struct record *r)
{
	const char *key = r->key + strlen("GNU.sparse.");

	if (strcmp(key, "major") == 0)
		return take_number(&pax->sparse_major, r);
	if (strcmp(key, "minor") == 0)
		return take_number(&pax->sparse_minor, r);
	if (strcmp(key, "name") == 0)
		return take_text(&pax->sparse_name, r);
	if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0)
		return take_number(&pax->sparse_size, r);
	if (strcmp(key, "offset") == 0 || strcmp(key, "numbytes") == 0)
		return take_segment(pax, r);
	if (strcmp(key, "map") == 0) {
		pax->sparse_map.count = 0;
		pax->has_sparse_map = true;
		return is_text(r) ? sparse_parse_list(&pax->sparse_map, r->value)
				  : -1;
	}
	return 0; /* numblocks says what the map says */
}

static int take(struct pax *pax, const struct record *r)
{
	if (strncmp(r->key, "GNU.sparse.", 11) == 0)
		return take_sparse(pax, r);
	if (strcmp(r->key, "path") == 0)
		return take_text(&pax->path, r);
	if (strcmp(r->key, "linkpath") == 0)
		return take_text(&pax->link, r);
	if (strcmp(r->key, "size") == 0)
		return take_number(&pax->size, r);
	if (strcmp(r->key, "uid") == 0)
		return take_number(&pax->uid, r);
	if (strcmp(r->key, "gid") == 0)
		return take_number(&pax->gid, r);
	if (strcmp(r->key, "mtime") == 0)
		return take_time(pax, r);
	return take_xattr(pax, r);
}

int pax_parse(struct pax *out, char *bytes, size_t len, const char **why)
{
	struct record record;
	int got;

	*out = (struct pax){ .size = -1, .uid = -1, .gid = -1,
			     .sparse_size = -1, .sparse_offset = -1,
			     .sparse_major = -1, .sparse_minor = -1 };
	while ((got = next_record(&bytes, &len, &record)) > 0) {
		/* An empty value means: as if the record were not there. */
		if (record.value_len > 0 && take(out, &record) < 0) {
			*why = bad_value;
			return -1;
		}
		/* Each is compared with all before it. */
		if (out->has_too_many) {
			*why = "a PAX header has more than 1000 extended attributes";
			return -1;
		}
	}
	*why = got < 0 ? bad_record
	       : out->sparse_offset >= 0 ? bad_value
	       : out->xattr_bytes > PAX_XATTR_MAX
		       ? "more than 64 KiB of extended attributes"
		       : NULL;
	return *why ? -1 : 0;
}

int pax_check(char *bytes, size_t len, const char **why)
{
	struct record record;
	int got;

	while ((got = next_record(&bytes, &len, &record)) > 0)
		;
	*why = bad_record;
	return got;
}

void pax_clear(struct pax *pax)
{
	free(pax->xattrs);
	sparse_clear(&pax->sparse_map);
	*pax = (struct pax){ 0 };
}
