// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Builds what hangs on a configuration. Entries: generation_new, generation_carry, generation_swap; used by daemon/reload.c for
 * loading and for previews. A tunnel is the same tunnel when its name is.
 */
#include "daemon/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/equal.h"
#include "daemon/name.h"
#include "daemon/peer.h"
#include "lib/seal.h"

static int reqid_index_cmp(const void *a, const void *b)
{
	uint32_t x = ((const struct reqid_index *)a)->reqid,
		 y = ((const struct reqid_index *)b)->reqid;

	return x < y ? -1 : x > y;
}

static int name_index_cmp(const void *a, const void *b)
{
	return strcmp(((const struct name_index *)a)->name, ((const struct name_index *)b)->name);
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what;
	peer_tick(user);
}

static int tunnel_init(struct gateway *gw, struct generation *g, size_t i)
{
	struct tunnel *t = &g->tunnels[i];

	t->gw = gw;
	t->index = (int)i;
	t->conf = &g->conf->tunnels[i];
	t->reqid = g->reqids[i];
	t->remote = t->conf->remote.addr;
	t->leads = t->conf->peer_id &&
		   ike_conn_leads(conf_tunnel_id(g->conf, t->conf), t->conf->peer_id);
	t->tick = evtimer_new(gw->base, on_tick, t);
	if (t->conf->remote.kind == CONF_REMOTE_NAME) {
		t->name = calloc(1, sizeof(*t->name));
		if (!t->name)
			return -ENOMEM;
		t->name->ask_at = 1;
	}
	g->by_reqid[i] = (struct reqid_index){.reqid = t->reqid, .tunnel = (int)i};
	g->by_ifname[i] = (struct name_index){.name = t->conf->interface, .tunnel = (int)i};
	return t->tick ? 0 : -ENOMEM;
}

static int tunnels_new(struct gateway *gw, struct generation *g)
{
	size_t n = g->conf->n_tunnels;
	int r;

	g->tunnels = calloc(n + 1, sizeof(*g->tunnels));
	g->reqids = calloc(n + 1, sizeof(*g->reqids));
	g->by_reqid = calloc(n + 1, sizeof(*g->by_reqid));
	g->by_ifname = calloc(n + 1, sizeof(*g->by_ifname));
	g->auths = calloc(n + 1, sizeof(*g->auths));
	if (!g->tunnels || !g->reqids || !g->by_reqid || !g->by_ifname || !g->auths)
		return -ENOMEM;
	r = desire_reqids(g->conf, g->reqids);
	for (size_t i = 0; i < n && !r; i++)
		r = tunnel_init(gw, g, i);
	if (r)
		return r; /* places without a name */
	qsort(g->by_reqid, n, sizeof(*g->by_reqid), reqid_index_cmp);
	qsort(g->by_ifname, n, sizeof(*g->by_ifname), name_index_cmp);
	return 0;
}

static bool needs_key(const struct conf_tunnel *t)
{
	return t->enabled && t->protect == CONF_PROTECT_IPSEC && t->auth == CONF_AUTH_PUBLIC_KEY;
}

static bool needs_certificate(const struct conf_tunnel *t)
{
	return t->enabled && t->protect == CONF_PROTECT_IPSEC && t->auth == CONF_AUTH_CERTIFICATE;
}

static int key_read(struct generation *g, char *err, size_t err_size)
{
	int r = secret_read_file(g->conf->key_file, &g->key, err, err_size);

	return r ? r : key_public_from_pem(g->key, g->public_key, err, err_size);
}

static int tunnel_read(struct generation *g, struct seal_opener *o, size_t i, char *err,
		       size_t err_size)
{
	const struct conf_tunnel *t = &g->conf->tunnels[i];
	struct tunnel_secrets *s = &g->auths[i];
	int r = 0;

	if (needs_key(t) && !g->key)
		r = key_read(g, err, err_size);
	if (!r && needs_certificate(t) && !g->certs.own)
		r = certs_read_own(&g->certs, g->conf, err, err_size);
	if (!t->enabled)
		return r;
	if (!r)
		r = certs_read_tunnel(&g->certs, t, &s->certs, err, err_size);
	if (!r && t->psks && t->psks[0])
		r = seal_read(o, t->psks[0], &s->psk, err, err_size);
	if (!r && t->psks && t->psks[0] && t->psks[1])
		r = seal_read(o, t->psks[1], &s->other_psk, err, err_size);
	if (!r && t->ppk_secret)
		r = seal_read(o, t->ppk_secret, &s->ppk, err, err_size);
	return r;
}

static int secrets_read(struct generation *g, char *err, size_t err_size)
{
	struct seal_opener opener = {.key_file = g->conf->key_file};
	int r = 0;

	for (size_t i = 0; i < g->conf->n_tunnels && !r; i++)
		r = tunnel_read(g, &opener, i, err, err_size);
	seal_opener_done(&opener);
	return r;
}

int generation_new(struct gateway *gw, struct conf *conf, struct generation *out, char *err,
		   size_t err_size)
{
	int r;

	memset(out, 0, sizeof(*out));
	out->conf = conf;
	r = tunnels_new(gw, out);
	if (r)
		snprintf(err, err_size, "%s", strerror(-r));
	else
		r = secrets_read(out, err, err_size);
	if (r)
		generation_done(out);
	return r;
}

static void tunnel_done(struct tunnel *t)
{
	vec_free(&t->sas);
	free(t->missing);
	free(t->unresolved);
	free(t->path_fault);
	free(t->name);
	free(t->conflict);
	free(t->failed);
	free(t->refused);
	free(t->cause);
	free(t->call_refused);
	free(t->renewal_heard);
	free(t->renewal);
	free(t->reason);
	if (t->tick)
		event_free(t->tick);
}

static void secrets_free(struct tunnel_secrets *s)
{
	secret_free(s->psk);
	secret_free(s->other_psk);
	secret_free(s->ppk);
}

void generation_done(struct generation *g)
{
	for (size_t i = 0; g->conf && i < g->conf->n_tunnels; i++) {
		if (g->tunnels)
			tunnel_done(&g->tunnels[i]);
		if (g->auths)
			secrets_free(&g->auths[i]);
	}
	free(g->tunnels);
	free(g->auths);
	free(g->reqids);
	free(g->by_reqid);
	free(g->by_ifname);
	certs_done(&g->certs);
	secret_free(g->key);
	conf_free(g->conf);
	memset(g, 0, sizeof(*g));
}

void generation_swap(struct gateway *gw, struct generation *g)
{
	struct generation old = {
		.conf = gw->conf,
		.key = gw->key,
		.auths = gw->auths,
		.certs = gw->certs,
		.tunnels = gw->tunnels,
		.reqids = gw->reqids,
		.by_reqid = gw->by_reqid,
		.by_ifname = gw->by_ifname,
	};

	memcpy(old.public_key, gw->public_key, sizeof(old.public_key));
	gw->conf = g->conf;
	gw->key = g->key;
	gw->auths = g->auths;
	gw->certs = g->certs;
	gw->tunnels = g->tunnels;
	gw->reqids = g->reqids;
	gw->by_reqid = g->by_reqid;
	gw->by_ifname = g->by_ifname;
	memcpy(gw->public_key, g->public_key, sizeof(gw->public_key));
	*g = old;
}

static void carry_move(struct tunnel *to, struct tunnel *from)
{
	struct tunnel kept = *to;
	struct event *tick = from->tick;

	*to = *from;
	to->index = kept.index;
	to->conf = kept.conf;
	to->reqid = kept.reqid;
	to->leads = kept.leads;
	to->tick = kept.tick;
	to->dirty = false;
	memset(from, 0, sizeof(*from));
	from->tick = tick;
	from->name = kept.name;
}

static void carry_copy(struct tunnel *to, const struct tunnel *from)
{
	to->local = from->local;
	to->remote = from->remote;
	to->stood_back = from->stood_back;
	to->held = from->held;
	to->path_mtu = from->path_mtu;
	to->path_from = from->path_from;
	to->reauth.turn = from->reauth.turn;
	to->pin = from->pin;
	to->overhead_known = from->overhead_known;
	to->encap = from->encap;
	to->iv = from->iv;
	to->icv = from->icv;
	to->block = from->block;
}

/* A tunnel with another peer or another reqid starts anew: its SAs and addresses are not those of before. */
static bool same_tunnel(const struct tunnel *a, const struct tunnel *b)
{
	return a->reqid == b->reqid && conf_remote_equal(&a->conf->remote, &b->conf->remote);
}

void generation_carry(struct generation *to, struct generation *from, bool move)
{
	size_t k = 0;

	for (size_t i = 0; i < to->conf->n_tunnels; i++) {
		struct tunnel *t = &to->tunnels[i];

		while (k < from->conf->n_tunnels &&
		       strcmp(from->conf->tunnels[k].name, t->conf->name) < 0)
			k++;
		if (k == from->conf->n_tunnels)
			return;
		if (strcmp(from->conf->tunnels[k].name, t->conf->name) ||
		    !same_tunnel(t, &from->tunnels[k]))
			continue;
		if (move)
			carry_move(t, &from->tunnels[k]);
		else
			carry_copy(t, &from->tunnels[k]);
	}
}

void generation_end(struct gateway *gw)
{
	char **texts[] = {&gw->conf_error, &gw->unread,	       &gw->sysctl,
			  &gw->sysctl6,	   &gw->charon_reason, &gw->charon_version};
	struct generation g = {0};

	generation_swap(gw, &g);
	generation_done(&g);
	guard_state_done(&gw->guard_seen);
	vec_free(&gw->dirty);
	vec_free(&gw->holds);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		gateway_set_text(texts[i], NULL);
}
