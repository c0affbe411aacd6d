/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interface addresses as rtnetlink messages (gre_addr_put, gre_addr_parse, gre_addr_dump), and what
 * the transport side asks of the kernel: gre_path_get and gre_addr_first.
 *
 * The attributes are those of linux/if_addr.h and linux/rtnetlink.h; the kernel's side is
 * net/ipv4/devinet.c, net/ipv6/addrconf.c, and net/ipv4/route.c and net/ipv6/route.c. Neighbours:
 * gre/link.c, lib/nl.
 */
#include "gre/addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "gre/link.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#ifndef IFA_PROTO
#define IFA_PROTO 11 /* Linux 5.18 */
#endif

static const struct nl_attr_spec addr_spec[] = {
	{IFA_ADDRESS, 4},
	{IFA_LOCAL, 4},
	{IFA_FLAGS, 4},
	{IFA_PROTO, 1},
};

static const struct nl_attr_spec path_spec[] = {
	{RTA_OIF, 4},
	{RTA_PREFSRC, 4},
	{RTA_METRICS, 0},
	{RTA_CACHEINFO, sizeof(struct rta_cacheinfo)},
};

static const struct nl_attr_spec metrics_spec[] = {
	{RTAX_MTU, 4},
};

struct walk {
	unsigned ifindex;
	gre_addr_fn fn;
	void (*restart)(void *user);
	void *user;
	int err;
};

struct path {
	struct addr local;
	uint32_t mtu;
	unsigned ifindex;
	uint8_t type;
	bool found, expires;
};

struct first {
	unsigned ifindex;
	uint8_t family;
	struct addr *out;
	bool found;
};

static uint32_t addr_flags(const struct ifaddrmsg *ifa, const struct nlattr *flags)
{
	return flags ? mnl_attr_get_u32(flags) : ifa->ifa_flags;
}

static bool addr_is_link_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* RFC 4862 and DHCP addresses have a lifetime, which ours never have. */
static bool addr_by_kernel(const struct gre_addr *a, const struct nlattr *proto, uint32_t flags)
{
	return (proto && mnl_attr_get_u8(proto)) || addr_is_link_local(&a->prefix.addr) ||
	       !(flags & IFA_F_PERMANENT);
}

static struct nlmsghdr *addr_put(struct nl_batch *b, uint16_t type, uint16_t flags,
				 const struct gre_addr *a, unsigned ifindex)
{
	const struct addr *addr = &a->prefix.addr;
	struct nlmsghdr *nlh = nl_batch_put(b, type, flags);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = addr->family;
	ifa->ifa_prefixlen = a->prefix.len;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, addr_size(addr->family), addr->bytes);
	mnl_attr_put(nlh, IFA_ADDRESS, addr_size(addr->family), addr->bytes);
	if (type == RTM_NEWADDR && addr->family == AF_INET6)
		mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_NODAD);
	return nlh;
}

static int walk_message(const struct nlmsghdr *nlh, void *user)
{
	struct walk *w = user;
	struct gre_addr a;

	if (!gre_addr_parse(nlh, &a) || (w->ifindex && a.ifindex != w->ifindex))
		return MNL_CB_OK;
	w->err = w->fn(w->user, &a);
	return w->err ? MNL_CB_ERROR : MNL_CB_OK;
}

static void walk_restart(void *user)
{
	struct walk *w = user;

	if (w->restart)
		w->restart(w->user);
}

static struct nlmsghdr *dump_put(void *buf, uint8_t family, unsigned ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_DUMP;
	ifa->ifa_family = family;
	ifa->ifa_index = ifindex;
	return nlh;
}

/* The kernel reports a learned path MTU as the route's own (kernel rt_fill_info, rt6_fill_node). */
static bool metrics_read(const struct nlattr *metrics, uint32_t *mtu)
{
	const struct nlattr *slot[RTAX_MTU + 1];

	if (!metrics)
		return true;
	if (!nl_attrs_parse_nested(metrics, metrics_spec, COUNT(metrics_spec), slot, RTAX_MTU))
		return false;
	*mtu = slot[RTAX_MTU] ? mnl_attr_get_u32(slot[RTAX_MTU]) : 0;
	return true;
}

/* Exceptions end by themselves (net.ipv4.route.mtu_expires), configured routes do not. */
static bool cache_expires(const struct nlattr *cache)
{
	struct rta_cacheinfo info;

	if (!cache)
		return false;
	memcpy(&info, mnl_attr_get_payload(cache), sizeof(info));
	return info.rta_expires != 0;
}

static int path_message(const struct nlmsghdr *nlh, void *user)
{
	const struct nlattr *slot[RTA_CACHEINFO + 1];
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct path *p = user;

	if (!nl_attrs_parse(nlh, sizeof(*rtm), path_spec, COUNT(path_spec), slot, RTA_CACHEINFO) ||
	    !metrics_read(slot[RTA_METRICS], &p->mtu))
		return MNL_CB_OK;
	p->found = true;
	p->expires = cache_expires(slot[RTA_CACHEINFO]);
	p->type = rtm->rtm_type;
	p->ifindex = slot[RTA_OIF] ? mnl_attr_get_u32(slot[RTA_OIF]) : 0;
	if (slot[RTA_PREFSRC] &&
	    mnl_attr_get_payload_len(slot[RTA_PREFSRC]) == addr_size(rtm->rtm_family))
		p->local = addr_from_bytes(rtm->rtm_family,
					   mnl_attr_get_payload(slot[RTA_PREFSRC]));
	return MNL_CB_OK;
}

static int path_query(struct nl *nl, const struct addr *remote, unsigned device, struct path *p)
{
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	size_t size = addr_size(remote->family);
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	rtm->rtm_family = remote->family;
	rtm->rtm_dst_len = (unsigned char)(size * 8);
	mnl_attr_put(nlh, RTA_DST, size, remote->bytes);
	if (device)
		mnl_attr_put_u32(nlh, RTA_OIF, device);
	err = nl_query(nl, nlh, path_message, NULL, p);
	if (err)
		return err;
	if (!p->found)
		return -EBADMSG;
	if (p->type != RTN_UNICAST && p->type != RTN_LOCAL)
		return -EHOSTUNREACH;
	return p->local.family == AF_UNSPEC ? -EADDRNOTAVAIL : 0;
}

/* Temporary (RFC 8981) and secondary addresses share one flag. */
static int first_message(const struct nlmsghdr *nlh, void *user)
{
	const uint32_t unfit = IFA_F_SECONDARY | IFA_F_TENTATIVE | IFA_F_DADFAILED |
			       IFA_F_DEPRECATED;
	const struct nlattr *slot[IFA_PROTO + 1];
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct first *f = user;
	struct gre_addr a;

	if (!gre_addr_parse(nlh, &a) || a.ifindex != f->ifindex ||
	    a.prefix.addr.family != f->family ||
	    !nl_attrs_parse(nlh, sizeof(*ifa), addr_spec, COUNT(addr_spec), slot, IFA_PROTO) ||
	    ifa->ifa_scope != RT_SCOPE_UNIVERSE || addr_flags(ifa, slot[IFA_FLAGS]) & unfit)
		return MNL_CB_OK;
	*f->out = a.prefix.addr;
	f->found = true;
	return MNL_CB_STOP;
}

int gre_addr_cmp(const struct gre_addr *a, const struct gre_addr *b)
{
	int order = strncmp(a->link, b->link, sizeof(a->link));

	return order ? order : prefix_cmp(&a->prefix, &b->prefix);
}

void gre_addr_put(struct nl_batch *b, const struct gre_addr *a, unsigned ifindex)
{
	addr_put(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, a, ifindex);
}

void gre_addr_put_delete(struct nl_batch *b, const struct gre_addr *a, unsigned ifindex)
{
	addr_put(b, RTM_DELADDR, 0, a, ifindex);
}

bool gre_addr_parse(const struct nlmsghdr *nlh, struct gre_addr *out)
{
	const struct nlattr *slot[IFA_PROTO + 1], *addr;
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	size_t size;

	*out = (struct gre_addr){.tunnel = -1};
	if (!nl_attrs_parse(nlh, sizeof(*ifa), addr_spec, COUNT(addr_spec), slot, IFA_PROTO))
		return false;
	size = addr_size(ifa->ifa_family);
	addr = slot[IFA_LOCAL] ? slot[IFA_LOCAL] : slot[IFA_ADDRESS];
	if (!size || !addr || mnl_attr_get_payload_len(addr) != size ||
	    ifa->ifa_prefixlen > size * 8)
		return false;
	out->ifindex = ifa->ifa_index;
	out->prefix.addr = addr_from_bytes(ifa->ifa_family, mnl_attr_get_payload(addr));
	out->prefix.len = ifa->ifa_prefixlen;
	out->by_kernel = addr_by_kernel(out, slot[IFA_PROTO], addr_flags(ifa, slot[IFA_FLAGS]));
	return true;
}

int gre_addr_dump(struct nl *nl, unsigned ifindex, gre_addr_fn fn, void (*restart)(void *),
		  void *user)
{
	_Alignas(8) char buf[256];
	struct walk w = {.ifindex = ifindex, .fn = fn, .restart = restart, .user = user};
	int err = nl_query(nl, dump_put(buf, AF_UNSPEC, ifindex), walk_message, walk_restart, &w);

	return w.err ? w.err : err;
}

const char *gre_addr_format(const struct gre_addr *a, char *buf, size_t size)
{
	char text[PREFIX_TEXT_SIZE];

	snprintf(buf, size, "%s", prefix_format(&a->prefix, text));
	return buf;
}

int gre_path_get(struct nl *nl, const struct addr *remote, unsigned device, struct addr *local,
		 struct gre_path_mtu *mtu, unsigned *ifindex, struct gre_link_mtu *known)
{
	struct path p = {0};
	struct gre_link link;
	int err = addr_size(remote->family) ? path_query(nl, remote, device, &p) : -EAFNOSUPPORT;

	if (err)
		return err;
	if (!p.mtu && p.ifindex != known->ifindex) {
		err = gre_link_get_index(nl, p.ifindex, &link);
		if (err)
			return err;
		*known = (struct gre_link_mtu){p.ifindex, link.mtu};
	}
	*local = p.local;
	*mtu = (struct gre_path_mtu){p.mtu ? p.mtu : known->mtu, !p.mtu	     ? GRE_MTU_LINK
								 : p.expires ? GRE_MTU_LEARNED
									     : GRE_MTU_ROUTE};
	*ifindex = p.ifindex;
	return 0;
}

int gre_addr_first(struct nl *nl, const char *ifname, uint8_t family, struct addr *out)
{
	_Alignas(8) char buf[256];
	struct gre_link link;
	struct first f = {.family = family, .out = out};
	int err = gre_link_get(nl, ifname, &link);

	if (err)
		return err;
	f.ifindex = link.ifindex;
	err = nl_query(nl, dump_put(buf, family, f.ifindex), first_message, NULL, &f);
	if (err)
		return err;
	return f.found ? 0 : -EADDRNOTAVAIL;
}
