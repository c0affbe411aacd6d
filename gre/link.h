/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRE links (RFC 2784, RFC 2890) over rtnetlink: one struct for what is wanted, seen and printed; messages are
 * built and parsed here, sent by lib/nl. Kinds are "gre" and "ip6gre" (linux/if_tunnel.h).
 *
 * A GRE changelink is a full-state replace (kernel >= 4.15): what a message leaves out becomes zero. So one
 * function builds create and update, and always sends every attribute.
 */
#ifndef GWD_GRE_LINK_H
#define GWD_GRE_LINK_H

#include <linux/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/nl.h"

#define GRE_GROUP 0x677764 /* "gwd": our links, by IFLA_GROUP */
#define GRE_GROUP_DOOMED 0x677765 /* ours, about to be deleted together */

struct gre_link {
	char name[IFNAMSIZ];
	int tunnel; /* the caller's tag, not compared; -1: none */
	unsigned ifindex; /* 0 in what is wanted */
	uint32_t group;
	bool is_gre; /* false: some other kind of link holds the name; the rest is then not known */
	struct addr local, remote; /* AF_UNSPEC: any */
	bool has_key;
	uint32_t key_in, key_out; /* host order; of what is taken, of what is sent */
	bool checksum, sequence;
	uint8_t ttl, tos; /* ttl 0: inherit; tos 1: inherit */
	bool pmtudisc, ignore_df; /* IPv4 only: ip6gre has neither */
	unsigned device, master; /* bound to, put into; by index; 0: none */
	char device_name[IFNAMSIZ],
		master_name[IFNAMSIZ]; /* as wanted, for people; "" in what was seen */
	bool mpls; /* takes labelled packets (gre/mpls.h): not in the link's messages */
	uint32_t mtu;
	bool up, multicast; /* IFF_UP, IFF_MULTICAST */
	bool dormant_mode; /* IFLA_LINKMODE 1: operstate is ours to drive (RFC 2863) */
	bool extra; /* has what we never set: a mark, FOU, unlike options by direction, an encapsulation limit */
	uint8_t operstate; /* IF_OPER_*, linux/if.h; not compared by gre_link_equal */
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
};

int gre_link_cmp(const struct gre_link *a, const struct gre_link *b); /* by name */

/* All attributes that we set are as wanted (ifindex, operstate, counters, tunnel not regarded). */
bool gre_link_equal(const struct gre_link *want, const struct gre_link *have);

/*
 * The kernel cannot change a link of this state into that one in place: replace. So when family or kind differ, when only
 * one has a remote (net/ipv4/ip_tunnel.c ip_tunnel_changelink), and from ignore-df to pmtudisc (ip_gre.c ipgre_netlink_parms).
 */
bool gre_link_must_replace(const struct gre_link *want, const struct gre_link *have);

/*
 * RTM_NEWLINK, exclusive when create; else changes the link of have's ifindex. Comes into being with IFF_UP unset when
 * create and want->up is false. All of: name, group, master, mtu, linkmode, flags, and every GRE attribute. Not mpls. A link created in dormant
 * mode is DORMANT from its first moment; an update keeps the operational state, but a link that leaves dormant mode becomes UP
 * (nobody would drive it any more). An update sends no name: Linux before 6.2 refuses that on a link that is up.
 */
void gre_link_put(struct nl_batch *b, const struct gre_link *want, unsigned ifindex, bool create);

/* IFLA_OPERSTATE of a link in dormant mode: IF_OPER_UP or IF_OPER_DORMANT. */
void gre_link_put_operstate(struct nl_batch *b, unsigned ifindex, uint8_t operstate);
/* IFF_UP. */
void gre_link_put_up(struct nl_batch *b, unsigned ifindex, bool up);
void gre_link_put_group(struct nl_batch *b, unsigned ifindex, uint32_t group);
void gre_link_put_delete(struct nl_batch *b, unsigned ifindex);
/* RTM_DELLINK by IFLA_GROUP: 24 times faster than one by one at 1000 links. */
void gre_link_put_delete_group(struct nl_batch *b, uint32_t group);

/* From an RTM_NEWLINK message. False when it is malformed. Links of other kinds give is_gre false. */
bool gre_link_parse(const struct nlmsghdr *nlh, struct gre_link *out);

typedef int (*gre_link_fn)(void *user,
			   const struct gre_link *link); /* 0, or -errno ends the walk */

/* Links of a group (kernel-filtered where it can be), or every link when group is 0. restart: see nl_query. */
int gre_link_dump(struct nl *nl, uint32_t group, gre_link_fn fn, void (*restart)(void *),
		  void *user);
/* One by name, or by ifindex; -ENODEV when there is none. */
int gre_link_get(struct nl *nl, const char *name, struct gre_link *out);
int gre_link_get_index(struct nl *nl, unsigned ifindex, struct gre_link *out);

/* "local 198.51.100.1 remote 203.0.113.7 key 7 ttl 64 mtu 1442", for plans and logs; returns buf. */
const char *gre_link_format(const struct gre_link *l, char *buf, size_t size);
/* What differs, as "mtu 1476 -> 1442, ttl 0 -> 64"; returns buf. */
const char *gre_link_format_change(const struct gre_link *want, const struct gre_link *have,
				   char *buf, size_t size);

/* 0 when the kernel knows GRE over IPv4, else -errno (-EOPNOTSUPP, -EPERM). Changes nothing. */
int gre_link_probe(struct nl *nl);

/* Bytes of a GRE header with these options: 4, and 4 more for each of key, checksum, sequence (RFC 2890). */
unsigned gre_header_size(bool key, bool checksum, bool sequence);

#endif
