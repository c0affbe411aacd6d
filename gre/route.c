/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static routes into GRE links as rtnetlink messages: gre_route_put, gre_route_parse,
 * gre_route_dump.
 *
 * The attributes are those of linux/rtnetlink.h; the kernel's side is net/ipv4/fib_frontend.c and
 * net/ipv6/route.c. A device route without gateway has link scope in IPv4; IPv6 knows no scopes of
 * routes and turns the metric 0 into IP6_RT_PRIO_USER. Neighbour: lib/nl.
 */
#include "gre/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define METRIC_IP6_DEFAULT 1024 /* IP6_RT_PRIO_USER of the kernel's net/ip6_route.h */

static const struct nl_attr_spec route_spec[] = {
	{RTA_DST, 4},
	{RTA_OIF, 4},
	{RTA_PRIORITY, 4},
	{RTA_TABLE, 4},
};

struct walk {
	unsigned ifindex;
	gre_route_fn fn;
	void (*restart)(void *user);
	void *user;
	int err;
};

static uint32_t route_metric(const struct gre_route *r)
{
	return r->to.addr.family == AF_INET6 && !r->metric ? METRIC_IP6_DEFAULT : r->metric;
}

static uint32_t route_table(const struct gre_route *r)
{
	return r->table == RT_TABLE_UNSPEC ? RT_TABLE_MAIN : r->table;
}

static int number_cmp(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* An unset scope would mean universe, which deletes nothing of link scope: NOWHERE matches any
 * (fib_table_delete). */
static uint8_t route_scope(uint16_t type, const struct gre_route *r)
{
	if (r->to.addr.family == AF_INET && type != RTM_NEWROUTE)
		return RT_SCOPE_NOWHERE;
	return r->to.addr.family != AF_INET || r->unreachable ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
}

static void route_put(struct nl_batch *b, uint16_t type, uint16_t flags, const struct gre_route *r,
		      unsigned ifindex)
{
	struct prefix to = prefix_network(&r->to);
	struct nlmsghdr *nlh = nl_batch_put(b, type, flags);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	uint32_t table = route_table(r);

	rtm->rtm_family = to.addr.family;
	rtm->rtm_dst_len = to.len;
	rtm->rtm_table = table <= UINT8_MAX ? (unsigned char)table : RT_TABLE_UNSPEC;
	rtm->rtm_protocol = GRE_ROUTE_PROTOCOL;
	rtm->rtm_scope = route_scope(type, r);
	rtm->rtm_type = r->unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
	if (to.len)
		mnl_attr_put(nlh, RTA_DST, addr_size(to.addr.family), to.addr.bytes);
	if (!r->unreachable)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, route_metric(r));
}

static int walk_message(const struct nlmsghdr *nlh, void *user)
{
	struct walk *w = user;
	struct gre_route r;

	if (!gre_route_parse(nlh, &r) || r.protocol != GRE_ROUTE_PROTOCOL ||
	    (w->ifindex && r.ifindex != w->ifindex))
		return MNL_CB_OK;
	w->err = w->fn(w->user, &r);
	return w->err ? MNL_CB_ERROR : MNL_CB_OK;
}

static void walk_restart(void *user)
{
	struct walk *w = user;

	if (w->restart)
		w->restart(w->user);
}

int gre_route_cmp(const struct gre_route *a, const struct gre_route *b)
{
	int order = number_cmp(route_table(a), route_table(b));
	struct prefix x = prefix_network(&a->to), y = prefix_network(&b->to);

	if (!order)
		order = prefix_cmp(&x, &y);
	return order ? order : number_cmp(route_metric(a), route_metric(b));
}

bool gre_route_equal(const struct gre_route *want, const struct gre_route *have)
{
	return gre_route_cmp(want, have) == 0 && want->protocol == have->protocol &&
	       strncmp(want->link, have->link, sizeof(want->link)) == 0;
}

void gre_route_put(struct nl_batch *b, const struct gre_route *r, unsigned ifindex)
{
	route_put(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, r, ifindex);
}

void gre_route_put_delete(struct nl_batch *b, const struct gre_route *r, unsigned ifindex)
{
	route_put(b, RTM_DELROUTE, 0, r, ifindex);
}

bool gre_route_parse(const struct nlmsghdr *nlh, struct gre_route *out)
{
	const struct nlattr *slot[RTA_TABLE + 1];
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	size_t size;

	*out = (struct gre_route){.tunnel = -1};
	if (!nl_attrs_parse(nlh, sizeof(*rtm), route_spec, COUNT(route_spec), slot, RTA_TABLE))
		return false;
	size = addr_size(rtm->rtm_family);
	out->unreachable = rtm->rtm_type == RTN_UNREACHABLE;
	if (!size || (rtm->rtm_type != RTN_UNICAST && !out->unreachable) ||
	    rtm->rtm_flags & RTM_F_CLONED || rtm->rtm_dst_len > size * 8 ||
	    (rtm->rtm_dst_len && !slot[RTA_DST]))
		return false;
	out->to.addr.family = rtm->rtm_family;
	out->to.len = rtm->rtm_dst_len;
	if (slot[RTA_DST]) {
		if (mnl_attr_get_payload_len(slot[RTA_DST]) != size)
			return false;
		out->to.addr = addr_from_bytes(rtm->rtm_family,
					       mnl_attr_get_payload(slot[RTA_DST]));
	}
	/* IPv6 names the loopback there. */
	out->ifindex = slot[RTA_OIF] && !out->unreachable ? mnl_attr_get_u32(slot[RTA_OIF]) : 0;
	out->metric = slot[RTA_PRIORITY] ? mnl_attr_get_u32(slot[RTA_PRIORITY]) : 0;
	out->table = slot[RTA_TABLE] ? mnl_attr_get_u32(slot[RTA_TABLE]) : rtm->rtm_table;
	out->protocol = rtm->rtm_protocol;
	return true;
}

int gre_route_dump(struct nl *nl, unsigned ifindex, gre_route_fn fn, void (*restart)(void *),
		   void *user)
{
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	struct walk w = {.ifindex = ifindex, .fn = fn, .restart = restart, .user = user};
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_DUMP;
	rtm->rtm_family = AF_UNSPEC;
	rtm->rtm_protocol = GRE_ROUTE_PROTOCOL;
	if (ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	err = nl_query(nl, nlh, walk_message, walk_restart, &w);
	return w.err ? w.err : err;
}

const char *gre_route_format(const struct gre_route *r, char *buf, size_t size)
{
	char to[PREFIX_TEXT_SIZE];
	int n = snprintf(buf, size, "%s", prefix_format(&r->to, to));

	if (route_table(r) != RT_TABLE_MAIN && n >= 0 && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, " table %u", r->table);
	if (r->metric && n >= 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, " metric %u", r->metric);
	return buf;
}
