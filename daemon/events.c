// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's notifications. Entry: events_watch; from then on libevent calls in here. Links, addresses, routes, policies and
 * the guard only mark what should be looked at (daemon/reconcile.c); SAs go to daemon/sas.c, which keeps them.
 */
#include "daemon/events.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "daemon/domain.h"
#include "daemon/holds.h"
#include "daemon/reconcile.h"
#include "daemon/sas.h"
#include "gre/events.h"
#include "lib/log.h"
#include "xfrm/events.h"

#define READS_MAX 64 /* of 256 messages, before the loop sees to others */

static void lost(struct gateway *gw, const char *what)
{
	log_warn(NULL, "%s events were lost; reading everything again", what);
	gw->guard_dirty = true;
	reconcile_mark_all(gw);
	reconcile_mark_resolve(gw);
}

static void link_event(struct gateway *gw, const struct gre_event *ev)
{
	struct tunnel *t = gateway_tunnel_by_ifname(gw, ev->name);

	if (!t && ev->ours) {
		reconcile_mark_all(gw);
		return;
	}
	if (!t && ev->gone && domain_uses(gw, ev->ifindex)) {
		/* At once: the links of a VRF that went are in the main routing table now. */
		gw->unresolved_all = true;
		reconcile_mark_all(gw);
		return;
	}
	if (!t) {
		reconcile_mark_resolve(gw);
		return;
	}
	reconcile_mark(t);
}

static void addr_event(struct gateway *gw, const struct gre_event *ev)
{
	char name[IF_NAMESIZE];
	struct tunnel *t;

	if (!if_indextoname(ev->ifindex, name)) {
		/* It went with its link, whose own event says which; or nobody can say whose it is. */
		if (errno != ENXIO) {
			reconcile_mark_all(gw);
			reconcile_mark_resolve(gw);
		}
		return;
	}
	t = gateway_tunnel_by_ifname(gw, name);
	if (t)
		reconcile_mark(t);
	else
		reconcile_mark_resolve(gw);
}

static void hold_event(struct gateway *gw, const struct gre_event *ev)
{
	if (holds_note(gw, &ev->route, !ev->gone))
		reconcile_mark_all(gw);
}

static void on_gre_event(void *user, const struct gre_event *ev)
{
	struct gateway *gw = user;

	switch (ev->kind) {
	case GRE_EVENT_LINK:
		link_event(gw, ev);
		break;
	case GRE_EVENT_ADDR:
		addr_event(gw, ev);
		break;
	case GRE_EVENT_ROUTE:
		if (ev->hold)
			hold_event(gw, ev);
		else if (ev->ours)
			addr_event(gw, ev);
		else
			reconcile_mark_resolve(gw);
		break;
	}
}

static void on_rtnl(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;
	int r = 1;

	(void)fd, (void)what;
	/* All that waits: a look between two parts of one change would have to be made again. */
	for (int i = 0; r == 1 && i < READS_MAX; i++)
		r = gre_events_read(gw->rtnl_events, on_gre_event, gw);
	if (r == -ENOBUFS)
		lost(gw, "link");
}

static void policy_event(struct gateway *gw, const struct xfrm_policy *p)
{
	struct tunnel *t = gateway_tunnel_by_reqid(gw, p->reqid);

	if (t)
		reconcile_mark(t);
	else
		reconcile_mark_all(gw);
}

static void on_xfrm_event(void *user, const struct xfrm_event *ev)
{
	struct gateway *gw = user;

	switch (ev->kind) {
	case XFRM_EVENT_POLICY:
		policy_event(gw, &ev->policy);
		break;
	case XFRM_EVENT_POLICY_FLUSH:
		log_warn(NULL, "somebody flushed the XFRM policies; restoring ours");
		reconcile_mark_all(gw);
		break;
	case XFRM_EVENT_SA_NEW:
	case XFRM_EVENT_SA_GONE:
	case XFRM_EVENT_SA_FLUSH:
	case XFRM_EVENT_SA_SOFT:
	case XFRM_EVENT_ACQUIRE:
		sas_event(gw, ev);
		break;
	}
}

static void on_xfrm(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;
	int r = 1;

	(void)fd, (void)what;
	for (int i = 0; r == 1 && i < READS_MAX; i++)
		r = xfrm_events_read(gw->xfrm_events, on_xfrm_event, gw);
	if (r == -ENOBUFS)
		lost(gw, "XFRM");
}

static void on_guard(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;
	int r;

	(void)fd, (void)what;
	r = guard_events_read(gw->guard_events);
	if (r == -ENOBUFS)
		lost(gw, "nftables");
	else if (r) /* in doubt too */
		reconcile_mark_guard(gw);
}

static int watch(struct gateway *gw, struct nl *nl, event_callback_fn fn)
{
	struct event *ev = event_new(gw->base, nl_fd(nl), EV_READ | EV_PERSIST, fn, gw);

	return ev && !event_add(ev, NULL) ? 0 : -ENOMEM;
}

int events_open(struct gateway *gw, char *err, size_t err_size)
{
	const char *what = "link events";
	int r = gre_events_open(&gw->rtnl_events);

	if (!r) {
		what = "XFRM events";
		r = xfrm_events_open(&gw->xfrm_events);
	}
	if (!r) {
		what = "nftables events";
		r = guard_events_open(&gw->guard_events);
	}
	if (r)
		snprintf(err, err_size, "%s: %s", what, strerror(-r));
	return r;
}

int events_watch(struct gateway *gw)
{
	int r = watch(gw, gw->rtnl_events, on_rtnl);

	if (!r)
		r = watch(gw, gw->xfrm_events, on_xfrm);
	return r ? r : watch(gw, gw->guard_events, on_guard);
}
