/* cli.h - what every tool does alike: start, help, usage errors, the end. */
#ifndef OCCY_COMMON_CLI_H
#define OCCY_COMMON_CLI_H

#include <stdbool.h>
#include <stdint.h>

struct cli {
	const char *name;
	const char *synopsis; /* after the name; lines after the first indented */
	const char *help;     /* what it does, in lines */
};

/* First thing in main: ignores SIGPIPE, sees to it that descriptors 0 to 2
 * are open (a file of ours must never become somebody's stdout; using one that
 * was closed still fails). */
void cli_init(const struct cli *cli);

/* Print to stdout and exit: 0, or 9 when stdout cannot be written. options is
 * what options.c says of them. */
_Noreturn void cli_help(const struct cli *cli, const char *options);
_Noreturn void cli_version(const struct cli *cli);

/* A message (or NULL, when getopt has spoken), then the usage, on stderr;
 * exits 2. */
_Noreturn void cli_usage(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For getopt_long's '?' and ':' (start the option string with ':', leave
 * opterr 0): names the option in a usage error. */
_Noreturn void cli_bad_option(const struct cli *cli, int got, char **argv);

/* A decimal number of min to max from a command line, or a usage error that
 * names the option. */
int64_t cli_number(const struct cli *cli, const char *option, const char *text,
		   int64_t min, int64_t max);

/* Seconds with up to three decimals, from 0 to max; returns milliseconds. */
int64_t cli_milliseconds(const struct cli *cli, const char *option,
			 const char *text, int64_t max);

/* A stream is wanted on stdin: usage error when that is a terminal. */
void cli_need_stream(const struct cli *cli);

/* Last thing in main: turn 0, 1 or a failure into the exit status. Dies by
 * the signal where a signal, or a reader that is gone, was the reason. */
int cli_finish(int result);

#endif
