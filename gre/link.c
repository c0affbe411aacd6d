/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRE links (RFC 2784, RFC 2890) as rtnetlink messages: gre_link_put builds, gre_link_parse reads,
 * gre_link_dump and gre_link_get ask.
 *
 * The attributes are those of linux/if_link.h and linux/if_tunnel.h, and their meaning that of the
 * kernel's net/ipv4/ip_gre.c, net/ipv6/ip6_gre.c and net/core/rtnetlink.c. Neighbours:
 * gre/link_text.c prints a link, lib/nl sends.
 */
#include "gre/link.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define TOS_INHERIT 1
#define FLAGS_KNOWN (GRE_CSUM | GRE_KEY | GRE_SEQ)
#define IP6_FLAGS_SETTABLE 0xffffu /* above them the kernel reports what it found out itself */
#define FLOW_CLASS_SHIFT 20
#define FLOW_LABEL_MASK 0xfffffu
#define STATS_SIZE (4 * sizeof(uint64_t)) /* up to tx_bytes */

static const struct nl_attr_spec link_spec[] = {
	{IFLA_IFNAME, 1},   {IFLA_MTU, 4},	{IFLA_OPERSTATE, 1},
	{IFLA_LINKMODE, 1}, {IFLA_LINKINFO, 0}, {IFLA_STATS64, STATS_SIZE},
	{IFLA_GROUP, 4},    {IFLA_MASTER, 4},
};

static const struct nl_attr_spec info_spec[] = {
	{IFLA_INFO_KIND, 1},
	{IFLA_INFO_DATA, 0},
};

static const struct nl_attr_spec gre_spec[] = {
	{IFLA_GRE_LINK, 4},	  {IFLA_GRE_IFLAGS, 2},
	{IFLA_GRE_OFLAGS, 2},	  {IFLA_GRE_IKEY, 4},
	{IFLA_GRE_OKEY, 4},	  {IFLA_GRE_LOCAL, 4},
	{IFLA_GRE_REMOTE, 4},	  {IFLA_GRE_TTL, 1},
	{IFLA_GRE_TOS, 1},	  {IFLA_GRE_PMTUDISC, 1},
	{IFLA_GRE_FLOWINFO, 4},	  {IFLA_GRE_FLAGS, 4},
	{IFLA_GRE_ENCAP_TYPE, 2}, {IFLA_GRE_COLLECT_METADATA, 0},
	{IFLA_GRE_IGNORE_DF, 1},  {IFLA_GRE_FWMARK, 4},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct walk {
	uint32_t group;
	gre_link_fn fn;
	void (*restart)(void *user);
	void *user;
	int err;
};

struct found {
	struct gre_link *out;
	bool yes;
};

static uint8_t slot_u8(const struct nlattr *a)
{
	return a ? mnl_attr_get_u8(a) : 0;
}

static uint16_t slot_u16(const struct nlattr *a)
{
	return a ? mnl_attr_get_u16(a) : 0;
}

static uint32_t slot_u32(const struct nlattr *a)
{
	return a ? mnl_attr_get_u32(a) : 0;
}

static bool link_is_ip6(const struct gre_link *l)
{
	return l->local.family == AF_INET6 || l->remote.family == AF_INET6;
}

/* No index is a negative or an absent one, for which the kernel would change the whole group. */
static int link_index(unsigned ifindex)
{
	return ifindex && ifindex <= INT_MAX ? (int)ifindex : INT_MAX;
}

static void addr_put(struct nlmsghdr *nlh, uint16_t type, const struct addr *a, uint8_t family)
{
	mnl_attr_put(nlh, type, addr_size(family), a->bytes);
}

static void common_put(struct nlmsghdr *nlh, const struct gre_link *l, uint8_t family)
{
	uint16_t flags = (l->has_key ? GRE_KEY : 0) | (l->checksum ? GRE_CSUM : 0) |
			 (l->sequence ? GRE_SEQ : 0);

	mnl_attr_put_u32(nlh, IFLA_GRE_LINK, l->device);
	mnl_attr_put_u16(nlh, IFLA_GRE_IFLAGS, flags);
	mnl_attr_put_u16(nlh, IFLA_GRE_OFLAGS, flags);
	mnl_attr_put_u32(nlh, IFLA_GRE_IKEY, l->has_key ? htobe32(l->key_in) : 0);
	mnl_attr_put_u32(nlh, IFLA_GRE_OKEY, l->has_key ? htobe32(l->key_out) : 0);
	addr_put(nlh, IFLA_GRE_LOCAL, &l->local, family);
	addr_put(nlh, IFLA_GRE_REMOTE, &l->remote, family);
	mnl_attr_put_u8(nlh, IFLA_GRE_TTL, l->ttl);
	mnl_attr_put_u16(nlh, IFLA_GRE_ENCAP_TYPE, TUNNEL_ENCAP_NONE);
	mnl_attr_put_u16(nlh, IFLA_GRE_ENCAP_FLAGS, 0);
	mnl_attr_put_u16(nlh, IFLA_GRE_ENCAP_SPORT, 0);
	mnl_attr_put_u16(nlh, IFLA_GRE_ENCAP_DPORT, 0);
	mnl_attr_put_u32(nlh, IFLA_GRE_FWMARK, 0);
}

static void gre4_put(struct nlmsghdr *nlh, const struct gre_link *l)
{
	mnl_attr_put_u8(nlh, IFLA_GRE_TOS, l->tos);
	mnl_attr_put_u8(nlh, IFLA_GRE_PMTUDISC, l->pmtudisc);
	mnl_attr_put_u8(nlh, IFLA_GRE_IGNORE_DF, l->ignore_df);
}

/* Without IGN_ENCAP_LIMIT each packet carries 8 bytes of destination options (RFC 2473
 * section 4.1.1). */
static void gre6_put(struct nlmsghdr *nlh, const struct gre_link *l)
{
	bool inherit = l->tos == TOS_INHERIT;
	uint32_t flags = IP6_TNL_F_IGN_ENCAP_LIMIT | (inherit ? IP6_TNL_F_USE_ORIG_TCLASS : 0);
	uint32_t flow = inherit ? 0 : (uint32_t)l->tos << FLOW_CLASS_SHIFT;

	mnl_attr_put_u8(nlh, IFLA_GRE_ENCAP_LIMIT, 0);
	mnl_attr_put_u32(nlh, IFLA_GRE_FLOWINFO, htobe32(flow));
	mnl_attr_put_u32(nlh, IFLA_GRE_FLAGS, flags);
}

static void linkinfo_put(struct nlmsghdr *nlh, const struct gre_link *l)
{
	bool ip6 = link_is_ip6(l);
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	struct nlattr *data;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, ip6 ? "ip6gre" : "gre");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	common_put(nlh, l, ip6 ? AF_INET6 : AF_INET);
	if (ip6)
		gre6_put(nlh, l);
	else
		gre4_put(nlh, l);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

/* RTM_SETLINK, not NEWLINK: it never falls back to changing a group. */
static struct nlmsghdr *set_put(struct nl_batch *b, unsigned ifindex, unsigned flags,
				unsigned change)
{
	struct nlmsghdr *nlh = nl_batch_put(b, RTM_SETLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = link_index(ifindex);
	ifi->ifi_flags = flags;
	ifi->ifi_change = change;
	return nlh;
}

/* An absent and an all-zero address both mean any. */
static bool addr_read(const struct nlattr *a, uint8_t family, struct addr *out)
{
	static const uint8_t any[16];

	*out = (struct addr){0};
	if (!a)
		return true;
	if (mnl_attr_get_payload_len(a) < addr_size(family))
		return false;
	if (memcmp(mnl_attr_get_payload(a), any, addr_size(family)) != 0)
		*out = addr_from_bytes(family, mnl_attr_get_payload(a));
	return true;
}

static void gre4_read(const struct nlattr **slot, struct gre_link *out)
{
	out->tos = slot_u8(slot[IFLA_GRE_TOS]);
	out->pmtudisc = slot_u8(slot[IFLA_GRE_PMTUDISC]);
	out->ignore_df = slot_u8(slot[IFLA_GRE_IGNORE_DF]);
}

static void gre6_read(const struct nlattr **slot, struct gre_link *out)
{
	uint32_t flags = slot_u32(slot[IFLA_GRE_FLAGS]) & IP6_FLAGS_SETTABLE;
	uint32_t flow = be32toh(slot_u32(slot[IFLA_GRE_FLOWINFO]));

	out->tos = flags & IP6_TNL_F_USE_ORIG_TCLASS ? TOS_INHERIT
						     : (uint8_t)(flow >> FLOW_CLASS_SHIFT);
	out->extra |= (flags & ~(uint32_t)IP6_TNL_F_USE_ORIG_TCLASS) != IP6_TNL_F_IGN_ENCAP_LIMIT ||
		      flow & FLOW_LABEL_MASK;
}

static bool extra_read(const struct nlattr **slot)
{
	uint16_t flags = slot_u16(slot[IFLA_GRE_IFLAGS]);

	return flags != slot_u16(slot[IFLA_GRE_OFLAGS]) || flags & ~FLAGS_KNOWN ||
	       slot_u32(slot[IFLA_GRE_FWMARK]) || slot_u16(slot[IFLA_GRE_ENCAP_TYPE]) ||
	       slot[IFLA_GRE_COLLECT_METADATA];
}

static bool gre_read(const struct nlattr *data, uint8_t family, struct gre_link *out)
{
	const struct nlattr *slot[IFLA_GRE_MAX + 1];
	uint16_t flags;

	if (!nl_attrs_parse_nested(data, gre_spec, COUNT(gre_spec), slot, IFLA_GRE_MAX) ||
	    !addr_read(slot[IFLA_GRE_LOCAL], family, &out->local) ||
	    !addr_read(slot[IFLA_GRE_REMOTE], family, &out->remote))
		return false;
	flags = slot_u16(slot[IFLA_GRE_IFLAGS]);
	out->has_key = flags & GRE_KEY;
	out->key_in = out->has_key ? be32toh(slot_u32(slot[IFLA_GRE_IKEY])) : 0;
	out->key_out = out->has_key ? be32toh(slot_u32(slot[IFLA_GRE_OKEY])) : 0;
	out->device = slot_u32(slot[IFLA_GRE_LINK]);
	out->checksum = flags & GRE_CSUM;
	out->sequence = flags & GRE_SEQ;
	out->ttl = slot_u8(slot[IFLA_GRE_TTL]);
	out->extra = extra_read(slot);
	if (family == AF_INET6)
		gre6_read(slot, out);
	else
		gre4_read(slot, out);
	return true;
}

static bool linkinfo_read(const struct nlattr *info, struct gre_link *out)
{
	const struct nlattr *slot[IFLA_INFO_DATA + 1];
	char kind[16];

	if (!info)
		return true;
	if (!nl_attrs_parse_nested(info, info_spec, COUNT(info_spec), slot, IFLA_INFO_DATA))
		return false;
	nl_attr_text(slot[IFLA_INFO_KIND], kind, sizeof(kind));
	out->is_gre = slot[IFLA_INFO_DATA] && (!strcmp(kind, "gre") || !strcmp(kind, "ip6gre"));
	if (!out->is_gre)
		return true;
	return gre_read(slot[IFLA_INFO_DATA], strcmp(kind, "gre") ? AF_INET6 : AF_INET, out);
}

static void stats_read(const struct nlattr *a, struct gre_link *out)
{
	uint64_t n[4];

	if (!a)
		return;
	memcpy(n, mnl_attr_get_payload(a), sizeof(n));
	out->rx_packets = n[0];
	out->tx_packets = n[1];
	out->rx_bytes = n[2];
	out->tx_bytes = n[3];
}

static int walk_message(const struct nlmsghdr *nlh, void *user)
{
	struct walk *w = user;
	struct gre_link link;

	if (!gre_link_parse(nlh, &link) || (w->group && link.group != w->group))
		return MNL_CB_OK;
	w->err = w->fn(w->user, &link);
	return w->err ? MNL_CB_ERROR : MNL_CB_OK;
}

static void walk_restart(void *user)
{
	struct walk *w = user;

	if (w->restart)
		w->restart(w->user);
}

static int found_message(const struct nlmsghdr *nlh, void *user)
{
	struct found *f = user;
	struct gre_link link;

	if (!gre_link_parse(nlh, &link))
		return MNL_CB_OK;
	*f->out = link;
	f->yes = true;
	return MNL_CB_OK;
}

/* The counters of IPv6 are left out: they cost more than the rest of the answer. IFLA_STATS64
 * stays. */
static struct nlmsghdr *get_put(void *buf, uint16_t flags, unsigned ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = flags;
	ifi->ifi_index = ifindex ? link_index(ifindex) : 0;
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh;
}

static int get_run(struct nl *nl, struct nlmsghdr *nlh, struct gre_link *out)
{
	struct found f = {.out = out};
	int err = nl_query(nl, nlh, found_message, NULL, &f);

	if (err)
		return err;
	return f.yes ? 0 : -EBADMSG;
}

int gre_link_cmp(const struct gre_link *a, const struct gre_link *b)
{
	return strncmp(a->name, b->name, sizeof(a->name));
}

bool gre_link_equal(const struct gre_link *want, const struct gre_link *have)
{
	return gre_link_cmp(want, have) == 0 && want->group == have->group &&
	       want->is_gre == have->is_gre && addr_equal(&want->local, &have->local) &&
	       addr_equal(&want->remote, &have->remote) && want->has_key == have->has_key &&
	       (!want->has_key ||
		(want->key_in == have->key_in && want->key_out == have->key_out)) &&
	       want->device == have->device && want->master == have->master &&
	       want->mpls == have->mpls && want->checksum == have->checksum &&
	       want->sequence == have->sequence && want->ttl == have->ttl &&
	       want->tos == have->tos && want->mtu == have->mtu && want->up == have->up &&
	       want->multicast == have->multicast && want->dormant_mode == have->dormant_mode &&
	       want->extra == have->extra &&
	       (link_is_ip6(want) ||
		(want->pmtudisc == have->pmtudisc && want->ignore_df == have->ignore_df));
}

bool gre_link_must_replace(const struct gre_link *want, const struct gre_link *have)
{
	return !have->is_gre || link_is_ip6(want) != link_is_ip6(have) ||
	       (want->remote.family == AF_UNSPEC) != (have->remote.family == AF_UNSPEC) ||
	       (!link_is_ip6(want) && want->pmtudisc && have->ignore_df);
}

void gre_link_put(struct nl_batch *b, const struct gre_link *want, unsigned ifindex, bool create)
{
	struct nlmsghdr *nlh = nl_batch_put(b, RTM_NEWLINK, create ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = create ? 0 : link_index(ifindex);
	ifi->ifi_change = IFF_UP | IFF_MULTICAST;
	ifi->ifi_flags = (want->up ? IFF_UP : 0) | (want->multicast ? IFF_MULTICAST : 0);
	if (create)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, want->name);
	if (create == want->dormant_mode)
		mnl_attr_put_u8(nlh, IFLA_OPERSTATE, create ? IF_OPER_DORMANT : IF_OPER_UP);
	mnl_attr_put_u8(nlh, IFLA_LINKMODE,
			want->dormant_mode ? IF_LINK_MODE_DORMANT : IF_LINK_MODE_DEFAULT);
	mnl_attr_put_u32(nlh, IFLA_GROUP, want->group);
	mnl_attr_put_u32(nlh, IFLA_MASTER, want->master);
	mnl_attr_put_u32(nlh, IFLA_MTU, want->mtu);
	linkinfo_put(nlh, want);
}

void gre_link_put_operstate(struct nl_batch *b, unsigned ifindex, uint8_t operstate)
{
	mnl_attr_put_u8(set_put(b, ifindex, 0, 0), IFLA_OPERSTATE, operstate);
}

void gre_link_put_up(struct nl_batch *b, unsigned ifindex, bool up)
{
	set_put(b, ifindex, up ? IFF_UP : 0, IFF_UP);
}

void gre_link_put_group(struct nl_batch *b, unsigned ifindex, uint32_t group)
{
	mnl_attr_put_u32(set_put(b, ifindex, 0, 0), IFLA_GROUP, group);
}

void gre_link_put_delete(struct nl_batch *b, unsigned ifindex)
{
	struct nlmsghdr *nlh = nl_batch_put(b, RTM_DELLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = link_index(ifindex);
}

void gre_link_put_delete_group(struct nl_batch *b, uint32_t group)
{
	struct nlmsghdr *nlh = nl_batch_put(b, RTM_DELLINK, 0);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_GROUP, group);
}

bool gre_link_parse(const struct nlmsghdr *nlh, struct gre_link *out)
{
	const struct nlattr *slot[IFLA_GROUP + 1];
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	*out = (struct gre_link){.tunnel = -1};
	if (!nl_attrs_parse(nlh, sizeof(*ifi), link_spec, COUNT(link_spec), slot, IFLA_GROUP) ||
	    ifi->ifi_family != AF_UNSPEC || !slot[IFLA_IFNAME])
		return false;
	nl_attr_text(slot[IFLA_IFNAME], out->name, sizeof(out->name));
	out->ifindex = (unsigned)ifi->ifi_index;
	out->group = slot_u32(slot[IFLA_GROUP]);
	out->master = slot_u32(slot[IFLA_MASTER]);
	out->mtu = slot_u32(slot[IFLA_MTU]);
	out->up = ifi->ifi_flags & IFF_UP;
	out->multicast = ifi->ifi_flags & IFF_MULTICAST;
	out->dormant_mode = slot_u8(slot[IFLA_LINKMODE]) == IF_LINK_MODE_DORMANT;
	out->operstate = slot_u8(slot[IFLA_OPERSTATE]);
	stats_read(slot[IFLA_STATS64], out);
	return linkinfo_read(slot[IFLA_LINKINFO], out);
}

/* One walk over all: the kernel filters by kind, not by group, and a link of another kind in our
 * group must be seen. */
int gre_link_dump(struct nl *nl, uint32_t group, gre_link_fn fn, void (*restart)(void *),
		  void *user)
{
	_Alignas(8) char buf[256];
	struct walk w = {.group = group, .fn = fn, .restart = restart, .user = user};
	int err = nl_query(nl, get_put(buf, NLM_F_DUMP, 0), walk_message, walk_restart, &w);

	return w.err ? w.err : err;
}

int gre_link_get(struct nl *nl, const char *name, struct gre_link *out)
{
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = get_put(buf, 0, 0);

	if (!*name || strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return get_run(nl, nlh, out);
}

int gre_link_get_index(struct nl *nl, unsigned ifindex, struct gre_link *out)
{
	_Alignas(8) char buf[256];

	if (!ifindex)
		return -ENODEV;
	return get_run(nl, get_put(buf, 0, ifindex), out);
}

unsigned gre_header_size(bool key, bool checksum, bool sequence)
{
	return 4 + 4 * (unsigned)key + 4 * (unsigned)checksum + 4 * (unsigned)sequence;
}
