/* credential_helper.c - helpers that take their time, and what is remembered */
#include "common/credential_helper.h"

#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "check.h"
#include "common/mem.h"
#include "scratch.h"

#define SHORT_MS 1000 /* for helpers that do not answer */
#define LONG_MS 25000
#define LOGIN "{\"Username\":\"u\",\"Secret\":\"s\"}"

static int scratch;

static void helper(const char *script)
{
	AUTO(mem) char *text = mem_printf("#!/bin/sh\ncd %s\n%s\n", scratch_path,
					  script);

	scratch_write(scratch, "docker-credential-it", text, strlen(text));
	CHECK_NUMBER(fchmodat(scratch, "docker-credential-it", 0755, 0), 0);
}

static char *file(const char *name)
{
	char text[1024] = "";
	AUTO(fd) int fd = openat(scratch, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return mem_strdup(text);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Asks; what is said goes to a file. */
static int ask(struct credential_helpers *helpers, struct credentials *out,
	       const char *server)
{
	int saved = dup(STDERR_FILENO), got;
	AUTO(fd) int fd = openat(scratch, "said",
				 O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	dup2(fd, STDERR_FILENO);
	got = credential_helpers_ask(helpers, out, "it", server);
	dup2(saved, STDERR_FILENO);
	close(saved);
	return got;
}

static void check_ask(const char *script, int want, const char *said)
{
	AUTO(credential_helpers) struct credential_helpers *helpers =
		credential_helpers_new(want > 0 ? LONG_MS : SHORT_MS);
	AUTO(credentials) struct credentials login = { 0 };
	AUTO(mem) char *text = NULL;
	double start = now();

	check_row(script);
	helper(script);
	CHECK_NUMBER(ask(helpers, &login, "q.io"), want);
	CHECK(now() - start < 15);
	text = file("said");
	CHECK(strstr(text, said));
	CHECK(*said || !*text);
	CHECK_TEXT(login.user, want > 0 ? "u" : NULL);
	CHECK_TEXT(login.password, want > 0 ? "s" : NULL);
}

/* It may take a moment to die. */
static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 500; i++) {
		AUTO(mem) char *path = mem_printf("/proc/%d/stat", (int)pid);
		char line[512] = "", *state;
		AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
		struct timespec pause = { .tv_nsec = 10000000 };

		if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
			return true;
		state = strrchr(line, ')');
		if (state && state[1] == ' ' && state[2] == 'Z')
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void check_limits(void)
{
	static const char late[] =
		"docker-credential-it: has not answered within 1 s";
	AUTO(mem) char *child = NULL;

	check_ask("sleep 60 & echo $! >child; wait", -1, late);
	child = file("child");
	CHECK(atoi(child) > 0 && is_gone(atoi(child)));
	check_ask("echo '" LOGIN "'; exec >&-; sleep 60", -1, late);
	check_ask("echo '" LOGIN "'; trap '' TERM INT HUP; sleep 60", -1, late);
	/* Whoever is left behind with its output does not hold us up. */
	check_ask("sleep 25 & echo '" LOGIN "'", 1, "");
	check_ask("printf '{\"Username\":\"u\",'; sleep 0.1; echo '\"Secret\":\"s\"}'",
		  1, "");
	/* One that does not want to know the server. */
	check_ask("exec <&-; echo '" LOGIN "'", 1, "");
}

static void check_memory(void)
{
	AUTO(credential_helpers) struct credential_helpers *helpers =
		credential_helpers_new(LONG_MS);
	AUTO(mem) char *asked = NULL;

	helper("server=$(cat); echo $server >>asked\n"
	       "[ $server = none.io ] || exec echo '" LOGIN "'\n"
	       "echo credentials not found in native keychain; exit 1");
	for (int i = 0; i < 3; i++) {
		AUTO(credentials) struct credentials one = { 0 };
		AUTO(credentials) struct credentials none = { 0 };

		check_row("asked once for a server");
		CHECK_NUMBER(ask(helpers, &one, "q.io"), 1);
		CHECK_TEXT(one.user, "u");
		CHECK_TEXT(one.password, "s");
		CHECK_NUMBER(ask(helpers, &none, "none.io"), 0);
		CHECK_TEXT(none.user, NULL);
	}
	asked = file("asked");
	CHECK_TEXT(asked, "q.io\nnone.io\n");
}

static void check_long_server(void)
{
	AUTO(credential_helpers) struct credential_helpers *helpers =
		credential_helpers_new(SHORT_MS);
	AUTO(credentials) struct credentials login = { 0 };
	AUTO(mem) char *said = NULL;
	char server[5000];

	check_row("a server's name that fits into no pipe");
	memset(server, 'a', sizeof(server) - 1);
	server[sizeof(server) - 1] = '\0';
	CHECK_NUMBER(ask(helpers, &login, server), -1);
	said = file("said");
	CHECK(strstr(said, "docker-credential-it: the server's name is too long"));
}

int main(void)
{
	AUTO(mem) char *path = NULL;

	scratch = scratch_open();
	path = mem_printf("%s:%s", scratch_path, getenv("PATH"));
	setenv("PATH", path, 1);
	check_limits();
	check_memory();
	check_long_server();
	return check_result();
}
