/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules among the options of one GRE device: entry function check_gre, called by conf/check.c for each tunnel. They are
 * those of the kernel (net/ipv4/ip_gre.c, ipgre_netlink_parms) and of RFC 2890. Pure.
 */
#include <string.h>

#include "conf/check.h"

#define HERE(d, slot) given_here(&(d)->given, slot)
#define INHERITED(d, slot) given_inherited(&(d)->given, slot)
#define AT(d, slot) ((d)->given.at[slot])

static struct finding *refuse(struct drafts *ds, struct spot at, const char *text)
{
	return findings_add(ds->found, FINDING_ERROR, at, "%s", text);
}

static void check_keys(struct drafts *ds, const struct draft *d)
{
	bool in = HERE(d, SLOT_KEY_IN), out = HERE(d, SLOT_KEY_OUT);
	struct spot at = AT(d, in ? SLOT_KEY_IN : out ? SLOT_KEY_OUT : SLOT_GRE_KEY);

	if (HERE(d, SLOT_GRE_KEY) && d->keys_apart && !(in && out))
		finding_hint(refuse(ds, at, "gre-key: a key for each direction is expected"),
			     "gre-key: {in: NUMBER, out: NUMBER}, or one number for both");
}

/* The kernel refuses one while the other is set: with DF set by pmtudisc there is nothing to ignore. */
static void check_df(struct drafts *ds, const struct draft *d)
{
	const struct conf_tunnel *t = &d->tunnel;
	bool ipv6 = t->remote.addr.family == AF_INET6;

	if (t->pmtudisc && t->ignore_df) {
		struct finding *finding = refuse(ds, AT(d, SLOT_IGNORE_DF),
						 "ignore-df contradicts pmtudisc");
		finding_hint(finding, "keep one of the two; pmtudisc was given");
		finding_other(finding, AT(d, SLOT_PMTUDISC));
	}
	if (ipv6 && t->pmtudisc && HERE(d, SLOT_PMTUDISC))
		finding_hint(refuse(ds, AT(d, SLOT_PMTUDISC), "pmtudisc: IPv6 carriers have no DF"),
			     "leave the key out: a router never fragments IPv6");
	if (ipv6 && t->ignore_df && HERE(d, SLOT_IGNORE_DF))
		finding_hint(refuse(ds, AT(d, SLOT_IGNORE_DF),
				    "ignore-df: GRE over IPv6 cannot do it"),
			     "leave the key out");
}

static void check_other(struct drafts *ds, const struct draft *d, enum schema_slot slot,
			const char *name)
{
	if (*name && strcmp(name, d->tunnel.interface) == 0)
		findings_add(ds->found, FINDING_ERROR, AT(d, slot),
			     "%s is the interface of the tunnel itself", name);
}

void check_gre(struct drafts *drafts, const struct draft *draft)
{
	check_keys(drafts, draft);
	check_df(drafts, draft);
	check_other(drafts, draft, SLOT_DEVICE, draft->tunnel.device);
	check_other(drafts, draft, SLOT_VRF, draft->tunnel.vrf);
}
