/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MPLS input of links: gre_mpls_read and gre_mpls_read_one ask (RTM_GETNETCONF, linux/netconf.h), gre_mpls_set writes the
 * sysctl. Called by daemon/observe.c and daemon/apply.c. Neighbour: gre/link.c, for all else of a link.
 */
#include "gre/mpls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/vec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct nl_attr_spec netconf_spec[] = {
	{NETCONFA_IFINDEX, 4},
	{NETCONFA_INPUT, 4},
};

struct open_links {
	VEC(unsigned) at; /* ifindexes whose input is on */
	bool failed;
};

static int index_cmp(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static int netconf_message(const struct nlmsghdr *nlh, void *user)
{
	const struct nlattr *slot[NETCONFA_INPUT + 1];
	struct open_links *open = user;

	if (!nl_attrs_parse(nlh, NLMSG_ALIGN(sizeof(struct netconfmsg)), netconf_spec,
			    COUNT(netconf_spec), slot, NETCONFA_INPUT) ||
	    !slot[NETCONFA_IFINDEX] || !slot[NETCONFA_INPUT] ||
	    !mnl_attr_get_u32(slot[NETCONFA_INPUT]))
		return MNL_CB_OK;
	unsigned *ifindex = vec_push(&open->at);

	if (ifindex)
		*ifindex = mnl_attr_get_u32(slot[NETCONFA_IFINDEX]);
	open->failed |= !ifindex;
	return MNL_CB_OK;
}

static void netconf_restart(void *user)
{
	((struct open_links *)user)->at.len = 0;
}

/* A device that MPLS knows nothing of gives EINVAL, a kernel without MPLS EOPNOTSUPP (mpls_netconf_get_devconf). */
static int query(struct nl *nl, unsigned ifindex, struct open_links *open)
{
	_Alignas(8) char buf[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct netconfmsg *ncm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ncm));

	nlh->nlmsg_type = RTM_GETNETCONF;
	nlh->nlmsg_flags = ifindex ? 0 : NLM_F_DUMP;
	ncm->ncm_family = AF_MPLS;
	if (ifindex)
		mnl_attr_put_u32(nlh, NETCONFA_IFINDEX, ifindex);
	int err = nl_query(nl, nlh, netconf_message, netconf_restart, open);

	if (err == -EOPNOTSUPP || err == -EINVAL || err == -ENODEV)
		err = 0;
	return open->failed ? -ENOMEM : err;
}

int gre_mpls_read(struct nl *nl, struct gre_link *links, size_t n)
{
	struct open_links open = {0};
	int err = n ? query(nl, 0, &open) : 0;

	if (open.at.len)
		vec_sort(&open.at, index_cmp);
	for (size_t i = 0; i < n; i++)
		links[i].mpls = open.at.len && bsearch(&links[i].ifindex, open.at.at, open.at.len,
						       sizeof(*open.at.at), index_cmp);
	vec_free(&open.at);
	return err;
}

int gre_mpls_read_one(struct nl *nl, struct gre_link *link)
{
	struct open_links open = {0};
	int err = link->ifindex ? query(nl, link->ifindex, &open) : 0;

	link->mpls = open.at.len > 0;
	vec_free(&open.at);
	return err;
}

int gre_mpls_set(const char *link, bool on)
{
	char path[64 + IFNAMSIZ];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/mpls/conf/%s/input", link);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && !on ? 0 : -errno;
	if (write(fd, on ? "1" : "0", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}
