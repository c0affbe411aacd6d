// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From what is known of a tunnel to its verdict (daemon/health.c, pure), and the verdict's two effects: the link's
 * operational state (RFC 2863), which routing daemons follow, and one log line when the state changes. Entry:
 * reconcile_judge, after every look.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/caller.h"
#include "daemon/charon.h"
#include "daemon/control.h"
#include "daemon/domain.h"
#include "daemon/names.h"
#include "daemon/peer.h"
#include "daemon/reconcile.h"
#include "daemon/sas.h"
#include "lib/log.h"

#define OPERSTATE_AGAIN_MS 5000
#define UNREAD_BELIEVED 3 /* looks in a row that could not read the kernel */
#define TORN_DOWN "torn down with `gwctl teardown`: `gwctl reload` brings it back"

/* Looks again soon, which judges anew. */
static void operstate_failed(struct tunnel *t, const char *text)
{
	log_warn(t->conf->name, "operational state: %s", text);
	if (!t->retry_at)
		t->retry_at = gateway_now() + OPERSTATE_AGAIN_MS;
	peer_arm(t);
}

struct operstate {
	struct tunnel *t;
	uint8_t want;
};

static void operstate_result(void *user, size_t index, int err, const char *text)
{
	const struct operstate *o = user;

	(void)index;
	if (err)
		operstate_failed(o->t, text);
	else
		o->t->operstate = o->want;
}

static void operstate_set(struct tunnel *t, bool up)
{
	struct operstate o = {.t = t, .want = up ? IF_OPER_UP : IF_OPER_DORMANT};
	struct nl_batch *b;

	if (!t->ifindex || !t->link_ok || t->operstate == o.want || domain_waits(t) ||
	    !gateway_tunnel_protected(t))
		return;
	b = nl_batch_new();
	if (!b) {
		operstate_failed(t, strerror(ENOMEM));
		return;
	}
	gre_link_put_operstate(b, t->ifindex, o.want);
	nl_batch_send(t->gw->rtnl, b, operstate_result, &o);
	nl_batch_free(b);
}

/* A dump that others kept interrupting says nothing against what was seen a moment ago. */
static const char *unreadable(const struct gateway *gw)
{
	return gw->ready && gw->unread_looks < UNREAD_BELIEVED ? NULL : gw->unread;
}

static void fill_input(const struct tunnel *t, struct health_input *in, char *remote)
{
	const struct gateway *gw = t->gw;
	bool ip6_fits;
	uint32_t mtu = gateway_tunnel_mtu(t, NULL, &ip6_fits);

	*in = (struct health_input){
		.enabled = t->conf->enabled,
		.held = t->held,
		.protected = t->conf->protect == CONF_PROTECT_IPSEC,
		.unresolved = t->unresolved,
		.missing = t->missing,
		.sysctl = t->remote.family == AF_INET6 ? gw->sysctl6 : gw->sysctl,
		.path_fault = t->path_fault,
		.guard_ok = t->guard_ok,
		.policies_ok = t->policies_ok,
		.link_ok = t->link_ok,
		.addresses_ok = t->addresses_ok,
		.conflict = gw->torn_down ? TORN_DOWN
			    : t->conflict ? t->conflict
					  : t->call_refused,
		.failed = t->failed ? t->failed : unreadable(gw),
		.charon = charon_health(gw),
		.charon_reason = gw->charon_reason,
		.conn_loaded = t->conn_loaded,
		.conn_refused = t->refused,
		.ike_established = t->ike_established,
		.sa_in = sas_have(t, false),
		.sa_out = sas_have(t, true),
		.encap = t->encap,
		.tunnel_mode = t->tunnel_mode,
		.cause = t->cause,
		.renewal = t->renewal,
		.narrow = ip6_fits ? 0 : mtu,
		.remote = t->remote.family ? addr_format(&t->remote, remote) : NULL,
		.on_traffic = t->conf->start == CONF_START_ON_TRAFFIC,
		.woken = t->woken_until != 0,
		.passive = t->conf->start == CONF_START_PASSIVE,
		.peer = t->conf->peer_id,
		.no_answer = t->no_answer,
		.caller = caller_expected(t) ? t->conf->peer_id : NULL,
	};
}

void reconcile_judge(struct tunnel *t)
{
	char remote[ADDR_TEXT_SIZE], name[NAMES_FAULT_SIZE];
	struct health_input in;
	struct health verdict = {.state = HEALTH_DOWN};
	bool changed;

	fill_input(t, &in, remote);
	in.name_fault = names_fault(t, name, sizeof(name));
	health_judge(&in, &verdict);
	operstate_set(t, verdict.oper_up);
	changed = !t->since || verdict.state != t->state;
	if (changed) {
		t->since = gateway_now();
		log_info(t->conf->name, "%s%s%s", health_state_name(verdict.state),
			 *verdict.reason ? ": " : "", verdict.reason);
	} else if (strcmp(t->reason ? t->reason : "", verdict.reason)) {
		log_debug(t->conf->name, "%s: %s", health_state_name(verdict.state),
			  verdict.reason);
	}
	t->state = verdict.state;
	gateway_set_text(&t->reason, verdict.reason);
	control_tunnel_changed(t);
}
