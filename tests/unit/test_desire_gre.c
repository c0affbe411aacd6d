/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the options of the GRE device, keys that differ by direction, VRFs and a tunnel's own identity make of a wanted
 * state (daemon/desire.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/conf_two.h"

static struct objects make(struct two *t)
{
	struct objects o;

	assert_int_equal(desire_reqids(&t->conf, t->reqids), 0);
	assert_int_equal(desire(&t->in, t->reqids, NULL, 0, &o), 0);
	return o;
}

static void options(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[0].checksum = t.tunnels[0].sequence = t.tunnels[0].mpls = true;
	t.tunnels[0].pmtudisc = t.tunnels[1].pmtudisc = t.tunnels[1].ignore_df = true;
	t.tunnels[0].tos = 184;
	strcpy(t.tunnels[0].device, "front");
	strcpy(t.tunnels[0].vrf, "blue");
	t.known[0].device = 5;
	t.known[0].vrf = 6;
	struct objects o = make(&t);
	const struct gre_link *l = &o.links.at[0];
	assert_true(l->checksum && l->sequence && l->mpls && l->pmtudisc);
	assert_int_equal(l->tos, 184);
	assert_int_equal(l->device, 5);
	assert_int_equal(l->master, 6);
	assert_string_equal(l->device_name, "front");
	assert_string_equal(l->master_name, "blue");
	assert_int_equal(l->mtu, 1434); /* eight bytes less than without */
	l = &o.links.at[1]; /* over IPv6, where these two are nothing */
	assert_false(l->pmtudisc || l->ignore_df);
	objects_done(&o);
}

static void keys_apart(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[1].gre_key_in = 7;
	t.tunnels[1].gre_key_out = 8;
	struct objects o = make(&t);
	assert_int_equal(o.links.at[1].key_in, 7);
	assert_int_equal(o.links.at[1].key_out, 8);
	assert_int_equal(o.pairs.len, 3);
	assert_int_equal(o.pairs.at[1].key, 7);
	assert_int_equal(o.pairs.at[2].key, 8);
	for (size_t i = 0; i < o.policies.len; i++) {
		const struct xfrm_policy *p = &o.policies.at[i];
		if (p->tunnel == 1)
			assert_int_equal(p->key, p->dir == XFRM_DIR_OUT ? 8 : 7);
	}
	objects_done(&o);
}

/* Policies and connection stay, so that what comes is known; the link has no place. */
static void waits(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.known[0].waits = true;
	struct objects o = make(&t);
	assert_int_equal(o.pairs.len, 2);
	assert_int_equal(o.policies.len, 4);
	assert_int_equal(o.conns.len, 2);
	assert_int_equal(o.links.len, 1);
	assert_int_equal(o.links.at[0].tunnel, 1);
	assert_int_equal(o.addrs.len, 1);
	assert_int_equal(o.routes.len, 0);
	objects_done(&o);
}

static void route_tables(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.routes[0].table = 0;
	t.routes[1].table = 0;
	struct objects o = make(&t);
	for (size_t i = 0; i < o.routes.len; i++)
		assert_int_equal(o.routes.at[i].table, 254);
	objects_done(&o);
	t.known[0].vrf = 6;
	t.known[0].vrf_table = 100;
	t.routes[1].table = 254;
	o = make(&t);
	assert_int_equal(o.routes.len, 2);
	for (size_t i = 0; i < o.routes.len; i++) {
		bool first = prefix_cmp(&o.routes.at[i].to, &t.routes[0].to) == 0;
		assert_int_equal(o.routes.at[i].table, first ? 100 : 254);
	}
	objects_done(&o);
}

static void own_identity(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[1].id = (char *)"a-second-name";
	struct objects o = make(&t);
	assert_string_equal(o.conns.at[0].conn.local_id, t.conf.id);
	assert_string_equal(o.conns.at[1].conn.local_id, "a-second-name");
	objects_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),	cmocka_unit_test(keys_apart),
		cmocka_unit_test(waits),	cmocka_unit_test(route_tables),
		cmocka_unit_test(own_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
