// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why a tunnel does not come up, from charon's log: entry function cause_event, called by daemon/peer.c. Neighbours: ike/cause.c, which
 * knows the lines, and daemon/unnamed.c: whose an IKE_SA is before charon has found its connection.
 */
#include "daemon/cause.h"

#include <stdio.h>
#include <time.h>

#include "daemon/peer.h"
#include "daemon/reconcile.h"
#include "daemon/unnamed.h"

#define VAGUE_MS 2000 /* lines of one exchange come within */

/* When our own certificate is over, the peer's refusal says less than that. */
static bool own_certificate_over(const struct tunnel *t, char *out, size_t size)
{
	const struct cert_file *own = t->gw->certs.own;
	time_t now = time(NULL), until = own ? own->list.at[0].until : 0;
	char day[16];
	struct tm tm;

	if (t->conf->auth != CONF_AUTH_CERTIFICATE || !until || until > now)
		return false;
	gmtime_r(&until, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	snprintf(out, size, "our certificate %s expired on %s", own->path, day);
	return true;
}

/* Unless a better cause was told a moment ago. */
static void cause_take(struct tunnel *t, const char *line)
{
	uint64_t now = gateway_now();
	char cause[256], over[256];

	if (!ike_cause_from_log(line, gateway_tunnel_auth(t), cause, sizeof(cause)))
		return;
	if (t->cause && ike_cause_is_vague(line) && now - t->cause_at < VAGUE_MS)
		return;
	gateway_set_text(&t->cause, own_certificate_over(t, over, sizeof(over)) ? over : cause);
	t->cause_at = now;
	t->tunnel_mode = false; /* that was another time */
	reconcile_judge(t);
}

/* The only protected tunnel towards this address, or NULL. */
static struct tunnel *tunnel_towards(struct gateway *gw, const struct addr *remote)
{
	struct tunnel *found = NULL;

	for (size_t i = 0; i < gw->conf->n_tunnels; i++) {
		struct tunnel *t = &gw->tunnels[i];

		if (!gateway_tunnel_protected(t) || !addr_equal(&t->remote, remote))
			continue;
		if (found)
			return NULL;
		found = t;
	}
	return found;
}

/* Of a call that came to nothing. What our own attempts say counts more, where we make some: the peer has answered those. */
static void call_failed(struct gateway *gw, const struct ike_event *ev)
{
	char cause[256];
	struct addr from;
	struct tunnel *t;

	if (!unnamed_take(&gw->unnamed, ev, &from) ||
	    !ike_cause_from_log(ev->text, IKE_AUTH_PUBLIC_KEY, cause, sizeof(cause)))
		return;
	t = tunnel_towards(gw, &from);
	if (t && !peer_pair_there(t) && (!t->cause || t->conf->start == CONF_START_PASSIVE))
		cause_take(t, ev->text);
}

void cause_event(struct gateway *gw, struct tunnel *t, const struct ike_event *ev)
{
	if (!t && !*ev->sa.name)
		call_failed(gw, ev);
	else if (t && !peer_pair_there(t))
		cause_take(t, ev->text);
}
