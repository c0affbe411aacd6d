// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chaos run's watch: flows through all tunnels, all wires between the gateways looked at, gwd asked, all in one process that
 * forks nothing, so that a fault costs what it takes and no more. tests/chaos/chaos.sh speaks with it, a line for a line:
 *
 *	node NAME PID				a namespace, by its holder
 *	wire NODE | allow KEY | keep PATH	see wire.c; before start
 *	flow NAME FROM SRC TO DST canary|clear	a flow; before start
 *	start
 *	expect NODE TUNNEL STATE		what settle waits for; "-" as the state: nothing any more
 *	mark					a window begins
 *	settle MS	as soon as every gwd says what is expected, plans nothing, and a packet of each flow has come:
 *			"settled MS", since mark; or "late WHY"
 *	loss [TUNNEL...] the window ends, and of these tunnels nothing is waited for: "loss clear=N canary=N dropped=N [FLOW=N...]", what was on the wires, unseen, and lost
 *	alien NODE	"alien DIGEST"
 */
#include "tests/chaos/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_US 50000
#define MAX_WORDS 8

static struct node nodes[CHAOS_NODES];
static unsigned n_nodes;
static int wires[CHAOS_NODES];
static unsigned n_wires;
static int own_net;
static uint64_t marked;

void watch_die(const char *what)
{
	fprintf(stderr, "chaos: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t watch_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

struct node *watch_node(const char *name)
{
	for (unsigned i = 0; i < n_nodes; i++)
		if (strcmp(nodes[i].name, name) == 0)
			return &nodes[i];
	return NULL;
}

void watch_enter(const struct node *node)
{
	char path[64];
	int fd = own_net;

	if (node) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", node->pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		watch_die("setns");
	if (node)
		close(fd);
}

/* All well, packets that were sent after that arrive, and all is still well. */
static bool settled(char why[CHAOS_WHY], uint64_t end)
{
	const char *flow;

	if (!ask_all(nodes, n_nodes, ASK_STATES, why) || !ask_all(nodes, n_nodes, ASK_PLAN, why))
		return false;
	flow_ask();
	while ((flow = flow_waits())) {
		snprintf(why, CHAOS_WHY, "no packet of flow %s arrives", flow);
		if (watch_ms() > end || !ask_all(nodes, n_nodes, ASK_STATES, why))
			return false;
		usleep(PAUSE_US);
	}
	return ask_all(nodes, n_nodes, ASK_STATES, why);
}

static void do_settle(char **w)
{
	uint64_t now = watch_ms(), end = now + strtoul(w[1], NULL, 10);
	char why[CHAOS_WHY] = "";

	while (!settled(why, end)) {
		now = watch_ms();
		if (now > end) {
			printf("late %s\n", why);
			return;
		}
		usleep(PAUSE_US);
	}
	printf("settled %llu\n", (unsigned long long)(watch_ms() - marked));
}

static void do_loss(char **w)
{
	uint64_t clear, canary, dropped;
	char lost[1024];
	unsigned n = 0;

	while (w[1 + n])
		n++;
	flow_loss((const char *const *)w + 1, n, lost, sizeof(lost));
	wire_take(&clear, &canary, &dropped);
	printf("loss clear=%llu canary=%llu dropped=%llu%s\n", (unsigned long long)clear,
	       (unsigned long long)canary, (unsigned long long)dropped, lost);
}

static void do_mark(char **w)
{
	(void)w;
	flow_mark();
	marked = watch_ms();
	printf("ok\n");
}

static struct node *node_of(const char *name)
{
	struct node *n = watch_node(name);

	if (!n)
		watch_die(name);
	return n;
}

static void do_alien(char **w)
{
	printf("alien %016llx\n", (unsigned long long)alien_digest(node_of(w[1])));
}

static void do_node(char **w)
{
	if (n_nodes == CHAOS_NODES)
		watch_die("too many nodes");
	snprintf(nodes[n_nodes].name, sizeof(nodes[0].name), "%s", w[1]);
	nodes[n_nodes++].pid = atoi(w[2]);
	printf("ok\n");
}

static void do_expect(char **w)
{
	struct node *n = node_of(w[1]);
	unsigned i = 0;

	while (i < n->n_expects && strcmp(n->expects[i].tunnel, w[2]) != 0)
		i++;
	if (i == CHAOS_EXPECTS)
		watch_die("too many tunnels");
	snprintf(n->expects[i].tunnel, sizeof(n->expects[i].tunnel), "%s", w[2]);
	snprintf(n->expects[i].state, sizeof(n->expects[i].state), "%s", w[3]);
	if (i == n->n_expects)
		n->n_expects++;
	if (strcmp(w[3], "-") == 0)
		n->expects[i] = n->expects[--n->n_expects];
	printf("ok\n");
}

static void do_flow(char **w)
{
	flow_add(w[1], node_of(w[2]), w[3], node_of(w[4]), w[5], strcmp(w[6], "canary") == 0);
	printf("ok\n");
}

static void do_wire(char **w)
{
	wires[n_wires++] = wire_open(node_of(w[1]));
	printf("ok\n");
}

static void do_allow(char **w)
{
	wire_allow((uint32_t)strtoul(w[1], NULL, 10));
	printf("ok\n");
}

static void do_keep(char **w)
{
	wire_keep(w[1]);
	printf("ok\n");
}

static void do_start(char **w)
{
	(void)w;
	flow_start(wires, n_wires);
	printf("ok\n");
}

static const struct command {
	const char *name;
	int words; /* 0: one or more */
	void (*run)(char **words);
} commands[] = {
	{"node", 3, do_node}, {"wire", 2, do_wire},	{"allow", 2, do_allow},
	{"keep", 2, do_keep}, {"flow", 7, do_flow},	{"start", 1, do_start},
	{"mark", 1, do_mark}, {"expect", 4, do_expect}, {"settle", 2, do_settle},
	{"loss", 0, do_loss}, {"alien", 2, do_alien},
};

static void command_run(char *line)
{
	char *words[MAX_WORDS + 1] = {0}, *rest = line;
	int n = 0;

	while (n < MAX_WORDS && (words[n] = strsep(&rest, " \n")))
		n += *words[n] != 0;
	words[n] = NULL;
	for (size_t i = 0; n && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, words[0]) == 0 &&
		    (!commands[i].words || commands[i].words == n)) {
			commands[i].run(words);
			return;
		}
	printf("what?\n");
}

int main(void)
{
	char line[512];

	own_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin))
		command_run(line);
	return 0;
}
