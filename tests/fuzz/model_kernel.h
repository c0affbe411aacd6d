/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model kernel for the targets that drive daemon/: tests/unit/plan_world.h holds the objects, and the functions of lib/nl and
 * of the drivers that reach for the kernel are replaced (model.wrap) by ones that ask and change it. What is written comes as the
 * netlink messages that gwd would send, and is read by gwd's own parsers. Calls can be made to fail; each change is told as
 * a notification, or is not. After each change model_changed is called, which sees the world before and after.
 */
#ifndef GWD_TESTS_FUZZ_MODEL_KERNEL_H
#define GWD_TESTS_FUZZ_MODEL_KERNEL_H

#define WORLD_ROOM 64

#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdio.h>

#include "gre/events.h"
#include "gre/mpls.h"
#include "gre/vrf.h"
#include "tests/fuzz/model_loop.h"
#include "tests/unit/plan_world.h"
#include "xfrm/events.h"

#define KERNEL_FD_GRE 1001
#define KERNEL_FD_XFRM 1002
#define KERNEL_FD_GUARD 1003
#define KERNEL_WAN 2 /* ifindex of wan0 */
#define KERNEL_QUEUE 256

static struct {
	struct world w;
	WORLD_LIST(struct xfrm_sa) sas;
	unsigned last_ifindex;
	/* faults */
	unsigned fail_in, fail_n; /* calls until the first that fails, and how many do */
	int fail_err;
	bool dead; /* gwd was killed: nothing it does has an effect any more */
	unsigned dies_in; /* changes until then; 0: not */
	/* the underlay */
	struct addr local[2]; /* IPv4, IPv6; AF_UNSPEC: none */
	bool routed[2];
	uint32_t mtu;
	bool sysctl;
	uint64_t packets;
	/* notifications */
	struct gre_event gre[KERNEL_QUEUE];
	struct xfrm_event xfrm[KERNEL_QUEUE];
	size_t n_gre, n_xfrm;
	bool guard_told, mute, overrun;
	bool guard_untold; /* the same of the guard, which is not read in each look: until it is read */
	bool untold; /* something changed that nobody told: until the next full look */
} kernel;

/* The world has changed, by gwd. */
static void model_changed(struct world *before, struct world *after);

static bool kernel_fails(int *err)
{
	if (!kernel.fail_n || (kernel.fail_in && kernel.fail_in--))
		return false;
	kernel.fail_n--;
	*err = -kernel.fail_err;
	return true;
}

/* Before a change by gwd: its death, or an error. */
static bool kernel_refuses(int *err)
{
	if (kernel.dies_in && !--kernel.dies_in)
		kernel.dead = true;
	*err = -EIO;
	return kernel.dead || kernel_fails(err);
}

static void tell_gre(const struct gre_event *ev)
{
	kernel.untold |= kernel.mute;
	if (kernel.mute)
		return;
	if (kernel.n_gre < KERNEL_QUEUE)
		kernel.gre[kernel.n_gre++] = *ev;
	else
		kernel.overrun = true;
}

static void tell_xfrm(const struct xfrm_event *ev)
{
	kernel.untold |= kernel.mute;
	if (kernel.mute)
		return;
	if (kernel.n_xfrm < KERNEL_QUEUE)
		kernel.xfrm[kernel.n_xfrm++] = *ev;
	else
		kernel.overrun = true;
}

static void tell_guard(void)
{
	kernel.guard_untold |= kernel.mute;
	kernel.guard_told |= !kernel.mute;
}

static void tell_link(const struct gre_link *l, bool gone)
{
	struct gre_event ev = {.kind = GRE_EVENT_LINK,
			       .ifindex = l->ifindex,
			       .group = l->group,
			       .operstate = l->operstate,
			       .gone = gone,
			       .ours = l->group == GRE_GROUP};

	memcpy(ev.name, l->name, sizeof(ev.name));
	tell_gre(&ev);
}

static void tell_addr(unsigned ifindex)
{
	tell_gre(&(struct gre_event){.kind = GRE_EVENT_ADDR, .ifindex = ifindex});
}

static void tell_route(const struct gre_route *r, unsigned ifindex, bool gone)
{
	struct gre_event ev = {.kind = GRE_EVENT_ROUTE,
			       .ifindex = ifindex,
			       .gone = gone,
			       .ours = true,
			       .hold = r->unreachable,
			       .route = *r};

	tell_gre(&ev);
}

static void tell_policy(const struct xfrm_policy *p, bool gone)
{
	tell_xfrm(&(struct xfrm_event){.kind = XFRM_EVENT_POLICY, .gone = gone, .policy = *p});
}

static void tell_sa(const struct xfrm_sa *sa, enum xfrm_event_kind kind)
{
	tell_xfrm(&(struct xfrm_event){.kind = kind, .sa = *sa});
}

static struct gre_link *link_by_index(unsigned ifindex)
{
	for (size_t i = 0; i < kernel.w.links.n; i++)
		if (kernel.w.links.at[i].ifindex == ifindex)
			return &kernel.w.links.at[i];
	return NULL;
}

static void sa_drop(size_t i)
{
	struct xfrm_sa sa = kernel.sas.at[i];

	WORLD_DROP(&kernel.sas, i);
	tell_sa(&sa, XFRM_EVENT_SA_GONE);
}

/* Messages of gwd; each returns 0 or -errno, and -EPERM is a crime. */

static bool room(void)
{
	const struct world *w = &kernel.w;

	return w->links.n < WORLD_ROOM - 1 && w->addrs.n < WORLD_ROOM - 1 &&
	       w->routes.n < WORLD_ROOM - 1 && w->holds.n < WORLD_ROOM - 1 &&
	       w->policies.n < WORLD_ROOM - 1 && w->pairs.n < WORLD_ROOM - 1;
}

static int do_world(enum plan_op op, enum object_kind kind, const void *about)
{
	struct plan_action a = {.op = op, .kind = kind};

	if (op == PLAN_DELETE)
		a.have = about;
	else
		a.want = about;
	return room() ? world_apply(&kernel.w, &a) : -ENOMEM;
}

/* A message without its link's name, as an update is, with it. */
static bool link_named(const struct nlmsghdr *nlh, const char *name, struct gre_link *out)
{
	_Alignas(8) char buf[2048];
	struct nlmsghdr *copy = (void *)buf;

	if (nlh->nlmsg_len > sizeof(buf) - 64)
		return false;
	memcpy(buf, nlh, nlh->nlmsg_len);
	if (name)
		mnl_attr_put_strz(copy, IFLA_IFNAME, name);
	return gre_link_parse(copy, out);
}

static int kernel_link_create(const struct nlmsghdr *nlh)
{
	struct gre_link l;
	int err;

	require(link_named(nlh, NULL, &l));
	l.ifindex = ++kernel.last_ifindex;
	if (l.dormant_mode)
		l.operstate = IF_OPER_DORMANT;
	err = do_world(PLAN_CREATE, OBJECT_LINK, &l);
	if (!err)
		tell_link(&l, false);
	return err;
}

static int kernel_link_set(const struct nlmsghdr *nlh)
{
	static const struct nl_attr_spec spec[] = {{IFLA_GROUP, 4},
						   {IFLA_OPERSTATE, 1},
						   {IFLA_LINKINFO, 0}};
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *slot[IFLA_GROUP + 1];
	struct gre_link *at = link_by_index((unsigned)ifi->ifi_index), l;
	int err = 0;

	require(nl_attrs_parse(nlh, sizeof(*ifi), spec, 3, slot, IFLA_GROUP));
	if (!at)
		return -ENODEV;
	if (!world_link_ours(at))
		return -EPERM;
	if (slot[IFLA_LINKINFO]) {
		require(link_named(nlh, at->name, &l));
		l.ifindex = at->ifindex;
		l.mpls = at->mpls;
		l.operstate = l.dormant_mode ? at->operstate : IF_OPER_UP;
		err = do_world(PLAN_UPDATE, OBJECT_LINK, &l);
	} else if (slot[IFLA_GROUP]) {
		at->group = mnl_attr_get_u32(slot[IFLA_GROUP]);
	} else if (slot[IFLA_OPERSTATE]) {
		at->operstate = mnl_attr_get_u8(slot[IFLA_OPERSTATE]);
	}
	if (!err)
		tell_link(at, false);
	return err;
}

static int kernel_link_delete(const struct nlmsghdr *nlh)
{
	static const struct nl_attr_spec spec[] = {{IFLA_GROUP, 4}};
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *slot[IFLA_GROUP + 1];
	struct gre_link *at = link_by_index((unsigned)ifi->ifi_index), l;

	require(nl_attrs_parse(nlh, sizeof(*ifi), spec, 1, slot, IFLA_GROUP));
	if (slot[IFLA_GROUP]) {
		require(mnl_attr_get_u32(slot[IFLA_GROUP]) == GRE_GROUP_DOOMED);
		for (size_t i = 0; i < kernel.w.links.n; i++)
			if (kernel.w.links.at[i].group == GRE_GROUP_DOOMED)
				tell_link(&kernel.w.links.at[i], true);
		world_delete_doomed(&kernel.w);
		return 0;
	}
	if (!at)
		return -ENODEV;
	l = *at;
	tell_link(&l, true);
	return do_world(PLAN_DELETE, OBJECT_LINK, &l);
}

static int kernel_addr(const struct nlmsghdr *nlh)
{
	const struct gre_link *link;
	struct gre_addr a;
	int err;

	require(gre_addr_parse(nlh, &a));
	link = link_by_index(a.ifindex);
	if (!link)
		return -ENODEV;
	memcpy(a.link, link->name, sizeof(a.link));
	a.by_kernel = false;
	err = do_world(nlh->nlmsg_type == RTM_NEWADDR ? PLAN_CREATE : PLAN_DELETE, OBJECT_ADDR, &a);
	if (!err)
		tell_addr(a.ifindex);
	return err;
}

static int kernel_route(const struct nlmsghdr *nlh)
{
	const struct gre_link *link;
	struct gre_route r;
	int err;

	require(gre_route_parse(nlh, &r));
	link = link_by_index(r.ifindex);
	if (link)
		memcpy(r.link, link->name, sizeof(r.link));
	else if (!r.unreachable)
		return nlh->nlmsg_type == RTM_DELROUTE ? -ESRCH : -ENODEV;
	err = do_world(nlh->nlmsg_type == RTM_NEWROUTE ? PLAN_CREATE : PLAN_DELETE,
		       r.unreachable ? OBJECT_HOLD : OBJECT_ROUTE, &r);
	if (!err)
		tell_route(&r, r.ifindex, nlh->nlmsg_type == RTM_DELROUTE);
	return err;
}

static int kernel_policy(const struct nlmsghdr *nlh)
{
	enum plan_op op = nlh->nlmsg_type == XFRM_MSG_DELPOLICY	  ? PLAN_DELETE
			  : nlh->nlmsg_type == XFRM_MSG_NEWPOLICY ? PLAN_CREATE
								  : PLAN_UPDATE;
	_Alignas(8) char buf[512] = {0};
	struct nlmsghdr *as_new = mnl_nlmsg_put_header(buf);
	struct xfrm_userpolicy_info info = {0};
	struct xfrm_userpolicy_id id;
	struct xfrm_policy p;
	int err;

	if (op == PLAN_DELETE) {
		memcpy(&id, mnl_nlmsg_get_payload(nlh), sizeof(id));
		info.sel = id.sel;
		info.dir = id.dir;
		as_new->nlmsg_type = XFRM_MSG_NEWPOLICY;
		memcpy(mnl_nlmsg_put_extra_header(as_new, sizeof(info)), &info, sizeof(info));
		nlh = as_new;
	}
	require(xfrm_policy_parse(nlh, &p));
	if (op == PLAN_DELETE && world_policy(&kernel.w, &p))
		p = *world_policy(&kernel.w, &p);
	else if (op == PLAN_UPDATE && !world_policy(&kernel.w, &p))
		op = PLAN_CREATE; /* kernel xfrm_add_policy */
	err = do_world(op, OBJECT_POLICY, &p);
	if (!err)
		tell_policy(&p, op == PLAN_DELETE);
	return err;
}

static int kernel_sa_delete(const struct nlmsghdr *nlh)
{
	struct xfrm_usersa_id id;

	memcpy(&id, mnl_nlmsg_get_payload(nlh), sizeof(id));
	for (size_t i = 0; i < kernel.sas.n; i++) {
		if (htobe32(kernel.sas.at[i].spi) != id.spi ||
		    memcmp(kernel.sas.at[i].dst.bytes, &id.daddr, 4))
			continue;
		sa_drop(i);
		return 0;
	}
	return -ESRCH;
}

static int kernel_message(bool xfrm, const struct nlmsghdr *nlh)
{
	bool create = nlh->nlmsg_flags & NLM_F_CREATE;

	if (xfrm)
		return nlh->nlmsg_type == XFRM_MSG_DELSA ? kernel_sa_delete(nlh)
							 : kernel_policy(nlh);
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
		return create ? kernel_link_create(nlh) : kernel_link_set(nlh);
	case RTM_SETLINK:
		return kernel_link_set(nlh);
	case RTM_DELLINK:
		return kernel_link_delete(nlh);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return kernel_addr(nlh);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return kernel_route(nlh);
	default:
		abort();
	}
}

#include "tests/fuzz/model_calls.h"

#endif
