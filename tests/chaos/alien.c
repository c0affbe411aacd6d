// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A digest of what is somebody else's in a node, read from the kernel by dumps of its own, apart from gwd's code: alien_digest. A
 * change of any attribute that is no counter changes it; so does an object that is gone, and made again (by its index).
 */
#include "tests/chaos/watch.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROTOCOL 77
#define PRIORITY 777
#define REQID 777

struct digest {
	uint64_t hash;
	unsigned links[8], n_links; /* indexes of alien interfaces */
	struct mnl_socket *route, *xfrm;
};

static void mix(uint64_t *hash, const void *data, size_t size)
{
	const unsigned char *p = data;

	/* FNV-1a */
	for (size_t i = 0; i < size; i++)
		*hash = (*hash ^ p[i]) * 0x100000001b3;
}

/* The order of a dump does not count: each object has a hash of its own, and they are added. */
static void mix_object(struct digest *d, const void *data, size_t size, uint64_t more)
{
	uint64_t hash = 0xcbf29ce484222325;

	mix(&hash, data, size);
	mix(&hash, &more, sizeof(more));
	d->hash += hash;
}

static int on_link(const struct nlmsghdr *nlh, void *user)
{
	static const uint16_t kept[] = {IFLA_IFNAME, IFLA_MTU,	   IFLA_GROUP, IFLA_LINKINFO,
					IFLA_MASTER, IFLA_ADDRESS, IFLA_QDISC};
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(nlh);
	struct digest *d = user;
	const struct nlattr *a;
	uint64_t hash = 1;
	bool ours = false;

	mnl_attr_for_each(a, nlh, sizeof(*m))
	{
		uint16_t type = mnl_attr_get_type(a);

		if (type == IFLA_IFNAME)
			ours = strncmp(mnl_attr_get_str(a), "alien", 5) == 0;
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			if (kept[i] == type)
				mix(&hash, a, a->nla_len);
	}
	if (!ours)
		return MNL_CB_OK;
	if (d->n_links < 8)
		d->links[d->n_links++] = (unsigned)m->ifi_index;
	mix_object(d, m, sizeof(*m), hash);
	return MNL_CB_OK;
}

static int on_addr(const struct nlmsghdr *nlh, void *user)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);
	struct digest *d = user;
	const struct nlattr *a;
	uint64_t hash = 2;

	mnl_attr_for_each(a, nlh, sizeof(*m)) if (mnl_attr_get_type(a) != IFA_CACHEINFO)
		mix(&hash, a, a->nla_len);
	for (unsigned i = 0; i < d->n_links; i++)
		if (d->links[i] == m->ifa_index)
			mix_object(d, m, sizeof(*m), hash);
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *nlh, void *user)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	uint64_t hash = 3;

	if (m->rtm_protocol != PROTOCOL)
		return MNL_CB_OK;
	mnl_attr_for_each(a, nlh, sizeof(*m)) if (mnl_attr_get_type(a) != RTA_CACHEINFO)
		mix(&hash, a, a->nla_len);
	mix_object(user, m, sizeof(*m), hash);
	return MNL_CB_OK;
}

static int on_policy(const struct nlmsghdr *nlh, void *user)
{
	const struct xfrm_userpolicy_info *p = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	uint64_t hash = p->dir;

	if (p->priority != PRIORITY)
		return MNL_CB_OK;
	mnl_attr_for_each(a, nlh, sizeof(*p)) if (mnl_attr_get_type(a) == XFRMA_TMPL)
		mix(&hash, a, a->nla_len);
	mix(&hash, &p->index, sizeof(p->index));
	mix_object(user, &p->sel, sizeof(p->sel), hash);
	return MNL_CB_OK;
}

static int on_sa(const struct nlmsghdr *nlh, void *user)
{
	const struct xfrm_usersa_info *s = mnl_nlmsg_get_payload(nlh);
	uint64_t hash = s->curlft.add_time;

	if (s->reqid != REQID)
		return MNL_CB_OK;
	mix(&hash, &s->saddr, sizeof(s->saddr));
	mix_object(user, &s->id, sizeof(s->id), hash);
	return MNL_CB_OK;
}

static void dump(struct digest *d, struct mnl_socket *nl, uint16_t type, size_t header,
		 uint8_t family, mnl_cb_t cb)
{
	static _Alignas(8) char buf[1 << 16];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	static unsigned seq;
	uint8_t *extra;
	int r = 1;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++seq;
	extra = mnl_nlmsg_put_extra_header(nlh, header);
	extra[0] = family;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		watch_die("dump");
	while (r > 0) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		/* an interrupted dump (EINTR) is a different digest: whoever asks asks again */
		r = n < 0 ? -1 : mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(nl), cb, d);
	}
	d->hash += r < 0;
}

static struct mnl_socket *nl_of(int bus)
{
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		watch_die("netlink");
	return nl;
}

static void digest_table(struct digest *d)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (!nft || nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))
		watch_die("libnftables");
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_HANDLE);
	(void)nft_run_cmd_from_buffer(nft, "list table inet alien");
	mix(&d->hash, nft_ctx_get_output_buffer(nft), strlen(nft_ctx_get_output_buffer(nft)));
	nft_ctx_free(nft);
}

uint64_t alien_digest(const struct node *node)
{
	struct digest d = {0};

	watch_enter(node);
	d.route = nl_of(NETLINK_ROUTE);
	d.xfrm = nl_of(NETLINK_XFRM);
	dump(&d, d.route, RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC, on_link);
	dump(&d, d.route, RTM_GETADDR, sizeof(struct ifaddrmsg), AF_UNSPEC, on_addr);
	dump(&d, d.route, RTM_GETROUTE, sizeof(struct rtmsg), AF_INET, on_route);
	dump(&d, d.route, RTM_GETROUTE, sizeof(struct rtmsg), AF_INET6, on_route);
	dump(&d, d.xfrm, XFRM_MSG_GETPOLICY, 0, 0, on_policy);
	dump(&d, d.xfrm, XFRM_MSG_GETSA, 0, 0, on_sa);
	digest_table(&d);
	mnl_socket_close(d.route);
	mnl_socket_close(d.xfrm);
	watch_enter(NULL);
	return d.hash;
}
