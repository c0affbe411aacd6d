/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a configuration while memory runs out, at each allocation in turn, libfyaml's too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/alloc_fail.h"

#include "conf/conf.h"
#include "conf/equal.h"
#include "lib/owner.h"
#include "tests/unit/conf_rich.h"

static struct rich rich;
static struct conf *whole;

static bool same(const struct conf *a, const struct conf *b)
{
	if (a->n_tunnels != b->n_tunnels || !conf_gateway_equal(a, b))
		return false;
	for (size_t i = 0; i < a->n_tunnels; i++)
		if (!conf_tunnel_equal(&a->tunnels[i], &b->tunnels[i]))
			return false;
	return true;
}

/* The whole configuration, or none and a word on why. */
static bool attempt(void *user, unsigned long n, enum alloc_mode mode)
{
	struct conf_report report = {0};
	struct conf *conf;
	bool hit;

	alloc_start(n, mode);
	conf = conf_load(user, &report);
	hit = alloc_stop();
	if (conf) {
		assert_int_equal(report.errors, 0);
		assert_true(!whole || same(conf, whole));
	} else {
		assert_true(report.errors > 0);
		if (!hit)
			fail_msg("%s", report.text);
		if (report.text && !strstr(report.text, "memory"))
			fail_msg("allocation %lu: %s", n, report.text);
	}
	conf_report_done(&report);
	if (whole)
		conf_free(conf);
	else
		whole = conf;
	return hit;
}

static void test_load(void **state)
{
	(void)state;
	whole = NULL;
	attempt(rich.conf, 0, ALLOC_ONE);
	assert_non_null(whole);
	assert_true(alloc_each(attempt, rich.conf) > 300);
	conf_free(whole);
}

static const char faulty[] = "gateway: {id: hq.example.net, lokal: wan0}\n"
			     "tunnels:\n"
			     "  b1:\n"
			     "    remote: 203.0.113.700\n"
			     "    peer: {id: b1.example.net, public-key: " RICH_PEER2 "=}\n"
			     "    addresses: [10.255.0.1/30, 10.255.0.1/30]\n"
			     "    mtu: 1\n";
static unsigned said;

/* All of what is wrong is said, but for a hint, or that memory ran out. */
static bool attempt_faulty(void *user, unsigned long n, enum alloc_mode mode)
{
	struct conf_report report = {0};
	bool hit;

	alloc_start(n, mode);
	assert_null(conf_load_text("test.yaml", user, strlen(user), &report));
	hit = alloc_stop();
	assert_true(report.errors > 0);
	if (!n)
		said = report.errors;
	else if (report.text && !strstr(report.text, "memory"))
		assert_int_equal(report.errors, said);
	conf_report_done(&report);
	return hit;
}

static void test_faulty(void **state)
{
	(void)state;
	assert_true(alloc_each(attempt_faulty, (void *)faulty) > 50);
}

static int setup(void **state)
{
	(void)state;
	owner_init(); /* what the C library keeps of its first look at the users is not ours */
	return rich_make(&rich) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	rich_remove(&rich);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_faulty),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
