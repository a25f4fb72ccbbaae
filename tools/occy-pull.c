/* occy-pull - fetch an image from a registry into a store, and say what is
 * there in a stream.
 *
 * - the header goes out before anything can fail; the end record last, and
 *   only when all before it went well
 * - a record that names a file is written when that file is complete and
 *   verified
 * - records are queued: a slow reader does not stall the network, and one
 *   that is gone ends the run at once
 */
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/credentials.h"
#include "common/io.h"
#include "common/mem.h"
#include "common/msg.h"
#include "common/pull.h"
#include "common/stream.h"

#define PASSWORD_MAX 65536

struct options {
	const char *os, *architecture, *variant;
	bool strict_platform;
	const char *store, *reuse;
	const char *image; /* as typed */
	const char *authfile, *username;
	bool password_stdin;
	struct client_settings client;
	enum progress_mode progress;
	struct reference reference;
};

static const struct cli cli = {
	.name = "occy-pull",
	.synopsis = "[options] REGISTRY IMAGE TAG >stream",
	.help =
"Fetch an image into the store and describe it in a stream on stdout.\n"
"TAG may be a digest.\n"
"\n"
"      --os OS              operating system (linux)\n"
"      --architecture ARCH  architecture (amd64)\n"
"      --variant VARIANT    variant of the architecture\n"
"      --strict-platform    refuse an image for another platform even where\n"
"                           the registry offers no choice\n"
"      --store DIR          where blobs are kept (OCCY_STORE, else\n"
"                           ~/.cache/occystrap)\n"
"      --reuse DIR          do not fetch layers that DIR holds, a directory\n"
"                           written by occy-pack --dir\n"
"      --insecure           plain http will do\n"
"      --no-tls-verify      do not check the registry's certificate\n"
"      --authfile FILE      where logins are kept, as podman and docker do\n"
"      --username USER      log in as USER, with --password-stdin\n"
"      --password-stdin     read the password from stdin\n"
"  -j, --jobs N             blobs fetched at a time (4)\n"
"      --retry-wait SECONDS wait before the first repeat; doubles (1)\n"
"      --max-wait SECONDS   longest wait a registry may ask for (60)\n"
"      --stall-timeout SECONDS\n"
"                           below 1 KiB/s for so long is a failure (60)\n"
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
	OPTION_STRICT_PLATFORM,
	OPTION_STORE,
	OPTION_REUSE,
	OPTION_INSECURE,
	OPTION_NO_TLS_VERIFY,
	OPTION_AUTHFILE,
	OPTION_USERNAME,
	OPTION_PASSWORD_STDIN,
	OPTION_RETRY_WAIT,
	OPTION_MAX_WAIT,
	OPTION_STALL_TIMEOUT,
	OPTION_PROGRESS,
};

static const struct option longopts[] = {
	{ "os", required_argument, NULL, OPTION_OS },
	{ "architecture", required_argument, NULL, OPTION_ARCHITECTURE },
	{ "variant", required_argument, NULL, OPTION_VARIANT },
	{ "strict-platform", no_argument, NULL, OPTION_STRICT_PLATFORM },
	{ "store", required_argument, NULL, OPTION_STORE },
	{ "reuse", required_argument, NULL, OPTION_REUSE },
	{ "insecure", no_argument, NULL, OPTION_INSECURE },
	{ "no-tls-verify", no_argument, NULL, OPTION_NO_TLS_VERIFY },
	{ "authfile", required_argument, NULL, OPTION_AUTHFILE },
	{ "username", required_argument, NULL, OPTION_USERNAME },
	{ "password-stdin", no_argument, NULL, OPTION_PASSWORD_STDIN },
	{ "jobs", required_argument, NULL, 'j' },
	{ "retry-wait", required_argument, NULL, OPTION_RETRY_WAIT },
	{ "max-wait", required_argument, NULL, OPTION_MAX_WAIT },
	{ "stall-timeout", required_argument, NULL, OPTION_STALL_TIMEOUT },
	{ "progress", required_argument, NULL, OPTION_PROGRESS },
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

static void take_option(struct options *opt, int c)
{
	switch (c) {
	case OPTION_OS:
		opt->os = optarg;
		break;
	case OPTION_ARCHITECTURE:
		opt->architecture = optarg;
		break;
	case OPTION_VARIANT:
		opt->variant = optarg;
		break;
	case OPTION_STRICT_PLATFORM:
		opt->strict_platform = true;
		break;
	case OPTION_STORE:
		opt->store = optarg;
		break;
	case OPTION_REUSE:
		opt->reuse = optarg;
		break;
	case OPTION_INSECURE:
		opt->client.insecure = true;
		break;
	case OPTION_NO_TLS_VERIFY:
		opt->client.no_tls_verify = true;
		break;
	case OPTION_AUTHFILE:
		opt->authfile = optarg;
		break;
	case OPTION_USERNAME:
		opt->username = optarg;
		break;
	case OPTION_PASSWORD_STDIN:
		opt->password_stdin = true;
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
	case 'q':
		opt->progress = PROGRESS_NONE;
		break;
	default:
		opt->client.verbose = true;
		break;
	}
}

static void parse_options(int argc, char **argv, struct options *opt)
{
	char why[512];
	int c;

	while ((c = getopt_long(argc, argv, ":j:qvhV", longopts, NULL)) != -1) {
		if (c == 'h')
			cli_help(&cli);
		if (c == 'V')
			cli_version(&cli);
		if (c == '?' || c == ':')
			cli_bad_option(&cli, c, argv);
		take_option(opt, c);
	}
	if (opt->password_stdin != (opt->username != NULL))
		cli_usage(&cli, "--username and --password-stdin go together");
	if (argc - optind != 3)
		cli_usage(&cli, "REGISTRY, IMAGE and TAG are needed");
	opt->image = argv[optind + 1];
	if (reference_from_parts(&opt->reference, argv[optind],
				 argv[optind + 1], argv[optind + 2], why,
				 sizeof(why)) < 0)
		cli_usage(&cli, "%s", why);
}

/* The first line of stdin. */
static int read_password(char **out)
{
	AUTO(buf) struct buf text = { 0 };
	int rc = io_read_all(STDIN_FILENO, "stdin", PASSWORD_MAX, &text);

	if (rc < 0)
		return rc;
	if (!text.len)
		return msg_fail(STATUS_USAGE, "stdin: no password came");
	text.data[strcspn(text.data, "\r\n")] = '\0';
	*out = mem_strdup(text.data);
	explicit_bzero(text.data, text.len);
	return 0;
}

static int find_credentials(const struct options *opt, struct credentials *out)
{
	struct credentials_query query = {
		.host = opt->reference.typed_host,
		.repository = opt->reference.repository,
		.authfile = opt->authfile,
		.is_named = true,
	};

	if (!opt->username)
		return credentials_find(out, &query);
	out->user = mem_strdup(opt->username);
	return read_password(&out->password);
}

/* What one turn of the loop needs. */
struct turn {
	struct client *client;
	struct stream_writer *out;
	struct progress *progress;
};

static int take_turn(void *context, int timeout_ms)
{
	const struct turn *turn = context;
	struct pollfd out = { .fd = stream_writer_fd(turn->out) };
	int rc;

	if (poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLNVAL))
		return -STATUS_READER_GONE;
	rc = stream_pump(turn->out);
	if (rc < 0)
		return rc;
	out.events = stream_is_pending(turn->out) ? POLLOUT : 0;
	client_step(turn->client, &out, 1, timeout_ms);
	progress_update(turn->progress, client_received(turn->client));
	return 0;
}

static int pull_one(const struct options *opt, const char *name,
		    struct stream_writer *out)
{
	struct client_settings settings = opt->client;
	AUTO(store) struct store *store = NULL;
	AUTO(credentials) struct credentials credentials = { 0 };
	AUTO(platform) struct platform wish = { 0 };
	AUTO(auth) struct auth *auth = NULL;
	AUTO(client) struct client *client = NULL;
	AUTO(progress) struct progress *progress = progress_new(opt->progress, name);
	int rc = store_open(opt->store, &store);

	if (rc == 0)
		rc = find_credentials(opt, &credentials);
	if (rc < 0)
		return rc;
	wish.os = mem_strdup(opt->os);
	wish.architecture = mem_strdup(opt->architecture);
	wish.variant = opt->variant ? mem_strdup(opt->variant) : NULL;
	platform_normalize(&wish);
	settings.host = opt->reference.host;
	settings.name = name;
	if (settings.no_tls_verify)
		msg_warn("the certificate of %s is not checked", settings.host);
	client = client_new(&settings);
	auth = auth_new(opt->reference.repository, &credentials);

	struct turn turn = { .client = client, .out = out, .progress = progress };
	struct client_loop loop = { .turn = take_turn, .context = &turn };
	struct pull pull = {
		.client = client,
		.auth = auth,
		.store = store,
		.out = out,
		.progress = progress,
		.loop = &loop,
		.reference = &opt->reference,
		.name = name,
		.typed_image = opt->image,
		.reuse = opt->reuse,
		.wish = wish,
		.strict_platform = opt->strict_platform,
	};

	return pull_image(&pull);
}

static int pull_all(const struct options *opt)
{
	AUTO(mem) char *name = reference_text(&opt->reference);
	AUTO(stream_writer) struct stream_writer *out =
		stream_writer_new(STDOUT_FILENO, "stdout");
	int rc;

	stream_put_header(out);
	rc = stream_flush(out);
	if (rc == 0)
		rc = pull_one(opt, name, out);
	if (rc < 0)
		return rc;
	stream_put_end(out, NULL);
	return stream_flush(out);
}

int main(int argc, char **argv)
{
	struct options opt = {
		.os = "linux",
		.architecture = "amd64",
		.client = {
			.jobs = 4,
			.retry_wait_ms = 1000,
			.max_wait_seconds = 60,
			.stall_seconds = 60,
		},
	};
	int rc;

	cli_init(&cli);
	parse_options(argc, argv, &opt);
	rc = pull_all(&opt);
	reference_clear(&opt.reference);
	return cli_finish(rc);
}
