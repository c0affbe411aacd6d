/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XFRM notifications (kernel net/xfrm/xfrm_user.c, xfrm_send_*_notify) reduced to what the caller
 * needs: xfrm_events_open, xfrm_events_read.
 *
 * Notifications of SAs carry their keys; lib/nl wipes each after it was parsed, and nothing here
 * copies one. Neighbours: the parsers of xfrm/policy.c and xfrm/state.c, nl_receive of lib/nl.c.
 */
#include "xfrm/events.h"

#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <string.h>

#define EVENTS_RCVBUF (8 << 20)
#define EVENTS_AT_ONCE 256
#define PROTO_ANY 255 /* IPSEC_PROTO_ANY of the kernel's net/xfrm.h */

struct reader {
	xfrm_event_fn fn;
	void *user;
};

static bool policy_event(const struct nlmsghdr *nlh, struct xfrm_event *out)
{
	struct xfrm_user_polexpire expire;

	if (!xfrm_policy_parse(nlh, &out->policy))
		return false;
	out->kind = XFRM_EVENT_POLICY;
	out->gone = nlh->nlmsg_type == XFRM_MSG_DELPOLICY;
	if (nlh->nlmsg_type == XFRM_MSG_POLEXPIRE) {
		memcpy(&expire, mnl_nlmsg_get_payload(nlh), sizeof(expire));
		out->gone = expire.hard;
	}
	return true;
}

/* A hard expiry is the only message about that SA's end (kernel xfrm_timer_handler). */
static bool sa_event(const struct nlmsghdr *nlh, struct xfrm_event *out)
{
	struct xfrm_user_expire expire;

	if (!xfrm_sa_parse(nlh, &out->sa))
		return false;
	out->gone = nlh->nlmsg_type == XFRM_MSG_DELSA;
	out->kind = out->gone ? XFRM_EVENT_SA_GONE : XFRM_EVENT_SA_NEW;
	if (nlh->nlmsg_type == XFRM_MSG_EXPIRE) {
		memcpy(&expire, mnl_nlmsg_get_payload(nlh), sizeof(expire));
		out->gone = expire.hard;
		out->kind = out->gone ? XFRM_EVENT_SA_GONE : XFRM_EVENT_SA_SOFT;
	}
	return true;
}

static bool sa_flush_event(const struct nlmsghdr *nlh, struct xfrm_event *out)
{
	const struct xfrm_usersa_flush *flush = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*flush))
		return false;
	out->kind = XFRM_EVENT_SA_FLUSH;
	out->gone = true;
	return !flush->proto || flush->proto == IPPROTO_ESP || flush->proto == PROTO_ANY;
}

static bool policy_flush_event(struct xfrm_event *out)
{
	out->kind = XFRM_EVENT_POLICY_FLUSH;
	out->gone = true;
	return true;
}

static const struct nl_attr_spec acquire_spec[] = {
	{XFRMA_TMPL, sizeof(struct xfrm_user_tmpl)},
};

/* The template that asks is behind the policy (kernel build_acquire). */
static bool acquire_event(const struct nlmsghdr *nlh, struct xfrm_event *out)
{
	const struct nlattr *slot[XFRMA_TMPL + 1];
	struct xfrm_user_tmpl tmpl;

	if (!nl_attrs_parse(nlh, sizeof(struct xfrm_user_acquire), acquire_spec, 1, slot,
			    XFRMA_TMPL) ||
	    !slot[XFRMA_TMPL])
		return false;
	memcpy(&tmpl, mnl_attr_get_payload(slot[XFRMA_TMPL]), sizeof(tmpl));
	out->kind = XFRM_EVENT_ACQUIRE;
	out->sa.reqid = tmpl.reqid;
	return tmpl.id.proto == IPPROTO_ESP;
}

static int reader_message(const struct nlmsghdr *nlh, void *user)
{
	const struct reader *r = user;
	struct xfrm_event ev;

	if (xfrm_event_parse(nlh, &ev))
		r->fn(r->user, &ev);
	return MNL_CB_OK;
}

int xfrm_events_open(struct nl **out)
{
	static const unsigned groups[] = {XFRMNLGRP_POLICY, XFRMNLGRP_SA, XFRMNLGRP_EXPIRE,
					  XFRMNLGRP_ACQUIRE};
	struct nl *nl;
	int err = nl_open(&nl, NETLINK_XFRM);

	if (err)
		return err;
	err = nl_listen(nl, EVENTS_RCVBUF, groups, sizeof(groups) / sizeof(groups[0]));
	if (err) {
		nl_close(nl);
		return err;
	}
	*out = nl;
	return 0;
}

bool xfrm_event_parse(const struct nlmsghdr *nlh, struct xfrm_event *out)
{
	*out = (struct xfrm_event){0};
	switch (nlh->nlmsg_type) {
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
	case XFRM_MSG_DELPOLICY:
	case XFRM_MSG_POLEXPIRE:
		return policy_event(nlh, out);
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
	case XFRM_MSG_DELSA:
	case XFRM_MSG_EXPIRE:
		return sa_event(nlh, out);
	case XFRM_MSG_FLUSHPOLICY:
		return policy_flush_event(out);
	case XFRM_MSG_ACQUIRE:
		return acquire_event(nlh, out);
	case XFRM_MSG_FLUSHSA:
		return sa_flush_event(nlh, out);
	default:
		return false;
	}
}

int xfrm_events_read(struct nl *nl, xfrm_event_fn fn, void *user)
{
	struct reader r = {.fn = fn, .user = user};

	return nl_receive(nl, reader_message, &r, EVENTS_AT_ONCE);
}
