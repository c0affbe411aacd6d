/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random configurations and random worlds for tests/unit/test_plan_property.c: what is wanted, and
 * what an earlier configuration left, damaged, with things of others between. Small universes, so
 * that objects collide often. Entry functions: intent_make, world_make.
 */
#ifndef GWD_TESTS_UNIT_PLAN_CASES_H
#define GWD_TESTS_UNIT_PLAN_CASES_H

#include <stdio.h>

#include "tests/unit/plan_world.h"

#define TUNNELS 3
#define PREFIXES 3
#define ROUTES 4
#define SECRET_TEXT "hunter2-is-a-secret"

static const char *const names[] = {"a", "b", "c", "other"};
static const char *const remotes[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
static const char *const prefixes[] = {"10.0.0.1/30", "10.0.1.1/30", "2001:db8:1::1/64"};
static const char *const targets[] = {"10.1.0.0/16", "10.2.0.0/16", "2001:db8:2::/48",
				      "10.3.0.0/16"};
static const struct secret secret_value = {sizeof(SECRET_TEXT), (unsigned char *)SECRET_TEXT};
static char *const no_proposals[] = {NULL};
static uint64_t state, seed;

/* Parsed once: addresses of the universe. */
static struct addr local4, local6, remote_addrs[3];
static struct prefix prefix_values[PREFIXES], target_values[ROUTES];

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t random_next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned below(unsigned n)
{
	return (unsigned)(random_next() % n);
}

static bool chance(unsigned percent)
{
	return below(100) < percent;
}

struct intent {
	struct objects want;
	bool protected[TUNNELS];
};

#define PUSH(v)                                       \
	({                                            \
		__typeof__((v)->at) p_ = vec_push(v); \
		assert_non_null(p_);                  \
		p_;                                   \
	})

static void endpoints_set(struct gre_link *l, unsigned e)
{
	l->remote = remote_addrs[e / 2];
	l->local = l->remote.family == AF_INET ? local4 : local6;
	l->has_key = e % 2;
	l->key_in = l->has_key ? 7 : 0;
	l->key_out = l->has_key && e > 1 ? 8 : l->key_in;
}

static void want_protection(struct objects *o, const struct gre_link *l, int tunnel)
{
	struct guard_pair *pair = PUSH(&o->pairs);

	*pair = (struct guard_pair){.local = l->local,
				    .remote = l->remote,
				    .has_key = l->has_key,
				    .key = l->key_in,
				    .tunnel = tunnel};
	if (l->key_out != l->key_in) {
		struct guard_pair other = *pair;
		other.key = l->key_out;
		*PUSH(&o->pairs) = other;
	}
	struct xfrm_policy p = {.dir = XFRM_DIR_OUT,
				.src = l->local,
				.dst = l->remote,
				.has_key = l->has_key,
				.key = l->key_out,
				.tunnel = tunnel,
				.priority = XFRM_PRIORITY,
				.reqid = XFRM_REQID_BASE + (uint32_t)tunnel,
				.spi = chance(50) ? 0xc0ffee00 + below(2) : 0,
				.required = true};
	*PUSH(&o->policies) = p;
	p.dir = XFRM_DIR_IN;
	p.key = l->key_in;
	p.src = l->remote;
	p.dst = l->local;
	p.spi = 0;
	*PUSH(&o->policies) = p;
	struct object_secret *s = PUSH(&o->secrets);
	snprintf(s->name, sizeof(s->name), IKE_PREFIX "%s", names[tunnel]);
	s->kind = OBJECT_SECRET_PSK;
	s->tunnel = tunnel;
	s->digest[0] = (unsigned char)(1 + below(2));
	s->value = &secret_value;
	s->local_id = "hq";
	s->remote_id = "branch";
	struct object_conn *c = PUSH(&o->conns);
	snprintf(c->conn.name, sizeof(c->conn.name), IKE_PREFIX "%s", names[tunnel]);
	c->conn.tunnel = tunnel;
	c->conn.local = l->local;
	c->conn.remote = l->remote;
	c->conn.local_id = "hq";
	c->conn.remote_id = "branch";
	c->conn.ike_proposals = c->conn.esp_proposals = no_proposals;
	c->digest[0] = (unsigned char)(1 + below(2));
}

static void want_tunnel(struct intent *in, int tunnel, unsigned endpoints)
{
	struct objects *o = &in->want;
	struct gre_link *l = PUSH(&o->links);

	snprintf(l->name, sizeof(l->name), "%s", names[tunnel]);
	l->tunnel = tunnel;
	l->group = GRE_GROUP;
	l->is_gre = l->up = l->multicast = true;
	l->ttl = 64;
	l->mtu = chance(70) ? 1442 : 1400;
	endpoints_set(l, endpoints);
	in->protected[tunnel] = l->dormant_mode = chance(80);
	if (in->protected[tunnel])
		want_protection(o, l, tunnel);
	if (chance(30)) {
		struct guard_exempt *e = PUSH(&o->exempts);
		memcpy(e->link, l->name, sizeof(e->link));
		e->from = in->protected[tunnel] ? GUARD_FROM_CLAMP : GUARD_FROM_COVER;
		e->tunnel = tunnel;
	}
	for (unsigned i = 0; i < PREFIXES; i++) {
		if (chance(50))
			continue;
		struct gre_addr *a = PUSH(&o->addrs);
		snprintf(a->link, sizeof(a->link), "%s", names[tunnel]);
		a->tunnel = tunnel;
		a->prefix = prefix_values[i];
	}
}

static void want_routes(struct intent *in)
{
	for (unsigned i = 0; i < ROUTES && in->want.links.len; i++) {
		const struct gre_link *l = &in->want.links.at[below((unsigned)in->want.links.len)];
		if (chance(40))
			continue;
		struct gre_route *r = PUSH(&in->want.routes);
		snprintf(r->link, sizeof(r->link), "%s", l->name);
		r->tunnel = l->tunnel;
		r->to = target_values[i];
		r->table = 254;
		r->protocol = GRE_ROUTE_PROTOCOL;
		if (chance(30))
			continue;
		struct gre_route *hold = PUSH(&in->want.holds);
		*hold = in->want.routes.at[in->want.routes.len - 1];
		hold->metric = GRE_ROUTE_METRIC_HOLD;
		hold->unreachable = true;
		memset(hold->link, 0, sizeof(hold->link));
	}
}

static void want_key(struct objects *o)
{
	struct object_secret *s = PUSH(&o->secrets);

	snprintf(s->name, sizeof(s->name), "public-text");
	s->kind = OBJECT_SECRET_KEY;
	s->tunnel = -1;
	s->digest[0] = 1;
	s->value = &secret_value;
}

static void intent_make(struct intent *in)
{
	unsigned free_endpoints[] = {0, 1, 2, 3, 4, 5}, n = 6;

	*in = (struct intent){.want = {.guard_intact = true, .charon_known = true}};
	for (int t = 0; t < TUNNELS; t++) {
		if (chance(20))
			continue;
		unsigned pick = below(n);
		want_tunnel(in, t, free_endpoints[pick]);
		free_endpoints[pick] = free_endpoints[--n];
		in->want.guard |= in->protected[t] || chance(50);
	}
	want_routes(in);
	if (in->want.guard && chance(80))
		want_key(&in->want);
	objects_sort(&in->want);
}

/* The world: what an earlier configuration left, then damaged, with things of others between. */

#define REALISE(w, o, kind)                                                     \
	do {                                                                    \
		for (size_t i_ = 0; i_ < (o)->kind.len; i_++)                   \
			if (chance(whole))                                      \
				(w)->kind.at[(w)->kind.n++] = (o)->kind.at[i_]; \
	} while (0)

static void realise(struct world *w, const struct objects *o)
{
	unsigned whole = chance(50) ? 100 : 80; /* percent */

	*w = (struct world){.guard = o->guard && chance(whole), .intact = chance(90)};
	REALISE(w, o, holds);
	if (w->guard) {
		REALISE(w, o, pairs);
		REALISE(w, o, exempts);
	}
	REALISE(w, o, policies);
	REALISE(w, o, secrets);
	REALISE(w, o, conns);
	REALISE(w, o, links);
	for (size_t i = 0; i < o->addrs.len; i++)
		if (world_link(w, o->addrs.at[i].link) && chance(whole))
			w->addrs.at[w->addrs.n++] = o->addrs.at[i];
	for (size_t i = 0; i < o->routes.len; i++)
		if (world_link(w, o->routes.at[i].link) && chance(whole))
			w->routes.at[w->routes.n++] = o->routes.at[i];
}

static void damage_link(struct world *w)
{
	if (!w->links.n)
		return;
	struct gre_link *l = &w->links.at[below((unsigned)w->links.n)], moved = *l;

	switch (below(5)) {
	case 0:
		l->group = GRE_GROUP_DOOMED;
		break;
	case 1:
		l->ttl = 0;
		break;
	case 2:
		l->up = false; /* the kernel then drops its routes */
		for (size_t i = w->routes.n; i-- > 0;)
			if (strcmp(w->routes.at[i].link, l->name) == 0)
				WORLD_DROP(&w->routes, i);
		break;
	case 3:
		endpoints_set(&moved, below(6));
		if (world_link_place(w, &moved, l->name) == 0)
			*l = moved;
		break;
	case 4: {
		struct gre_addr a = {.prefix = prefix_values[below(PREFIXES)], .by_kernel = true};
		a.prefix.addr.bytes[2] = 9;
		memcpy(a.link, l->name, sizeof(a.link));
		w->addrs.at[w->addrs.n++] = a;
		break;
	}
	}
}

static void damage(struct world *w)
{
	if (w->pairs.n && chance(30))
		w->pairs.at[below((unsigned)w->pairs.n)].in_missing = true;
	if (w->policies.n && chance(30))
		w->policies.at[below((unsigned)w->policies.n)].required = false;
	if (w->policies.n && chance(30))
		w->policies.at[below((unsigned)w->policies.n)].reqid ^= 8;
	for (size_t i = 0; i < w->secrets.n; i++)
		if (chance(20))
			memset(w->secrets.at[i].digest, 0, SECRET_DIGEST_SIZE);
	for (size_t i = 0; i < w->conns.n; i++)
		if (chance(20))
			memset(w->conns.at[i].digest, 0, SECRET_DIGEST_SIZE);
	for (unsigned i = below(3); i > 0; i--)
		damage_link(w);
}

static void foreign_policy(struct world *w)
{
	struct gre_link l;
	struct xfrm_policy p = {.dir = chance(50) ? XFRM_DIR_OUT : XFRM_DIR_IN,
				.priority = chance(50) ? 366975 : XFRM_PRIORITY,
				.reqid = 5,
				.required = true};

	endpoints_set(&l, below(6));
	p.src = p.dir == XFRM_DIR_OUT ? l.local : l.remote;
	p.dst = p.dir == XFRM_DIR_OUT ? l.remote : l.local;
	p.has_key = l.has_key;
	p.key = p.dir == XFRM_DIR_OUT ? l.key_out : l.key_in;
	struct xfrm_policy *at = world_policy(w, &p);
	if (at)
		*at = p;
	else
		w->policies.at[w->policies.n++] = p;
}

static void foreign_link(struct world *w)
{
	struct gre_link l = {.tunnel = -1, .is_gre = chance(50)};

	snprintf(l.name, sizeof(l.name), "%s", names[below(4)]);
	l.group = !l.is_gre && chance(50) ? GRE_GROUP : 0;
	l.local = l.is_gre ? local4 : (struct addr){0};
	l.remote = l.is_gre ? addr_from_bytes(AF_INET, "\xc6\x33\x64\x01") : (struct addr){0};
	if (!world_link(w, l.name))
		w->links.at[w->links.n++] = l;
}

static void foreign_in_charon(struct world *w)
{
	struct object_secret s = {.name = "other", .kind = OBJECT_SECRET_PSK, .tunnel = -1};
	struct object_conn c = {.conn = {.name = "other", .tunnel = -1}};

	w->secrets.at[w->secrets.n++] = s;
	w->conns.at[w->conns.n++] = c;
}

static void world_make(struct world *w)
{
	struct intent old;

	intent_make(&old);
	realise(w, &old.want);
	objects_done(&old.want);
	if (chance(70))
		damage(w);
	if (chance(20))
		foreign_policy(w);
	if (chance(20))
		foreign_link(w);
	if (chance(20))
		foreign_in_charon(w);
}

static void universe_make(void)
{
	addr_parse("198.51.100.1", &local4);
	addr_parse("2001:db8::ffff", &local6);
	for (unsigned i = 0; i < 3; i++)
		addr_parse(remotes[i], &remote_addrs[i]);
	for (unsigned i = 0; i < PREFIXES; i++)
		prefix_parse(prefixes[i], &prefix_values[i]);
	for (unsigned i = 0; i < ROUTES; i++)
		prefix_parse(targets[i], &target_values[i]);
}

#endif
