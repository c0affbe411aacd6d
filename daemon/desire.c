/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as objects: what the kernel, the guard and charon should hold for it. Entry
 * function: desire. Neighbours: conf/ gives the meaning, daemon/desire_mtu.c the MTU, daemon/plan.c
 * compares the result with what was observed. Pure.
 */
#include "daemon/desire.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "daemon/desire_auth.h"

/*
 * reqids are the low 28 bits of SipHash-2-4 (crypto_shorthash, little-endian) of the tunnel's name
 * under this key. Key, hash and bits are the same in every version: another reqid would replace the
 * policies and SAs of running tunnels at an upgrade.
 */
#define REQID_CONTEXT "gwd tunnel reqid"

struct builder {
	const struct desire_input *in;
	const uint32_t *reqids;
	struct objects *out;
};

static uint32_t name_hash(const char *name)
{
	unsigned char key[crypto_shorthash_KEYBYTES], hash[crypto_shorthash_BYTES];

	_Static_assert(sizeof(REQID_CONTEXT) - 1 == crypto_shorthash_KEYBYTES, "key size");
	memcpy(key, REQID_CONTEXT, sizeof(key));
	crypto_shorthash(hash, (const unsigned char *)name, strlen(name), key);
	uint32_t low = (uint32_t)hash[0] | (uint32_t)hash[1] << 8 | (uint32_t)hash[2] << 16 |
		       (uint32_t)hash[3] << 24;
	return low & XFRM_REQID_MASK;
}

/* Takes the first free number from want on. taken is an open-addressed table of mask + 1 places,
 * never full. */
static uint32_t reqid_take(uint32_t *taken, size_t mask, uint32_t want)
{
	for (;;) {
		uint32_t reqid = XFRM_REQID_BASE | want;
		size_t place = want & mask;
		while (taken[place] && taken[place] != reqid)
			place = (place + 1) & mask;
		if (!taken[place]) {
			taken[place] = reqid;
			return reqid;
		}
		want = (want + 1) & XFRM_REQID_MASK;
	}
}

int desire_reqids(const struct conf *conf, uint32_t *reqids)
{
	size_t places = 16;

	while (places < conf->n_tunnels * 2)
		places *= 2;
	uint32_t *taken = calloc(places, sizeof(*taken));
	if (!taken)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_tunnels; i++)
		reqids[i] = reqid_take(taken, places - 1, name_hash(conf->tunnels[i].name));
	free(taken);
	return 0;
}

static int add_pair_of(const struct builder *b, int i, uint32_t key)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];
	struct guard_pair *pair = vec_push(&b->out->pairs);

	if (!pair)
		return -ENOMEM;
	pair->tunnel = i;
	pair->local = b->in->tunnels[i].local;
	pair->remote = b->in->tunnels[i].remote;
	pair->has_key = t->has_gre_key;
	pair->key = key;
	return 0;
}

/* Of unlike keys both are guarded both ways: what a peer with its keys the wrong way round sends in clear is stopped too. */
static int add_pair(const struct builder *b, int i)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];
	int rc = add_pair_of(b, i, t->gre_key_in);

	return rc || t->gre_key_in == t->gre_key_out ? rc : add_pair_of(b, i, t->gre_key_out);
}

static int add_policy(const struct builder *b, int i, enum xfrm_dir dir)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];
	const struct desire_tunnel *d = &b->in->tunnels[i];
	struct xfrm_policy *p = vec_push(&b->out->policies);
	bool out = dir == XFRM_DIR_OUT;

	if (!p)
		return -ENOMEM;
	p->tunnel = i;
	p->dir = dir;
	p->src = out ? d->local : d->remote;
	p->dst = out ? d->remote : d->local;
	p->has_key = t->has_gre_key;
	p->key = out ? t->gre_key_out : t->gre_key_in;
	p->priority = XFRM_PRIORITY;
	p->reqid = b->reqids[i];
	p->required = true;
	return 0;
}

/* A peer that calls may come from anywhere, and what it came from must not change its connection. */
static void conn_ends(struct ike_conn *c, const struct conf_tunnel *t,
		      const struct desire_tunnel *d)
{
	if (t->remote.kind != CONF_REMOTE_ANY) {
		c->local = d->local;
		c->remote = d->remote;
	} else if (t->local.kind == CONF_LOCAL_ADDRESS) {
		c->local = t->local.addr;
	}
}

static enum ike_offload offload_of(enum conf_offload offload)
{
	switch (offload) {
	case CONF_OFFLOAD_NO:
		return IKE_OFFLOAD_NO;
	case CONF_OFFLOAD_CRYPTO:
		return IKE_OFFLOAD_CRYPTO;
	case CONF_OFFLOAD_AUTO:
		return IKE_OFFLOAD_AUTO;
	}
	return IKE_OFFLOAD_NO;
}

static int add_conn(const struct builder *b, int i)
{
	const struct conf *conf = b->in->conf;
	const struct conf_tunnel *t = &conf->tunnels[i];
	struct object_conn *o = vec_push(&b->out->conns);

	if (!o)
		return -ENOMEM;
	struct ike_conn *c = &o->conn;
	snprintf(c->name, sizeof(c->name), "%s%s", IKE_PREFIX, t->name);
	c->tunnel = i;
	conn_ends(c, t, &b->in->tunnels[i]);
	c->local_id = conf_tunnel_id(conf, t);
	c->remote_id = t->peer_id;
	desire_auth_conn(b->in, i, c);
	c->ike_proposals = t->ike_proposals;
	c->esp_proposals = t->esp_proposals;
	c->reqid = b->reqids[i];
	c->replay_window = t->esp_replay_window;
	c->dpd_delay = t->ike_dpd_delay;
	c->encap = t->ike_encap;
	ike_conn_set_times(c, ike_conn_leads(c->local_id, c->remote_id), t->ike_rekey_time,
			   t->esp_rekey_time);
	ike_conn_set_volumes(c, ike_conn_leads(c->local_id, c->remote_id), t->esp_rekey_bytes,
			     t->esp_rekey_packets);
	c->offload = offload_of(t->offload);
	ike_conn_digest(c, o->digest);
	ike_conn_digest_terms(c, o->terms);
	/* Zero, "not known", is what it gives when memory ran out. */
	return sodium_is_zero(o->digest, sizeof(o->digest)) ? -ENOMEM : 0;
}

static void link_options(struct gre_link *l, const struct conf_tunnel *t,
			 const struct desire_tunnel *d)
{
	bool ipv6 = d->remote.family == AF_INET6;

	l->checksum = t->checksum;
	l->sequence = t->sequence;
	l->ttl = t->ttl;
	l->tos = t->tos;
	l->pmtudisc = t->pmtudisc && !ipv6;
	l->ignore_df = t->ignore_df && !ipv6;
	l->mpls = t->mpls;
	l->device = d->device;
	l->master = d->vrf;
	memcpy(l->device_name, t->device, sizeof(l->device_name));
	memcpy(l->master_name, t->vrf, sizeof(l->master_name));
}

static int add_link(const struct builder *b, int i)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];
	const struct desire_tunnel *d = &b->in->tunnels[i];
	struct gre_link *l = vec_push(&b->out->links);

	if (!l)
		return -ENOMEM;
	l->tunnel = i;
	memcpy(l->name, t->interface, sizeof(l->name));
	l->group = GRE_GROUP;
	l->is_gre = true;
	l->local = d->local;
	l->remote = d->remote;
	l->has_key = t->has_gre_key;
	l->key_in = t->gre_key_in;
	l->key_out = t->gre_key_out;
	link_options(l, t, d);
	l->mtu = desire_mtu(t, d, NULL);
	l->up = true;
	l->multicast = true;
	/* Without keys there is nothing to wait for: the kernel's own operstate is the truth of
	 * a plain tunnel. */
	l->dormant_mode = t->protect == CONF_PROTECT_IPSEC;
	return 0;
}

static bool family_fits(const struct builder *b, int i, const struct prefix *p)
{
	return p->addr.family != AF_INET6 ||
	       desire_ip6_fits(&b->in->conf->tunnels[i], &b->in->tunnels[i]);
}

static int add_addrs(const struct builder *b, int i)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];

	for (size_t k = 0; k < t->n_addresses; k++) {
		if (!family_fits(b, i, &t->addresses[k]))
			continue;
		struct gre_addr *a = vec_push(&b->out->addrs);
		if (!a)
			return -ENOMEM;
		a->tunnel = i;
		memcpy(a->link, t->interface, sizeof(a->link));
		a->prefix = t->addresses[k];
	}
	return 0;
}

static uint32_t route_table(const struct conf_route *route, const struct desire_tunnel *d)
{
	if (route->table)
		return route->table;
	return d->vrf_table ? d->vrf_table : RT_TABLE_MAIN;
}

static int add_routes(const struct builder *b, int i)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];

	for (size_t k = 0; k < t->n_routes; k++) {
		if (!family_fits(b, i, &t->routes[k].to))
			continue;
		struct gre_route *r = vec_push(&b->out->routes);
		if (!r)
			return -ENOMEM;
		r->tunnel = i;
		memcpy(r->link, t->interface, sizeof(r->link));
		r->to = prefix_network(&t->routes[k].to);
		r->table = route_table(&t->routes[k], &b->in->tunnels[i]);
		r->metric = t->routes[k].metric;
		r->protocol = GRE_ROUTE_PROTOCOL;
	}
	return 0;
}

/* What charon is told. */
static int add_keying(const struct builder *b, int i)
{
	int rc = desire_auth_secrets(b->in, i, b->out);

	return rc || b->in->tunnels[i].held ? rc : add_conn(b, i);
}

bool desire_hold(const struct conf_tunnel *t, const struct conf_route *route, uint32_t vrf_table,
		 struct gre_route *out)
{
	/* Without its VRF there is no table, nor anybody who would look into it. */
	if (!route->hold || (!route->table && t->vrf[0] && !vrf_table))
		return false;
	*out = (struct gre_route){
		.tunnel = -1,
		.to = prefix_network(&route->to),
		.table = route->table ? route->table
			 : vrf_table  ? vrf_table
				      : RT_TABLE_MAIN,
		.metric = GRE_ROUTE_METRIC_HOLD,
		.protocol = GRE_ROUTE_PROTOCOL,
		.unreachable = true,
	};
	return true;
}

static int add_holds(const struct builder *b, int i)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];
	struct gre_route hold;

	for (size_t k = 0; k < t->n_routes; k++) {
		if (!desire_hold(t, &t->routes[k], b->in->tunnels[i].vrf_table, &hold))
			continue;
		struct gre_route *slot = vec_push(&b->out->holds);
		if (!slot)
			return -ENOMEM;
		*slot = hold;
		slot->tunnel = i;
	}
	return 0;
}

static int add_exempt(const struct builder *b, int i, enum guard_exempt_from from)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];
	struct guard_exempt *e = vec_push(&b->out->exempts);

	_Static_assert(sizeof(e->link) == sizeof(t->interface), "a link's name");
	if (!e)
		return -ENOMEM;
	e->tunnel = i;
	e->from = from;
	memcpy(e->link, t->interface, sizeof(e->link));
	return 0;
}

static int add_exempts(const struct builder *b, int i)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];
	int rc = t->mss_clamp ? 0 : add_exempt(b, i, GUARD_FROM_CLAMP);

	if (!rc && t->protect == CONF_PROTECT_NONE)
		rc = add_exempt(b, i, GUARD_FROM_COVER);
	return rc;
}

static int add_protection(const struct builder *b, int i)
{
	int rc = add_pair(b, i);

	if (!rc)
		rc = add_policy(b, i, XFRM_DIR_OUT);
	if (!rc)
		rc = add_policy(b, i, XFRM_DIR_IN);
	return rc ? rc : add_keying(b, i);
}

static int add_tunnel(const struct builder *b, int i)
{
	const struct conf_tunnel *t = &b->in->conf->tunnels[i];
	const struct desire_tunnel *d = &b->in->tunnels[i];
	bool protected = t->protect == CONF_PROTECT_IPSEC;
	int rc = 0;

	if (!t->enabled)
		return 0;
	rc = add_holds(b, i);
	if (rc)
		return rc;
	if (!d->local.family || !d->remote.family)
		return protected && t->remote.kind == CONF_REMOTE_ANY ? add_keying(b, i) : 0;
	if (protected)
		rc = add_protection(b, i);
	if (rc || d->waits)
		return rc;
	rc = add_exempts(b, i);
	if (!rc)
		rc = add_link(b, i);
	if (!rc)
		rc = add_addrs(b, i);
	return rc ? rc : add_routes(b, i);
}

/* What belongs to no one tunnel follows from all of the configuration, whichever part is asked
 * for. */
static int add_gateway(const struct builder *b)
{
	const struct conf *conf = b->in->conf;

	b->out->guard_intact = true;
	b->out->charon_known = true;
	for (size_t i = 0; i < conf->n_tunnels; i++) {
		const struct conf_tunnel *t = &conf->tunnels[i];
		bool protected = t->enabled && t->protect == CONF_PROTECT_IPSEC;
		b->out->guard |= protected || (t->enabled && t->mss_clamp);
	}
	return desire_auth_gateway(b->in, b->out);
}

int desire(const struct desire_input *in, const uint32_t *reqids, const int *only, size_t n_only,
	   struct objects *out)
{
	struct builder b = {in, reqids, out};
	size_t n = only ? n_only : in->conf->n_tunnels;

	*out = (struct objects){0};
	int rc = add_gateway(&b);
	for (size_t k = 0; !rc && k < n; k++)
		rc = add_tunnel(&b, only ? only[k] : (int)k);
	if (rc) {
		objects_done(out);
		return rc;
	}
	objects_sort(out);
	return 0;
}
