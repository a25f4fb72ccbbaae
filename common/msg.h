/* msg.h - the exit statuses, and the lines on stderr that go with them.
 *
 * Whoever knows most reports once; callers only pass the result on:
 *
 *     return msg_fail(STATUS_INTEGRITY, "%s: digest mismatch", name);
 *
 * Functions of this project return 0 (or 1 for "got one"), or a failure:
 * minus the exit status, already reported. cli_finish() turns it round.
 *
 * Every %s is taken for bytes from outside: what is not printable ASCII goes
 * out as \xHH and what is longer than 256 is cut (a precision raises that),
 * so that no image name and no registry can write to the user's terminal.
 * The line is built first and leaves in one write(2): lines of several
 * programs do not mix.
 */
#ifndef OCCY_COMMON_MSG_H
#define OCCY_COMMON_MSG_H

#include <signal.h>

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,    /* none of those below; a search found nothing */
	STATUS_USAGE = 2,
	STATUS_STREAM = 3,    /* the input stream is broken or cut short */
	STATUS_NOT_FOUND = 4, /* image, tag, platform, path, needed bytes */
	STATUS_DENIED = 5,
	STATUS_LIMITED = 6,   /* rate limited */
	STATUS_NETWORK = 7,
	STATUS_INTEGRITY = 8, /* wrong digest, malformed or hostile content */
	STATUS_STORAGE = 9,   /* disk full, no permission, stdout broken */
	STATUS_SIGNAL = 128,  /* plus a signal's number: die by it */
};

/* stdout's reader is gone: clean up in silence, then die by SIGPIPE. */
#define STATUS_READER_GONE (STATUS_SIGNAL + SIGPIPE)

/* Print "program: message" and return -status. Conversions known: %s %.Ns
 * %.*s %c %d %i %u %x %zu %ld %lu %% and PRI*64. */
int msg_fail(enum status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with "program: warning: "; returns nothing. */
void msg_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that is neither: what -v and some outcomes say. */
void msg_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Format as the functions above do, without program name and newline, into a
 * caller's buffer of size bytes; cut to fit, always terminated. */
void msg_format(char *out, unsigned long size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
