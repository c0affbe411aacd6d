/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a tunnel that is up will not stay so: entry function renewal_event, called by daemon/peer.c with each event of charon. A
 * cause in charon's log is only remembered, for while a tunnel is up most pass by themselves (a retransmission, a collision);
 * it counts when charon says that the renewal failed. What was renewed, or made anew, ends it.
 */
#include "daemon/renewal.h"

#include <stddef.h>

#include "daemon/reconcile.h"

#define NO_CAUSE "see charon's log"

static void renewed(struct tunnel *t)
{
	gateway_set_text(&t->renewal_heard, NULL);
	if (!t->renewal)
		return;
	gateway_set_text(&t->renewal, NULL);
	reconcile_judge(t);
}

static void heard(struct tunnel *t, const char *line)
{
	char cause[256];

	if (ike_cause_renewal_failed(line)) {
		gateway_set_text(&t->renewal, t->renewal_heard ? t->renewal_heard : NO_CAUSE);
		reconcile_judge(t);
		return;
	}
	if (ike_cause_from_log(line, gateway_tunnel_auth(t), cause, sizeof(cause)))
		gateway_set_text(&t->renewal_heard, cause);
}

void renewal_event(struct tunnel *t, const struct ike_event *ev, bool up)
{
	switch (ev->kind) {
	case IKE_EVENT_LOG:
		if (up)
			heard(t, ev->text);
		break;
	case IKE_EVENT_IKE_REKEY:
	case IKE_EVENT_CHILD_UP:
	case IKE_EVENT_CHILD_REKEY:
	case IKE_EVENT_IKE_DOWN:
		renewed(t);
		break;
	case IKE_EVENT_IKE_UP:
	case IKE_EVENT_CHILD_DOWN:
	case IKE_EVENT_IKE_UPDATE:
	case IKE_EVENT_OTHER:
		break;
	}
}
