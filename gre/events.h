/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink notifications, reduced to hints: which link, address or route changed. The dump is the truth. */
#ifndef GWD_GRE_EVENTS_H
#define GWD_GRE_EVENTS_H

#include "gre/addr.h"
#include "gre/link.h"
#include "gre/route.h"
#include "lib/nl.h"

enum gre_event_kind {
	GRE_EVENT_LINK, /* name, ifindex, group, gone */
	GRE_EVENT_ADDR, /* or MPLS input: ifindex; also of the transport's links */
	GRE_EVENT_ROUTE, /* ours: ifindex; others but the kernel's: ifindex 0 (a path may have changed) */
};

struct gre_event {
	enum gre_event_kind kind;
	char name[IFNAMSIZ];
	unsigned ifindex;
	uint32_t group;
	uint8_t operstate;
	bool gone;
	bool hold; /* an unreachable route of our protocol; then route says which */
	struct gre_route route;
	bool ours; /* link of our group, route of our protocol */
};

typedef void (*gre_event_fn)(void *user, const struct gre_event *ev);

/* Joins RTNLGRP_LINK, the address groups and the route groups of both families, and MPLS's of links. */
int gre_events_open(struct nl **out);
/* One notification; false for what concerns nobody here (bridge ports, cloned routes) and for the malformed. */
bool gre_event_parse(const struct nlmsghdr *nlh, struct gre_event *out);
/* As nl_receive: 0 empty, 1 more, -ENOBUFS lost. */
int gre_events_read(struct nl *nl, gre_event_fn fn, void *user);

#endif
