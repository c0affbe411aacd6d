/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FRR's vty sockets: entry function vty_ask, called by ctl/ospf.c. The client sends a command and a
 * NUL; the answer ends in three NULs and a byte with the command's status (vtysh_client_run in
 * vtysh/vtysh.c, vty_endframe in lib/vty.c, FRR 8.4). Every wait has one deadline, the answer a
 * largest size.
 */
#include "ctl/vty.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/vec.h"

#define SILENT_MS 1000
#define ANSWER_MAX (32u << 20) /* bytes; a neighbour takes 700 */
#define READ_SIZE 65536
#define BLANKS " \r\n\t"
#define END_SIZE 4 /* three NULs and the status */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool vty_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline - now_ms();
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* A full backlog (EAGAIN) is taken for a daemon that does not answer. */
static int vty_connect(const char *dir, const char *daemon)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int len = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s.vty", dir, daemon);

	if (len < 0 || (size_t)len >= sizeof(sun.sun_path))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A line always has room in the buffer of a new socket. */
static bool vty_send(int fd, const char *command)
{
	size_t size = strlen(command) + 1;

	return send(fd, command, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool answer_whole(const char *answer, size_t len)
{
	return len >= END_SIZE && memcmp(answer + len - END_SIZE, "\0\0", 3) == 0;
}

/* The answer; its length without its end, which begins with a NUL, in *len. NULL after the deadline. */
static char *vty_receive(int fd, int64_t deadline, size_t *len)
{
	char *answer = NULL;

	for (*len = 0; *len < ANSWER_MAX;) {
		char *grown = realloc(answer, *len + READ_SIZE);
		if (!grown || !vty_wait(fd, POLLIN, deadline)) {
			answer = grown ? grown : answer;
			break;
		}
		answer = grown;
		ssize_t n = recv(fd, answer + *len, READ_SIZE, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		*len += n > 0 ? (size_t)n : 0;
		if (answer_whole(answer, *len)) {
			*len -= END_SIZE;
			return answer;
		}
	}
	free(answer);
	return NULL;
}

/* The documents one after another, or NULL. */
static json_t *answer_parse(const char *answer, size_t len)
{
	json_t *list = json_array();
	size_t at = strspn(answer, BLANKS);

	while (list && at < len) {
		json_error_t error;
		json_t *one = json_loadb(answer + at, len - at, JSON_DISABLE_EOF_CHECK, &error);
		if (!one || json_array_append_new(list, one)) {
			json_decref(list);
			return NULL;
		}
		at += (size_t)error.position;
		at += strspn(answer + at, BLANKS);
	}
	return list;
}

json_t *vty_ask(const char *dir, const char *daemon, const char *command)
{
	int64_t deadline = now_ms() + SILENT_MS;
	json_t *said = NULL;
	size_t len;
	int fd = vty_connect(dir, daemon);

	if (fd < 0)
		return NULL;
	char *answer = vty_send(fd, command) ? vty_receive(fd, deadline, &len) : NULL;
	if (answer)
		said = answer_parse(answer, len);
	free(answer);
	close(fd);
	return said;
}
