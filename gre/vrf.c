/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel for a VRF by name: entry function gre_vrf_get, called by daemon/domain.c. A VRF is a link of kind "vrf"
 * with a routing table (linux/if_link.h). Neighbour: gre/link.c, which puts links into one.
 */
#include "gre/vrf.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct nl_attr_spec link_spec[] = {
	{IFLA_LINKINFO, 0},
};

static const struct nl_attr_spec info_spec[] = {
	{IFLA_INFO_KIND, 1},
	{IFLA_INFO_DATA, 0},
};

static const struct nl_attr_spec vrf_spec[] = {
	{IFLA_VRF_TABLE, 4},
};

struct found {
	struct gre_vrf vrf;
	bool link, is_vrf;
};

static bool vrf_read(const struct nlattr *info, struct gre_vrf *out)
{
	const struct nlattr *slot[IFLA_INFO_DATA + 1], *vrf[IFLA_VRF_TABLE + 1];
	char kind[16];

	if (!info ||
	    !nl_attrs_parse_nested(info, info_spec, COUNT(info_spec), slot, IFLA_INFO_DATA))
		return false;
	nl_attr_text(slot[IFLA_INFO_KIND], kind, sizeof(kind));
	if (strcmp(kind, "vrf") != 0 || !slot[IFLA_INFO_DATA] ||
	    !nl_attrs_parse_nested(slot[IFLA_INFO_DATA], vrf_spec, COUNT(vrf_spec), vrf,
				   IFLA_VRF_TABLE) ||
	    !vrf[IFLA_VRF_TABLE])
		return false;
	out->table = mnl_attr_get_u32(vrf[IFLA_VRF_TABLE]);
	return true;
}

static int link_message(const struct nlmsghdr *nlh, void *user)
{
	const struct nlattr *slot[IFLA_LINKINFO + 1];
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct found *f = user;

	if (!nl_attrs_parse(nlh, sizeof(*ifi), link_spec, COUNT(link_spec), slot, IFLA_LINKINFO))
		return MNL_CB_OK;
	f->link = true;
	f->vrf.ifindex = (unsigned)ifi->ifi_index;
	f->is_vrf = vrf_read(slot[IFLA_LINKINFO], &f->vrf);
	return MNL_CB_OK;
}

static int link_query(struct nl *nl, const char *name, struct found *f)
{
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	*f = (struct found){0};
	if (!*name || strlen(name) >= IF_NAMESIZE)
		return -ENODEV;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	nlh->nlmsg_type = RTM_GETLINK;
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	int err = nl_query(nl, nlh, link_message, NULL, f);

	if (err)
		return err;
	return f->link ? 0 : -EBADMSG;
}

int gre_vrf_get(struct nl *nl, const char *name, struct gre_vrf *out)
{
	struct found f;
	int err = link_query(nl, name, &f);

	if (err)
		return err;
	*out = f.vrf;
	return f.is_vrf ? 0 : -EMEDIUMTYPE;
}

int gre_device_get(struct nl *nl, const char *name, unsigned *ifindex)
{
	struct found f;
	int err = link_query(nl, name, &f);

	if (!err)
		*ifindex = f.vrf.ifindex;
	return err;
}
