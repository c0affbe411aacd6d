/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink notifications (rtnetlink(7)) reduced to hints: gre_events_open, gre_events_read.
 *
 * An event only says what to look at again; nothing is decided from it. Neighbours: the parsers of
 * gre/link.c, gre/addr.c and gre/route.c, and nl_receive of lib/nl.c.
 */
#include "gre/events.h"

#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define EVENTS_RCVBUF (8 << 20) /* the events of some 2000 links at once */
#define EVENTS_AT_ONCE 256

struct reader {
	gre_event_fn fn;
	void *user;
};

/* A bridge tells of its ports by messages of its own family; a port that leaves is no link that
 * goes. */
static bool link_event(const struct nlmsghdr *nlh, struct gre_event *out)
{
	struct gre_link link;

	if (!gre_link_parse(nlh, &link))
		return false;
	out->kind = GRE_EVENT_LINK;
	memcpy(out->name, link.name, sizeof(out->name));
	out->ifindex = link.ifindex;
	out->group = link.group;
	out->operstate = link.operstate;
	out->gone = nlh->nlmsg_type == RTM_DELLINK;
	out->ours = link.group == GRE_GROUP;
	return true;
}

static bool addr_event(const struct nlmsghdr *nlh, struct gre_event *out)
{
	struct gre_addr addr;

	if (!gre_addr_parse(nlh, &addr))
		return false;
	out->kind = GRE_EVENT_ADDR;
	out->ifindex = addr.ifindex;
	out->gone = nlh->nlmsg_type == RTM_DELADDR;
	return true;
}

/*
 * Routes that gre_route_parse does not describe, as blackholes, change paths all the same. Those that the kernel makes of an
 * address (connected, local) tell nothing that the address's own event does not, and there are four of each.
 */
static bool route_event(const struct nlmsghdr *nlh, struct gre_event *out)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct gre_route route;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) || rtm->rtm_flags & RTM_F_CLONED ||
	    rtm->rtm_protocol == RTPROT_KERNEL)
		return false;
	out->kind = GRE_EVENT_ROUTE;
	out->ours = gre_route_parse(nlh, &route) && route.protocol == GRE_ROUTE_PROTOCOL;
	out->ifindex = out->ours ? route.ifindex : 0;
	out->hold = out->ours && route.unreachable;
	out->route = route;
	out->gone = nlh->nlmsg_type == RTM_DELROUTE;
	return true;
}

/* What a link does with MPLS; the other families' groups are not joined. */
static bool netconf_event(const struct nlmsghdr *nlh, struct gre_event *out)
{
	static const struct nl_attr_spec spec[] = {{NETCONFA_IFINDEX, 4}};
	const struct nlattr *slot[NETCONFA_IFINDEX + 1];

	if (!nl_attrs_parse(nlh, NLMSG_ALIGN(sizeof(struct netconfmsg)), spec, 1, slot,
			    NETCONFA_IFINDEX) ||
	    !slot[NETCONFA_IFINDEX])
		return false;
	out->kind = GRE_EVENT_ADDR;
	out->ifindex = mnl_attr_get_u32(slot[NETCONFA_IFINDEX]);
	return true;
}

static int reader_message(const struct nlmsghdr *nlh, void *user)
{
	const struct reader *r = user;
	struct gre_event ev;

	if (gre_event_parse(nlh, &ev))
		r->fn(r->user, &ev);
	return MNL_CB_OK;
}

int gre_events_open(struct nl **out)
{
	static const unsigned groups[] = {
		RTNLGRP_LINK,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,	 RTNLGRP_MPLS_NETCONF,
	};
	struct nl *nl;
	int err = nl_open(&nl, NETLINK_ROUTE);

	if (err)
		return err;
	err = nl_listen(nl, EVENTS_RCVBUF, groups, sizeof(groups) / sizeof(groups[0]));
	if (err) {
		nl_close(nl);
		return err;
	}
	*out = nl;
	return 0;
}

bool gre_event_parse(const struct nlmsghdr *nlh, struct gre_event *out)
{
	*out = (struct gre_event){0};
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return link_event(nlh, out);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return addr_event(nlh, out);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return route_event(nlh, out);
	case RTM_NEWNETCONF:
		return netconf_event(nlh, out);
	default:
		return false;
	}
}

int gre_events_read(struct nl *nl, gre_event_fn fn, void *user)
{
	struct reader r = {.fn = fn, .user = user};

	return nl_receive(nl, reader_message, &r, EVENTS_AT_ONCE);
}
