/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The difference between wanted and seen objects as an ordered list of actions. Pure.
 *
 * Order: 1. routes, addresses, links go; 2. hold, guard, pair, exemption, policy, secret, connection, link, address, route come
 * or change; 3. connections, secrets, policies, exemptions, pairs, guard, holds go. So no GRE link exists, or points to an endpoint, without guard and policies.
 * A foreign object in the way is a conflict: it is never touched, and nothing of that tunnel that stands on it is created. A link
 * of ours stays as it is under a policy conflict, unless it has other endpoints than wanted: then it goes with their policies.
 * A link on endpoints that another one is to get (two tunnels that swap) is deleted in 1 and created in 2, as one in the doomed
 * group is. A guard action takes all wanted pairs with it: where the table is absent or not intact, plan over all tunnels.
 */
#ifndef GWD_DAEMON_PLAN_H
#define GWD_DAEMON_PLAN_H

#include <jansson.h>

#include "conf/conf.h"
#include "daemon/objects.h"

enum plan_op {
	PLAN_CREATE,
	PLAN_UPDATE,
	PLAN_REPLACE, /* links: delete and create */
	PLAN_DELETE,
	PLAN_CONFLICT,
};

struct plan_action {
	enum plan_op op;
	enum object_kind kind;
	int tunnel; /* index in the configuration, -1: the gateway's or unknown */
	const void *want; /* into the wanted objects; NULL for delete and for conflicts without */
	const void *have; /* into the seen objects; NULL for create */
};

struct plan {
	VEC(struct plan_action) actions;
};

/* Both sides sorted (objects_sort). A plan over part of the tunnels is made from objects of that part on both sides. The actions
 * point into want and have. O(n log n) at worst, O(n) when nothing moves. 0, or -ENOMEM with an empty plan. */
int plan_make(const struct objects *want, const struct objects *have, struct plan *out);
void plan_done(struct plan *p);

/* The number of actions that change something (all but conflicts). */
size_t plan_changes(const struct plan *p);

/*
 * A deletion that takes protection away: of the guard, a pair or a policy. Once an action on a link has failed or was left out
 * the applier leaves these out too, or that link would stand on its old endpoints with neither; the next plan has them again.
 */
bool plan_action_uncovers(const struct plan_action *a);

/* Name of the object ("branch1", "10.255.0.1/30 dev branch1"), and what happens to it, without any secret; return buf. */
const char *plan_action_name(const struct plan_action *a, char *buf, size_t size);
const char *plan_action_text(const struct plan_action *a, char *buf, size_t size);
const char *plan_op_name(enum plan_op op); /* "create", … */

/* The plan object of doc/CONTROL.md without diagnostics; errors (may be NULL) has a text or NULL for each action. New reference. */
json_t *plan_json(const struct plan *p, const struct conf *conf, char *const *errors);

#endif
