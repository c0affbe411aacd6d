/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request to gwd's control socket (doc/CONTROL.md), for programs of tests: without a library, and with a deadline. */
#ifndef GWD_TESTS_LAB_ASK_H
#define GWD_TESTS_LAB_ASK_H

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Microseconds, monotonic; not by clock_gettime, which a test may have replaced. */
static inline uint64_t ask_now(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static inline int ask_connect(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Lines until one has "exit", which the greeting and progress have not. */
static inline int ask_read(int fd, char *answer, size_t size, uint64_t until)
{
	size_t n = 0;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		uint64_t now = ask_now();
		const char *at;
		ssize_t got;

		answer[n] = '\0';
		at = strstr(answer, "\"exit\":");
		if (at && strchr(at, '\n'))
			return atoi(at + 7);
		if (now >= until || poll(&wait, 1, (int)((until - now) / 1000) + 1) <= 0)
			return -1;
		got = recv(fd, answer + n, size - n - 1, 0);
		if (got <= 0)
			return -1;
		n += (size_t)got;
	}
}

/* The request is a line. gwctl's exit status, or -1 when there is no whole answer within ms. */
static inline int ask_line(const char *path, const char *request, unsigned ms, char *answer,
			   size_t size)
{
	uint64_t until = ask_now() + (uint64_t)ms * 1000;
	ssize_t n = (ssize_t)strlen(request);
	int fd = ask_connect(path), r = -1;

	if (fd < 0)
		return -1;
	if (send(fd, request, (size_t)n, MSG_NOSIGNAL) == n)
		r = ask_read(fd, answer, size, until);
	close(fd);
	return r;
}

static inline int ask(const char *path, const char *verb, unsigned ms, char *answer, size_t size)
{
	char request[128];

	snprintf(request, sizeof(request), "{\"verb\":\"%s\"}\n", verb);
	return ask_line(path, request, ms, answer, size);
}

#endif
