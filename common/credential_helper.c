/* credential_helper.c - see credential_helper.h */
#include "common/credential_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/interrupt.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"

#define ANSWER_MAX 65536
#define SERVER_MAX 4096 /* fits into a pipe that nobody reads yet */
#define TICK_MS 10      /* an end without the end of its output */

/* What helpers print, with a failure, for a server that they do not know. */
#define NOT_FOUND "credentials not found in native keychain"

struct known {
	struct known *next;
	char *name, *server;
	int got; /* 0, 1, or a failure */
	struct credentials login;
};

struct credential_helpers {
	int64_t limit_ms;
	struct known *known;
};

/* One run of a helper. */
struct run {
	const char *name;
	pid_t pid; /* 0: gone */
	int out;   /* -1: closed */
	int status;
	size_t len;
	char answer[ANSWER_MAX + 2]; /* one more than allowed, and a NUL */
};

struct credential_helpers *credential_helpers_new(int64_t limit_ms)
{
	struct credential_helpers *helpers = mem_zalloc(1, sizeof(*helpers));

	helpers->limit_ms = limit_ms;
	return helpers;
}

void credential_helpers_free(struct credential_helpers *helpers)
{
	struct known *next;

	if (!helpers)
		return;
	for (struct known *known = helpers->known; known; known = next) {
		next = known->next;
		credentials_clear(&known->login);
		free(known->name);
		free(known->server);
		free(known);
	}
	free(helpers);
}

static int fail(const struct run *run, const char *why)
{
	return msg_fail(STATUS_FAILED, "docker-credential-%s: %s", run->name, why);
}

/* The server, and then the end of the input. Returns the descriptor, or -1. */
static int input_of(const char *server)
{
	size_t len = strlen(server);
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	if (write(ends[1], server, len) != (ssize_t)len) {
		close(ends[0]);
		ends[0] = -1;
	}
	close(ends[1]);
	return ends[0];
}

/* A process group of its own, signals as they were for us, nothing open that
 * is not its business. Returns 0 or an errno. */
static int spawn(struct run *run, int in, int out, const sigset_t *mask)
{
	AUTO(mem) char *program = mem_printf("docker-credential-%s", run->name);
	char get[] = "get";
	char *argv[] = { program, get, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t pipe_signal;
	int rc;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
						      POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
	posix_spawnattr_setsigmask(&attributes, mask);
	rc = posix_spawnp(&run->pid, program, &files, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	if (rc != 0)
		run->pid = 0;
	return rc;
}

static int start(struct run *run, const char *server, const sigset_t *mask)
{
	AUTO(fd) int in = input_of(server);
	int ends[2] = { -1, -1 }, rc;

	if (in < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return fail(run, strerror(errno));
	/* Only our end shall not block. */
	fcntl(ends[1], F_SETFL, 0);
	run->out = ends[0];
	rc = spawn(run, in, ends[1], mask);
	close(ends[1]);
	if (rc == ENOENT)
		return fail(run, "no such program in PATH, but a file with logins names it");
	return rc ? fail(run, strerror(rc)) : 0;
}

static void kill_group(struct run *run)
{
	if (!run->pid)
		return;
	kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, &run->status, 0) < 0 && errno == EINTR)
		;
	run->pid = 0;
}

/* All that there is for now. */
static void read_answer(struct run *run)
{
	ssize_t n = 1;

	while (run->out >= 0 && n > 0 && run->len <= ANSWER_MAX) {
		n = read(run->out, run->answer + run->len,
			 ANSWER_MAX + 1 - run->len);
		if (n > 0)
			run->len += (size_t)n;
		if (n < 0 && errno == EINTR)
			n = 1;
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			close(run->out);
			run->out = -1;
		}
	}
}

/* It may close its output and go on, or go and leave its output to a child. */
static int wait_for(struct run *run, int64_t limit_ms, int interrupts)
{
	int64_t until = clock_now_ms() + limit_ms;

	while (run->pid) {
		struct pollfd fds[] = {
			{ .fd = run->out, .events = POLLIN },
			{ .fd = interrupts, .events = POLLIN },
		};

		poll(fds, 2, TICK_MS);
		if (interrupt_pending() < 0)
			return interrupt_pending();
		if (waitpid(run->pid, &run->status, WNOHANG) == run->pid)
			run->pid = 0;
		read_answer(run);
		if (run->len > ANSWER_MAX)
			return fail(run, "its answer is larger than 65536 bytes");
		if (run->pid && clock_now_ms() >= until)
			return msg_fail(STATUS_FAILED,
					"docker-credential-%s: has not answered within %lld s",
					run->name, (long long)limit_ms / 1000);
	}
	return 0;
}

/* Where a signal has come, it acts when the mask is what it was. */
static int run_helper(struct run *run, const char *server, int64_t limit_ms)
{
	sigset_t before;
	int rc;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	interrupt_hold();
	rc = start(run, server, &before);
	if (rc == 0) {
		AUTO(fd) int interrupts = interrupt_fd();

		rc = wait_for(run, limit_ms, interrupts);
		kill_group(run);
	}
	if (run->out >= 0)
		close(run->out);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* Once it has gone with a failure: 0 for "no such login", or that failure. */
static int judge_failure(const struct run *run)
{
	size_t len = strcspn(run->answer, "\r\n");

	if (strncmp(run->answer, NOT_FOUND, sizeof(NOT_FOUND) - 1) == 0)
		return 0;
	if (WIFSIGNALED(run->status))
		return msg_fail(STATUS_FAILED,
				"docker-credential-%s: was killed by signal %d",
				run->name, WTERMSIG(run->status));
	return msg_fail(STATUS_FAILED,
			"docker-credential-%s: failed with status %d%s%.*s",
			run->name, WEXITSTATUS(run->status), len ? ": " : "",
			(int)(len < 256 ? len : 256), run->answer);
}

static int read_login(const struct run *run, struct credentials *out)
{
	AUTO(json) struct json_object *answer = NULL;
	const char *user = "", *secret = "", *why;

	answer = json_parse(run->answer, run->len, JSON_DEPTH_DOCUMENT, &why);
	if (!answer || !json_object_is_type(answer, json_type_object) ||
	    json_get_string(answer, "Username", &user) < 0 ||
	    json_get_string(answer, "Secret", &secret) < 0)
		return fail(run, "its answer is no login");
	if (!*user && !*secret)
		return 0;
	if (!*user || !*secret)
		return fail(run, "its answer is half a login");
	out->user = mem_strdup(user);
	out->password = mem_strdup(secret);
	return 1;
}

static int ask(const struct credential_helpers *helpers, struct credentials *out,
	       const char *name, const char *server)
{
	struct run *run = mem_zalloc(1, sizeof(*run));
	int rc;

	run->name = name;
	run->out = -1;
	if (strlen(server) > SERVER_MAX)
		rc = fail(run, "the server's name is too long");
	else
		rc = run_helper(run, server, helpers->limit_ms);
	if (rc == 0)
		rc = WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0
			     ? read_login(run, out)
			     : judge_failure(run);
	explicit_bzero(run, sizeof(*run));
	free(run);
	return rc;
}

static void copy_login(struct credentials *out, const struct credentials *from)
{
	if (!from->user)
		return;
	out->user = mem_strdup(from->user);
	out->password = mem_strdup(from->password);
}

int credential_helpers_ask(void *context, struct credentials *out,
			   const char *name, const char *server)
{
	struct credential_helpers *helpers = context;
	struct known *known = helpers->known;
	struct credentials login = { 0 };
	int got;

	while (known && (strcmp(known->name, name) != 0 ||
			 strcmp(known->server, server) != 0))
		known = known->next;
	if (!known) {
		got = ask(helpers, &login, name, server);
		known = mem_zalloc(1, sizeof(*known));
		*known = (struct known){
			.next = helpers->known,
			.name = mem_strdup(name),
			.server = mem_strdup(server),
			.got = got,
			.login = login,
		};
		helpers->known = known;
	} else if (known->got < 0) {
		msg_fail((enum status)-known->got,
			 "docker-credential-%s: has failed for %.256s before",
			 name, server);
	}
	copy_login(out, &known->login);
	return known->got;
}
