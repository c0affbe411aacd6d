// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why a tunnel does not come up, from charon's log: entry function cause_take, called by daemon/peer.c. Neighbour: ike/cause.c, which
 * knows the lines.
 */
#include "daemon/cause.h"

#include <stdio.h>
#include <time.h>

#include "daemon/reconcile.h"

#define VAGUE_MS 2000 /* lines of one exchange come within */

static enum ike_auth auth_of(const struct tunnel *t)
{
	switch (t->conf->auth) {
	case CONF_AUTH_PUBLIC_KEY:
		return IKE_AUTH_PUBLIC_KEY;
	case CONF_AUTH_PSK:
		return IKE_AUTH_PSK;
	case CONF_AUTH_CERTIFICATE:
		return IKE_AUTH_CERTIFICATE;
	}
	return IKE_AUTH_PUBLIC_KEY;
}

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

void cause_take(struct tunnel *t, const char *line)
{
	uint64_t now = gateway_now();
	char cause[256], over[256];

	if (!ike_cause_from_log(line, auth_of(t), cause, sizeof(cause)))
		return;
	if (t->cause && ike_cause_is_vague(line) && now - t->cause_at < VAGUE_MS)
		return;
	gateway_set_text(&t->cause, own_certificate_over(t, over, sizeof(over)) ? over : cause);
	t->cause_at = now;
	reconcile_judge(t);
}
