/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/desire.c and daemon/desire_mtu.c: every field of what a configuration asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/conf_two.h"

static struct objects make(const struct two *t)
{
	struct objects o;

	assert_int_equal(desire(&t->in, t->reqids, NULL, 0, &o), 0);
	return o;
}

static void assert_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_TEXT_SIZE];

	assert_string_equal(addr_format(a, buf), text);
}

static void gateway(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects o = make(&t);
	assert_true(o.guard && o.guard_intact && o.charon_known);
	assert_int_equal(o.secrets.len, 2);
	const struct object_secret *key = &o.secrets.at[0];
	assert_string_equal(key->name, OWN_KEY);
	assert_int_equal(key->kind, OBJECT_SECRET_KEY);
	assert_int_equal(key->tunnel, -1);
	assert_ptr_equal(key->value, &two_key);
	unsigned char digest[SECRET_DIGEST_SIZE];
	secret_digest(PEM_TEXT, sizeof(PEM_TEXT) - 1, digest);
	assert_memory_equal(key->digest, digest, sizeof(digest));
	objects_done(&o);
	/* Only the tunnel with a PSK: no private key. Only plain ones without a clamp: no guard. */
	t.tunnels[0].enabled = false;
	o = make(&t);
	assert_true(o.guard);
	assert_int_equal(o.secrets.len, 1);
	assert_int_equal(o.secrets.at[0].kind, OBJECT_SECRET_PSK);
	objects_done(&o);
	t.tunnels[1].protect = CONF_PROTECT_NONE;
	t.tunnels[1].mss_clamp = false;
	o = make(&t);
	assert_false(o.guard);
	assert_int_equal(o.secrets.len, 0);
	objects_done(&o);
}

static void guard_and_policies(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects o = make(&t);
	assert_int_equal(o.pairs.len, 2);
	const struct guard_pair *pair = &o.pairs.at[0];
	assert_addr(&pair->local, "198.51.100.1");
	assert_addr(&pair->remote, "203.0.113.7");
	assert_false(pair->has_key);
	assert_int_equal(pair->tunnel, 0);
	assert_true(o.pairs.at[1].has_key);
	assert_int_equal(o.pairs.at[1].key, 7);
	assert_int_equal(o.pairs.at[1].tunnel, 1);
	assert_int_equal(o.policies.len, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct xfrm_policy *p = &o.policies.at[i];
		bool out = p->dir == XFRM_DIR_OUT, second = p->tunnel == 1;
		assert_addr(out ? &p->src : &p->dst, second ? "2001:db8::1" : "198.51.100.1");
		assert_addr(out ? &p->dst : &p->src, second ? "2001:db8::7" : "203.0.113.7");
		assert_int_equal(p->has_key, second);
		assert_int_equal(p->key, second ? 7 : 0);
		assert_int_equal(p->priority, XFRM_PRIORITY);
		assert_int_equal(p->reqid, t.reqids[p->tunnel]);
		assert_int_equal(p->spi, 0);
		assert_true(p->required);
		assert_true(xfrm_policy_ours(p));
		assert_true(i == 0 || xfrm_policy_cmp(&o.policies.at[i - 1], p) < 0);
	}
	objects_done(&o);
}

static void psk(void **unused)
{
	struct two t;
	struct secret other = {sizeof(PSK_TEXT) - 2, two_psk.bytes};

	(void)unused;
	two_make(&t);
	struct objects o = make(&t);
	const struct object_secret *s = &o.secrets.at[1];
	assert_string_equal(s->name, "gwd-branch2");
	assert_int_equal(s->kind, OBJECT_SECRET_PSK);
	assert_int_equal(s->tunnel, 1);
	assert_ptr_equal(s->value, &two_psk);
	assert_string_equal(s->local_id, "hq.example.net");
	assert_string_equal(s->remote_id, "branch2.example.net");
	unsigned char digest[SECRET_DIGEST_SIZE];
	memcpy(digest, s->digest, sizeof(digest));
	objects_done(&o);
	/* The digest stands for value and identities. */
	o = make(&t);
	assert_memory_equal(o.secrets.at[1].digest, digest, sizeof(digest));
	objects_done(&o);
	t.known[1].psk = &other;
	o = make(&t);
	assert_memory_not_equal(o.secrets.at[1].digest, digest, sizeof(digest));
	objects_done(&o);
	t.known[1].psk = &two_psk;
	t.tunnels[1].peer_id = (char *)"branch3.example.net";
	o = make(&t);
	assert_memory_not_equal(o.secrets.at[1].digest, digest, sizeof(digest));
	objects_done(&o);
	t.tunnels[1].peer_id = (char *)"branch2.example.net";
	t.conf.id = (char *)"hq2.example.net";
	o = make(&t);
	assert_memory_not_equal(o.secrets.at[1].digest, digest, sizeof(digest));
	objects_done(&o);
}

static void connection(void **unused)
{
	struct two t;
	unsigned char digest[SECRET_DIGEST_SIZE];

	(void)unused;
	two_make(&t);
	struct objects o = make(&t);
	assert_int_equal(o.conns.len, 2);
	const struct ike_conn *c = &o.conns.at[0].conn;
	assert_string_equal(c->name, "gwd-branch1");
	assert_int_equal(c->tunnel, 0);
	assert_addr(&c->local, "198.51.100.1");
	assert_addr(&c->remote, "203.0.113.7");
	assert_string_equal(c->local_id, "hq.example.net");
	assert_string_equal(c->remote_id, "branch1.example.net");
	assert_int_equal(c->auth, IKE_AUTH_PUBLIC_KEY);
	assert_string_equal(c->local_public_key, OWN_KEY);
	assert_string_equal(c->remote_public_key, PEER_KEY);
	assert_ptr_equal(c->ike_proposals, two_ike);
	assert_ptr_equal(c->esp_proposals, two_esp);
	assert_int_equal(c->reqid, t.reqids[0]);
	assert_int_equal(c->replay_window, 128);
	assert_int_equal(c->dpd_delay, 30);
	/* branch1 < hq: the peer leads. */
	struct ike_conn times = *c;
	ike_conn_set_times(&times, false, 14400, 3600);
	assert_memory_equal(&times, c, sizeof(times));
	ike_conn_digest(c, digest);
	assert_memory_equal(o.conns.at[0].digest, digest, sizeof(digest));
	c = &o.conns.at[1].conn;
	assert_string_equal(c->name, "gwd-branch2");
	assert_int_equal(c->auth, IKE_AUTH_PSK);
	assert_null(c->local_public_key);
	assert_null(c->remote_public_key);
	objects_done(&o);
	t.conf.id = (char *)"a.example.net";
	o = make(&t);
	c = &o.conns.at[0].conn;
	times = *c;
	ike_conn_set_times(&times, true, 14400, 3600);
	assert_memory_equal(&times, c, sizeof(times));
	objects_done(&o);
}

static void link_fields(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[0].ttl = 17;
	struct objects o = make(&t);
	assert_int_equal(o.links.len, 2);
	const struct gre_link *l = &o.links.at[0];
	assert_string_equal(l->name, "branch1");
	assert_int_equal(l->tunnel, 0);
	assert_int_equal(l->ifindex, 0);
	assert_int_equal(l->group, GRE_GROUP);
	assert_addr(&l->local, "198.51.100.1");
	assert_addr(&l->remote, "203.0.113.7");
	assert_true(l->is_gre && l->up && l->multicast && l->dormant_mode);
	assert_false(l->has_key || l->checksum || l->sequence || l->pmtudisc || l->ignore_df);
	assert_int_equal(l->ttl, 17);
	assert_int_equal(l->tos, 0);
	assert_int_equal(l->mtu, 1442);
	l = &o.links.at[1];
	assert_string_equal(l->name, "gre-b2");
	assert_true(l->has_key);
	assert_int_equal(l->key_in, 7);
	assert_int_equal(l->key_out, 7);
	assert_int_equal(l->mtu, 1398);
	objects_done(&o);
}

static void addresses_and_routes(void **unused)
{
	struct two t;
	char buf[PREFIX_TEXT_SIZE];

	(void)unused;
	two_make(&t);
	struct objects o = make(&t);
	assert_int_equal(o.addrs.len, 3);
	assert_string_equal(o.addrs.at[0].link, "branch1");
	assert_string_equal(prefix_format(&o.addrs.at[0].prefix, buf), "10.255.0.1/30");
	assert_string_equal(prefix_format(&o.addrs.at[1].prefix, buf), "2001:db8:255::1/64");
	assert_string_equal(o.addrs.at[2].link, "gre-b2");
	assert_int_equal(o.addrs.at[2].tunnel, 1);
	assert_false(o.addrs.at[0].by_kernel);
	assert_int_equal(o.routes.len, 2);
	const struct gre_route *r = &o.routes.at[0]; /* table 100 sorts first */
	assert_string_equal(r->link, "branch1");
	assert_string_equal(prefix_format(&r->to, buf), "2001:db8:1::/48");
	assert_int_equal(r->table, 100);
	assert_int_equal(r->metric, 20);
	assert_int_equal(r->protocol, GRE_ROUTE_PROTOCOL);
	assert_int_equal(r->tunnel, 0);
	assert_int_equal(o.routes.at[1].table, 254);
	assert_int_equal(o.routes.at[1].metric, 0);
	objects_done(&o);
}

static void nothing_of(const struct two *t, int tunnel)
{
	struct objects o = make(t);

	for (size_t i = 0; i < o.pairs.len; i++)
		assert_int_not_equal(o.pairs.at[i].tunnel, tunnel);
	for (size_t i = 0; i < o.policies.len; i++)
		assert_int_not_equal(o.policies.at[i].tunnel, tunnel);
	for (size_t i = 0; i < o.secrets.len; i++)
		assert_int_not_equal(o.secrets.at[i].tunnel, tunnel);
	for (size_t i = 0; i < o.addrs.len; i++)
		assert_int_not_equal(o.addrs.at[i].tunnel, tunnel);
	assert_int_equal(o.conns.len, 1);
	assert_int_not_equal(o.conns.at[0].conn.tunnel, tunnel);
	assert_int_equal(o.links.len, 1);
	assert_int_not_equal(o.links.at[0].tunnel, tunnel);
	assert_int_equal(o.routes.len, tunnel == 0 ? 0 : 2);
	assert_true(o.guard);
	objects_done(&o);
}

static void disabled_and_unresolved(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[1].enabled = false;
	nothing_of(&t, 1);
	two_make(&t);
	t.known[0].local = (struct addr){0};
	nothing_of(&t, 0);
}

static void plain(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[0].protect = CONF_PROTECT_NONE;
	struct objects o = make(&t);
	assert_int_equal(o.pairs.len, 1);
	assert_int_equal(o.policies.len, 2);
	assert_int_equal(o.conns.len, 1);
	assert_int_equal(o.links.len, 2);
	assert_false(o.links.at[0].dormant_mode);
	assert_int_equal(o.links.at[0].mtu, 1476);
	assert_int_equal(o.addrs.len, 3);
	assert_int_equal(o.routes.len, 2);
	/* what goes into it may leave in clear; not what goes into the other */
	size_t from_cover = 0;
	for (size_t i = 0; i < o.exempts.len; i++) {
		if (o.exempts.at[i].from != GUARD_FROM_COVER)
			continue;
		assert_string_equal(o.exempts.at[i].link, t.tunnels[0].interface);
		from_cover++;
	}
	assert_int_equal(from_cover, 1);
	objects_done(&o);
}

static void only_some(void **unused)
{
	struct two t;
	struct objects o;
	int second = 1;

	(void)unused;
	two_make(&t);
	assert_int_equal(desire(&t.in, t.reqids, &second, 1, &o), 0);
	assert_int_equal(o.links.len, 1);
	assert_int_equal(o.links.at[0].tunnel, 1);
	assert_int_equal(o.policies.len, 2);
	/* The gateway's own are always there. */
	assert_true(o.guard);
	assert_int_equal(o.secrets.len, 2);
	assert_int_equal(o.secrets.at[0].kind, OBJECT_SECRET_KEY);
	objects_done(&o);
	assert_int_equal(desire(&t.in, t.reqids, &second, 0, &o), 0);
	assert_int_equal(o.links.len, 0);
	assert_true(o.guard);
	objects_done(&o);
}

static void reqids(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	/* The same in every version: these must never change. */
	assert_int_equal(t.reqids[0], 0x424da8ae);
	assert_int_equal(t.reqids[1], 0x4a511e3f);
	/* Same name, same hash: the later one gets the next number. */
	t.tunnels[1].name = t.tunnels[0].name;
	uint32_t first = t.reqids[0];
	desire_reqids(&t.conf, t.reqids);
	assert_int_equal(t.reqids[0], first);
	assert_int_equal(t.reqids[1], XFRM_REQID_BASE | ((first + 1) & XFRM_REQID_MASK));
}

static void reqids_of_many(void **unused)
{
	enum { N = 20000 };
	struct conf_tunnel *tunnels = calloc(N, sizeof(*tunnels));
	char(*names)[16] = calloc(N, sizeof(*names));
	uint32_t *ids = calloc(N, sizeof(*ids));
	unsigned char *bits = calloc((XFRM_REQID_MASK + 1) / 8, 1);
	struct conf conf = {.tunnels = tunnels, .n_tunnels = N};

	(void)unused;
	for (size_t i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "branch%zu", i);
		tunnels[i].name = names[i];
	}
	assert_int_equal(desire_reqids(&conf, ids), 0);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(ids[i] & ~XFRM_REQID_MASK, XFRM_REQID_BASE);
		uint32_t slot = ids[i] & XFRM_REQID_MASK;
		assert_false(bits[slot / 8] & 1u << slot % 8);
		bits[slot / 8] |= (unsigned char)(1u << slot % 8);
	}
	free(tunnels);
	free(names);
	free(ids);
	free(bits);
}

/* A hold beside each route but where it is off, also without an address here, and each once. */
static void holds(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < t.tunnels[i].n_routes; k++)
			t.tunnels[i].routes[k].hold = true;
	struct objects o = make(&t);
	size_t n = o.holds.len;
	assert_int_equal(n, o.routes.len);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(o.holds.at[i].metric, GRE_ROUTE_METRIC_HOLD);
		assert_true(o.holds.at[i].unreachable);
		assert_string_equal(o.holds.at[i].link, "");
	}
	objects_done(&o);
	t.known[0].local = t.known[1].local = (struct addr){0};
	o = make(&t);
	assert_int_equal(o.routes.len, 0);
	assert_int_equal(o.holds.len, n);
	objects_done(&o);
	t.tunnels[0].routes[0].hold = false;
	o = make(&t);
	assert_int_equal(o.holds.len, n - 1);
	objects_done(&o);
	t.tunnels[0].routes[0] = t.tunnels[0].routes[1];
	t.tunnels[0].routes[0].metric = 7;
	o = make(&t);
	assert_int_equal(o.holds.len, n - 1);
	objects_done(&o);
}

static void mss_clamp(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[0].mss_clamp = true;
	t.tunnels[1].mss_clamp = false;
	struct objects o = make(&t);
	assert_int_equal(o.exempts.len, 1);
	assert_string_equal(o.exempts.at[0].link, t.tunnels[1].interface);
	objects_done(&o);
	/* Plain links alone need the table for the clamp only. */
	for (int clamp = 0; clamp < 2; clamp++) {
		for (size_t i = 0; i < 2; i++) {
			t.tunnels[i].protect = CONF_PROTECT_NONE;
			t.tunnels[i].mss_clamp = clamp;
		}
		o = make(&t);
		assert_int_equal(o.guard, clamp);
		objects_done(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gateway),
		cmocka_unit_test(guard_and_policies),
		cmocka_unit_test(psk),
		cmocka_unit_test(connection),
		cmocka_unit_test(link_fields),
		cmocka_unit_test(addresses_and_routes),
		cmocka_unit_test(disabled_and_unresolved),
		cmocka_unit_test(plain),
		cmocka_unit_test(only_some),
		cmocka_unit_test(reqids),
		cmocka_unit_test(reqids_of_many),
		cmocka_unit_test(holds),
		cmocka_unit_test(mss_clamp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
