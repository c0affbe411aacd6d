/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in the kernel, what changes in it, and changing it: the outside of gwd as the sweeps see it. Of the one
 * tunnel that they configure.
 */
#ifndef GWD_TESTS_SYSCALLS_WORLD_H
#define GWD_TESTS_SYSCALLS_WORLD_H

#include "gre/link.h"
#include "guard/guard.h"
#include "xfrm/policy.h"

#define WORLD_TEXT 256

struct world_state {
	unsigned n_links, n_policies, n_addrs, n_routes, n_holds; /* ours */
	struct gre_link link; /* when there is one */
	struct xfrm_policy policies[8];
	struct guard_state guard;
};

/* Messages of the kernel about what is ours, since the last world_events. */
struct world_events {
	unsigned links_gone, addrs_gone, routes_gone, policies_gone, guard_gone;
	unsigned policies_new, policies_changed, tables_new, all;
};

void world_open(void);
void world_look(struct world_state *s);
void world_look_done(struct world_state *s);

/* Where there is a link there is its guard pair, and there are both policies. Else why[WORLD_TEXT] says what is missing. */
bool world_covered(const struct world_state *s, char *why);

/* Everything of the tunnel to remote stands, and nothing else of ours; remote NULL: nothing of ours stands. */
bool world_is(const struct world_state *s, const char *remote, char *why);

void world_events(struct world_events *e);

void world_wipe(void); /* as if gwd had never run */
void world_flush_policies(void);
void world_delete_link(void);
void world_delete_addr(void);
void world_delete_guard(void);

__attribute__((noreturn)) void world_die(const char *what, int err);

#endif
