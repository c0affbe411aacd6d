/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XFRM notifications reduced to what the caller needs: policies touched, SAs come, gone, or soft-expired. */
#ifndef GWD_XFRM_EVENTS_H
#define GWD_XFRM_EVENTS_H

#include "lib/nl.h"
#include "xfrm/policy.h"
#include "xfrm/state.h"

enum xfrm_event_kind {
	XFRM_EVENT_POLICY, /* policy: new, updated, deleted (gone), expired */
	XFRM_EVENT_POLICY_FLUSH, /* all of them */
	XFRM_EVENT_SA_NEW, /* sa */
	XFRM_EVENT_SA_GONE, /* sa: dst, spi; reqid is 0 when the kernel does not tell it */
	XFRM_EVENT_SA_FLUSH,
	XFRM_EVENT_SA_SOFT, /* soft lifetime reached: this end's charon starts the rekey */
	XFRM_EVENT_ACQUIRE, /* a packet found no SA for an out policy; sa: reqid. Not again for net.core.xfrm_acq_expires seconds */
};

struct xfrm_event {
	enum xfrm_event_kind kind;
	bool gone;
	struct xfrm_policy policy;
	struct xfrm_sa sa;
};

typedef void (*xfrm_event_fn)(void *user, const struct xfrm_event *ev);

/* Joins the groups POLICY, SA, EXPIRE and ACQUIRE. Never AEVENTS: joining makes the kernel notify for every SA. */
int xfrm_events_open(struct nl **out);
/* One notification; false for what concerns nobody here and for the malformed. */
bool xfrm_event_parse(const struct nlmsghdr *nlh, struct xfrm_event *out);
int xfrm_events_read(struct nl *nl, xfrm_event_fn fn, void *user); /* as nl_receive */

#endif
