// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel as the sweeps see it: dumps by gwd's own drivers, and all notifications of links, addresses, routes, policies
 * and tables, counted. Entry: world_open.
 */
#include "tests/lab/syscalls/world.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gre/addr.h"
#include "gre/route.h"

#define RCVBUF (8u << 20)

static struct {
	struct nl *rtnl, *xfrm, *rtnl_events, *xfrm_events, *nft_events;
	struct guard *guard;
	unsigned last_index; /* of the last link of ours that was seen */
} w;

void world_die(const char *what, int err)
{
	fprintf(stderr, "syscalls: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static struct nl *listen_to(int bus, const unsigned *groups, size_t n)
{
	struct nl *nl;
	int r = nl_open(&nl, bus);

	if (!r)
		r = nl_listen(nl, RCVBUF, groups, n);
	if (r)
		world_die("events", r);
	return nl;
}

void world_open(void)
{
	static const unsigned route[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE};
	static const unsigned policy = XFRMNLGRP_POLICY, tables = NFNLGRP_NFTABLES;
	int r = nl_open(&w.rtnl, NETLINK_ROUTE);

	if (!r)
		r = nl_open(&w.xfrm, NETLINK_XFRM);
	if (!r)
		r = guard_open(&w.guard);
	if (r)
		world_die("netlink", r);
	w.rtnl_events = listen_to(NETLINK_ROUTE, route, 3);
	w.xfrm_events = listen_to(NETLINK_XFRM, &policy, 1);
	w.nft_events = listen_to(NETLINK_NETFILTER, &tables, 1);
}

static int see_link(void *user, const struct gre_link *l)
{
	struct world_state *s = user;

	if (l->group != GRE_GROUP && l->group != GRE_GROUP_DOOMED)
		return 0;
	s->n_links++;
	s->link = *l;
	w.last_index = l->ifindex;
	return 0;
}

static int see_policy(void *user, const struct xfrm_policy *p)
{
	struct world_state *s = user;

	if (xfrm_policy_ours(p) && s->n_policies < 8)
		s->policies[s->n_policies++] = *p;
	return 0;
}

static int see_addr(void *user, const struct gre_addr *a)
{
	struct world_state *s = user;

	s->n_addrs += s->n_links && a->ifindex == s->link.ifindex && !a->by_kernel;
	return 0;
}

static int see_route(void *user, const struct gre_route *r)
{
	struct world_state *s = user;

	if (r->protocol != GRE_ROUTE_PROTOCOL)
		return 0;
	s->n_holds += r->unreachable;
	s->n_routes += !r->unreachable;
	return 0;
}

void world_look(struct world_state *s)
{
	char err[WORLD_TEXT] = "";
	int r;

	*s = (struct world_state){0};
	r = gre_link_dump(w.rtnl, 0, see_link, NULL, s);
	if (!r)
		r = xfrm_policy_dump(w.xfrm, see_policy, NULL, s);
	if (!r)
		r = gre_addr_dump(w.rtnl, 0, see_addr, NULL, s);
	if (!r)
		r = gre_route_dump(w.rtnl, 0, see_route, NULL, s);
	if (!r)
		r = guard_read(w.guard, &s->guard, err, sizeof(err));
	if (r)
		world_die(*err ? err : "dump", r);
}

void world_look_done(struct world_state *s)
{
	guard_state_done(&s->guard);
}

static bool has_policy(const struct world_state *s, enum xfrm_dir dir, const struct addr *src,
		       const struct addr *dst)
{
	for (unsigned i = 0; i < s->n_policies; i++)
		if (s->policies[i].dir == dir && s->policies[i].required &&
		    addr_equal(&s->policies[i].src, src) && addr_equal(&s->policies[i].dst, dst))
			return true;
	return false;
}

static bool has_pair(const struct world_state *s)
{
	for (size_t i = 0; i < s->guard.n_pairs; i++) {
		const struct guard_pair *p = &s->guard.pairs[i];

		if (addr_equal(&p->local, &s->link.local) &&
		    addr_equal(&p->remote, &s->link.remote) && !p->out_missing && !p->in_missing)
			return true;
	}
	return false;
}

bool world_covered(const struct world_state *s, char *why)
{
	const char *lacks = NULL;

	if (!s->n_links)
		return true;
	if (!s->guard.present || !s->guard.intact)
		lacks = "the guard";
	else if (!has_pair(s))
		lacks = "its guard pair";
	else if (!has_policy(s, XFRM_DIR_OUT, &s->link.local, &s->link.remote))
		lacks = "its out policy";
	else if (!has_policy(s, XFRM_DIR_IN, &s->link.remote, &s->link.local))
		lacks = "its in policy";
	if (lacks)
		snprintf(why, WORLD_TEXT, "a link without %s", lacks);
	return !lacks;
}

static bool nothing(const struct world_state *s, char *why)
{
	snprintf(why, WORLD_TEXT,
		 "left: %u links, %u policies, guard %d, %u addresses, %u routes, %u holds",
		 s->n_links, s->n_policies, s->guard.present, s->n_addrs, s->n_routes, s->n_holds);
	return !s->n_links && !s->n_policies && !s->guard.present && !s->n_addrs && !s->n_routes &&
	       !s->n_holds;
}

bool world_is(const struct world_state *s, const char *remote, char *why)
{
	struct addr a;

	if (!remote)
		return nothing(s, why);
	addr_parse(remote, &a);
	if (!world_covered(s, why))
		return false;
	snprintf(
		why, WORLD_TEXT,
		"%u links (to it: %d, up: %d), %u policies, %zu pairs, %u addresses, %u routes, %u holds",
		s->n_links, addr_equal(&s->link.remote, &a), s->link.up, s->n_policies,
		s->guard.n_pairs, s->n_addrs, s->n_routes, s->n_holds);
	return s->n_links == 1 && addr_equal(&s->link.remote, &a) && s->link.up &&
	       s->n_policies == 2 && s->guard.n_pairs == 1 && s->n_addrs == 1 && s->n_routes == 1 &&
	       s->n_holds == 1;
}

static int rtnl_event(const struct nlmsghdr *nlh, void *user)
{
	struct world_events *e = user;
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == RTM_DELLINK && (unsigned)ifi->ifi_index == w.last_index)
		e->links_gone++;
	else if (nlh->nlmsg_type == RTM_DELADDR && ifa->ifa_index == w.last_index)
		e->addrs_gone++;
	else if (nlh->nlmsg_type == RTM_DELROUTE && rtm->rtm_protocol == GRE_ROUTE_PROTOCOL)
		e->routes_gone++;
	e->all++;
	return MNL_CB_OK;
}

static int xfrm_event(const struct nlmsghdr *nlh, void *user)
{
	struct world_events *e = user;

	e->policies_new += nlh->nlmsg_type == XFRM_MSG_NEWPOLICY;
	e->policies_changed += nlh->nlmsg_type == XFRM_MSG_UPDPOLICY;
	e->policies_gone += nlh->nlmsg_type == XFRM_MSG_DELPOLICY ||
			    nlh->nlmsg_type == XFRM_MSG_FLUSHPOLICY;
	e->all++;
	return MNL_CB_OK;
}

static int nft_event(const struct nlmsghdr *nlh, void *user)
{
	struct world_events *e = user;

	switch (NFNL_MSG_TYPE(nlh->nlmsg_type)) {
	case NFT_MSG_NEWTABLE:
		e->tables_new++;
		break;
	case NFT_MSG_DELTABLE:
	case NFT_MSG_DELSETELEM:
	case NFT_MSG_DELRULE:
		e->guard_gone++;
		break;
	}
	e->all++;
	return MNL_CB_OK;
}

static void drain(struct nl *nl, mnl_cb_t cb, struct world_events *e)
{
	int r;

	do
		r = nl_receive(nl, cb, e, 4096);
	while (r == 1);
	if (r < 0)
		world_die("events were lost", r);
}

void world_events(struct world_events *e)
{
	*e = (struct world_events){0};
	drain(w.rtnl_events, rtnl_event, e);
	drain(w.xfrm_events, xfrm_event, e);
	drain(w.nft_events, nft_event, e);
}

void world_flush_policies(void)
{
	_Alignas(8) unsigned char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = XFRM_MSG_FLUSHPOLICY;
	nl_request(w.xfrm, nlh, NULL, 0);
}

static void ignore(void *user, size_t index, int err, const char *text)
{
	(void)user, (void)index, (void)err, (void)text;
}

void world_delete_link(void)
{
	struct nl_batch *b = nl_batch_new();

	gre_link_put_delete_group(b, GRE_GROUP);
	gre_link_put_delete_group(b, GRE_GROUP_DOOMED);
	nl_batch_send(w.rtnl, b, ignore, NULL);
	nl_batch_free(b);
}

static int take_addr(void *user, const struct gre_addr *a)
{
	if (a->ifindex == w.last_index && !a->by_kernel)
		*(struct gre_addr *)user = *a;
	return 0;
}

void world_delete_addr(void)
{
	struct gre_addr a = {0};
	struct nl_batch *b = nl_batch_new();

	gre_addr_dump(w.rtnl, 0, take_addr, NULL, &a);
	gre_addr_put_delete(b, &a, a.ifindex);
	nl_batch_send(w.rtnl, b, ignore, NULL);
	nl_batch_free(b);
}

void world_delete_guard(void)
{
	char err[WORLD_TEXT];
	struct text commands = {0};

	guard_build_remove(&commands);
	guard_run(w.guard, commands.text, err, sizeof(err));
	text_free(&commands);
}

static int delete_hold(void *user, const struct gre_route *r)
{
	if (r->protocol == GRE_ROUTE_PROTOCOL)
		gre_route_put_delete(user, r, r->ifindex);
	return 0;
}

void world_wipe(void)
{
	struct nl_batch *b = nl_batch_new();

	world_delete_link();
	world_flush_policies();
	world_delete_guard();
	gre_route_dump(w.rtnl, 0, delete_hold, NULL, b);
	nl_batch_send(w.rtnl, b, ignore, NULL);
	nl_batch_free(b);
}
