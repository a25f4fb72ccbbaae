/* msg.c - see msg.h */
#include "common/msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define OUTSIDE_MAX 256

struct line {
	char *text;
	size_t len, size;
};

static void put(struct line *line, const char *text, size_t len)
{
	size_t room = line->size - 1 - line->len;

	if (len > room)
		len = room;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->text[line->len] = '\0';
}

/* precision: -1 for none. At most that many bytes of text are looked at. */
static void put_outside(struct line *line, const char *text, int precision)
{
	size_t most = precision < 0 ? OUTSIDE_MAX : (size_t)precision, i;

	if (!text)
		text = "(null)";
	for (i = 0; i < most && text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)text[i];
		char escaped[5];

		if (c >= 0x20 && c < 0x7f) {
			put(line, text + i, 1);
		} else {
			snprintf(escaped, sizeof(escaped), "\\x%02x", c);
			put(line, escaped, 4);
		}
	}
	if (precision < 0 && i == most && text[i] != '\0')
		put(line, "...", 3);
}

/* What stands between the % and the conversion's letter. */
struct conversion {
	int precision; /* -1: none */
	int longs;
	bool is_size;
};

static const char *read_conversion(const char *p, struct conversion *c,
				   va_list *ap)
{
	*c = (struct conversion){ .precision = -1 };
	if (*p == '.' && p[1] == '*') {
		c->precision = va_arg(*ap, int);
		p += 2;
	} else if (*p == '.') {
		c->precision = 0;
		for (p++; *p >= '0' && *p <= '9'; p++)
			c->precision = c->precision * 10 + (*p - '0');
	}
	for (;; p++) {
		if (*p == 'l')
			c->longs++;
		else if (*p == 'z')
			c->is_size = true;
		else
			return p;
	}
}

/* "ll" is what PRI*64 expands to where long has 32 bits. */
static long long take_signed(const struct conversion *c, va_list *ap)
{
	if (c->longs > 1)
		return va_arg(*ap, long long);
	return c->longs ? va_arg(*ap, long) : va_arg(*ap, int);
}

static unsigned long long take_unsigned(const struct conversion *c, va_list *ap)
{
	if (c->is_size)
		return va_arg(*ap, size_t);
	if (c->longs > 1)
		return va_arg(*ap, unsigned long long);
	return c->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
}

static void put_number(struct line *line, char letter,
		       const struct conversion *c, va_list *ap)
{
	char number[32];

	if (letter == 'd' || letter == 'i')
		snprintf(number, sizeof(number), "%lld", take_signed(c, ap));
	else
		snprintf(number, sizeof(number), letter == 'x' ? "%llx" : "%llu",
			 take_unsigned(c, ap));
	put(line, number, strlen(number));
}

static void put_format(struct line *line, const char *format, va_list *ap)
{
	for (const char *p = format; *p; p++) {
		struct conversion c;

		if (*p != '%') {
			put(line, p, 1);
			continue;
		}
		p = read_conversion(p + 1, &c, ap);
		if (*p == 's') {
			put_outside(line, va_arg(*ap, const char *),
				    c.precision);
		} else if (*p == 'c') {
			char one[2] = { (char)va_arg(*ap, int), '\0' };

			put_outside(line, one, 1);
		} else if (*p == '%') {
			put(line, p, 1);
		} else {
			put_number(line, *p, &c, ap);
		}
	}
}

static void say(const char *tag, const char *format, va_list *ap)
{
	char text[LINE_MAX_BYTES];
	struct line line = { .text = text, .size = sizeof(text) - 1 };
	const char *name = program_invocation_short_name;
	int saved = errno;
	ssize_t n;

	/* A live progress line leaves the cursor at its own start. */
	if (isatty(STDERR_FILENO))
		put(&line, "\r\033[K", 4);
	put(&line, name, strlen(name));
	put(&line, ": ", 2);
	put(&line, tag, strlen(tag));
	put_format(&line, format, ap);
	line.text[line.len++] = '\n';
	n = write(STDERR_FILENO, line.text, line.len);
	(void)n; /* nobody is left to be told that stderr is broken */
	errno = saved;
}

int msg_fail(enum status status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("", format, &ap);
	va_end(ap);
	return -(int)status;
}

void msg_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("warning: ", format, &ap);
	va_end(ap);
}

void msg_note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("", format, &ap);
	va_end(ap);
}

void msg_format(char *out, unsigned long size, const char *format, ...)
{
	struct line line = { .text = out, .size = size };
	va_list ap;

	out[0] = '\0';
	va_start(ap, format);
	put_format(&line, format, &ap);
	va_end(ap);
}
