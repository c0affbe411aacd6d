/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the chaos run's watch share: nodes, flows, the wire, and questions to gwd. See watch.c. */
#ifndef GWD_TESTS_CHAOS_WATCH_H
#define GWD_TESTS_CHAOS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAOS_CANARY "GWDCANARY"
#define CHAOS_NODES 8
#define CHAOS_EXPECTS 16
#define CHAOS_WHY 256 /* bytes of a sentence */

struct expect {
	char tunnel[32], state[32];
};

/* A network namespace, by the process that holds it. */
struct node {
	char name[16];
	int pid;
	struct expect expects[CHAOS_EXPECTS];
	unsigned n_expects;
};

uint64_t watch_ms(void); /* CLOCK_MONOTONIC */
__attribute__((noreturn)) void watch_die(const char *what);
struct node *watch_node(const char *name); /* NULL: not known */

/* The calling thread's network namespace becomes that of the node; NULL: back to the program's own. */
void watch_enter(const struct node *node);

/* wire.c: everything that any interface of a node receives */
int wire_open(const struct node *node); /* a descriptor, to be read by wire_read */
void wire_read(int fd);
void wire_allow(uint32_t key); /* GRE with this key may be in clear */
void wire_keep(const char *path); /* what must not be seen is kept there (pcap) */
/* Since the last call: clear GRE, packets with a canary to read, packets that the kernel dropped before they were seen. */
void wire_take(uint64_t *clear, uint64_t *canary, uint64_t *dropped);

/* flow.c: UDP flows, both sockets in this process, so that what is lost is known at once */
void flow_add(const char *name, const struct node *from, const char *src, const struct node *to,
	      const char *dst, bool canary);
void flow_start(const int *wires, unsigned n_wires);
void flow_mark(void); /* a new window begins with the next packet of each flow */
/* Names a flow of which no packet sent after the last flow_ask has arrived; NULL: each has one. */
void flow_ask(void);
const char *flow_waits(void);
/* Ends the window, waits for what is on its way but for flows of cut tunnels, writes " NAME=LOST" for each flow that lost something in it. */
void flow_loss(const char *const *cut, unsigned n_cut, char *out, size_t size);

/* ask.c: is each node's gwd where its configuration is, as it tells on its control socket? False: why not. */
enum ask_what {
	ASK_STATES, /* all tunnels are as expected */
	ASK_PLAN, /* and it would change nothing */
};
bool ask_all(const struct node *nodes, unsigned n, enum ask_what what, char why[CHAOS_WHY]);

/* alien.c: a digest of what belongs to somebody else in the node: links and addresses of interfaces whose names begin with "alien",
 * routes of protocol 77, policies of priority 777, SAs of reqid 777, and the nftables table "inet alien". */
uint64_t alien_digest(const struct node *node);

#endif
