// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Carries out a plan. Entry: apply_plan, called by daemon/reconcile.c. Neighbouring actions of one kind become one
 * batch: one nftables transaction, one run of netlink messages, few vici messages. The order is the plan's, and an action
 * that failed stops the later ones of its tunnel, so that no link is made without guard and policies. Neighbours:
 * daemon/apply_guard.c does the guard's part, daemon/outcome.c takes the errors.
 */
#include "daemon/apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/applier.h"
#include "daemon/caller.h"
#include "daemon/charon.h"
#include "daemon/holds.h"
#include "daemon/sas.h"
#include "gre/mpls.h"
#include "lib/log.h"

_Static_assert(GUARD_LINK_GROUP == GRE_GROUP, "the links that are clamped are ours");

static char no_memory[] = "out of memory"; /* an error that needs none */

#define GROUP_DELETE_FROM 4 /* links; below, deleting one by one touches less */

void applier_failed(struct applier *a, size_t i, const char *text)
{
	int tunnel = a->plan->actions.at[i].tunnel;

	if (!a->errors[i])
		a->errors[i] = strdup(text);
	if (!a->errors[i])
		a->errors[i] = no_memory;
	if (tunnel >= 0 && a->plan->actions.at[i].kind != OBJECT_HOLD)
		a->stopped[tunnel] = true;
	a->link_failed |= a->plan->actions.at[i].kind == OBJECT_LINK;
}

/* Without the guard a plain tunnel only lacks its clamp. */
static bool is_plain(const struct applier *a, int tunnel)
{
	return tunnel >= 0 && a->gw->conf->tunnels[tunnel].protect == CONF_PROTECT_NONE;
}

bool applier_stopped(const struct applier *a, size_t i)
{
	const struct plan_action *act = &a->plan->actions.at[i];

	if (act->op == PLAN_CONFLICT)
		return true;
	if (act->op == PLAN_DELETE)
		return a->link_failed && plan_action_uncovers(act);
	if (act->kind == OBJECT_HOLD)
		return false;
	return (a->all_stopped && !is_plain(a, act->tunnel)) ||
	       (act->tunnel >= 0 && a->stopped[act->tunnel]);
}

static bool of_guard(enum object_kind kind)
{
	return kind == OBJECT_GUARD || kind == OBJECT_PAIR || kind == OBJECT_EXEMPT;
}

static bool same_batch(const struct plan_action *a, const struct plan_action *b)
{
	bool guards = of_guard(a->kind) && of_guard(b->kind);

	return (a->kind == b->kind || guards) && (a->op == PLAN_DELETE) == (b->op == PLAN_DELETE);
}

/* Deleting what is gone already is success. */
static bool gone_already(const struct plan_action *act, int err)
{
	return act->op == PLAN_DELETE && (err == -ENOENT || err == -ESRCH || err == -ENODEV ||
					  err == -EADDRNOTAVAIL || err == -ENXIO);
}

static void batch_result(void *user, size_t index, int err, const char *text)
{
	struct applier *a = user;
	size_t i = index < a->n_owner ? a->owner[index] : a->owner[0];
	const struct plan_action *act = &a->plan->actions.at[i];
	char line[320];

	if (!err || gone_already(act, err))
		return;
	if (act->kind == OBJECT_ADDR && err == -EEXIST)
		return;
	snprintf(line, sizeof(line), "%s%s", text,
		 act->kind == OBJECT_LINK && err == -EOPNOTSUPP
			 ? " (the kernel has no ip_gre: `modprobe ip_gre`, or a kernel with CONFIG_NET_IPGRE)"
			 : "");
	applier_failed(a, i, line);
}

static unsigned tunnel_ifindex(const struct applier *a, const struct plan_action *act)
{
	if (act->op == PLAN_DELETE || act->tunnel < 0)
		return 0;
	return a->gw->tunnels[act->tunnel].ifindex;
}

static void put_policy(struct nl_batch *b, const struct plan_action *act)
{
	if (act->op == PLAN_DELETE)
		xfrm_policy_put_delete(b, act->have);
	else
		xfrm_policy_put(b, act->want, act->op == PLAN_CREATE);
}

static void put_link(struct nl_batch *b, const struct plan_action *act)
{
	const struct gre_link *have = act->have;

	if (act->op == PLAN_DELETE || act->op == PLAN_REPLACE)
		gre_link_put_delete(b, have->ifindex);
	if (act->op == PLAN_CREATE || act->op == PLAN_REPLACE)
		gre_link_put(b, act->want, 0, true);
	if (act->op == PLAN_UPDATE)
		gre_link_put(b, act->want, have->ifindex, false);
}

static void put_addr(struct nl_batch *b, const struct plan_action *act, unsigned ifindex)
{
	const struct gre_addr *have = act->have;

	if (act->op == PLAN_DELETE || act->op == PLAN_REPLACE || act->op == PLAN_UPDATE)
		gre_addr_put_delete(b, have, have->ifindex);
	if (act->op != PLAN_DELETE)
		gre_addr_put(b, act->want, ifindex);
}

static void put_route(struct nl_batch *b, const struct plan_action *act, unsigned ifindex)
{
	const struct gre_route *have = act->have;

	if (act->op == PLAN_DELETE || act->op == PLAN_REPLACE || act->op == PLAN_UPDATE)
		gre_route_put_delete(b, have, have->ifindex);
	if (act->op != PLAN_DELETE)
		gre_route_put(b, act->want, ifindex);
}

static void put_action(struct applier *a, struct nl_batch *b, size_t i)
{
	const struct plan_action *act = &a->plan->actions.at[i];
	size_t before = nl_batch_len(b);

	if (act->kind == OBJECT_POLICY)
		put_policy(b, act);
	else if (act->kind == OBJECT_LINK)
		put_link(b, act);
	else if (act->kind == OBJECT_ADDR)
		put_addr(b, act, tunnel_ifindex(a, act));
	else
		put_route(b, act, tunnel_ifindex(a, act));
	while (before++ < nl_batch_len(b))
		a->owner[a->n_owner++] = i;
}

static void put_unless_stopped(struct applier *a, struct nl_batch *b, size_t i)
{
	const struct plan_action *act = &a->plan->actions.at[i];

	if (!applier_stopped(a, i))
		put_action(a, b, i);
	else
		a->link_failed |= act->kind == OBJECT_LINK && act->op != PLAN_CONFLICT;
}

/* RTM_DELLINK by group takes every link of the group: the kernel must show none there but these. */
static void put_group_delete(struct applier *a, struct nl_batch *b, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct gre_link *have = a->plan->actions.at[i].have;

		gre_link_put_group(b, have->ifindex, GRE_GROUP_DOOMED);
		a->owner[a->n_owner++] = i;
	}
	gre_link_put_delete_group(b, GRE_GROUP_DOOMED);
	a->owner[a->n_owner++] = from;
}

static void batch_no_memory(struct applier *a, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (!applier_stopped(a, i))
			applier_failed(a, i, no_memory);
}

static void apply_netlink(struct applier *a, size_t from, size_t to)
{
	const struct plan_action *first = &a->plan->actions.at[from];
	bool links_go = first->kind == OBJECT_LINK && first->op == PLAN_DELETE;
	struct nl_batch *b = nl_batch_new();
	struct nl *nl = first->kind == OBJECT_POLICY ? a->gw->xfrm : a->gw->rtnl;

	a->n_owner = 0;
	a->owner = b ? calloc(2 * (to - from) + 1, sizeof(*a->owner)) : NULL;
	if (!a->owner) {
		batch_no_memory(a, from, to);
		nl_batch_free(b);
		return;
	}
	if (links_go && to - from >= GROUP_DELETE_FROM)
		put_group_delete(a, b, from, to);
	else
		for (size_t i = from; i < to; i++)
			put_unless_stopped(a, b, i);
	if (nl_batch_len(b))
		nl_batch_send(nl, b, batch_result, a);
	nl_batch_free(b);
	free(a->owner);
	a->owner = NULL;
}

static int note_ifindex(void *user, const struct gre_link *link)
{
	struct tunnel *t = gateway_tunnel_by_ifname(user, link->name);

	if (t && link->is_gre && link->group == GRE_GROUP) {
		t->ifindex = link->ifindex;
		t->operstate = link->operstate;
	}
	return 0;
}

/* No message of a link sets it. */
static void links_mpls(struct applier *a, size_t from, size_t to)
{
	char text[128];

	for (size_t i = from; i < to; i++) {
		const struct plan_action *act = &a->plan->actions.at[i];
		const struct gre_link *want = act->want, *have = act->have;
		bool was = act->op == PLAN_UPDATE && have->mpls;
		int err = 0;

		if (!want || a->errors[i] || applier_stopped(a, i) || want->mpls == was)
			continue;
		err = gre_mpls_set(want->name, want->mpls);
		if (!err)
			continue;
		snprintf(text, sizeof(text), "mpls: %s%s", strerror(-err),
			 err == -ENOENT ? " (the kernel has no MPLS: `modprobe mpls_router`)" : "");
		applier_failed(a, i, text);
	}
}

static void apply_links(struct applier *a, size_t from, size_t to)
{
	struct gre_link link;

	apply_netlink(a, from, to);
	if (a->plan->actions.at[from].op == PLAN_DELETE)
		return;
	links_mpls(a, from, to);
	if (to - from > GROUP_DELETE_FROM) {
		gre_link_dump(a->gw->rtnl, GRE_GROUP, note_ifindex, NULL, a->gw);
		return;
	}
	for (size_t i = from; i < to; i++) {
		const struct gre_link *want = a->plan->actions.at[i].want;

		if (want && !gre_link_get(a->gw->rtnl, want->name, &link))
			note_ifindex(a->gw, &link);
	}
}

static void apply_conns(struct applier *a, size_t from, size_t to)
{
	const struct object_conn **conns = calloc(to - from, sizeof(*conns));
	int r = conns ? 0 : -ENOMEM;
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		const struct plan_action *act = &a->plan->actions.at[i];

		if (act->op == PLAN_DELETE)
			charon_unload_conn(a->gw,
					   ((const struct object_conn *)act->have)->conn.name);
		else if (conns && !applier_stopped(a, i))
			conns[n++] = act->want;
	}
	if (n)
		r = charon_load_conns(a->gw, conns, n);
	if (r && a->plan->actions.at[from].op != PLAN_DELETE)
		batch_no_memory(a, from, to);
	free(conns);
}

static void apply_secrets(struct applier *a, size_t from, size_t to)
{
	char err[256];

	for (size_t i = from; i < to; i++) {
		const struct plan_action *act = &a->plan->actions.at[i];

		if (act->op == PLAN_DELETE)
			charon_unload_secret(a->gw,
					     ((const struct object_secret *)act->have)->name);
		else if (!applier_stopped(a, i) && charon_load_secret(a->gw, act->want)) {
			secret_no_memory(err, sizeof(err));
			applier_failed(a, i, err);
		}
	}
}

static int reqid_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* With the last policies between two addresses the SAs between them go, while the guard still stands. */
static void end_sas(struct applier *a, size_t from, size_t to)
{
	uint32_t *reqids = calloc(to - from, sizeof(*reqids));
	size_t n = 0;

	for (size_t i = from; reqids && i < to; i++) {
		const struct xfrm_policy *p = a->plan->actions.at[i].have;
		struct tunnel *t = gateway_tunnel_by_reqid(a->gw, p->reqid);

		if (applier_stopped(a, i))
			continue;
		if (!t || !gateway_tunnel_protected(t))
			reqids[n++] = p->reqid;
		else if (!caller_expected(
				 t)) /* charon may be about to move the peer's (ike-update) */
			sas_delete_between(t, &p->src, &p->dst);
	}
	if (n) {
		qsort(reqids, n, sizeof(*reqids), reqid_order);
		sas_delete(a->gw, reqids, n);
	}
	free(reqids);
}

static void apply_policies(struct applier *a, size_t from, size_t to)
{
	if (a->plan->actions.at[from].op == PLAN_DELETE)
		end_sas(a, from, to);
	apply_netlink(a, from, to);
}

static void apply_holds(struct applier *a, size_t from, size_t to)
{
	apply_netlink(a, from, to);
	for (size_t i = from; i < to; i++) {
		const struct plan_action *act = &a->plan->actions.at[i];

		if (!a->errors[i])
			holds_note(a->gw, act->want ? act->want : act->have,
				   act->op != PLAN_DELETE);
	}
}

static void apply_batch(struct applier *a, size_t from, size_t to)
{
	switch (a->plan->actions.at[from].kind) {
	case OBJECT_HOLD:
		apply_holds(a, from, to);
		break;
	case OBJECT_GUARD:
	case OBJECT_PAIR:
	case OBJECT_EXEMPT:
		apply_guard(a, from, to);
		break;
	case OBJECT_SECRET:
		apply_secrets(a, from, to);
		break;
	case OBJECT_CONN:
		apply_conns(a, from, to);
		break;
	case OBJECT_LINK:
		apply_links(a, from, to);
		break;
	case OBJECT_POLICY:
		apply_policies(a, from, to);
		break;
	case OBJECT_ADDR:
	case OBJECT_ROUTE:
		apply_netlink(a, from, to);
		break;
	case OBJECT_KINDS:
		break;
	}
}

void apply_plan(struct gateway *gw, const struct plan *p, const struct objects *want, char **errors)
{
	struct applier a = {.gw = gw, .plan = p, .want = want, .errors = errors};

	a.stopped = calloc(gw->conf->n_tunnels + 1, sizeof(*a.stopped));
	for (size_t i = 0; !a.stopped && i < p->actions.len; i++)
		if (p->actions.at[i].op != PLAN_CONFLICT)
			errors[i] = no_memory;
	if (!a.stopped)
		return;
	for (size_t from = 0, to; from < p->actions.len; from = to) {
		for (to = from + 1; to < p->actions.len; to++)
			if (!same_batch(&p->actions.at[from], &p->actions.at[to]))
				break;
		apply_batch(&a, from, to);
	}
	gw->writes += plan_changes(p);
	free(a.stopped);
}

void apply_errors_free(char **errors, size_t n)
{
	for (size_t i = 0; errors && i < n; i++)
		if (errors[i] != no_memory)
			free(errors[i]);
	free(errors);
}
