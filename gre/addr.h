/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses on our GRE links, over rtnetlink. */
#ifndef GWD_GRE_ADDR_H
#define GWD_GRE_ADDR_H

#include <linux/if.h>
#include <stdbool.h>

#include "lib/addr.h"
#include "lib/nl.h"

struct gre_addr {
	char link[IFNAMSIZ]; /* filled by the caller for what was seen (the kernel tells an index) */
	unsigned ifindex; /* 0 in what is wanted */
	int tunnel; /* the caller's tag, not compared */
	struct prefix prefix;
	bool by_kernel; /* made by the kernel (IFA_PROTO, or IPv6 link-local): not ours to remove */
};

int gre_addr_cmp(const struct gre_addr *a, const struct gre_addr *b); /* by link, prefix */

/* RTM_NEWADDR (exclusive; IPv6 with IFA_F_NODAD: a tunnel has no neighbours to collide with, and DAD would wait
 * for the operational state), RTM_DELADDR. */
void gre_addr_put(struct nl_batch *b, const struct gre_addr *a, unsigned ifindex);
void gre_addr_put_delete(struct nl_batch *b, const struct gre_addr *a, unsigned ifindex);

bool gre_addr_parse(const struct nlmsghdr *nlh, struct gre_addr *out);

typedef int (*gre_addr_fn)(void *user, const struct gre_addr *addr);
/* ifindex 0: of every link; else kernel-filtered (strict checking). */
int gre_addr_dump(struct nl *nl, unsigned ifindex, gre_addr_fn fn, void (*restart)(void *),
		  void *user);

const char *gre_addr_format(const struct gre_addr *a, char *buf, size_t size);

/* A link's MTU as asked last, so that many paths over one link ask once; ifindex 0: none yet. */
struct gre_link_mtu {
	unsigned ifindex;
	uint32_t mtu;
};

enum gre_mtu_from {
	GRE_MTU_LINK, /* the output link's */
	GRE_MTU_ROUTE, /* the route has one: `ip route … mtu` */
	GRE_MTU_LEARNED, /* told by a router on the way (RFC 1191, RFC 8201); ends by itself */
};

struct gre_path_mtu {
	uint32_t bytes; /* 0: not known */
	enum gre_mtu_from from;
};

/*
 * For the transport side: the local address the kernel would use towards remote (RTM_GETROUTE), over device where that is not
 * 0 (an interface, or a VRF whose table is asked then; kernel net/l3mdev), and the path's MTU
 * (RTAX_MTU when the route or the exception table has one, else the output link's: looked up in known, and noted there).
 * The kernel tells nobody of an exception that comes or ends (fnhe_update, rt6_insert_exception): ask again now and then.
 * -ENETUNREACH and the like when there is no route.
 */
int gre_path_get(struct nl *nl, const struct addr *remote, unsigned device, struct addr *local,
		 struct gre_path_mtu *mtu, unsigned *ifindex, struct gre_link_mtu *known);
/* The first global address of a family on an interface; -ENODEV, -EADDRNOTAVAIL. */
int gre_addr_first(struct nl *nl, const char *ifname, uint8_t family, struct addr *out);

#endif
