/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rest of the system for a gateway in a test: the model kernel of plan_world.h behind lib/nl
 * and guard/, by the linker's --wrap (the Makefile lists what is wrapped). Messages are read by
 * the drivers' own parsers and answers are built by their own builders. Memory of the model does
 * not fail. Entry: fake_kernel_reset; fake_bare counts links that stood without their cover.
 */
#ifndef GWD_TESTS_UNIT_FAKE_KERNEL_H
#define GWD_TESTS_UNIT_FAKE_KERNEL_H

#include <linux/rtnetlink.h>
#include <linux/xfrm.h>

#include "tests/unit/alloc_fail.h"
#include "tests/unit/plan_world.h"

#define WAN_INDEX 2

static struct world fake;
static unsigned fake_next_index;
static unsigned fake_bare;

static void fake_kernel_reset(void)
{
	fake = (struct world){0};
	fake_next_index = 10;
	fake_bare = 0;
}

static struct gre_link *fake_link_at(unsigned ifindex)
{
	for (size_t i = 0; i < fake.links.n; i++)
		if (fake.links.at[i].ifindex == ifindex)
			return &fake.links.at[i];
	return NULL;
}

static void fake_cover_check(void)
{
	for (size_t i = 0; i < fake.links.n; i++)
		fake_bare += fake.links.at[i].dormant_mode &&
			     !world_covered(&fake, &fake.links.at[i]);
}

/* RTM_NEWLINK and RTM_SETLINK; without IFLA_LINKINFO only what is there changes. */
static int fake_link_set(const struct nlmsghdr *nlh)
{
	static const struct nl_attr_spec spec[] = {{IFLA_GROUP, 4},
						   {IFLA_OPERSTATE, 1},
						   {IFLA_LINKINFO, 0}};
	const struct nlattr *slot[IFLA_GROUP + 1];
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct gre_link l, *at = fake_link_at((unsigned)ifi->ifi_index);
	struct plan_action a = {.kind = OBJECT_LINK, .op = at ? PLAN_UPDATE : PLAN_CREATE};

	if (!nl_attrs_parse(nlh, sizeof(*ifi), spec, 3, slot, IFLA_GROUP) ||
	    (!slot[IFLA_LINKINFO] && !at))
		return -ENODEV;
	if (slot[IFLA_LINKINFO]) {
		_Alignas(8) unsigned char named[NL_MSG_ROOM + 64];

		memcpy(named, nlh, nlh->nlmsg_len);
		if (at) /* an update names none */
			mnl_attr_put_strz((struct nlmsghdr *)named, IFLA_IFNAME, at->name);
		assert_true(gre_link_parse((struct nlmsghdr *)named, &l));
		l.ifindex = at ? at->ifindex : fake_next_index++;
		l.operstate = at ? at->operstate : IF_OPER_DORMANT;
		a.want = &l;
		int err = world_apply(&fake, &a);
		fake_cover_check();
		return err;
	}
	if (slot[IFLA_GROUP])
		at->group = mnl_attr_get_u32(slot[IFLA_GROUP]);
	if (slot[IFLA_OPERSTATE])
		at->operstate = mnl_attr_get_u8(slot[IFLA_OPERSTATE]);
	if (ifi->ifi_change & IFF_UP)
		at->up = ifi->ifi_flags & IFF_UP;
	return 0;
}

static int fake_link_delete(const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct gre_link *at = fake_link_at((unsigned)ifi->ifi_index), l;
	struct plan_action a = {.kind = OBJECT_LINK, .op = PLAN_DELETE, .have = &l};

	if (!ifi->ifi_index) {
		world_delete_doomed(&fake);
		return 0;
	}
	if (!at)
		return -ENODEV;
	l = *at;
	return world_apply(&fake, &a);
}

static int fake_addr(const struct nlmsghdr *nlh)
{
	struct gre_addr addr;
	struct plan_action a = {.kind = OBJECT_ADDR, .op = PLAN_CREATE, .want = &addr};

	assert_true(gre_addr_parse(nlh, &addr));
	addr.by_kernel = false;
	const struct gre_link *l = fake_link_at(addr.ifindex);
	if (!l)
		return -ENODEV;
	memcpy(addr.link, l->name, sizeof(addr.link));
	if (nlh->nlmsg_type == RTM_DELADDR)
		a = (struct plan_action){.kind = OBJECT_ADDR, .op = PLAN_DELETE, .have = &addr};
	return world_apply(&fake, &a);
}

static int fake_route(const struct nlmsghdr *nlh)
{
	bool gone = nlh->nlmsg_type == RTM_DELROUTE;
	struct gre_route route;
	struct plan_action a = {.op = gone ? PLAN_DELETE : PLAN_CREATE};

	assert_true(gre_route_parse(nlh, &route));
	const struct gre_link *l = fake_link_at(route.ifindex);
	a.kind = route.unreachable ? OBJECT_HOLD : OBJECT_ROUTE;
	a.want = gone ? NULL : &route;
	a.have = gone ? &route : NULL;
	if (!route.unreachable && !l)
		return -ENODEV;
	if (l)
		memcpy(route.link, l->name, sizeof(route.link));
	return world_apply(&fake, &a);
}

static int fake_policy(const struct nlmsghdr *nlh)
{
	struct xfrm_policy p;
	struct plan_action a = {.kind = OBJECT_POLICY, .want = &p};

	if (nlh->nlmsg_type == XFRM_MSG_DELPOLICY) {
		const struct xfrm_userpolicy_id *id = mnl_nlmsg_get_payload(nlh);

		for (size_t i = 0; i < fake.policies.n; i++) {
			p = fake.policies.at[i];
			if ((int)p.dir == id->dir &&
			    !memcmp(p.src.bytes, &id->sel.saddr, addr_size(p.src.family)) &&
			    !memcmp(p.dst.bytes, &id->sel.daddr, addr_size(p.dst.family))) {
				WORLD_DROP(&fake.policies, i);
				return 0;
			}
		}
		return -ENOENT;
	}
	assert_true(xfrm_policy_parse(nlh, &p));
	a.op = nlh->nlmsg_type == XFRM_MSG_NEWPOLICY ? PLAN_CREATE : PLAN_UPDATE;
	return world_apply(&fake, &a);
}

#define FAKE_RTNL ((struct nl *)&fake_next_index)
#define FAKE_XFRM ((struct nl *)&fake_bare)

static int fake_message(const struct nl *nl, const struct nlmsghdr *nlh)
{
	if (nl == FAKE_XFRM)
		return fake_policy(nlh);
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_SETLINK:
		return fake_link_set(nlh);
	case RTM_DELLINK:
		return fake_link_delete(nlh);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return fake_addr(nlh);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return fake_route(nlh);
	}
	return -EOPNOTSUPP;
}

int __wrap_nl_batch_send(struct nl *nl, struct nl_batch *b, nl_result_fn result, void *user);
int __wrap_nl_batch_send(struct nl *nl, struct nl_batch *b, nl_result_fn result, void *user)
{
	size_t n = nl_batch_len(b);
	bool lost = n && !nl_batch_at(b, n - 1);

	for (size_t i = 0; i < n; i++) {
		bool armed = alloc_armed;

		alloc_armed = false;
		int err = lost ? -ENOMEM : fake_message(nl, nl_batch_at(b, i));
		alloc_armed = armed;
		result(user, i, err, strerror(-err));
	}
	return lost ? -ENOMEM : 0;
}

int __wrap_nl_request(struct nl *nl, struct nlmsghdr *nlh, char *text, size_t size);
int __wrap_nl_request(struct nl *nl, struct nlmsghdr *nlh, char *text, size_t size)
{
	(void)nl, (void)nlh, (void)text, (void)size;
	return -EOPNOTSUPP;
}

/* Answers. The message is the batch's, until the next. */
static struct nlmsghdr *fake_link_message(struct nl_batch *b, const struct gre_link *l)
{
	gre_link_put(b, l, l->ifindex, true);
	struct nlmsghdr *nlh = (struct nlmsghdr *)(uintptr_t)nl_batch_at(b, nl_batch_len(b) - 1);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	ifi->ifi_index = (int)l->ifindex;
	mnl_attr_put_u8(nlh, IFLA_OPERSTATE, l->operstate);
	return nlh;
}

static int fake_links_answer(struct nl_batch *b, const struct nlmsghdr *nlh, mnl_cb_t cb,
			     void *user)
{
	static const struct nl_attr_spec spec[] = {{IFLA_IFNAME, 1}};
	static const struct gre_link wan = {
		.name = "wan0", .ifindex = WAN_INDEX, .mtu = 1500, .up = true};
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *slot[IFLA_IFNAME + 1];
	bool dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int ret = MNL_CB_OK, seen = 0;

	assert_true(nl_attrs_parse(nlh, sizeof(*ifi), spec, 1, slot, IFLA_IFNAME));
	if (ifi->ifi_index == WAN_INDEX)
		return cb(fake_link_message(b, &wan), user);
	for (size_t i = 0; i < fake.links.n && ret == MNL_CB_OK; i++) {
		const struct gre_link *l = &fake.links.at[i];
		const char *name = slot[IFLA_IFNAME] ? mnl_attr_get_str(slot[IFLA_IFNAME]) : NULL;

		if (!dump &&
		    (name ? strcmp(name, l->name) != 0 : (unsigned)ifi->ifi_index != l->ifindex))
			continue;
		ret = cb(fake_link_message(b, l), user);
		seen++;
	}
	return dump || seen ? ret : -ENODEV;
}

static int fake_path_answer(const struct nlmsghdr *nlh, mnl_cb_t cb, void *user)
{
	_Alignas(8) char buf[256];
	const struct rtmsg *asked = mnl_nlmsg_get_payload(nlh);
	struct nlmsghdr *answer = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(answer, sizeof(*rtm));
	struct addr a;

	addr_parse(asked->rtm_family == AF_INET6 ? "2001:db8::1" : "198.51.100.1", &a);
	rtm->rtm_family = asked->rtm_family;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(answer, RTA_OIF, WAN_INDEX);
	mnl_attr_put(answer, RTA_PREFSRC, addr_size(a.family), a.bytes);
	return cb(answer, user);
}

static int fake_routes_answer(struct nl_batch *b, mnl_cb_t cb, void *user)
{
	for (size_t i = 0; i < fake.routes.n; i++) {
		const struct gre_link *l = world_link(&fake, fake.routes.at[i].link);
		gre_route_put(b, &fake.routes.at[i], l->ifindex);
	}
	for (size_t i = 0; i < fake.holds.n; i++)
		gre_route_put(b, &fake.holds.at[i], 0);
	for (size_t i = 0; i < nl_batch_len(b); i++)
		if (cb(nl_batch_at(b, i), user) != MNL_CB_OK)
			return MNL_CB_ERROR;
	return MNL_CB_OK;
}

static int fake_addrs_answer(struct nl_batch *b, const struct nlmsghdr *nlh, mnl_cb_t cb,
			     void *user)
{
	unsigned of = ((const struct ifaddrmsg *)mnl_nlmsg_get_payload(nlh))->ifa_index;
	int ret = MNL_CB_OK;

	for (size_t i = 0; i < fake.addrs.n && ret == MNL_CB_OK; i++) {
		const struct gre_link *l = world_link(&fake, fake.addrs.at[i].link);

		if (of && of != l->ifindex)
			continue;
		gre_addr_put(b, &fake.addrs.at[i], l->ifindex);
		nlh = nl_batch_at(b, nl_batch_len(b) - 1);
		mnl_attr_put_u32((struct nlmsghdr *)(uintptr_t)nlh, IFA_FLAGS, IFA_F_PERMANENT);
		ret = cb(nlh, user);
	}
	return ret;
}

static int fake_policies_answer(struct nl_batch *b, const struct nlmsghdr *nlh, mnl_cb_t cb,
				void *user)
{
	const struct xfrm_userpolicy_id *id = mnl_nlmsg_get_payload(nlh);
	bool dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int ret = MNL_CB_OK, seen = 0;

	for (size_t i = 0; i < fake.policies.n && ret == MNL_CB_OK; i++) {
		const struct xfrm_policy *p = &fake.policies.at[i];

		if (!dump && ((int)p->dir != id->dir ||
			      memcmp(p->src.bytes, &id->sel.saddr, addr_size(p->src.family)) ||
			      memcmp(p->dst.bytes, &id->sel.daddr, addr_size(p->dst.family))))
			continue;
		xfrm_policy_put(b, p, true);
		ret = cb(nl_batch_at(b, nl_batch_len(b) - 1), user);
		seen++;
	}
	return dump || seen ? ret : -ENOENT;
}

static int fake_answer(const struct nl *nl, struct nl_batch *b, const struct nlmsghdr *nlh,
		       mnl_cb_t cb, void *user)
{
	bool dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	if (nl == FAKE_XFRM)
		return nlh->nlmsg_type == XFRM_MSG_GETPOLICY
			       ? fake_policies_answer(b, nlh, cb, user)
			       : MNL_CB_OK;
	if (nlh->nlmsg_type == RTM_GETLINK)
		return fake_links_answer(b, nlh, cb, user);
	if (nlh->nlmsg_type == RTM_GETADDR)
		return fake_addrs_answer(b, nlh, cb, user);
	if (nlh->nlmsg_type == RTM_GETROUTE)
		return dump ? fake_routes_answer(b, cb, user) : fake_path_answer(nlh, cb, user);
	return MNL_CB_OK;
}

/* What the callback of the answer's reader does may fail; making the answer may not. */
struct fake_reader {
	mnl_cb_t cb;
	void *user;
	bool armed;
};

static int fake_deliver(const struct nlmsghdr *nlh, void *user)
{
	const struct fake_reader *r = user;

	alloc_armed = r->armed;
	int ret = r->cb(nlh, r->user);
	alloc_armed = false;
	return ret;
}

int __wrap_nl_query(struct nl *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void (*restart)(void *),
		    void *user);
int __wrap_nl_query(struct nl *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void (*restart)(void *),
		    void *user)
{
	struct fake_reader r = {cb, user, alloc_armed};

	(void)restart;
	alloc_armed = false;
	struct nl_batch *b = nl_batch_new();
	int ret = fake_answer(nl, b, nlh, fake_deliver, &r);
	nl_batch_free(b);
	alloc_armed = r.armed;
	return ret == MNL_CB_ERROR ? -ECANCELED : ret < 0 ? ret : 0;
}

int __wrap_gre_mpls_set(const char *link, bool on);
int __wrap_gre_mpls_set(const char *link, bool on)
{
	struct gre_link *l = world_link(&fake, link);

	if (l)
		l->mpls = on;
	return l ? 0 : -ENOENT;
}

#endif
