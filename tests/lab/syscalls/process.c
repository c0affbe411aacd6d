// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gwd under inject.so (tests/lab/preload/inject.c), which keeps a linked copy of it and forks that for each start. Entry:
 * process_open.
 */
#include "tests/lab/syscalls/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/protocol.h"
#include "tests/lab/ask.h"
#include "tests/lab/syscalls/world.h"

#define FILE_NAME "/run/gwd/inject"

static struct {
	struct inject *shared;
	int fork_fd, log_fd;
	off_t logged;
	pid_t pid;
	int pidfd;
} p = {.pidfd = -1};

uint64_t process_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void process_sleep(unsigned ms)
{
	poll(NULL, 0, (int)ms);
}

static void file_open(void)
{
	int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*p.shared)))
		world_die(FILE_NAME, errno);
	p.shared = mmap(NULL, sizeof(*p.shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p.shared == MAP_FAILED)
		world_die(FILE_NAME, errno);
	close(fd);
	atomic_store(&p.shared->at, UINT64_MAX);
	p.shared->magic = INJECT_MAGIC;
}

void process_open(char *const argv[], const char *preload, const char *log)
{
	int ends[2];
	char number[16];

	file_open();
	p.log_fd = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (p.log_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		world_die(log, errno);
	p.fork_fd = ends[0];
	if (fork())
		return;
	snprintf(number, sizeof(number), "%d", fcntl(ends[1], F_DUPFD, 10));
	setenv("LD_PRELOAD", preload, 1);
	setenv(INJECT_VARIABLE, FILE_NAME, 1);
	setenv(INJECT_FORK, number, 1);
	dup2(p.log_fd, STDOUT_FILENO);
	dup2(p.log_fd, STDERR_FILENO);
	execv(argv[0], argv);
	world_die(argv[0], errno);
}

static int command(char what)
{
	int answer;

	if (write(p.fork_fd, &what, 1) != 1 ||
	    read(p.fork_fd, &answer, sizeof(answer)) != sizeof(answer))
		world_die("the kept copy of gwd is gone", EPIPE);
	return answer;
}

void process_start(void)
{
	atomic_store(&p.shared->seen[INJECT_MAIN], 0);
	atomic_store(&p.shared->seen[INJECT_THREADS], 0);
	p.pid = command('s');
	p.pidfd = (int)syscall(SYS_pidfd_open, p.pid, 0);
	if (p.pidfd < 0)
		world_die("pidfd_open", errno);
}

bool process_ended(unsigned ms, int *status)
{
	struct pollfd wait = {.fd = p.pidfd, .events = POLLIN};

	if (p.pidfd < 0)
		return true;
	if (poll(&wait, 1, (int)ms) <= 0)
		return false;
	close(p.pidfd);
	p.pidfd = -1;
	*status = command('w');
	return true;
}

void process_kill(void)
{
	int status;

	if (p.pidfd < 0)
		return;
	kill(p.pid, SIGKILL);
	process_ended(5000, &status);
}

/* One that is to be started begins to count at 0. */
void process_arm(enum inject_scope scope, uint64_t n, int error)
{
	uint64_t from = p.pidfd < 0 ? 0 : atomic_load(&p.shared->seen[scope]);

	atomic_store(&p.shared->at, UINT64_MAX);
	atomic_store(&p.shared->hits, 0);
	atomic_store(&p.shared->scope, scope);
	atomic_store(&p.shared->error, error);
	atomic_store(&p.shared->times, 1);
	atomic_store(&p.shared->at, from + n - 1);
}

bool process_was_hit(void)
{
	return atomic_load(&p.shared->hits);
}

#define NAME(name) {SYS_##name, #name},

const char *process_hit(void)
{
	static const struct {
		uint32_t nr;
		const char *name;
	} calls[] = {INJECT_CALLS(NAME)};

	atomic_store(&p.shared->at, UINT64_MAX);
	if (!atomic_load(&p.shared->hits))
		return NULL;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].nr == atomic_load(&p.shared->last))
			return calls[i].name;
	return "?";
}

uint64_t process_seen(enum inject_scope scope)
{
	return atomic_load(&p.shared->seen[scope]);
}

int process_ask(const char *verb, unsigned ms)
{
	static char answer[65536];

	return ask(PROTOCOL_RUN_DIR "/" PROTOCOL_SOCKET, verb, ms, answer, sizeof(answer));
}

unsigned process_fds(void)
{
	char path[64];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", p.pid);
	d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

unsigned process_memory_kib(void)
{
	char path[64], line[128];
	unsigned kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", p.pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %u kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

const char *process_log(void)
{
	static char text[8192];
	ssize_t n = pread(p.log_fd, text, sizeof(text) - 1, p.logged);

	n = n < 0 ? 0 : n;
	text[n] = '\0';
	p.logged = lseek(p.log_fd, 0, SEEK_END);
	return text;
}
