// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a command takes, without the time to start this program.
 *
 *	stopwatch CMD...			until it has exited; prints milliseconds, then what it printed goes on
 *	stopwatch -n LOG [-c N SOCKET] CMD...	until it says READY=1 (sd_notify(3)), and then until charon at SOCKET has N
 *						connections; prints its pid and the milliseconds of both; CMD goes on
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ike/vici_conn.h"
#include "tests/bench/bench.h"

#define NOTIFY_PATH "/run/gwd/bench.notify"
#define READY_MS 300000
#define POLL_US 20000

static pid_t command_start(char **argv, const char *log)
{
	pid_t pid = fork();

	if (pid < 0)
		bench_die("fork", errno);
	if (pid)
		return pid;
	if (log) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		setsid();
	}
	execvp(argv[0], argv);
	bench_die(argv[0], errno);
}

static int notify_open(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = NOTIFY_PATH};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink(NOTIFY_PATH);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)))
		bench_die(NOTIFY_PATH, errno);
	setenv("NOTIFY_SOCKET", NOTIFY_PATH, 1);
	return fd;
}

static void notify_await(int fd, pid_t pid)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	double end = bench_ms() + READY_MS;
	char text[512] = "";

	while (!strstr(text, "READY=1")) {
		ssize_t n = 0;

		if (poll(&p, 1, 100) > 0)
			n = recv(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		if (waitpid(pid, NULL, WNOHANG) == pid || bench_ms() > end)
			bench_die("never ready", ETIMEDOUT);
	}
}

static void ignore_event(void *user, const char *name, bool streamed, struct ike_msg *event)
{
	(void)user, (void)name, (void)streamed;
	ike_msg_free(event);
}

static void count_one(void *user, const char *name)
{
	(void)name;
	++*(size_t *)user;
}

static size_t conns_count(struct ike_vici *v)
{
	bool broken = false;
	size_t n = 0;
	int err = 0;
	struct ike_msg *answer = ike_vici_submit(v, ike_req_simple("get-conns"), &err, &broken);

	if (!answer)
		bench_die("get-conns", err);
	ike_answer_list(answer, "conns", count_one, &n);
	ike_msg_free(answer);
	return n;
}

static void conns_await(const char *socket, size_t want)
{
	double end = bench_ms() + READY_MS;
	struct ike_vici *v;
	int r = ike_vici_open(&v, socket, ignore_event, NULL);

	if (r)
		bench_die(socket, r);
	while (conns_count(v) < want && bench_ms() < end)
		usleep(POLL_US);
	ike_vici_close(v);
}

static int run_until_exit(char **argv)
{
	double start = bench_ms();
	pid_t pid = command_start(argv, NULL);
	int status = 0;

	waitpid(pid, &status, 0);
	printf("%.3f\n", bench_ms() - start);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	bool conns = argc > 6 && !strcmp(argv[1], "-n") && !strcmp(argv[3], "-c");
	double start, ready;
	pid_t pid;
	int fd;

	if (argc < 2 || (!strcmp(argv[1], "-n") && argc < 4)) {
		fprintf(stderr, "usage: stopwatch [-n LOG [-c N SOCKET]] CMD...\n");
		return 1;
	}
	if (strcmp(argv[1], "-n") != 0)
		return run_until_exit(argv + 1);
	if (conns)
		ike_vici_start();
	fd = notify_open();
	start = bench_ms();
	pid = command_start(argv + (conns ? 6 : 3), argv[2]);
	notify_await(fd, pid);
	ready = bench_ms();
	if (conns)
		conns_await(argv[5], (size_t)atol(argv[4]));
	printf("%d %.3f %.3f\n", pid, ready - start, bench_ms() - start);
	return 0;
}
