/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/plan.c: plans as the lines a person reads, in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/plan_lines.h"

static void from_nothing(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects want = make(&t), have = nothing();
	assert_plan(
		&want, &have,
		"create guard inet gwd: 2 pairs\n"
		"create policy in 203.0.113.7 -> 198.51.100.1: esp transport reqid 0x424da8ae spi "
		"any\n"
		"create policy in 2001:db8::7 -> 2001:db8::1 key 7: esp transport reqid 0x4a511e3f "
		"spi any\n"
		"create policy out 198.51.100.1 -> 203.0.113.7: esp transport reqid 0x424da8ae spi "
		"any\n"
		"create policy out 2001:db8::1 -> 2001:db8::7 key 7: esp transport reqid "
		"0x4a511e3f spi any\n"
		"create secret " OWN_KEY ": private key of this gateway\n"
		"create secret gwd-branch2: pre-shared key of hq.example.net and "
		"branch2.example.net\n"
		"create connection gwd-branch1: 198.51.100.1 hq.example.net -> 203.0.113.7 "
		"branch1.example.net public-key esp aes256gcm16-x25519\n"
		"create connection gwd-branch2: 2001:db8::1 hq.example.net -> 2001:db8::7 "
		"branch2.example.net psk esp aes256-sha256-x25519\n"
		"create link branch1: local 198.51.100.1 remote 203.0.113.7 ttl 64 mtu 1442\n"
		"create link gre-b2: local 2001:db8::1 remote 2001:db8::7 key 7 ttl 64 mtu 1398\n"
		"create address 10.255.0.1/30 dev branch1\n"
		"create address 2001:db8:255::1/64 dev branch1\n"
		"create address 10.255.0.5/30 dev gre-b2\n"
		"create route 2001:db8:1::/48 table 100 metric 20 dev branch1\n"
		"create route 10.1.0.0/16 dev branch1\n");
	objects_done(&want);
}

static void nothing_to_do(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects want = make(&t), have = make(&t);
	assert_plan(&want, &have, "");
	objects_done(&want);
	objects_done(&have);
	want = have = nothing();
	assert_plan(&want, &have, "");
}

static void everything_goes(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects want = nothing(), have = make(&t);
	/* Pairs go with the table, addresses and routes with their links. */
	assert_plan(&want, &have,
		    "delete link branch1: local 198.51.100.1 remote 203.0.113.7 ttl 64 mtu 1442\n"
		    "delete link gre-b2: local 2001:db8::1 remote 2001:db8::7 key 7 ttl 64 mtu "
		    "1398\n"
		    "delete connection gwd-branch1\n"
		    "delete connection gwd-branch2\n"
		    "delete secret "
		    "MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=: private key of "
		    "this gateway\n"
		    "delete secret gwd-branch2: pre-shared key\n"
		    "delete policy in 203.0.113.7 -> 198.51.100.1: esp transport reqid 0x424da8ae "
		    "spi any\n"
		    "delete policy in 2001:db8::7 -> 2001:db8::1 key 7: esp transport reqid "
		    "0x4a511e3f spi any\n"
		    "delete policy out 198.51.100.1 -> 203.0.113.7: esp transport reqid 0x424da8ae "
		    "spi any\n"
		    "delete policy out 2001:db8::1 -> 2001:db8::7 key 7: esp transport reqid "
		    "0x4a511e3f spi any\n"
		    "delete guard inet gwd: no tunnel is left that needs it\n");
	objects_done(&have);
}

static void one_tunnel_goes(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects have = make(&t);
	t.tunnels[1].enabled = false;
	struct objects want = make(&t);
	assert_plan(&want, &have,
		    "delete link gre-b2: local 2001:db8::1 remote 2001:db8::7 key 7 ttl 64 mtu "
		    "1398\n"
		    "delete connection gwd-branch2\n"
		    "delete secret gwd-branch2: pre-shared key\n"
		    "delete policy in 2001:db8::7 -> 2001:db8::1 key 7: esp transport reqid "
		    "0x4a511e3f spi any\n"
		    "delete policy out 2001:db8::1 -> 2001:db8::7 key 7: esp transport reqid "
		    "0x4a511e3f spi any\n"
		    "delete pair 2001:db8::1 -> 2001:db8::7 key 7\n");
	objects_done(&want);
	objects_done(&have);
}

/* New endpoints: the new protection comes before the link moves, the old goes after it. */
static void endpoints_move(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[1].enabled = false;
	t.tunnels[0].n_routes = t.tunnels[0].n_addresses = 0;
	struct objects have = make(&t);
	addr_parse("203.0.113.8", &t.known[0].remote);
	struct objects want = make(&t);
	assert_plan(&want, &have,
		    "create pair 198.51.100.1 -> 203.0.113.8\n"
		    "create policy in 203.0.113.8 -> 198.51.100.1: esp transport reqid 0x424da8ae "
		    "spi any\n"
		    "create policy out 198.51.100.1 -> 203.0.113.8: esp transport reqid 0x424da8ae "
		    "spi any\n"
		    "update connection gwd-branch1: 198.51.100.1 hq.example.net -> 203.0.113.8 "
		    "branch1.example.net public-key esp aes256gcm16-x25519\n"
		    "update link branch1: remote 203.0.113.7 -> 203.0.113.8\n"
		    "delete policy in 203.0.113.7 -> 198.51.100.1: esp transport reqid 0x424da8ae "
		    "spi any\n"
		    "delete policy out 198.51.100.1 -> 203.0.113.7: esp transport reqid 0x424da8ae "
		    "spi any\n"
		    "delete pair 198.51.100.1 -> 203.0.113.7\n");
	objects_done(&want);
	objects_done(&have);
}

/* Leaves only links, addresses and routes to look at. */
static void forget_protection(struct objects *o)
{
	o->pairs.len = o->policies.len = o->secrets.len = o->conns.len = 0;
}

static void two_swap_endpoints(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects have = make(&t), want = make(&t);
	forget_protection(&have);
	forget_protection(&want);
	struct gre_link *a = &want.links.at[0], *b = &want.links.at[1];
	a->local = have.links.at[1].local;
	a->remote = have.links.at[1].remote;
	a->has_key = true;
	a->key_in = a->key_out = 7;
	b->local = have.links.at[0].local;
	b->remote = have.links.at[0].remote;
	b->has_key = false;
	assert_plan(&want, &have,
		    "delete link branch1: local 198.51.100.1 remote 203.0.113.7 ttl 64 mtu 1442\n"
		    "delete link gre-b2: local 2001:db8::1 remote 2001:db8::7 key 7 ttl 64 mtu "
		    "1398\n"
		    "create link branch1: local 2001:db8::1 remote 2001:db8::7 key 7 ttl 64 mtu "
		    "1442\n"
		    "create link gre-b2: local 198.51.100.1 remote 203.0.113.7 ttl 64 mtu 1398\n"
		    "create address 10.255.0.1/30 dev branch1\n"
		    "create address 2001:db8:255::1/64 dev branch1\n"
		    "create address 10.255.0.5/30 dev gre-b2\n"
		    "create route 2001:db8:1::/48 table 100 metric 20 dev branch1\n"
		    "create route 10.1.0.0/16 dev branch1\n");
	objects_done(&want);
	objects_done(&have);
}

static void link_replaced_and_doomed(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects have = make(&t), want = make(&t);
	forget_protection(&have);
	forget_protection(&want);
	addr_parse("2001:db8::9", &have.links.at[0].local);
	addr_parse("2001:db8::a", &have.links.at[0].remote);
	have.links.at[1].group = GRE_GROUP_DOOMED;
	assert_plan(&want, &have,
		    "delete link gre-b2: local 2001:db8::1 remote 2001:db8::7 key 7 ttl 64 mtu "
		    "1398\n"
		    "replace link branch1: local 2001:db8::9 -> 198.51.100.1, remote 2001:db8::a "
		    "-> 203.0.113.7\n"
		    "create link gre-b2: local 2001:db8::1 remote 2001:db8::7 key 7 ttl 64 mtu "
		    "1398\n"
		    "create address 10.255.0.1/30 dev branch1\n"
		    "create address 2001:db8:255::1/64 dev branch1\n"
		    "create address 10.255.0.5/30 dev gre-b2\n"
		    "create route 2001:db8:1::/48 table 100 metric 20 dev branch1\n"
		    "create route 10.1.0.0/16 dev branch1\n");
	objects_done(&want);
	objects_done(&have);
}

static void link_changed_in_place(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects have = make(&t), want = make(&t);
	have.links.at[0].mtu = 1476;
	have.links.at[0].ttl = 0;
	have.links.at[1].up = false;
	assert_plan(&want, &have,
		    "update link branch1: ttl inherit -> 64, mtu 1476 -> 1442\n"
		    "update link gre-b2: up off -> on\n");
	objects_done(&want);
	objects_done(&have);
}

static void link_conflict(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[1].enabled = false;
	struct objects want = make(&t), have = make(&t);
	have.addrs.len = have.routes.len = 0;
	/* Ours by its group only: not GRE. */
	have.links.at[0].is_gre = false;
	assert_plan(&want, &have,
		    "conflict link branch1: exists and is not ours: rename it or choose another "
		    "`interface:`\n");
	have.links.at[0].is_gre = true;
	have.links.at[0].group = 0;
	assert_plan(&want, &have,
		    "conflict link branch1: exists and is not ours: rename it or choose another "
		    "`interface:`\n");
	/* The guard's pair comes anyway. */
	have.pairs.len = 0;
	assert_plan(&want, &have,
		    "create pair 198.51.100.1 -> 203.0.113.7\n"
		    "conflict link branch1: exists and is not ours: rename it or choose another "
		    "`interface:`\n");
	struct plan plan;
	assert_int_equal(plan_make(&want, &have, &plan), 0);
	assert_int_equal(plan_changes(&plan), 1);
	assert_int_equal(plan.actions.at[1].tunnel, 0);
	plan_done(&plan);
	objects_done(&want);
	objects_done(&have);
}

#define POLICY_CONFLICT                                                                            \
	"conflict policy out 198.51.100.1 -> 203.0.113.7: a policy with priority 366975 has this " \
	"selector and is not ours: remove it with `ip xfrm policy delete`\n"

static void policy_conflict(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[1].enabled = false;
	struct objects want = make(&t), have = make(&t);
	have.policies.at[1].priority = 366975;
	/* A link that stands stays as it is, also when it differs, and nothing is made on it. */
	have.links.at[0].mtu = 1400;
	have.addrs.len = have.routes.len = 0;
	assert_plan(&want, &have, POLICY_CONFLICT);
	/* Without one, none is made. */
	have.links.len = 0;
	assert_plan(&want, &have, POLICY_CONFLICT);
	/* One on other endpoints goes, for their policies go too. */
	have.links.len = 1;
	addr_parse("203.0.113.9", &have.links.at[0].remote);
	assert_plan(&want, &have,
		    "delete link branch1: local 198.51.100.1 remote 203.0.113.9 ttl 64 mtu "
		    "1400\n" POLICY_CONFLICT);
	objects_done(&want);
	objects_done(&have);
}

static void names_of_others(void **unused)
{
	struct objects want = nothing(), have = nothing();
	struct object_secret *s = vec_push(&have.secrets);
	struct object_conn *c = vec_push(&have.conns);
	struct gre_link *l = vec_push(&have.links);
	struct xfrm_policy *p = vec_push(&have.policies);
	struct gre_addr *a = vec_push(&have.addrs);

	(void)unused;
	snprintf(s->name, sizeof(s->name), "office");
	s->kind = OBJECT_SECRET_PSK;
	snprintf(c->conn.name, sizeof(c->conn.name), "gw-office");
	snprintf(l->name, sizeof(l->name), "gre1");
	l->is_gre = true;
	p->priority = XFRM_PRIORITY;
	p->reqid = 1;
	snprintf(a->link, sizeof(a->link), "gre1");
	a->by_kernel = true;
	assert_plan(&want, &have, "");
	objects_done(&have);
}

static void addresses_and_routes(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[1].enabled = false;
	struct objects have = make(&t), want = make(&t);
	/* The last IPv4 address takes the IPv4 route with it; IPv6 stays. */
	prefix_parse("10.255.0.9/30", &have.addrs.at[0].prefix);
	objects_sort(&have);
	assert_plan(&want, &have,
		    "delete address 10.255.0.9/30 dev branch1\n"
		    "create address 10.255.0.1/30 dev branch1\n"
		    "create route 10.1.0.0/16 dev branch1\n");
	/* With another IPv4 address left, nothing is lost. */
	*(struct gre_addr *)vec_push(&have.addrs) = want.addrs.at[0];
	objects_sort(&have);
	assert_plan(&want, &have, "delete address 10.255.0.9/30 dev branch1\n");
	objects_done(&have);
	/* A route of ours into another link of ours. */
	have = make(&t);
	*(struct gre_link *)vec_push(&have.links) = want.links.at[0];
	*(struct gre_link *)vec_push(&want.links) = want.links.at[0];
	snprintf(have.links.at[1].name, IFNAMSIZ, "x");
	addr_parse("192.0.2.9", &have.links.at[1].remote);
	want.links.at[1] = have.links.at[1];
	snprintf(have.routes.at[1].link, IFNAMSIZ, "x");
	assert_plan(&want, &have,
		    "delete route 10.1.0.0/16 dev x\n"
		    "create route 10.1.0.0/16 dev branch1\n");
	objects_done(&want);
	objects_done(&have);
}

static void taking_protection_away(void **unused)
{
	struct two t;
	struct plan plan;

	(void)unused;
	two_make(&t);
	struct objects want = nothing(), have = make(&t);
	assert_int_equal(plan_make(&want, &have, &plan), 0);
	for (size_t i = 0; i < plan.actions.len; i++) {
		enum object_kind k = plan.actions.at[i].kind;
		assert_int_equal(plan_action_uncovers(&plan.actions.at[i]),
				 k == OBJECT_GUARD || k == OBJECT_POLICY);
	}
	plan_done(&plan);
	assert_int_equal(plan_make(&have, &want, &plan), 0);
	for (size_t i = 0; i < plan.actions.len; i++)
		assert_false(plan_action_uncovers(&plan.actions.at[i]));
	plan_done(&plan);
	objects_done(&have);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_nothing),
		cmocka_unit_test(nothing_to_do),
		cmocka_unit_test(everything_goes),
		cmocka_unit_test(one_tunnel_goes),
		cmocka_unit_test(endpoints_move),
		cmocka_unit_test(two_swap_endpoints),
		cmocka_unit_test(link_replaced_and_doomed),
		cmocka_unit_test(link_changed_in_place),
		cmocka_unit_test(link_conflict),
		cmocka_unit_test(policy_conflict),
		cmocka_unit_test(names_of_others),
		cmocka_unit_test(addresses_and_routes),
		cmocka_unit_test(taking_protection_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
