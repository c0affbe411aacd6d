/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon/desire_mtu.c: the MTU of a tunnel's link, and the sum that explains it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/conf_two.h"

static void assert_mtu(const struct conf_tunnel *c, const struct desire_tunnel *d, uint32_t mtu,
		       const char *sum)
{
	struct text text = {0};

	assert_int_equal(desire_mtu(c, d, &text), mtu);
	assert_string_equal(text.text, sum);
	assert_int_equal(desire_mtu(c, d, NULL), mtu);
	text_free(&text);
}

/* Values of the kernel's xfrm_state_mtu for path 1500. */
static void mtu_table(void **unused)
{
	static const struct {
		uint8_t family;
		unsigned iv, icv, block;
		uint32_t mtu[4]; /* plain, with key, NAT-T, NAT-T with key */
	} rows[] = {
		{AF_INET, 8, 16, 4, {1442, 1438, 1434, 1430}},
		{AF_INET, 16, 16, 16, {1434, 1430, 1418, 1414}},
		{AF_INET, 16, 32, 16, {1418, 1414, 1402, 1398}},
		{AF_INET6, 8, 16, 4, {1422, 1418, 1414, 1410}},
		{AF_INET6, 16, 16, 16, {1402, 1398, 1402, 1398}},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int k = 0; k < 4; k++) {
			struct conf_tunnel c = {.has_gre_key = k % 2};
			struct desire_tunnel d = {.remote.family = rows[i].family,
						  .path_mtu = 1500,
						  .overhead_known = true,
						  .encap = k / 2,
						  .iv = rows[i].iv,
						  .icv = rows[i].icv,
						  .block = rows[i].block};
			assert_int_equal(desire_mtu(&c, &d, NULL), rows[i].mtu[k]);
		}
	}
}

static void mtu_sums(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct conf_tunnel *c = &t.tunnels[0];
	struct desire_tunnel d = {0};
	assert_mtu(c, &d, 1442, "1500 - 20 IPv4 - 8 ESP - 8 IV - 16 ICV - 2 trailer - 4 GRE");
	d.path_mtu = 1403;
	assert_mtu(c, &d, 1342,
		   "1403 - 20 IPv4 - 8 ESP - 8 IV - 16 ICV - 2 trailer - 3 padding - 4 GRE");
	d = (struct desire_tunnel){
		.overhead_known = true, .encap = true, .iv = 16, .icv = 16, .block = 16};
	c->has_gre_key = true;
	assert_mtu(c, &d, 1414,
		   "1500 - 20 IPv4 - 8 NAT-T - 8 ESP - 16 IV - 16 ICV - 2 trailer - 8 padding - 8 "
		   "GRE");
	assert_mtu(&t.tunnels[1], &(struct desire_tunnel){.remote = t.known[1].remote}, 1398,
		   "1500 - 40 IPv6 - 8 ESP - 16 IV - 16 ICV - 2 trailer - 12 padding - 8 GRE");
	c->protect = CONF_PROTECT_NONE;
	assert_mtu(c, &d, 1472, "1500 - 20 IPv4 - 8 GRE");
	c->mtu = 1300;
	assert_mtu(c, &d, 1300, "as configured");
}

static void mtu_without_knowledge(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct conf_tunnel *c = &t.tunnels[0];
	/* An algorithm whose sizes are not known: the largest. */
	c->esp_proposals = (char *[]){(char *)"rot13", NULL};
	assert_mtu(c, &(struct desire_tunnel){0}, 1418,
		   "1500 - 20 IPv4 - 8 ESP - 16 IV - 32 ICV - 2 trailer - 4 GRE");
	/* NAT-T without an SA is not known either. */
	struct desire_tunnel d = {.encap = true};
	assert_int_equal(desire_mtu(c, &d, NULL), 1418);
	d = (struct desire_tunnel){.overhead_known = true};
	d.iv = 8, d.icv = 16, d.block = 4;
	assert_int_equal(desire_mtu(c, &d, NULL), 1442);
	d.path_mtu = 1300;
	d.path_from = GRE_MTU_LEARNED;
	assert_mtu(
		c, &d, 1280,
		"1300 (learned from the path) - 20 IPv4 - 8 ESP - 8 IV - 16 ICV - 2 trailer - 4 GRE "
		"= 1242, raised to 1280: the least for IPv6, larger carriers go in fragments");
	assert_true(desire_ip6_fits(c, &d));
	/* Over IPv6 nobody fragments the carriers. */
	addr_parse("2001:db8::7", &d.remote);
	d.path_from = GRE_MTU_LINK;
	assert_mtu(c, &d, 1222,
		   "1300 - 40 IPv6 - 8 ESP - 8 IV - 16 ICV - 2 trailer - 4 GRE = 1222, too little "
		   "for IPv6 inside");
	assert_false(desire_ip6_fits(c, &d));
	d.path_mtu = 1400;
	assert_true(desire_ip6_fits(c, &d));
	d.path_mtu = 1300;
	c->n_addresses = c->n_routes = 0;
	assert_true(desire_ip6_fits(c, &d));
	d.remote = (struct addr){0};
	d.path_from = GRE_MTU_ROUTE;
	assert_mtu(c, &d, 1242,
		   "1300 (the route's) - 20 IPv4 - 8 ESP - 8 IV - 16 ICV - 2 trailer - 4 GRE");
	d.path_mtu = 80;
	d.path_from = GRE_MTU_LINK;
	assert_mtu(
		c, &d, 68,
		"80 - 20 IPv4 - 8 ESP - 8 IV - 16 ICV - 2 trailer - 4 GRE = 22, raised to 68: the "
		"least a link can have");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mtu_table),
		cmocka_unit_test(mtu_sums),
		cmocka_unit_test(mtu_without_knowledge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
