/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink attributes read by tables (netlink(7); struct nlattr of linux/netlink.h): nl_attrs_parse
 * is the entry; nl_message_ok says whether there is a message to read.
 *
 * Pure, and safe for any bytes: nothing beyond the message's length is touched, and an attribute
 * that is shorter than its table says makes the whole message malformed. Neighbours: the parsers of
 * gre/ and xfrm/.
 */
#include <string.h>

#include "lib/nl.h"

static const struct nl_attr_spec *spec_find(const struct nl_attr_spec *spec, size_t n,
					    uint16_t type)
{
	for (size_t i = 0; i < n; i++)
		if (spec[i].type == type)
			return &spec[i];
	return NULL;
}

static bool attrs_read(const unsigned char *bytes, size_t size, const struct nl_attr_spec *spec,
		       size_t n_spec, const struct nlattr **slot, uint16_t max)
{
	size_t at = 0;

	memset(slot, 0, ((size_t)max + 1) * sizeof(*slot));
	while (at < size) {
		const struct nlattr *attr = (const void *)(bytes + at);
		const struct nl_attr_spec *s;

		if (!mnl_attr_ok(attr, (int)(size - at)))
			return false;
		s = spec_find(spec, n_spec, mnl_attr_get_type(attr));
		if (s && mnl_attr_get_payload_len(attr) < s->size)
			return false;
		if (s && s->type <= max)
			slot[s->type] = attr;
		at += MNL_ALIGN(attr->nla_len);
	}
	return true;
}

/* mnl_nlmsg_ok (libmnl 1.0.4) compares as int: a length of 2^31 and more passes there. */
bool nl_message_ok(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (uint32_t)left;
}

bool nl_attrs_parse(const struct nlmsghdr *nlh, size_t hdr_size, const struct nl_attr_spec *spec,
		    size_t n_spec, const struct nlattr **slot, uint16_t max)
{
	size_t skip = MNL_NLMSG_HDRLEN + MNL_ALIGN(hdr_size);

	memset(slot, 0, ((size_t)max + 1) * sizeof(*slot));
	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + hdr_size)
		return false;
	if (nlh->nlmsg_len <= skip)
		return true;
	return attrs_read((const unsigned char *)nlh + skip, nlh->nlmsg_len - skip, spec, n_spec,
			  slot, max);
}

bool nl_attrs_parse_nested(const struct nlattr *nest, const struct nl_attr_spec *spec,
			   size_t n_spec, const struct nlattr **slot, uint16_t max)
{
	return attrs_read(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), spec, n_spec,
			  slot, max);
}

void nl_attr_text(const struct nlattr *attr, char *out, size_t size)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (!size)
		return;
	len = len < size - 1 ? len : size - 1;
	if (len)
		len = strnlen(mnl_attr_get_payload(attr), len);
	if (len)
		memcpy(out, mnl_attr_get_payload(attr), len);
	out[len] = '\0';
}
