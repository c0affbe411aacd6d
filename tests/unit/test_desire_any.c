/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/desire.c: peers that call (remote: any), and ESP in UDP. */
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

/* Who calls: its connection is there before it has, and the same after. */
static void callers(void **unused)
{
	struct two t;
	unsigned char digest[SECRET_DIGEST_SIZE];

	(void)unused;
	two_make(&t);
	t.tunnels[0].remote = (struct conf_remote){.kind = CONF_REMOTE_ANY};
	t.known[0].remote = t.known[0].local = (struct addr){0};
	struct objects o = make(&t);
	assert_int_equal(o.conns.len, 2);
	assert_int_equal(o.conns.at[0].conn.local.family, AF_UNSPEC);
	assert_int_equal(o.conns.at[0].conn.remote.family, AF_UNSPEC);
	memcpy(digest, o.conns.at[0].digest, sizeof(digest));
	assert_true(o.guard);
	assert_int_equal(o.pairs.len, 1);
	assert_int_equal(o.policies.len, 2);
	assert_int_equal(o.links.len, 1);
	objects_done(&o);
	addr_parse("192.0.2.9", &t.known[0].remote);
	addr_parse("198.51.100.1", &t.known[0].local);
	o = make(&t);
	assert_memory_equal(o.conns.at[0].digest, digest, sizeof(digest));
	assert_int_equal(o.pairs.len, 2);
	assert_addr(&o.pairs.at[0].remote, "192.0.2.9");
	assert_int_equal(o.policies.len, 4);
	assert_addr(&o.links.at[0].remote, "192.0.2.9");
	objects_done(&o);
}

static void encapsulation(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	uint32_t without = desire_mtu(&t.tunnels[0], &t.known[0], NULL);
	t.tunnels[0].ike_encap = true;
	struct objects o = make(&t);
	assert_true(o.conns.at[0].conn.encap);
	assert_false(o.conns.at[1].conn.encap);
	objects_done(&o);
	assert_int_equal(desire_mtu(&t.tunnels[0], &t.known[0], NULL), without - 8);
	/* What was negotiated counts. */
	t.known[0].overhead_known = true;
	t.known[0].iv = 8;
	t.known[0].icv = 16;
	t.known[0].block = 4;
	t.known[0].encap = true;
	t.tunnels[0].ike_encap = false;
	assert_int_equal(desire_mtu(&t.tunnels[0], &t.known[0], NULL), 1434);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers),
		cmocka_unit_test(encapsulation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
