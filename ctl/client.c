/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's side of doc/CONTROL.md: connect, greeting, request, progress, answer. Entry function
 * client_ask. The socket does not block; every wait is a poll(2) against one monotonic deadline per
 * line, and every line has a largest size. Neighbour: ctl/remote.c, which asks.
 */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl/output.h"
#include "lib/protocol.h"

#define CONNECT_RETRY_MS 20
#define READ_SIZE 65536

struct client {
	int fd;
	const char *config;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int timeout_ms;
	int64_t deadline; /* of the step under way, monotonic ms */
	char *buf;
	size_t len, room;
	size_t used; /* bytes of buf that earlier lines took */
	size_t scanned; /* no line feed before this */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int client_silent(const struct client *c)
{
	return output_error("gwd does not answer on %s within %d s: see journalctl -u gwd", c->path,
			    c->timeout_ms / 1000);
}

static int client_gone(const struct client *c)
{
	return output_error("gwd closed %s before it answered: see journalctl -u gwd", c->path);
}

static int client_garbled(const struct client *c, const char *what)
{
	return output_error("what listens on %s does not speak as gwd does: %s", c->path, what);
}

static int client_wait(struct client *c, short events)
{
	struct pollfd p = {.fd = c->fd, .events = events};

	for (;;) {
		int64_t left = c->deadline - now_ms();
		if (left <= 0)
			return client_silent(c);
		int n = poll(&p, 1, (int)left);
		if (n > 0)
			return EXIT_WELL;
		if (n < 0 && errno != EINTR)
			return output_error("poll: %s", strerror(errno));
	}
}

static int client_connect_failed(const struct client *c, int err)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		return output_error(
			"gwd does not run (%s %s): start it with \"systemctl start gwd\" "
			"or \"gwd -c %s\"",
			err == ENOENT ? "no" : "nobody listens on", c->path, c->config);
	case EACCES:
	case EPERM:
		return output_error("not allowed to open %s: reading is for root and the group %s "
				    "(usermod -aG %s USER, then log in again), changing for root",
				    c->path, PROTOCOL_GROUP, PROTOCOL_GROUP);
	case EAGAIN:
		return client_silent(c);
	default:
		return output_error("cannot connect to %s: %s", c->path, strerror(err));
	}
}

/* A full backlog gives EAGAIN on a UNIX socket, and poll(2) cannot wait for it (unix(7)). */
static int client_connect(struct client *c)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const struct timespec pause = {.tv_nsec = CONNECT_RETRY_MS * 1000000};

	strcpy(sun.sun_path, c->path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return output_error("cannot make a socket: %s", strerror(errno));
	while (connect(c->fd, (struct sockaddr *)&sun, sizeof(sun))) {
		if ((errno != EAGAIN && errno != EINTR) || now_ms() >= c->deadline)
			return client_connect_failed(c, errno);
		nanosleep(&pause, NULL);
	}
	return EXIT_WELL;
}

static int client_send(struct client *c, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(c->fd, bytes, size, MSG_NOSIGNAL);
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return EXIT_WELL; /* its last words, the reason, may wait to be read */
		if (errno != EAGAIN && errno != EINTR)
			return output_error("cannot write to %s: %s", c->path, strerror(errno));
		if (client_wait(c, POLLOUT))
			return EXIT_ERROR;
	}
	return EXIT_WELL;
}

static bool client_buffer_grow(struct client *c)
{
	if (c->room - c->len >= READ_SIZE)
		return true;
	size_t room = c->room ? c->room * 2 : 2 * READ_SIZE;
	char *grown = realloc(c->buf, room);
	if (!grown)
		return false;
	c->buf = grown;
	c->room = room;
	return true;
}

static int client_receive(struct client *c)
{
	if (!client_buffer_grow(c))
		return output_error("out of memory");
	if (client_wait(c, POLLIN))
		return EXIT_ERROR;
	ssize_t n = recv(c->fd, c->buf + c->len, c->room - c->len, 0);
	if (n > 0) {
		c->len += (size_t)n;
		return EXIT_WELL;
	}
	if (n == 0 || errno == ECONNRESET)
		return client_gone(c);
	if (errno == EAGAIN || errno == EINTR)
		return EXIT_WELL;
	return output_error("cannot read from %s: %s", c->path, strerror(errno));
}

/* The next line as a JSON object, the caller's; it must be whole within the timeout. */
static int client_read_object(struct client *c, size_t max, json_t **out)
{
	char *end;

	c->deadline = now_ms() + c->timeout_ms;
	while (!(end = c->scanned < c->len ? memchr(c->buf + c->scanned, '\n', c->len - c->scanned)
					   : NULL)) {
		c->scanned = c->len;
		if (c->len - c->used >= max)
			return client_garbled(c, "a line without end");
		if (client_receive(c))
			return EXIT_ERROR;
	}
	size_t line = c->used;
	c->used = c->scanned = (size_t)(end - c->buf) + 1;
	*out = json_loadb(c->buf + line, c->used - line - 1, 0, NULL);
	if (json_is_object(*out))
		return EXIT_WELL;
	json_decref(*out);
	return client_garbled(c, "a line that is no JSON object");
}

static int client_greeting_check(const struct client *c, const json_t *greeting)
{
	const char *version = json_string_value(json_object_get(greeting, "gwd"));
	const json_t *protocol = json_object_get(greeting, "protocol");

	if (!version || !json_is_integer(protocol))
		return client_garbled(c, "its greeting names no gwd");
	if (json_integer_value(protocol) == PROTOCOL_NUMBER)
		return EXIT_WELL;
	return output_error(
		"gwd %s speaks protocol %lld, this gwctl %s speaks %d: after an upgrade "
		"\"systemctl restart gwd\" (no packet is lost), else install the gwctl "
		"of the same version",
		version, (long long)json_integer_value(protocol), GWD_VERSION, PROTOCOL_NUMBER);
}

static int client_greeting(struct client *c)
{
	json_t *greeting;

	if (client_read_object(c, PROTOCOL_GREETING_MAX, &greeting))
		return EXIT_ERROR;
	int rc = client_greeting_check(c, greeting);
	json_decref(greeting);
	return rc;
}

static int client_request(struct client *c, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);

	if (!text)
		return output_error("out of memory");
	size_t len = strlen(text);
	text[len] = '\n'; /* in the place of the NUL, which nobody needs any more */
	c->deadline = now_ms() + c->timeout_ms;
	int rc = client_send(c, text, len + 1);
	free(text);
	return rc;
}

static int client_answer_take(const struct client *c, const json_t *said,
			      struct client_answer *answer)
{
	const json_t *status = json_object_get(said, "exit");
	const char *error = json_string_value(json_object_get(said, "error"));
	json_t *result = json_object_get(said, "result");
	json_int_t code = json_integer_value(status);

	if (!json_is_integer(status) || code < EXIT_WELL || code > EXIT_NOT_AS_WANTED)
		return client_garbled(c, "an answer without an exit status");
	answer->exit = (int)code;
	if (error && !(answer->error = strdup(error)))
		return output_error("out of memory");
	if (json_is_object(result))
		answer->result = json_incref(result);
	return EXIT_WELL;
}

/* Progress restarts the deadline: what gwd reports on is not hanging. */
static int client_read_answer(struct client *c, struct client_answer *answer)
{
	bool tell = isatty(STDERR_FILENO);
	json_t *said;

	for (;;) {
		if (client_read_object(c, PROTOCOL_ANSWER_MAX, &said))
			return EXIT_ERROR;
		const char *progress = json_string_value(json_object_get(said, "progress"));
		if (!progress)
			break;
		if (tell)
			output_note(progress);
		json_decref(said);
	}
	int rc = client_answer_take(c, said, answer);
	json_decref(said);
	return rc;
}

int client_ask(const struct options *opt, unsigned timeout, const json_t *request,
	       struct client_answer *answer)
{
	struct client c = {.fd = -1, .config = opt->config, .timeout_ms = (int)timeout * 1000};

	*answer = (struct client_answer){0};
	int n = snprintf(c.path, sizeof(c.path), "%s/%s", opt->run_dir, PROTOCOL_SOCKET);
	if (n < 0 || (size_t)n >= sizeof(c.path))
		return output_error("--run-dir %s is too long for a socket", opt->run_dir);
	c.deadline = now_ms() + c.timeout_ms;
	int rc = client_connect(&c);
	if (!rc)
		rc = client_greeting(&c);
	if (!rc)
		rc = client_request(&c, request);
	if (!rc)
		rc = client_read_answer(&c, answer);
	if (c.fd >= 0)
		close(c.fd);
	free(c.buf);
	return rc;
}

void client_answer_done(struct client_answer *answer)
{
	json_decref(answer->result);
	free(answer->error);
	*answer = (struct client_answer){0};
}
