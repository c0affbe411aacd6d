/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells when somebody changes the guard: guard_events_open joins nf_tables' notifications,
 * guard_events_read says whether they concern the table "inet gwd". A hint only; what stands is
 * read with guard_read (guard/guard.c). A `flush ruleset` deletes each table and so names ours too
 * (net/netfilter/nf_tables_api.c, nft_flush).
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "guard/guard.h"
#include "lib/nl.h"

#define RCVBUF (4 << 20) /* bytes: rebuilding a table of some thousand pairs is one event each */
#define READ_MAX 4096 /* messages of one nl_receive */
#define ROUNDS_MAX 16

/* Every object's messages but the generation's name their table in the same attribute. */
_Static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
		       NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 &&
		       NFTA_OBJ_TABLE == 1 && NFTA_FLOWTABLE_TABLE == 1,
	       "one attribute names the table");

static int event_seen(const struct nlmsghdr *nlh, void *user)
{
	static const struct nl_attr_spec spec[] = {{NFTA_TABLE_NAME, 0}};
	const struct nlattr *slot[NFTA_TABLE_NAME + 1] = {0};
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(nlh);
	bool *ours = user;

	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWGEN)
		return MNL_CB_OK;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*header) ||
	    header->nfgen_family != NFPROTO_INET)
		return MNL_CB_OK;
	if (!nl_attrs_parse(nlh, sizeof(*header), spec, 1, slot, NFTA_TABLE_NAME)) {
		*ours = true; /* in doubt; reading once too often does no harm */
		return MNL_CB_OK;
	}
	const struct nlattr *name = slot[NFTA_TABLE_NAME];

	if (name && mnl_attr_get_payload_len(name) >= sizeof(GUARD_TABLE) &&
	    !memcmp(mnl_attr_get_payload(name), GUARD_TABLE, sizeof(GUARD_TABLE)))
		*ours = true;
	return MNL_CB_OK;
}

int guard_events_open(struct nl **out)
{
	const unsigned group = NFNLGRP_NFTABLES;
	int rc = nl_open(out, NETLINK_NETFILTER);

	if (rc)
		return rc;
	rc = nl_listen(*out, RCVBUF, &group, 1);
	if (rc) {
		nl_close(*out);
		*out = NULL;
	}
	return rc;
}

int guard_events_read(struct nl *nl)
{
	bool ours = false;
	int rc = 1;

	for (int i = 0; rc == 1 && i < ROUNDS_MAX; i++)
		rc = nl_receive(nl, event_seen, &ours, READ_MAX);
	/* What was read before a failure is not read again. */
	return ours && rc != -ENOBUFS ? 1 : rc < 0 ? rc : 0;
}
