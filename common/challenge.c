/* challenge.c - see challenge.h
 *
 * One pass over each value. A word with a = behind it is a parameter of the
 * challenge that stands open; any other word is a scheme and opens the next.
 * A scheme may be followed by a token68, which is told from a parameter by
 * what comes after it: a comma or the end.
 */
#include "common/challenge.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/mem.h"

struct parser {
	const char *p;
	struct challenge_list *list;
	struct challenge *open; /* NULL: what follows belongs to none */
};

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

static size_t token_length(const char *p)
{
	size_t len = 0;

	while (is_alnum(p[len]) || is_one_of(p[len], "!#$%&'*+-.^_`|~"))
		len++;
	return len;
}

static const char *after_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* The length of a token68 at p, or 0 when it is none. */
static size_t token68_length(const char *p)
{
	size_t len = 0;
	const char *next;

	while (is_alnum(p[len]) || is_one_of(p[len], "-._~+/"))
		len++;
	if (!len)
		return 0;
	len += strspn(p + len, "=");
	next = after_space(p + len);
	return *next == '\0' || *next == ',' ? len : 0;
}

static void challenge_clear(struct challenge *challenge)
{
	for (size_t i = 0; i < challenge->parameter_count; i++) {
		free(challenge->parameters[i].name);
		free(challenge->parameters[i].value);
	}
	free(challenge->parameters);
	free(challenge->scheme);
	free(challenge->token68);
}

/* The open challenge is always the last one. */
static void drop_open(struct parser *s)
{
	if (!s->open)
		return;
	challenge_clear(s->open);
	s->list->count--;
	s->open = NULL;
}

/* To the next comma that does not stand in quotes. */
static void skip_item(struct parser *s)
{
	bool is_quoted = false;

	for (; *s->p && (is_quoted || *s->p != ','); s->p++) {
		if (*s->p == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && *s->p == '\\' && s->p[1])
			s->p++;
	}
}

static void open_challenge(struct parser *s, size_t len)
{
	struct challenge_list *list = s->list;
	const char *next = after_space(s->p + len);
	size_t token68;

	s->open = NULL;
	if (list->count < CHALLENGE_MAX_COUNT) {
		s->open = &list->items[list->count++];
		*s->open = (struct challenge){
			.scheme = mem_strndup(s->p, len)
		};
	}
	token68 = next > s->p + len ? token68_length(next) : 0;
	if (token68 && s->open)
		s->open->token68 = mem_strndup(next, token68);
	s->p = next + token68;
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* Returns false for a string that does not end or holds a control byte; one
 * that ends is read to its end all the same, or its second quote would open
 * the next. */
static bool read_quoted(struct parser *s, struct buf *value)
{
	bool is_clean = true;

	s->p++;
	for (; *s->p != '"'; s->p++) {
		if (*s->p == '\\')
			s->p++;
		if (*s->p == '\0')
			return false;
		is_clean = is_clean && !is_control(*s->p);
		buf_append(value, s->p, 1);
	}
	s->p++;
	return is_clean;
}

static bool read_bare(struct parser *s, struct buf *value)
{
	size_t len = strcspn(s->p, ", \t");

	for (size_t i = 0; i < len; i++)
		if (is_control(s->p[i]))
			return false;
	buf_append(value, s->p, len);
	s->p += len;
	return true;
}

static void add_parameter(struct parser *s, const char *name, size_t len,
			  struct buf *value)
{
	struct challenge *open = s->open;

	if (!open || !value->len ||
	    open->parameter_count == CHALLENGE_MAX_PARAMETERS)
		return;
	if (!open->parameters)
		open->parameters = mem_zalloc(CHALLENGE_MAX_PARAMETERS,
					      sizeof(*open->parameters));
	open->parameters[open->parameter_count++] =
		(struct challenge_parameter){ .name = mem_strndup(name, len),
					      .value = buf_take(value) };
}

/* s->p is at the name; its = is at `equals`. */
static bool read_parameter(struct parser *s, size_t len, const char *equals)
{
	AUTO(buf) struct buf value = { 0 };
	const char *name = s->p;

	s->p = after_space(equals + 1);
	if (*s->p == '"' ? !read_quoted(s, &value) : !read_bare(s, &value))
		return false;
	add_parameter(s, name, len, &value);
	return true;
}

static bool read_word(struct parser *s)
{
	size_t len = token_length(s->p);
	const char *next = after_space(s->p + len);

	if (!len)
		return false;
	if (*next == '=')
		return read_parameter(s, len, next);
	open_challenge(s, len);
	return true;
}

static void parse_value(struct challenge_list *list, const char *value)
{
	struct parser s = { .p = value, .list = list };

	if (strnlen(value, CHALLENGE_MAX_HEADER + 1) > CHALLENGE_MAX_HEADER)
		return;
	for (;;) {
		s.p += strspn(s.p, " \t,");
		if (*s.p == '\0')
			return;
		if (read_word(&s))
			continue;
		drop_open(&s);
		skip_item(&s);
	}
}

void challenge_parse(struct challenge_list *out, const char *const *values,
		     size_t count)
{
	out->items = mem_zalloc(CHALLENGE_MAX_COUNT, sizeof(*out->items));
	out->count = 0;
	for (size_t i = 0; i < count; i++)
		parse_value(out, values[i]);
}

void challenge_list_clear(struct challenge_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		challenge_clear(&list->items[i]);
	free(list->items);
	*list = (struct challenge_list){ 0 };
}

const struct challenge *challenge_find(const struct challenge_list *list,
				       const char *scheme)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i].scheme, scheme) == 0)
			return &list->items[i];
	return NULL;
}

const struct challenge *challenge_choose(const struct challenge_list *list)
{
	const struct challenge *basic;

	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i].scheme, "Bearer") == 0 &&
		    challenge_get(&list->items[i], "realm"))
			return &list->items[i];
	basic = challenge_find(list, "Basic");
	return basic ? basic : challenge_find(list, "Bearer");
}

const char *challenge_get(const struct challenge *challenge, const char *name)
{
	for (size_t i = 0; i < challenge->parameter_count; i++)
		if (strcasecmp(challenge->parameters[i].name, name) == 0)
			return challenge->parameters[i].value;
	return NULL;
}
