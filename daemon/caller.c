// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where peers that call (`remote: any`) are. Entries: caller_learn and caller_look, from daemon/peer.c. charon lets nobody have
 * a connection but who proves to be its peer, from whatever address; gwd takes that address from the IKE_SA, and the next
 * run of daemon/reconcile.c makes guard pair, policies and link for it, or moves them, in the order of every plan.
 *
 * One pair of addresses without a GRE key holds one tunnel (daemon/twins.c). The one that works there keeps it, and one that is
 * silent gives way: its address may have been given to another by their provider.
 */
#include "daemon/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/reconcile.h"
#include "daemon/resolve.h"
#include "daemon/sas.h"
#include "daemon/twins.h"
#include "lib/log.h"

bool caller_expected(const struct tunnel *t)
{
	return t->conf->remote.kind == CONF_REMOTE_ANY;
}

bool caller_awaited(const struct tunnel *t)
{
	return caller_expected(t) && !t->remote.family;
}

void caller_settled(struct tunnel *t)
{
	t->gw->dirty_all |= t->failed && t->left_remote.family;
	t->left_remote = (struct addr){0};
}

bool caller_unclear(const struct tunnel *t)
{
	return caller_expected(t) && gateway_tunnel_protected(t) && t->conn_loaded &&
	       (t->call_refused || (!t->ike_established && t->sas.len > 0));
}

static void give_way(struct tunnel *t, const struct tunnel *to)
{
	log_info(t->conf->name, "gives its last address to %s, which calls from there",
		 to->conf->name);
	t->remote = (struct addr){0};
	t->left_remote = (struct addr){0};
	reconcile_mark_all(t->gw);
}

/* NULL when t can have its ends. Who has them and is silent is made to give way. */
static const struct tunnel *taken_by(struct tunnel *t)
{
	struct gateway *gw = t->gw;

	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		if (twins_share(t, &gw->tunnels[i]) && twins_holds(&gw->tunnels[i]))
			return &gw->tunnels[i];
	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		if (twins_share(t, &gw->tunnels[i]))
			give_way(&gw->tunnels[i], t);
	return NULL;
}

static bool lies_inside(const struct tunnel *t, const struct addr *remote)
{
	for (size_t i = 0; i < t->conf->n_addresses; i++)
		if (prefix_contains(&t->conf->addresses[i], remote))
			return true;
	return false;
}

/* Why the tunnel cannot have the ends it was given, in text; "" when it can. local: what the peer called. */
static void obstacle(struct tunnel *t, const struct addr *local, char *text, size_t size)
{
	char a[ADDR_TEXT_SIZE], b[ADDR_TEXT_SIZE];
	const char *name = t->conf->name;
	const struct tunnel *other;

	text[0] = '\0';
	if (lies_inside(t, &t->remote)) {
		snprintf(text, size, "%s calls from %s, which is an address inside the tunnel",
			 name, addr_format(&t->remote, a));
	} else if (!addr_equal(local, &t->local)) {
		snprintf(text, size, "%s calls %s, but `local:` here is %s", name,
			 addr_format(local, a), addr_format(&t->local, b));
	} else if ((other = taken_by(t))) {
		twins_text(t, other, text, size);
	}
}

static void refuse(struct tunnel *t, const char *text)
{
	if (!t->call_refused || strcmp(t->call_refused, text)) {
		log_warn(t->conf->name, "%s", text);
		gateway_set_text(&t->call_refused, text);
		reconcile_mark(t); /* from there on it is tried again and again */
	}
}

/* With `local: auto` the address the peer called is the local one. */
static void ends_set(struct tunnel *t, const struct addr *local, const struct addr *remote)
{
	struct resolve_memo memo = {0};

	t->remote = *remote;
	if (t->conf->local.kind == CONF_LOCAL_AUTO)
		t->local = *local;
	if (remote->family)
		resolve_tunnel(t, &memo);
	else
		gateway_set_text(&t->unresolved, NULL);
	t->moved = false; /* the peer's SAs are those of the new ends already */
}

/* Where another is about to be cleared away by name, only a look at everything tells whose things stand there. */
static void ends_entered(struct tunnel *t)
{
	struct gateway *gw = t->gw;

	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		if (addr_equal(&gw->tunnels[i].left_remote, &t->remote)) {
			gw->tunnels[i].left_remote = (struct addr){0};
			reconcile_mark_all(gw);
		}
}

/* What stands between the former ends is cleared away by the next look, which asks for it by name. */
static void ends_left(struct tunnel *t, const struct addr *local, const struct addr *remote)
{
	ends_entered(t);
	if (!local->family || !remote->family)
		return;
	if (t->left_remote.family)
		reconcile_mark_all(t->gw);
	t->left_local = *local;
	t->left_remote = *remote;
}

static void moved(struct tunnel *t, const struct addr *local, const struct addr *remote)
{
	char now[ADDR_TEXT_SIZE], before[ADDR_TEXT_SIZE];

	log_info(t->conf->name, "%s calls from %s%s%s", t->conf->peer_id,
		 addr_format(&t->remote, now), remote->family ? ", before from " : "",
		 remote->family ? addr_format(remote, before) : "");
	ends_left(t, local, remote);
	sas_place(t);
	reconcile_mark(t);
}

void caller_learn(struct tunnel *t, const struct ike_sa *sa)
{
	struct addr local = t->local, remote = t->remote;
	char text[256] = "";

	if (!caller_expected(t) || !gateway_tunnel_protected(t) || t->held || !sa->established ||
	    !sa->remote.family || !sa->local.family || sa->uniqueid < t->caller_id)
		return;
	if (!addr_equal(&sa->remote, &remote) || !addr_equal(&sa->local, &local)) {
		ends_set(t, &sa->local, &sa->remote);
		obstacle(t, &sa->local, text, sizeof(text));
		if (text[0]) {
			ends_set(t, &local, &remote);
			t->local = local;
			refuse(t, text);
			return;
		}
		moved(t, &local, &remote);
	}
	t->caller_id = sa->uniqueid;
	t->caller_port = sa->remote_port;
	gateway_set_text(&t->call_refused, NULL);
}

static bool has_child(const struct ike_sa *sa)
{
	for (size_t i = 0; i < sa->n_children; i++)
		if (sa->children[i].installed)
			return true;
	return false;
}

void caller_look(struct tunnel *t, struct ike_msg *const *items, size_t n)
{
	struct ike_sa *sas = caller_expected(t) ? calloc(2, sizeof(*sas)) : NULL;
	struct ike_sa *sa = sas, *newest = sas ? sas + 1 : NULL;

	for (size_t i = 0; sas && i < n; i++)
		if (ike_sa_parse(items[i], sa) &&
		    !strcmp(sa->name + strlen(IKE_PREFIX), t->conf->name) && sa->established &&
		    has_child(sa) && sa->uniqueid >= newest->uniqueid)
			*newest = *sa;
	if (sas && newest->uniqueid)
		caller_learn(t, newest);
	free(sas);
}

void caller_gone(struct tunnel *t, uint32_t ike_id)
{
	if (!caller_expected(t) || (ike_id && ike_id != t->caller_id))
		return;
	t->caller_id = 0;
	gateway_set_text(&t->call_refused, NULL);
}

bool caller_left(const struct tunnel *t, const struct ike_sa *sa)
{
	return caller_expected(t) && sa->uniqueid < t->caller_id &&
	       (!addr_equal(&sa->remote, &t->remote) || sa->remote_port != t->caller_port);
}
