// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks the gwd of a node on its control socket (doc/CONTROL.md), which is reached through the holder's root: ask_all.
 */
#include "tests/chaos/watch.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (1 << 20)
#define WAIT_S 5

static int ask_connect(const struct node *node)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = WAIT_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		watch_die("socket");
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/%d/root/run/gwd/gwd.sock", node->pid);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Two lines, the greeting and the answer; NULL: there is none. */
static json_t *ask_read(int fd)
{
	static char buf[ANSWER_MAX];
	size_t have = 0;
	char *line;

	for (;;) {
		ssize_t n = recv(fd, buf + have, sizeof(buf) - have - 1, 0);

		if (n <= 0)
			return NULL;
		have += (size_t)n;
		buf[have] = 0;
		line = strchr(buf, '\n');
		if (line && strchr(line + 1, '\n'))
			return json_loads(line + 1, JSON_DISABLE_EOF_CHECK, NULL);
	}
}

/* The question to a node's gwd; its answer is read from the descriptor. -1: there is no gwd. */
static int ask_send(const struct node *node, const char *verb)
{
	int fd = ask_connect(node);
	char line[64];

	snprintf(line, sizeof(line), "{\"verb\": \"%s\"}\n", verb);
	if (fd < 0 || send(fd, line, strlen(line), MSG_NOSIGNAL) > 0)
		return fd;
	close(fd);
	return -1;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool expect_met(const struct node *node, const struct expect *e, const json_t *tunnels,
		       char why[CHAOS_WHY])
{
	size_t i;
	json_t *t;

	json_array_foreach(tunnels, i, t)
	{
		if (strcmp(text_of(t, "name"), e->tunnel) != 0)
			continue;
		if (strcmp(text_of(t, "state"), e->state) == 0)
			return true;
		snprintf(why, CHAOS_WHY, "%s: %s is %s (%.120s)", node->name, e->tunnel,
			 text_of(t, "state"), text_of(t, "reason"));
		return false;
	}
	snprintf(why, CHAOS_WHY, "%s: no tunnel %s", node->name, e->tunnel);
	return false;
}

static bool states_well(const struct node *node, const json_t *result, char why[CHAOS_WHY])
{
	const json_t *tunnels = json_object_get(result, "tunnels");

	for (unsigned i = 0; i < node->n_expects; i++)
		if (!expect_met(node, &node->expects[i], tunnels, why))
			return false;
	return true;
}

static bool plan_well(const struct node *node, const json_t *result, char why[CHAOS_WHY])
{
	const json_t *changes = json_object_get(result, "changes");
	const json_t *first = json_array_get(json_object_get(result, "actions"), 0);

	if (json_is_integer(changes) && json_integer_value(changes) == 0)
		return true;
	snprintf(why, CHAOS_WHY, "%s: %d changes planned, first: %s %s %s", node->name,
		 (int)json_integer_value(changes), text_of(first, "op"), text_of(first, "kind"),
		 text_of(first, "name"));
	return false;
}

static bool answer_well(const struct node *node, const json_t *answer, enum ask_what what,
			char why[CHAOS_WHY])
{
	const json_t *result = json_object_get(answer, "result");

	if (!answer) {
		snprintf(why, CHAOS_WHY, "%s: gwd does not answer", node->name);
		return false;
	}
	return what == ASK_STATES ? states_well(node, result, why) : plan_well(node, result, why);
}

bool ask_all(const struct node *nodes, unsigned n, enum ask_what what, char why[CHAOS_WHY])
{
	const char *verb = what == ASK_STATES ? "status" : "plan";
	int fds[CHAOS_NODES];
	bool well = true;

	/* all at once: each needs a while, and they may share the processors */
	for (unsigned i = 0; i < n; i++)
		fds[i] = nodes[i].n_expects ? ask_send(&nodes[i], verb) : -1;
	for (unsigned i = 0; i < n; i++) {
		json_t *answer = fds[i] < 0 ? NULL : ask_read(fds[i]);

		if (fds[i] >= 0)
			close(fds[i]);
		if (well && nodes[i].n_expects)
			well = answer_well(&nodes[i], answer, what, why);
		json_decref(answer);
	}
	return well;
}
