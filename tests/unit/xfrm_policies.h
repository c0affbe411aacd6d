/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies of all shapes, for the tests of xfrm/policy.c. */
#ifndef GWD_TESTS_UNIT_XFRM_POLICIES_H
#define GWD_TESTS_UNIT_XFRM_POLICIES_H

#include "tests/unit/netlink_test.h"
#include "xfrm/policy.h"

#define REQID (XFRM_REQID_BASE | 0x12abcd)

static inline struct addr addr_of(const char *text)
{
	struct addr a = {0};

	assert_true(addr_parse(text, &a));
	return a;
}

static inline struct xfrm_policy policy4(enum xfrm_dir dir)
{
	struct xfrm_policy p = {
		.dir = dir,
		.src = addr_of("198.51.100.1"),
		.dst = addr_of("203.0.113.7"),
		.tunnel = 4,
		.priority = XFRM_PRIORITY,
		.reqid = REQID,
		.required = true,
	};

	return p;
}

static inline struct xfrm_policy policy6(enum xfrm_dir dir)
{
	struct xfrm_policy p = policy4(dir);

	p.src = addr_of("2001:db8::1");
	p.dst = addr_of("2001:db8:7::7");
	return p;
}

static inline bool policy_vary(unsigned n, struct xfrm_policy *p)
{
	*p = n & 1 ? policy6(n & 2 ? XFRM_DIR_IN : XFRM_DIR_OUT)
		   : policy4(n & 2 ? XFRM_DIR_IN : XFRM_DIR_OUT);
	p->has_key = n & 4;
	p->key = n & 4 ? 0xc0ffee01 : 0;
	p->spi = n & 8 ? 0xc0de0001 : 0;
	return n < 16;
}

#endif
