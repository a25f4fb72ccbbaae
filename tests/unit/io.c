/* io - whole reads and writes where the other side takes its time. */
#include "common/io.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/unit/check.h"

#define SIZE 1000000 /* more than a pipe holds */

static char byte_at(size_t i)
{
	return (char)(i % 251);
}

/* The other side, in a process of its own: it begins late, then takes or
 * gives everything. Its exit status says whether the bytes were right. */
static void other_side(int fd, bool writes)
{
	AUTO(mem) char *data = mem_zalloc(SIZE, 1);
	size_t got = SIZE;
	bool right = true;
	int rc;

	usleep(50000);
	for (size_t i = 0; writes && i < SIZE; i++)
		data[i] = byte_at(i);
	rc = writes ? io_write(fd, "other", data, SIZE)
		    : io_read(fd, "other", data, SIZE, &got);
	for (size_t i = 0; i < SIZE; i++)
		right = right && data[i] == byte_at(i);
	_exit(rc == 0 && got == SIZE && right ? 0 : 1);
}

/* Our end is non-blocking: every call finds the pipe full or empty at first. */
static void test_non_blocking(bool we_write)
{
	AUTO(mem) char *data = mem_zalloc(SIZE, 1);
	int fds[2], status = -1;
	int ours = we_write ? 1 : 0;
	size_t got = 0;
	bool right = true;
	pid_t child;

	if (pipe(fds) != 0 || fcntl(fds[ours], F_SETFL, O_NONBLOCK) != 0)
		exit(99);
	child = fork();
	if (child == 0) {
		close(fds[ours]);
		other_side(fds[!ours], !we_write);
	}
	close(fds[!ours]);
	for (size_t i = 0; we_write && i < SIZE; i++)
		data[i] = byte_at(i);
	if (we_write)
		CHECK_NUMBER(io_write(fds[ours], "pipe", data, SIZE), 0);
	else
		CHECK_NUMBER(io_read(fds[ours], "pipe", data, SIZE, &got), 0);
	for (size_t i = 0; i < SIZE; i++)
		right = right && data[i] == byte_at(i);
	close(fds[ours]);
	CHECK(right);
	CHECK(we_write || got == SIZE);
	CHECK_NUMBER(waitpid(child, &status, 0), child);
	CHECK_NUMBER(status, 0);
}

int main(void)
{
	alarm(30); /* a wait that never ends is a failure too */
	check_row("write");
	test_non_blocking(true);
	check_row("read");
	test_non_blocking(false);
	return check_result();
}
