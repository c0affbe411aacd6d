/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands in the place of lib/nl's and the drivers' calls (model.wrap). Included by model_kernel.h alone. */
#ifndef GWD_TESTS_FUZZ_MODEL_CALLS_H
#define GWD_TESTS_FUZZ_MODEL_CALLS_H

#include "lib/log.h"

static char kernel_sockets[6]; /* a struct nl each: rtnl, xfrm, three of events, the guard */

#define SOCKET(i) ((struct nl *)&kernel_sockets[i])

WRAP(int, nl_open, struct nl **out, int bus)
{
	*out = SOCKET(bus == NETLINK_XFRM);
	return 0;
}

WRAP(void, nl_close, struct nl *nl)
{
	(void)nl;
}

WRAP(int, nl_fd, const struct nl *nl)
{
	return nl == SOCKET(2) ? KERNEL_FD_GRE : nl == SOCKET(3) ? KERNEL_FD_XFRM : KERNEL_FD_GUARD;
}

WRAP(int, nl_batch_send, struct nl *nl, struct nl_batch *b, nl_result_fn result, void *user)
{
	for (size_t i = 0; i < nl_batch_len(b); i++) {
		struct world before = kernel.w;
		int err;

		if (!kernel_refuses(&err)) {
			const struct nlmsghdr *nlh = nl_batch_at(b, i);

			err = kernel_message(nl == SOCKET(1), nlh);
			log_debug(NULL, "-- %s message 0x%x: %d", nl == SOCKET(1) ? "xfrm" : "rtnl",
				  nlh->nlmsg_type, err);
			require(err != -EPERM); /* it was somebody else's */
			model_changed(&before, &kernel.w);
		}
		result(user, i, err, strerror(-err));
	}
	return 0;
}

WRAP(int, gre_events_open, struct nl **out)
{
	*out = SOCKET(2);
	return 0;
}

WRAP(int, xfrm_events_open, struct nl **out)
{
	*out = SOCKET(3);
	return 0;
}

WRAP(int, guard_events_open, struct nl **out)
{
	*out = SOCKET(4);
	return 0;
}

static bool overrun_take(void)
{
	bool over = kernel.overrun;

	kernel.overrun = false;
	return over;
}

WRAP(int, gre_events_read, struct nl *nl, gre_event_fn fn, void *user)
{
	size_t n = kernel.n_gre;

	(void)nl;
	if (overrun_take())
		return -ENOBUFS;
	kernel.n_gre = 0;
	for (size_t i = 0; i < n; i++) {
		struct gre_event ev = kernel.gre[i];

		fn(user, &ev);
	}
	return 0;
}

WRAP(int, xfrm_events_read, struct nl *nl, xfrm_event_fn fn, void *user)
{
	static struct xfrm_event copy[KERNEL_QUEUE];
	size_t n = kernel.n_xfrm;

	(void)nl;
	memcpy(copy, kernel.xfrm, n * sizeof(*copy));
	kernel.n_xfrm = 0;
	for (size_t i = 0; i < n; i++)
		fn(user, &copy[i]);
	return 0;
}

WRAP(int, guard_events_read, struct nl *nl)
{
	bool told = kernel.guard_told;

	(void)nl;
	kernel.guard_told = false;
	return told;
}

WRAP(char *, if_indextoname, unsigned ifindex, char *name)
{
	const struct gre_link *l = link_by_index(ifindex);

	if (!l && ifindex != KERNEL_WAN)
		return NULL;
	strcpy(name, l ? l->name : "wan0");
	return name;
}

/* A list is handed over as a copy: callbacks may change the world. */
WRAP(int, gre_link_dump, struct nl *nl, uint32_t group, gre_link_fn fn, void (*restart)(void *),
     void *user)
{
	struct world w = kernel.w;
	int err = 0;

	(void)nl, (void)restart;
	if (kernel_fails(&err))
		return err;
	for (size_t i = 0; i < w.links.n && !err; i++)
		if (!group || w.links.at[i].group == group)
			err = fn(user, &w.links.at[i]);
	return err;
}

WRAP(int, gre_link_get, struct nl *nl, const char *name, struct gre_link *out)
{
	const struct gre_link *l = world_link(&kernel.w, name);
	int err;

	(void)nl;
	if (kernel_fails(&err))
		return err;
	if (l)
		*out = *l;
	return l ? 0 : -ENODEV;
}

WRAP(int, gre_addr_dump, struct nl *nl, unsigned ifindex, gre_addr_fn fn, void (*restart)(void *),
     void *user)
{
	struct world w = kernel.w;
	int err = 0;

	(void)nl, (void)restart;
	if (kernel_fails(&err))
		return err;
	for (size_t i = 0; i < w.addrs.n && !err; i++) {
		struct gre_addr a = w.addrs.at[i];
		const struct gre_link *l = world_link(&w, a.link);

		a.ifindex = l ? l->ifindex : 0;
		memset(a.link, 0, sizeof(a.link));
		if (l && (!ifindex || a.ifindex == ifindex))
			err = fn(user, &a);
	}
	return err;
}

WRAP(int, gre_addr_first, struct nl *nl, const char *ifname, uint8_t family, struct addr *out)
{
	int err;

	(void)nl, (void)ifname;
	if (kernel_fails(&err))
		return err;
	*out = kernel.local[family == AF_INET6];
	return out->family ? 0 : -EADDRNOTAVAIL;
}

WRAP(int, gre_route_dump, struct nl *nl, unsigned ifindex, gre_route_fn fn, void (*restart)(void *),
     void *user)
{
	struct world w = kernel.w;
	int err = 0;

	(void)nl, (void)restart;
	if (kernel_fails(&err))
		return err;
	for (size_t i = 0; i < w.routes.n && !err; i++) {
		struct gre_route r = w.routes.at[i];
		const struct gre_link *l = world_link(&w, r.link);

		r.ifindex = l ? l->ifindex : 0;
		memset(r.link, 0, sizeof(r.link));
		if (l && (!ifindex || r.ifindex == ifindex))
			err = fn(user, &r);
	}
	for (size_t i = 0; i < w.holds.n && !err && !ifindex; i++)
		err = fn(user, &w.holds.at[i]);
	if (!ifindex && !err)
		kernel.untold = false; /* the last dump of a full look but MPLS's */
	return err;
}

WRAP(int, gre_mpls_read, struct nl *nl, struct gre_link *links, size_t n)
{
	(void)nl, (void)links, (void)n;
	return 0;
}

WRAP(int, gre_mpls_read_one, struct nl *nl, struct gre_link *link)
{
	(void)nl, (void)link;
	return 0;
}

WRAP(int, gre_mpls_set, const char *name, bool on)
{
	struct gre_link *l = world_link(&kernel.w, name);
	int err;

	if (kernel_refuses(&err))
		return err;
	if (l)
		l->mpls = on;
	return 0;
}

WRAP(int, gre_path_get, struct nl *nl, const struct addr *remote, unsigned device,
     struct addr *local, struct gre_path_mtu *mtu, unsigned *ifindex, struct gre_link_mtu *known)
{
	bool six = remote->family == AF_INET6;
	int err;

	(void)nl, (void)device, (void)known;
	if (kernel_fails(&err))
		return err;
	if (!kernel.routed[six])
		return -ENETUNREACH;
	*local = kernel.local[six];
	*mtu = (struct gre_path_mtu){.bytes = kernel.mtu};
	*ifindex = KERNEL_WAN;
	return 0;
}

WRAP(int, gre_vrf_get, struct nl *nl, const char *name, struct gre_vrf *out)
{
	(void)nl, (void)name, (void)out;
	return -ENODEV;
}

WRAP(int, gre_device_get, struct nl *nl, const char *name, unsigned *ifindex)
{
	(void)nl, (void)name, (void)ifindex;
	return -ENODEV;
}

WRAP(int, xfrm_policy_dump, struct nl *nl, xfrm_policy_fn fn, void (*restart)(void *), void *user)
{
	struct world w = kernel.w;
	int err = 0;

	(void)nl, (void)restart;
	if (kernel_fails(&err))
		return err;
	for (size_t i = 0; i < w.policies.n && !err; i++)
		err = fn(user, &w.policies.at[i]);
	return err;
}

WRAP(int, xfrm_policy_get, struct nl *nl, const struct xfrm_policy *key, struct xfrm_policy *out)
{
	const struct xfrm_policy *p = world_policy(&kernel.w, key);
	int err;

	(void)nl;
	if (kernel_fails(&err))
		return err;
	if (p)
		*out = *p;
	return p ? 0 : -ENOENT;
}

WRAP(int, xfrm_sa_dump, struct nl *nl, xfrm_sa_fn fn, void (*restart)(void *), void *user)
{
	int err = 0;

	(void)nl, (void)restart;
	if (kernel_fails(&err))
		return err;
	for (size_t i = 0; i < kernel.sas.n && !err; i++)
		err = fn(user, &kernel.sas.at[i]);
	return err;
}

static struct xfrm_sa *sa_find(const struct xfrm_sa *key)
{
	for (size_t i = 0; i < kernel.sas.n; i++)
		if (kernel.sas.at[i].spi == key->spi &&
		    addr_equal(&kernel.sas.at[i].dst, &key->dst))
			return &kernel.sas.at[i];
	return NULL;
}

WRAP(int, xfrm_sa_counters, struct nl *nl, const struct xfrm_sa *sa, uint64_t *packets,
     uint64_t *bytes)
{
	int err;

	(void)nl;
	if (kernel_fails(&err))
		return err;
	*packets = *bytes = kernel.packets;
	return sa_find(sa) ? 0 : -ESRCH;
}

WRAP(int, xfrm_sa_set_add_time, struct nl *nl, const struct xfrm_sa *sa, uint64_t add_time)
{
	struct xfrm_sa *at = sa_find(sa);
	int err;

	(void)nl;
	if (kernel_refuses(&err))
		return err;
	if (at)
		at->add_time = add_time;
	return at ? 0 : -ESRCH;
}

FILE *__real_fopen(const char *path, const char *mode);

/* The sysctls that resolve.c reads; what else is opened is libFuzzer's. */
WRAP(FILE *, fopen, const char *path, const char *mode)
{
	if (strncmp(path, "/proc/sys/net/ipv", 17))
		return __real_fopen(path, mode);
	return kernel.sysctl && strstr(path, "/all/disable_policy")
		       ? fmemopen((char *)"1\n", 2, "r")
		       : NULL;
}

#endif
