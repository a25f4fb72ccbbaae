/* occy-pull - fetch images from registries into a store, and say what is there
 * in a stream.
 *
 * - the header goes out before anything can fail; the end record last, and
 *   only when all before it went well
 * - a record that names a file is written when that file is complete and
 *   verified
 * - records are queued: a slow reader does not stall the network, and one
 *   that is gone ends the run at once
 *
 * Half of the file is the table of options, and what does not go together:
 * that is told best in one place.
 */
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
#include "common/options.h"
#include "common/proxy.h"
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
	const char *proxy;
	struct mirror_list mirrors;
	struct client_settings client;
	enum progress_mode progress;
	struct store_care care;
	bool verify_store, gc, forget;
	int64_t grace_days;
	/* The last given of those that go with a pull only, with some. */
	const char *pull_option, *platform_option, *older_than;
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
"TAG may be a digest. REGISTRY IMAGE TAG may be one word, host/path:tag@digest.\n",
};

static void take_progress(const struct cli *tool, void *context, const char *name)
{
	enum progress_mode *out = context;
	int mode = name ? progress_mode_from(name) : PROGRESS_NONE;

	if (mode < 0)
		cli_usage(tool, "--progress: '%s' is none of auto, tty, lines, json, none",
			  name);
	*out = (enum progress_mode)mode;
}

static void take_mirror(const struct cli *tool, void *context, const char *text)
{
	char why[512];

	if (mirror_add(context, text, why, sizeof(why)) < 0)
		cli_usage(tool, "--mirror: %.511s", why);
}

/* It may hold a password: it is not repeated. */
static void take_proxy(const struct cli *tool, void *context, const char *url)
{
	if (!proxy_is_url(url))
		cli_usage(tool, "--proxy: not the URL of a proxy (http://HOST:PORT, https://, socks5h://)");
	*(const char **)context = url;
}

static void add_mirrors_of_environment(struct options *opt)
{
	char why[512];

	if (mirror_add_all(&opt->mirrors, getenv("OCCY_MIRRORS"), why, sizeof(why)) < 0)
		cli_usage(&cli, "OCCY_MIRRORS: %.511s", why);
}

/* A second list in place of the first would leave images out silently. */
static void take_list(const struct cli *tool, void *context, const char *argument)
{
	struct options *opt = context;

	if (opt->list)
		cli_usage(tool, "--file names one LIST; for several: cat LIST... | occy-pull -f -");
	opt->list = argument;
}

/* Store care is something else than a pull. Returns whether it is asked for. */
static bool choose_care(struct options *opt)
{
	if (opt->verify_store + opt->gc + opt->forget > 1)
		cli_usage(&cli, "only one of --verify-store, --gc and --forget");
	if (opt->older_than && !opt->gc)
		cli_usage(&cli, "--older-than is for --gc");
	if (opt->verify_store)
		opt->care.mode = STORE_CARE_VERIFY;
	else if (opt->gc)
		opt->care.mode = STORE_CARE_GC;
	else if (opt->forget)
		opt->care.mode = STORE_CARE_FORGET;
	opt->care.grace_seconds = opt->grace_days * DAY_SECONDS;
	return opt->care.mode != 0;
}

static void check_care(struct options *opt, char **operands, int count)
{
	const char *mode = opt->forget ? "--forget" : opt->gc ? "--gc" : "--verify-store";
	const char *other = opt->pull_option ? opt->pull_option
			    : opt->forget    ? NULL
					     : opt->platform_option;

	if (other)
		cli_usage(&cli, "%s does not go with --%s", mode, other);
	if (opt->forget && count == 0)
		cli_usage(&cli, "--forget needs IMAGE");
	if (!opt->forget && count > 0)
		cli_usage(&cli, "unexpected argument: %s", operands[0]);
	opt->care.images = operands;
	opt->care.image_count = (size_t)count;
}

static void check_options(const struct options *opt)
{
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
	int rc;

	if (opt->list && count > 0)
		cli_usage(&cli, "images are named by LIST or by REGISTRY IMAGE TAG, not by both");
	if (opt->list)
		return;
	if (opt->tags && count != 1 && count != 2)
		cli_usage(&cli, "--tags: REGISTRY and IMAGE are needed");
	if (!opt->tags && count != 1 && count != 3)
		cli_usage(&cli, "REGISTRY, IMAGE and TAG are needed");
	if (count == 1)
		rc = image_list_add_reference(&opt->images, operands[0], why,
					      sizeof(why));
	else
		rc = image_list_add(&opt->images, operands[0], operands[1],
				    opt->tags ? "latest" : operands[2], why,
				    sizeof(why));
	if (rc < 0)
		cli_usage(&cli, "%s", why);
}

static int read_options(int argc, char **argv, struct options *opt)
{
	struct client_settings *client = &opt->client;
	const char **pull = &opt->pull_option, **platform = &opt->platform_option;
	const struct cli_option options[] = {
		{ "file", 'f', "LIST", "fetch what the lines of LIST name (- for stdin)",
		  .noted = pull, .is_name = true, .take = take_list, .context = opt },
		{ "keep-going", 0, NULL, "leave out images that fail, fetch the others",
		  .noted = pull, .set = &opt->keep_going },
		{ "os", 0, "OS", "operating system (linux)",
		  .noted = platform, .text = &opt->os },
		{ "architecture", 0, "ARCH", "architecture (amd64)",
		  .noted = platform, .text = &opt->architecture },
		{ "variant", 0, "VARIANT", "variant of the architecture",
		  .noted = platform, .text = &opt->variant },
		{ "all-platforms", 0, NULL, "every image that the reference leads to",
		  .noted = pull, .set = &opt->all_platforms },
		{ "strict-platform", 0, NULL, "refuse an image for another platform even "
		  "where the registry offers no choice",
		  .noted = pull, .set = &opt->strict_platform },
		{ "no-layers", 0, NULL, "fetch manifest and config only",
		  .noted = pull, .set = &opt->no_layers },
		{ "if-changed", 0, "FILE", "nothing, if the images are those that FILE "
		  "tells of, which --digest-file of a later tool has written",
		  .noted = pull, .text = &opt->if_changed,
		  .is_name = true },
		{ "print-digest", 0, NULL, "only print the digest of what TAG stands for",
		  .noted = pull, .set = &opt->print_digest },
		{ "tags", 0, NULL, "only print the tags that there are",
		  .noted = pull, .set = &opt->tags },
		{ "store", 0, "DIR", "where blobs are kept (OCCY_STORE, else "
		  "~/.cache/occystrap)", .text = &opt->store, .is_name = true },
		{ "reuse", 0, "DIR", "do not fetch layers that DIR holds, a directory "
		  "written by occy-pack --dir", .noted = pull, .text = &opt->reuse,
		  .is_name = true },
		{ "offline", 0, NULL, "ask no registry, answer from the store",
		  .noted = pull, .set = &opt->offline },
		{ "mirror", 0, "[http://]HOST[=UPSTREAM]", "ask HOST first, in place of the "
		  "registry UPSTREAM or of any; may be repeated (OCCY_MIRRORS)",
		  .noted = pull, .take = take_mirror, .context = &opt->mirrors },
		{ "no-foreign", 0, NULL, "nothing from elsewhere that a manifest names",
		  .noted = pull, .set = &opt->no_foreign },
		{ "insecure", 0, NULL, "plain http will do",
		  .noted = pull, .set = &opt->insecure },
		{ "no-tls-verify", 0, NULL, "do not check the registry's certificate",
		  .noted = pull, .set = &opt->no_tls_verify },
		{ "allow-private-redirect", 0, NULL, "let a public registry lead to private "
		  "addresses", .noted = pull, .set = &client->allow_private_redirect },
		{ "proxy", 0, "URL", "the proxy for all requests",
		  .noted = pull, .take = take_proxy, .context = &opt->proxy },
		{ "authfile", 0, "FILE", "where logins are kept, as podman and docker do",
		  .noted = pull, .text = &opt->authfile, .is_name = true },
		{ "username", 0, "USER", "log in as USER, with --password-stdin",
		  .noted = pull, .text = &opt->username },
		{ "password-stdin", 0, NULL, "read the password from stdin",
		  .noted = pull, .set = &opt->password_stdin },
		{ "jobs", 'j', "N", "blobs fetched at a time (4)",
		  .noted = pull, .number = &client->jobs, .min = 1, .max = 16 },
		{ "split", 0, "N", "connections for a blob of 64 MiB and more (4)",
		  .noted = pull, .number = &client->split, .min = 1, .max = 16 },
		{ "retry-wait", 0, "SECONDS", "wait before the first repeat; doubles (1)",
		  .noted = pull, .milliseconds = &client->retry_wait_ms, .max = 3600 },
		{ "max-wait", 0, "SECONDS", "longest wait a registry may ask for (60)",
		  .noted = pull, .number = &client->max_wait_seconds, .max = 86400 },
		{ "stall-timeout", 0, "SECONDS", "below 1 KiB/s for so long is a failure (60)",
		  .noted = pull, .number = &client->stall_seconds, .min = 1, .max = 86400 },
		{ "verify-store", 0, NULL, "hash what is in the store, and see whether the "
		  "images there are complete", .set = &opt->verify_store },
		{ "gc", 0, NULL, "remove from the store what no image needs",
		  .set = &opt->gc },
		{ "older-than", 0, "DAYS", "only what has not been used for so long (1)",
		  .noted = &opt->older_than, .number = &opt->grace_days, .max = 36500 },
		{ "forget", 0, NULL, "take images out of the store's list; --gc then removes "
		  "what only they need", .set = &opt->forget },
		{ "progress", 0, "MODE", "auto, tty, lines, json or none",
		  .take = take_progress, .context = &opt->progress },
		{ "quiet", 'q', NULL, "the same as --progress none",
		  .take = take_progress, .context = &opt->progress },
		{ "verbose", 'v', NULL, "tell of repeated requests, and of no change",
		  .set = &client->verbose },
		{ .name = NULL },
	};

	return options_parse(&cli, options, argc, argv);
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	int first = read_options(argc, argv, opt);

	if (choose_care(opt)) {
		check_care(opt, argv + first, argc - first);
		return;
	}
	check_options(opt);
	check_looking(opt);
	take_operands(opt, argv + first, argc - first);
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
	if (pull->unchanged && opt->client.verbose)
		msg_note("%s: nothing has changed", opt->if_changed);
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

/* *store is for the caller to free. */
static int pull_all(struct options *opt, struct pull *pull, struct store **store)
{
	AUTO(proxies) struct proxies *proxies = proxies_new(opt->proxy);
	AUTO(mem) char *password = NULL;
	int rc = opt->list ? image_list_read(&opt->images, opt->list) : 0;

	if (rc == 0)
		rc = check_login(opt);
	if (rc == 0 && opt->offline)
		rc = store_open_existing(opt->store, store);
	else if (rc == 0 && !looks_only(opt))
		rc = store_open(opt->store, store);
	if (rc == 0 && opt->username)
		rc = credentials_read_password(&password);
	if (rc < 0)
		return rc;
	pull->store = *store;
	if (opt->offline)
		store_use(*store);
	opt->client.proxies = proxies;
	set_wish(&pull->wish, opt);
	rc = pull_images(opt, password, pull);
	platform_clear(&pull->wish);
	if (password)
		explicit_bzero(password, strlen(password));
	return rc;
}

static int run(struct options *opt, struct store **store)
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
		rc = pull_all(opt, &pull, store);
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
		.grace_days = 1,
		.client = {
			.jobs = 4,
			.split = 4,
			.retry_wait_ms = 1000,
			.max_wait_seconds = 60,
			.stall_seconds = 60,
		},
	};
	struct pull look = { 0 };
	struct store *store = NULL;
	int rc;

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	if (opt.care.mode)
		rc = care_for_store(&opt);
	else if (looks_only(&opt))
		rc = pull_all(&opt, &look, &store);
	else
		rc = run(&opt, &store);
	/* Not before all is written: readers may be slow, and its lease is for
	 * them, too. */
	store_free(store);
	image_list_clear(&opt.images);
	mirror_list_clear(&opt.mirrors);
	return cli_finish(rc);
}
