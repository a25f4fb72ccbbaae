/* progress.c - see progress.h */
#include "common/progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/msg.h"

#define TTY_INTERVAL_MS 100
#define JSON_INTERVAL_MS 1000
#define QUIET_MS 500 /* what is over by then needs no display */
#define LINES_INTERVAL_MS 10000
#define COLUMNS_DEFAULT 80

struct progress {
	enum progress_mode mode;
	char *name;
	int64_t expected, received, found;
	int64_t started, drawn; /* milliseconds */
	bool is_on_screen;
};

int progress_mode_from(const char *name)
{
	static const char *const names[] = {
		[PROGRESS_AUTO] = "auto",   [PROGRESS_TTY] = "tty",
		[PROGRESS_LINES] = "lines", [PROGRESS_JSON] = "json",
		[PROGRESS_NONE] = "none",
	};

	for (int i = 0; i < (int)(sizeof(names) / sizeof(*names)); i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

struct progress *progress_new(enum progress_mode mode)
{
	struct progress *progress = mem_zalloc(1, sizeof(*progress));

	if (mode == PROGRESS_AUTO)
		mode = isatty(STDERR_FILENO) ? PROGRESS_TTY : PROGRESS_LINES;
	progress->mode = mode;
	progress->name = mem_strdup("");
	progress->started = clock_now_ms();
	progress->drawn = progress->started;
	return progress;
}

void progress_name(struct progress *progress, const char *name)
{
	free(progress->name);
	progress->name = mem_strdup(name);
}

void progress_expect(struct progress *progress, int64_t bytes)
{
	progress->expected += bytes;
}

/* "1.23 GB", in powers of ten as registries and disks are sold. */
static void format_bytes(int64_t bytes, char *out, size_t size)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 999.5 && unit < 4; unit++)
		value /= 1000;
	snprintf(out, size, "%.*f %s", unit == 0 || value >= 99.95 ? 0 : 1,
		 value, units[unit]);
}

static void format_state(const struct progress *progress, int64_t now, char *out,
			 size_t size)
{
	int64_t elapsed = now - progress->started;
	/* What was found may have been thrown away since. */
	int64_t come = progress->received > progress->found
			       ? progress->received - progress->found
			       : 0;
	int64_t rate = elapsed > 0 ? come * 1000 / elapsed : 0;
	int64_t left = progress->expected - progress->received;
	char received[32], expected[32], speed[32];
	int n;

	format_bytes(progress->received, received, sizeof(received));
	format_bytes(progress->expected, expected, sizeof(expected));
	format_bytes(rate, speed, sizeof(speed));
	n = snprintf(out, size, "%s of %s, %s/s", received, expected, speed);
	if (rate > 0 && left > 0 && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, ", %" PRId64 " s left",
			 left / rate + 1);
}

static size_t columns(void)
{
	struct winsize window;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
		return window.ws_col;
	return COLUMNS_DEFAULT;
}

static void write_stderr(const char *text, size_t len)
{
	ssize_t n = write(STDERR_FILENO, text, len);

	(void)n; /* a display that cannot be shown is no failure */
}

static void draw_tty(struct progress *progress, const char *state)
{
	char line[1024], name[512];
	size_t most = columns() - 1;
	size_t room = most > strlen(state) + 2 ? most - strlen(state) - 2 : 0;

	msg_format(name, sizeof(name), "%s", progress->name);
	if (strlen(name) > room)
		name[room] = '\0';
	snprintf(line, sizeof(line), "\r\033[K%s%s%.*s", name,
		 name[0] ? ": " : "", (int)most, state);
	write_stderr(line, strlen(line));
	progress->is_on_screen = true;
}

static void draw_json(const struct progress *progress)
{
	AUTO(json) struct json_object *json = json_new_object();
	AUTO(mem) char *line = NULL;

	json_add_string(json, "type", "progress");
	json_add_string(json, "image", progress->name);
	json_add_integer(json, "received", progress->received);
	json_add_integer(json, "expected", progress->expected);
	line = mem_printf("%s\n", json_text(json, NULL));
	write_stderr(line, strlen(line));
}

static void draw(struct progress *progress, int64_t now)
{
	char state[256];

	format_state(progress, now, state, sizeof(state));
	progress->drawn = now;
	switch (progress->mode) {
	case PROGRESS_TTY:
		draw_tty(progress, state);
		break;
	case PROGRESS_JSON:
		draw_json(progress);
		break;
	case PROGRESS_LINES:
		msg_note("%s: %s", progress->name, state);
		break;
	case PROGRESS_AUTO:
	case PROGRESS_NONE:
		break;
	}
}

static int64_t interval(enum progress_mode mode)
{
	return mode == PROGRESS_TTY    ? TTY_INTERVAL_MS
	       : mode == PROGRESS_JSON ? JSON_INTERVAL_MS
				       : LINES_INTERVAL_MS;
}

void progress_update(struct progress *progress, int64_t received, int64_t found)
{
	int64_t now = clock_now_ms();

	progress->received = received;
	progress->found = found;
	if (progress->expected > 0 && progress->mode != PROGRESS_NONE &&
	    now - progress->started >= QUIET_MS &&
	    now - progress->drawn >= interval(progress->mode))
		draw(progress, now);
}

void progress_free(struct progress *progress)
{
	if (!progress)
		return;
	if (progress->mode == PROGRESS_JSON && progress->expected > 0)
		draw_json(progress); /* the last word is the whole of it */
	if (progress->is_on_screen)
		write_stderr("\r\033[K", 4);
	free(progress->name);
	free(progress);
}
