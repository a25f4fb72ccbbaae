/* cli.c - see cli.h */
#include "common/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/msg.h"

void cli_init(const struct cli *cli)
{
	(void)cli;
	opterr = 0;
	signal(SIGPIPE, SIG_IGN);
	/* Open the wrong way round: reading a stdin and writing to a stdout
	 * that were closed fails with EBADF as it would have, not in silence. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null",
			     fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static _Noreturn void print_and_exit(const char *text)
{
	exit(cli_finish(io_write(STDOUT_FILENO, "stdout", text, strlen(text))));
}

void cli_help(const struct cli *cli, const char *options)
{
	struct buf text = { 0 };

	buf_printf(&text, "usage: %s %s\n%s\n%s", cli->name, cli->synopsis,
		   cli->help, options);
	print_and_exit(buf_take(&text));
}

void cli_version(const struct cli *cli)
{
	struct buf text = { 0 };

	buf_printf(&text, "%s %s\n", cli->name, OCCY_VERSION);
	print_and_exit(buf_take(&text));
}

void cli_usage(const struct cli *cli, const char *format, ...)
{
	va_list ap;

	if (format) {
		char text[1024];

		va_start(ap, format);
		vsnprintf(text, sizeof(text), format, ap);
		va_end(ap);
		msg_fail(STATUS_USAGE, "%.1023s", text);
	}
	/* Under the wrapper the user has not called us. */
	if (!getenv("OCCY_WRAPPED"))
		fprintf(stderr, "usage: %s %s\n", cli->name, cli->synopsis);
	exit(STATUS_USAGE);
}

/* getopt leaves optind at a group of short options (-abc) until it has read the
 * last of them; only behind that is argv[optind - 1] the word in question. */
static bool is_in_group(const char *word, int letter)
{
	return word && word[0] == '-' && word[1] != '-' && letter != 0 &&
	       strchr(word + 1, letter);
}

void cli_bad_option(const struct cli *cli, int got, char **argv)
{
	char letter[3] = { '-', (char)optopt, '\0' };
	const char *option = argv[optind - 1];
	bool is_long = strncmp(option, "--", 2) == 0 &&
		       !is_in_group(argv[optind], optopt);
	int len;

	if (!is_long && optopt != 0)
		option = letter;
	/* What follows the = may be a password, typed where it has no place. */
	len = (int)strcspn(option, "=");
	if (got == ':')
		cli_usage(cli, "option %.*s needs an argument", len, option);
	if (is_long && optopt != 0)
		cli_usage(cli, "option %.*s takes no argument", len, option);
	cli_usage(cli, "unknown option %.*s", len, option);
}

int64_t cli_number(const struct cli *cli, const char *option, const char *text,
		   int64_t min, int64_t max)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number < min ||
	    number > max)
		cli_usage(cli, "%s: '%s' is not a number from %lld to %lld",
			  option, text, (long long)min, (long long)max);
	return number;
}

int64_t cli_milliseconds(const struct cli *cli, const char *option,
			 const char *text, int64_t max)
{
	static const char digits[] = "0123456789";
	size_t whole = strspn(text, digits);
	size_t decimals = text[whole] == '.' ? strspn(text + whole + 1, digits) : 0;
	size_t len = whole + (text[whole] == '.' ? decimals + 1 : 0);
	int64_t ms = 0;

	if (whole == 0 || whole > 9 || decimals > 3 || text[len] != '\0')
		cli_usage(cli, "%s: '%s' is not a number of seconds", option, text);
	for (size_t i = 0; i < whole; i++)
		ms = ms * 10 + (text[i] - '0');
	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < decimals ? text[whole + 1 + i] - '0' : 0);
	if (ms > max * 1000)
		cli_usage(cli, "%s: '%s' is more than %lld seconds", option, text,
			  (long long)max);
	return ms;
}

void cli_need_stream(const struct cli *cli)
{
	if (isatty(STDIN_FILENO))
		cli_usage(cli, "stdin is a terminal; a stream is read from it");
}

int cli_finish(int result)
{
	int status = result < 0 ? -result : 0;

	if (status > STATUS_SIGNAL) {
		int number = status - STATUS_SIGNAL;
		sigset_t set;

		signal(number, SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, number);
		raise(number);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
	return status;
}
