/* options.h - a tool's options, from one table: read from the command line, and
 * told by --help.
 *
 * --help and --version are every tool's and stand in no table. What is wrong is
 * a usage error that names the option, never the argument of one that has no
 * place there: it may be a password.
 */
#ifndef OCCY_COMMON_OPTIONS_H
#define OCCY_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cli.h"

/* A row; those where an option is given are written to, whichever are there. */
struct cli_option {
	const char *name;     /* --name; NULL ends the table */
	char letter;          /* -l; 0: none */
	const char *argument; /* what --help calls it; NULL: there is none */
	const char *help;     /* in a few words */
	bool *set, *clear;
	const char **noted;   /* becomes the option's name */
	const char **text;    /* its argument, lent */
	bool is_name;         /* of a file or directory: must not be empty */
	int64_t *number;      /* the same as a number of min to max */
	int64_t min, max;
	int64_t *milliseconds; /* the same in seconds, from 0 to max */
	/* Takes the argument, or NULL; ends in a usage error when it is wrong. */
	void (*take)(const struct cli *cli, void *context, const char *argument);
	void *context;
};

/* Read the options of a command line. Returns where in argv the operands
 * begin; they may stand before options, getopt_long(3) moves them. */
int options_parse(const struct cli *cli, const struct cli_option *options,
		  int argc, char **argv);

#endif
