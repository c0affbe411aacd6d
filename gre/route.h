/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Static routes into our GRE links, and unreachable ones beside them, over rtnetlink; ours by their protocol number. */
#ifndef GWD_GRE_ROUTE_H
#define GWD_GRE_ROUTE_H

#include <linux/if.h>
#include <stdbool.h>

#include "lib/addr.h"
#include "lib/nl.h"

/*
 * Of the unreachable routes that hold a destination while no better route leads there. High, so that any other route wins; and
 * with a first byte of 255, which zebra takes for the administrative distance of one that is never used.
 */
#define GRE_ROUTE_METRIC_HOLD 4294967040u
#define GRE_ROUTE_PROTOCOL 0x67 /* 103: in no list of rtnetlink.h or rt_protos */

struct gre_route {
	char link[IFNAMSIZ]; /* filled by the caller for what was seen */
	unsigned ifindex;
	int tunnel; /* the caller's tag, not compared */
	struct prefix to;
	uint32_t table;
	uint32_t metric; /* as wanted; IPv6's 0 is seen as 1024 and compared so */
	uint8_t protocol;
	bool unreachable; /* RTN_UNREACHABLE: into no link, link and ifindex are empty; not compared */
};

int gre_route_cmp(const struct gre_route *a, const struct gre_route *b); /* by table, to, metric */
bool gre_route_equal(const struct gre_route *want, const struct gre_route *have);

/* NLM_F_CREATE | NLM_F_EXCL: a foreign route of the same key is a conflict, -EEXIST. */
void gre_route_put(struct nl_batch *b, const struct gre_route *r, unsigned ifindex);
/* Only a route of our protocol. IPv4 takes metric 0 for any metric here, the lowest first (kernel fib_nh_match). */
void gre_route_put_delete(struct nl_batch *b, const struct gre_route *r, unsigned ifindex);
bool gre_route_parse(const struct nlmsghdr *nlh, struct gre_route *out);

typedef int (*gre_route_fn)(void *user, const struct gre_route *route);
/* Only routes of GRE_ROUTE_PROTOCOL; ifindex 0: into every link, and the unreachable ones. */
int gre_route_dump(struct nl *nl, unsigned ifindex, gre_route_fn fn, void (*restart)(void *),
		   void *user);
const char *gre_route_format(const struct gre_route *r, char *buf, size_t size);

#endif
