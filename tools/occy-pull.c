/* occy-pull - fetch images from registries into a store, and say what is there
 * in a stream.
 *
 * - the header goes out before anything can fail; the end record last, and
 *   only when all before it went well
 * - a record that names a file is written when that file is complete and
 *   verified
 * - records are queued: a slow reader does not stall the network, and one
 *   that is gone ends the run at once
 */
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/credentials.h"
#include "common/imagelist.h"
#include "common/look.h"
#include "common/mem.h"
#include "common/mirror.h"
#include "common/msg.h"
#include "common/pull.h"
#include "common/sources.h"
#include "common/store_care.h"
#include "common/stream.h"
#include "common/turn.h"

#define DAY_SECONDS 86400

struct options {
	const char *os, *architecture, *variant; /* NULL: the default */
	bool all_platforms, strict_platform, keep_going, no_foreign;
	bool no_layers, offline;
	bool print_digest, tags; /* look only: no stream, no store */
	const char *if_changed;  /* a digest file; or NULL */
	const char *store, *reuse;
	const char *list; /* a file that names the images; or NULL */
	struct image_list images;
	const char *authfile, *username;
	bool password_stdin, insecure, no_tls_verify;
	struct mirror_list mirrors;
	struct client_settings client;
	enum progress_mode progress;
	struct store_care care;
	/* The last given of those that go with a pull only, with some. */
	const char *pull_option, *platform_option, *age_option;
};

static const struct cli cli = {
	.name = "occy-pull",
	.synopsis = "[options] REGISTRY IMAGE TAG >stream\n"
		    "       occy-pull [options] -f LIST >stream\n"
		    "       occy-pull [options] --print-digest REGISTRY IMAGE TAG\n"
		    "       occy-pull [options] --tags REGISTRY IMAGE\n"
		    "       occy-pull [--store DIR] --verify-store\n"
		    "       occy-pull [--store DIR] --gc [--older-than DAYS]\n"
		    "       occy-pull [--store DIR] --forget IMAGE...",
	.help =
"Fetch images into the store and describe them in a stream on stdout.\n"
"TAG may be a digest.\n"
"\n"
"  -f, --file LIST          fetch what the lines of LIST name (- for stdin)\n"
"      --keep-going         leave out images that fail, fetch the others\n"
"      --os OS              operating system (linux)\n"
"      --architecture ARCH  architecture (amd64)\n"
"      --variant VARIANT    variant of the architecture\n"
"      --all-platforms      every image that the reference leads to\n"
"      --strict-platform    refuse an image for another platform even where\n"
"                           the registry offers no choice\n"
"      --no-layers          fetch manifest and config only\n"
"      --if-changed FILE    nothing, if the images are those that FILE tells\n"
"                           of, which --digest-file of a later tool has written\n"
"      --print-digest       only print the digest of what TAG stands for\n"
"      --tags               only print the tags that there are\n"
"      --store DIR          where blobs are kept (OCCY_STORE, else\n"
"                           ~/.cache/occystrap)\n"
"      --reuse DIR          do not fetch layers that DIR holds, a directory\n"
"                           written by occy-pack --dir\n"
"      --mirror [http://]HOST[=UPSTREAM]\n"
"                           ask HOST first, in place of the registry UPSTREAM\n"
"                           or of any; may be repeated (OCCY_MIRRORS)\n"
"      --no-foreign         nothing from elsewhere that a manifest names\n"
"      --offline            ask no registry, answer from the store\n"
"      --insecure           plain http will do\n"
"      --no-tls-verify      do not check the registry's certificate\n"
"      --allow-private-redirect\n"
"                           let a public registry lead to private addresses\n"
"      --authfile FILE      where logins are kept, as podman and docker do\n"
"      --username USER      log in as USER, with --password-stdin\n"
"      --password-stdin     read the password from stdin\n"
"  -j, --jobs N             blobs fetched at a time (4)\n"
"      --retry-wait SECONDS wait before the first repeat; doubles (1)\n"
"      --max-wait SECONDS   longest wait a registry may ask for (60)\n"
"      --stall-timeout SECONDS\n"
"                           below 1 KiB/s for so long is a failure (60)\n"
"      --verify-store       hash what is in the store, and see whether the\n"
"                           images there are complete\n"
"      --gc                 remove from the store what no image needs\n"
"      --older-than DAYS    only what has not been used for so long (1)\n"
"      --forget             take images out of the store's list; --gc then\n"
"                           removes what only they need\n"
"      --progress MODE      auto, tty, lines, json or none\n"
"  -q, --quiet              the same as --progress none\n"
"  -v, --verbose            tell of repeated requests\n"
"  -h, --help               print this help\n"
"  -V, --version            print the version\n",
};

enum {
	OPTION_OS = 256,
	OPTION_ARCHITECTURE,
	OPTION_VARIANT,
	OPTION_ALL_PLATFORMS,
	OPTION_STRICT_PLATFORM,
	OPTION_KEEP_GOING,
	OPTION_NO_LAYERS,
	OPTION_IF_CHANGED,
	OPTION_PRINT_DIGEST,
	OPTION_TAGS,
	OPTION_MIRROR,
	OPTION_NO_FOREIGN,
	OPTION_STORE,
	OPTION_REUSE,
	OPTION_OFFLINE,
	OPTION_INSECURE,
	OPTION_NO_TLS_VERIFY,
	OPTION_ALLOW_PRIVATE_REDIRECT,
	OPTION_AUTHFILE,
	OPTION_USERNAME,
	OPTION_PASSWORD_STDIN,
	OPTION_RETRY_WAIT,
	OPTION_MAX_WAIT,
	OPTION_STALL_TIMEOUT,
	OPTION_PROGRESS,
	OPTION_VERIFY_STORE,
	OPTION_GC,
	OPTION_OLDER_THAN,
	OPTION_FORGET,
};

static const struct option longopts[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "keep-going", no_argument, NULL, OPTION_KEEP_GOING },
	{ "os", required_argument, NULL, OPTION_OS },
	{ "architecture", required_argument, NULL, OPTION_ARCHITECTURE },
	{ "variant", required_argument, NULL, OPTION_VARIANT },
	{ "all-platforms", no_argument, NULL, OPTION_ALL_PLATFORMS },
	{ "strict-platform", no_argument, NULL, OPTION_STRICT_PLATFORM },
	{ "no-layers", no_argument, NULL, OPTION_NO_LAYERS },
	{ "if-changed", required_argument, NULL, OPTION_IF_CHANGED },
	{ "print-digest", no_argument, NULL, OPTION_PRINT_DIGEST },
	{ "tags", no_argument, NULL, OPTION_TAGS },
	{ "store", required_argument, NULL, OPTION_STORE },
	{ "reuse", required_argument, NULL, OPTION_REUSE },
	{ "mirror", required_argument, NULL, OPTION_MIRROR },
	{ "no-foreign", no_argument, NULL, OPTION_NO_FOREIGN },
	{ "offline", no_argument, NULL, OPTION_OFFLINE },
	{ "insecure", no_argument, NULL, OPTION_INSECURE },
	{ "no-tls-verify", no_argument, NULL, OPTION_NO_TLS_VERIFY },
	{ "allow-private-redirect", no_argument, NULL, OPTION_ALLOW_PRIVATE_REDIRECT },
	{ "authfile", required_argument, NULL, OPTION_AUTHFILE },
	{ "username", required_argument, NULL, OPTION_USERNAME },
	{ "password-stdin", no_argument, NULL, OPTION_PASSWORD_STDIN },
	{ "jobs", required_argument, NULL, 'j' },
	{ "retry-wait", required_argument, NULL, OPTION_RETRY_WAIT },
	{ "max-wait", required_argument, NULL, OPTION_MAX_WAIT },
	{ "stall-timeout", required_argument, NULL, OPTION_STALL_TIMEOUT },
	{ "progress", required_argument, NULL, OPTION_PROGRESS },
	{ "verify-store", no_argument, NULL, OPTION_VERIFY_STORE },
	{ "gc", no_argument, NULL, OPTION_GC },
	{ "older-than", required_argument, NULL, OPTION_OLDER_THAN },
	{ "forget", no_argument, NULL, OPTION_FORGET },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static enum progress_mode progress_option(const char *name)
{
	int mode = progress_mode_from(name);

	if (mode < 0)
		cli_usage(&cli, "--progress: '%s' is none of auto, tty, lines, json, none",
			  name);
	return (enum progress_mode)mode;
}

static void add_mirror(struct options *opt, const char *text)
{
	char why[512];

	if (mirror_add(&opt->mirrors, text, why, sizeof(why)) < 0)
		cli_usage(&cli, "--mirror: %.511s", why);
}

static void add_mirrors_of_environment(struct options *opt)
{
	char why[512];

	if (mirror_add_all(&opt->mirrors, getenv("OCCY_MIRRORS"), why, sizeof(why)) < 0)
		cli_usage(&cli, "OCCY_MIRRORS: %.511s", why);
}

static bool choose_care(struct options *opt, enum store_care_mode mode)
{
	if (opt->care.mode && opt->care.mode != mode)
		cli_usage(&cli, "only one of --verify-store, --gc and --forget");
	opt->care.mode = mode;
	return true;
}

/* Store care is something else than a pull: one mode, and what goes with it.
 * Returns whether the option is one of those; others are noted. */
static bool take_care_option(struct options *opt, int c)
{
	const char *name = "";

	for (const struct option *o = longopts; o->name; o++)
		if (o->val == c)
			name = o->name;
	switch (c) {
	case OPTION_VERIFY_STORE:
		return choose_care(opt, STORE_CARE_VERIFY);
	case OPTION_GC:
		return choose_care(opt, STORE_CARE_GC);
	case OPTION_FORGET:
		return choose_care(opt, STORE_CARE_FORGET);
	case OPTION_OLDER_THAN:
		opt->age_option = name;
		opt->care.grace_seconds =
			cli_number(&cli, "--older-than", optarg, 0, 36500) *
			DAY_SECONDS;
		return true;
	case OPTION_OS:
	case OPTION_ARCHITECTURE:
	case OPTION_VARIANT:
		opt->platform_option = name;
		return false;
	case OPTION_STORE:
	case OPTION_PROGRESS:
	case 'q':
	case 'v':
		return false;
	default:
		opt->pull_option = name;
		return false;
	}
}

static void check_care(struct options *opt, char **operands, int count)
{
	static const char *const modes[] = { "", "--verify-store", "--gc", "--forget" };
	const char *mode = modes[opt->care.mode];
	bool forget = opt->care.mode == STORE_CARE_FORGET;

	if (opt->pull_option)
		cli_usage(&cli, "%s does not go with --%s", mode, opt->pull_option);
	if (opt->platform_option && !forget)
		cli_usage(&cli, "%s does not go with --%s", mode,
			  opt->platform_option);
	if (opt->age_option && opt->care.mode != STORE_CARE_GC)
		cli_usage(&cli, "--%s is for --gc", opt->age_option);
	if (forget && count == 0)
		cli_usage(&cli, "--forget needs IMAGE");
	if (!forget && count > 0)
		cli_usage(&cli, "unexpected argument: %s", operands[0]);
	opt->care.images = operands;
	opt->care.image_count = (size_t)count;
}

/* Options that are a member of their own, and no more: true, or their argument. */
#define MEMBER(name) offsetof(struct options, name)

static const struct member {
	int option;
	size_t offset;
} flags[] = {
	{ OPTION_KEEP_GOING, MEMBER(keep_going) },
	{ OPTION_NO_LAYERS, MEMBER(no_layers) },
	{ OPTION_PRINT_DIGEST, MEMBER(print_digest) },
	{ OPTION_TAGS, MEMBER(tags) },
	{ OPTION_ALL_PLATFORMS, MEMBER(all_platforms) },
	{ OPTION_STRICT_PLATFORM, MEMBER(strict_platform) },
	{ OPTION_NO_FOREIGN, MEMBER(no_foreign) },
	{ OPTION_OFFLINE, MEMBER(offline) },
	{ OPTION_INSECURE, MEMBER(insecure) },
	{ OPTION_NO_TLS_VERIFY, MEMBER(no_tls_verify) },
	{ OPTION_ALLOW_PRIVATE_REDIRECT, MEMBER(client.allow_private_redirect) },
	{ OPTION_PASSWORD_STDIN, MEMBER(password_stdin) },
	{ 'v', MEMBER(client.verbose) },
}, texts[] = {
	{ 'f', MEMBER(list) },
	{ OPTION_IF_CHANGED, MEMBER(if_changed) },
	{ OPTION_OS, MEMBER(os) },
	{ OPTION_ARCHITECTURE, MEMBER(architecture) },
	{ OPTION_VARIANT, MEMBER(variant) },
	{ OPTION_STORE, MEMBER(store) },
	{ OPTION_REUSE, MEMBER(reuse) },
	{ OPTION_AUTHFILE, MEMBER(authfile) },
	{ OPTION_USERNAME, MEMBER(username) },
};

static bool take_member(struct options *opt, int c)
{
	char *base = (char *)opt;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (flags[i].option == c) {
			memcpy(base + flags[i].offset, &(bool){ true }, sizeof(bool));
			return true;
		}
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].option == c) {
			memcpy(base + texts[i].offset, &optarg, sizeof(optarg));
			return true;
		}
	return false;
}

static void take_option(struct options *opt, int c)
{
	if (take_care_option(opt, c) || take_member(opt, c))
		return;
	switch (c) {
	case OPTION_MIRROR:
		add_mirror(opt, optarg);
		break;
	case 'j':
		opt->client.jobs = (int)cli_number(&cli, "--jobs", optarg, 1, 16);
		break;
	case OPTION_RETRY_WAIT:
		opt->client.retry_wait_ms = cli_milliseconds(&cli, "--retry-wait",
							     optarg, 3600);
		break;
	case OPTION_MAX_WAIT:
		opt->client.max_wait_seconds =
			cli_number(&cli, "--max-wait", optarg, 0, 86400);
		break;
	case OPTION_STALL_TIMEOUT:
		opt->client.stall_seconds =
			cli_number(&cli, "--stall-timeout", optarg, 1, 86400);
		break;
	case OPTION_PROGRESS:
		opt->progress = progress_option(optarg);
		break;
	default: /* -q */
		opt->progress = PROGRESS_NONE;
		break;
	}
}

static void check_options(const struct options *opt)
{
	if (opt->age_option)
		cli_usage(&cli, "--%s is for --gc", opt->age_option);
	if (opt->password_stdin != (opt->username != NULL))
		cli_usage(&cli, "--username and --password-stdin go together");
	if (opt->password_stdin && opt->list && strcmp(opt->list, "-") == 0)
		cli_usage(&cli, "stdin cannot be both the list and the password");
	if (opt->password_stdin && opt->offline)
		cli_usage(&cli, "--offline needs no login");
	if (opt->all_platforms && (opt->os || opt->architecture || opt->variant ||
				   opt->strict_platform))
		cli_usage(&cli, "--all-platforms leaves no platform to choose");
}

static bool looks_only(const struct options *opt)
{
	return opt->print_digest || opt->tags;
}

static void check_looking(const struct options *opt)
{
	if (opt->print_digest && opt->tags)
		cli_usage(&cli, "--print-digest and --tags print different things");
	if (looks_only(opt) && (opt->if_changed || opt->no_layers || opt->reuse ||
				opt->keep_going || opt->all_platforms))
		cli_usage(&cli, "%s fetches nothing: --if-changed, --no-layers, --reuse, "
				"--keep-going and --all-platforms mean nothing",
			  opt->tags ? "--tags" : "--print-digest");
	if (opt->tags && opt->offline)
		cli_usage(&cli, "--tags asks a registry, --offline does not");
	if (opt->tags && opt->list)
		cli_usage(&cli, "--tags is for one REGISTRY and IMAGE, not for a list");
	if (opt->no_layers && opt->reuse)
		cli_usage(&cli, "--no-layers leaves nothing to reuse");
}

static void take_operands(struct options *opt, char **operands, int count)
{
	char why[512];

	if (opt->list && count > 0)
		cli_usage(&cli, "images are named by LIST or by REGISTRY IMAGE TAG, not by both");
	if (opt->list)
		return;
	if (opt->tags && count != 2)
		cli_usage(&cli, "--tags: REGISTRY and IMAGE are needed");
	if (!opt->tags && count != 3)
		cli_usage(&cli, "REGISTRY, IMAGE and TAG are needed");
	if (image_list_add(&opt->images, operands[0], operands[1],
			   opt->tags ? "latest" : operands[2], why, sizeof(why)) < 0)
		cli_usage(&cli, "%s", why);
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt_long(argc, argv, ":f:j:qvhV", longopts, NULL)) != -1) {
		if (c == 'h')
			cli_help(&cli);
		if (c == 'V')
			cli_version(&cli);
		if (c == '?' || c == ':')
			cli_bad_option(&cli, c, argv);
		take_option(opt, c);
	}
	if (opt->care.mode) {
		check_care(opt, argv + optind, argc - optind);
		return;
	}
	check_options(opt);
	check_looking(opt);
	take_operands(opt, argv + optind, argc - optind);
	add_mirrors_of_environment(opt);
}

static const char *login_variable(void)
{
	const char *name = "OCCYSTRAP_PASSWORD", *value = getenv(name);

	return value && *value ? name : NULL;
}

/* A login that is given by hand is for one registry: no list makes it known to
 * a second one. */
static int check_login(const struct options *opt)
{
	const char *given = opt->username ? "--username" : login_variable();

	if (!given || opt->offline || image_list_has_one_registry(&opt->images))
		return 0;
	return msg_fail(STATUS_USAGE, "%s is for one registry, but %s names several",
			given, opt->list);
}

static void set_wish(struct platform *wish, const struct options *opt)
{
	wish->os = mem_strdup(opt->os ? opt->os : "linux");
	wish->architecture = mem_strdup(opt->architecture ? opt->architecture : "amd64");
	wish->variant = opt->variant ? mem_strdup(opt->variant) : NULL;
	platform_normalize(wish);
}

static int do_what_is_asked(const struct options *opt, struct pull *pull)
{
	const struct look look = {
		.client = pull->client, .sources = pull->sources, .loop = pull->loop,
	};
	AUTO(mem) char *platform = pull_platform(pull);
	int rc = 0;

	if (opt->tags)
		return look_print_tags(&look, &opt->images.items[0]);
	if (opt->print_digest)
		return look_print(&look, &opt->images);
	if (opt->if_changed)
		rc = look_is_unchanged(&look, &opt->images, opt->if_changed,
				       platform);
	/* An image that cannot be looked at is not the one that was there. */
	if (pull->keep_going && rc < 0 && rc != -STATUS_STORAGE &&
	    rc != -STATUS_READER_GONE)
		rc = 0;
	pull->unchanged = rc > 0;
	for (size_t i = 0; i < opt->images.count && rc == 0; i++)
		rc = pull_image(pull, &opt->images.items[i]);
	return rc < 0 ? rc : 0;
}

static int pull_images(const struct options *opt, const char *password,
		       struct pull *pull)
{
	AUTO(client) struct client *client = client_new(&opt->client);
	AUTO(progress) struct progress *progress = progress_new(opt->progress);
	struct sources_settings settings = {
		.insecure = opt->insecure,
		.no_tls_verify = opt->no_tls_verify,
		.authfile = opt->authfile,
		.username = opt->username,
		.password = password,
		.mirrors = &opt->mirrors,
		.offline = opt->offline ? pull->store : NULL,
	};
	AUTO(sources) struct sources *sources = sources_new(client, &settings);
	struct turn turn = { .client = client, .out = pull->out, .progress = progress };
	struct client_loop loop = { .turn = turn_take, .context = &turn };
	int rc;

	pull->client = client;
	pull->sources = sources;
	pull->progress = progress;
	pull->loop = &loop;
	rc = do_what_is_asked(opt, pull);
	pull->loop = NULL; /* it ends with us */
	return rc;
}

static int pull_all(struct options *opt, struct pull *pull)
{
	AUTO(store) struct store *store = NULL;
	AUTO(mem) char *password = NULL;
	int rc = opt->list ? image_list_read(&opt->images, opt->list) : 0;

	if (rc == 0)
		rc = check_login(opt);
	if (rc == 0 && opt->offline)
		rc = store_open_existing(opt->store, &store);
	else if (rc == 0 && !looks_only(opt))
		rc = store_open(opt->store, &store);
	if (rc == 0 && opt->username)
		rc = credentials_read_password(&password);
	if (rc < 0)
		return rc;
	pull->store = store;
	if (opt->offline)
		store_use(store);
	set_wish(&pull->wish, opt);
	rc = pull_images(opt, password, pull);
	platform_clear(&pull->wish);
	if (password)
		explicit_bzero(password, strlen(password));
	return rc;
}

static int run(struct options *opt)
{
	AUTO(stream_writer) struct stream_writer *out =
		stream_writer_new(STDOUT_FILENO, "stdout");
	struct pull pull = {
		.out = out,
		.reuse = opt->reuse,
		.strict_platform = opt->strict_platform,
		.all_platforms = opt->all_platforms,
		.keep_going = opt->keep_going,
		.no_foreign = opt->no_foreign,
		.no_layers = opt->no_layers,
	};
	struct stream_summary summary = { 0 };
	int rc;

	stream_put_header(out);
	rc = stream_flush(out);
	if (rc == 0)
		rc = pull_all(opt, &pull);
	if (rc < 0)
		return rc;
	summary.left_out = pull.left_out;
	summary.unchanged = pull.unchanged;
	stream_put_end(out, &summary);
	rc = stream_flush(out);
	return rc < 0 ? rc : pull.failure;
}

static int care_for_store(struct options *opt)
{
	struct store_care *care = &opt->care;
	AUTO(platform) struct platform wish = {
		.os = opt->os ? mem_strdup(opt->os) : NULL,
		.architecture = opt->architecture ? mem_strdup(opt->architecture)
						  : NULL,
		.variant = opt->variant ? mem_strdup(opt->variant) : NULL,
	};

	platform_normalize(&wish);
	care->wish = wish;
	care->store = opt->store;
	care->progress = opt->progress;
	return store_care(care);
}

int main(int argc, char **argv)
{
	struct options opt = {
		.care.grace_seconds = DAY_SECONDS,
		.client = {
			.jobs = 4,
			.retry_wait_ms = 1000,
			.max_wait_seconds = 60,
			.stall_seconds = 60,
		},
	};
	struct pull look = { 0 };
	int rc;

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	if (opt.care.mode)
		rc = care_for_store(&opt);
	else if (looks_only(&opt))
		rc = pull_all(&opt, &look);
	else
		rc = run(&opt);
	image_list_clear(&opt.images);
	mirror_list_clear(&opt.mirrors);
	return cli_finish(rc);
}
