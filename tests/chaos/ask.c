// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks the gwd of a node on its control socket (doc/CONTROL.md), which is reached through the holder's root: ask_states, ask_plan.
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

static json_t *ask(const struct node *node, const char *verb, char why[CHAOS_WHY])
{
	int fd = ask_connect(node);
	json_t *answer = NULL;
	char line[64];

	snprintf(line, sizeof(line), "{\"verb\": \"%s\"}\n", verb);
	if (fd >= 0 && send(fd, line, strlen(line), MSG_NOSIGNAL) > 0)
		answer = ask_read(fd);
	if (fd >= 0)
		close(fd);
	if (!answer)
		snprintf(why, CHAOS_WHY, "%s: gwd does not answer %s", node->name, verb);
	return answer;
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

bool ask_states(const struct node *node, char why[CHAOS_WHY])
{
	json_t *answer = ask(node, "status", why);
	const json_t *tunnels = json_object_get(json_object_get(answer, "result"), "tunnels");
	bool well = answer;

	for (unsigned i = 0; well && i < node->n_expects; i++)
		well = expect_met(node, &node->expects[i], tunnels, why);
	json_decref(answer);
	return well;
}

bool ask_plan(const struct node *node, char why[CHAOS_WHY])
{
	json_t *answer = ask(node, "plan", why);
	const json_t *result = json_object_get(answer, "result");
	json_int_t changes = json_integer_value(json_object_get(result, "changes"));
	const json_t *first = json_array_get(json_object_get(result, "actions"), 0);
	bool well = json_is_integer(json_object_get(result, "changes")) && changes == 0;

	if (answer && !well)
		snprintf(why, CHAOS_WHY, "%s: %d changes planned, first: %s %s %s", node->name,
			 (int)changes, text_of(first, "op"), text_of(first, "kind"),
			 text_of(first, "name"));
	json_decref(answer);
	return well;
}
