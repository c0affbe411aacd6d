// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether this kernel knows GRE, asked without making anything: a create with a header flag that ip_gre refuses
 * (ipgre_tunnel_validate, EINVAL for GRE_VERSION and GRE_ROUTING) gets EOPNOTSUPP when the kind is unknown. Neighbour of
 * gre/link.c.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>

#include "gre/link.h"

int gre_link_probe(struct nl *nl)
{
	struct nl_batch *b = nl_batch_new();
	struct nlattr *info, *data;
	struct nlmsghdr *nlh;
	int r = -ENOMEM;

	nlh = b ? nl_batch_put(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL) : NULL;
	if (nlh) {
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
		info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
		mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "gre");
		data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
		mnl_attr_put_u16(nlh, IFLA_GRE_IFLAGS, GRE_VERSION | GRE_ROUTING);
		mnl_attr_nest_end(nlh, data);
		mnl_attr_nest_end(nlh, info);
		r = nl_request(nl, nlh, NULL, 0);
	}
	nl_batch_free(b);
	return r == -EINVAL ? 0 : r ? r : -EOPNOTSUPP;
}
