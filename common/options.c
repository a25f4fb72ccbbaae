/* options.c - see options.h */
#include "common/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

#define FIRST_LONG 256 /* what getopt_long() says for options without letter */
#define TEXT_COLUMN 27
#define COLUMNS 79

static const struct cli_option common_options[] = {
	{ .name = "help", .letter = 'h', .help = "print this help" },
	{ .name = "version", .letter = 'V', .help = "print the version" },
	{ .name = NULL },
};

static size_t count(const struct cli_option *options)
{
	size_t n = 0;

	while (options[n].name)
		n++;
	return n;
}

/* The words of text behind what stands in the line already. */
static void put_words(struct buf *out, size_t column, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (column + 1 + len > COLUMNS) {
			buf_printf(out, "\n%*s", TEXT_COLUMN - 1, "");
			column = TEXT_COLUMN - 1;
		}
		buf_append_text(out, " ");
		buf_append(out, text, len);
		column += 1 + len;
		text += len;
		text += strspn(text, " ");
	}
	buf_append_text(out, "\n");
}

static void put_option(struct buf *out, const struct cli_option *option)
{
	size_t start = out->len, column;

	if (option->letter)
		buf_printf(out, "  -%c, --%s", option->letter, option->name);
	else
		buf_printf(out, "      --%s", option->name);
	if (option->argument)
		buf_printf(out, " %s", option->argument);
	column = out->len - start;
	if (column > TEXT_COLUMN - 2) {
		buf_append_text(out, "\n");
		column = 0;
	}
	buf_printf(out, "%*s", (int)(TEXT_COLUMN - 1 - column), "");
	put_words(out, TEXT_COLUMN - 1, option->help);
}

static _Noreturn void print_help(const struct cli *cli,
				 const struct cli_option *options)
{
	struct buf text = { 0 };

	for (const struct cli_option *option = options; option->name; option++)
		put_option(&text, option);
	for (const struct cli_option *option = common_options; option->name; option++)
		put_option(&text, option);
	cli_help(cli, buf_take(&text));
}

static void take(const struct cli *cli, const struct cli_option *option)
{
	AUTO(mem) char *name = mem_printf("--%s", option->name);

	if (option->set)
		*option->set = true;
	if (option->clear)
		*option->clear = false;
	if (option->noted)
		*option->noted = option->name;
	if (option->is_name && optarg[0] == '\0')
		cli_usage(cli, "%s: the name is empty", name);
	if (option->text)
		*option->text = optarg;
	if (option->number)
		*option->number = cli_number(cli, name, optarg, option->min,
					     option->max);
	if (option->milliseconds)
		*option->milliseconds = cli_milliseconds(cli, name, optarg,
							 option->max);
	if (option->take)
		option->take(cli, option->context, optarg);
}

/* getopt's two descriptions of both tables. */
struct getopt_form {
	struct option *longs;
	struct buf shorts;
};

static void add(struct getopt_form *form, size_t at, const struct cli_option *option)
{
	int has_argument = option->argument ? required_argument : no_argument;

	form->longs[at] = (struct option){
		option->name, has_argument, NULL,
		option->letter ? option->letter : FIRST_LONG + (int)at,
	};
	if (!option->letter)
		return;
	buf_append(&form->shorts, &option->letter, 1);
	if (option->argument)
		buf_append_text(&form->shorts, ":");
}

static struct getopt_form describe(const struct cli_option *options)
{
	size_t own = count(options), all = own + count(common_options);
	struct getopt_form form = {
		.longs = mem_zalloc(all + 1, sizeof(*form.longs)),
	};

	buf_append_text(&form.shorts, ":");
	for (size_t i = 0; i < all; i++)
		add(&form, i, i < own ? &options[i] : &common_options[i - own]);
	return form;
}

static const struct cli_option *find(const struct cli_option *options, int got)
{
	for (int i = 0; options[i].name; i++)
		if (got == (options[i].letter ? options[i].letter : FIRST_LONG + i))
			return &options[i];
	return NULL;
}

int options_parse(const struct cli *cli, const struct cli_option *options,
		  int argc, char **argv)
{
	struct getopt_form form = describe(options);
	int got;

	while ((got = getopt_long(argc, argv, form.shorts.data, form.longs, NULL)) != -1) {
		if (got == 'h')
			print_help(cli, options);
		if (got == 'V')
			cli_version(cli);
		if (got == '?' || got == ':')
			cli_bad_option(cli, got, argv);
		take(cli, find(options, got));
	}
	free(form.longs);
	buf_clear(&form.shorts);
	return optind;
}
