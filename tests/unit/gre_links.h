/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links of all shapes, for the tests of gre/link.c. */
#ifndef GWD_TESTS_UNIT_GRE_LINKS_H
#define GWD_TESTS_UNIT_GRE_LINKS_H

#include "gre/link.h"
#include "tests/unit/netlink_test.h"

static inline struct addr addr_of(const char *text)
{
	struct addr a = {0};

	assert_true(addr_parse(text, &a));
	return a;
}

static inline struct gre_link link4(void)
{
	return (struct gre_link){
		.name = "branch1",
		.tunnel = 3,
		.group = GRE_GROUP,
		.is_gre = true,
		.local = addr_of("198.51.100.1"),
		.remote = addr_of("203.0.113.7"),
		.ttl = 64,
		.mtu = 1442,
		.multicast = true,
		.dormant_mode = true,
	};
}

static inline struct gre_link link6(void)
{
	struct gre_link l = link4();

	l.local = addr_of("2001:db8::1");
	l.remote = addr_of("2001:db8:7::7");
	l.mtu = 1422;
	return l;
}

/* The nth variation of a link; false behind the last. */
static inline bool link_vary(unsigned n, struct gre_link *l)
{
	*l = n & 1 ? link6() : link4();
	switch (n >> 1) {
	case 0:
		return true;
	case 1:
		l->has_key = true;
		l->key_in = 0xc0ffee01;
		l->key_out = 0xc0ffee02;
		return true;
	case 2:
		l->checksum = l->sequence = l->has_key = true; /* with key 0 */
		return true;
	case 3:
		l->ttl = 0;
		l->tos = 1;
		return true;
	case 4:
		l->tos = 0xb8;
		l->up = true;
		l->multicast = l->dormant_mode = false;
		return true;
	case 5:
		l->pmtudisc = !(n & 1);
		return true;
	case 6:
		l->ignore_df = !(n & 1);
		l->local = (struct addr){0};
		return true;
	default:
		return false;
	}
}

#endif
