/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of pairs for lib/addr.c: text to value to text, and the relations between prefixes. */
#include "lib/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void test_addr_text(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} pairs[] = {
		{"198.51.100.1", "198.51.100.1"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"::", "::"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
		{"", NULL},
		{"198.51.100", NULL},
		{"198.51.100.1.", NULL},
		{"198.51.100.256", NULL},
		{"0198.51.100.1", NULL},
		{" 198.51.100.1", NULL},
		{"198.51.100.1 ", NULL},
		{"198.51.100.1/32", NULL},
		{"fe80::1%eth0", NULL},
		{"2001:db8:::1", NULL},
		{"12345::1", NULL},
		{"branch.example.net", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct addr a = {.family = 99};
		char buf[ADDR_TEXT_SIZE];
		bool good = addr_parse(pairs[i].in, &a);
		assert_int_equal(good, pairs[i].out != NULL);
		if (good)
			assert_string_equal(addr_format(&a, buf), pairs[i].out);
		else
			assert_int_equal(a.family, 99);
	}
}

static void test_addr_bytes(void **state)
{
	const uint8_t bytes[16] = {192, 0, 2, 1, 0xff};
	char buf[ADDR_TEXT_SIZE];
	struct addr four = addr_from_bytes(AF_INET, bytes);
	struct addr six = addr_from_bytes(AF_INET6, bytes);
	struct addr none = addr_from_bytes(AF_UNSPEC, bytes);

	(void)state;
	assert_string_equal(addr_format(&four, buf), "192.0.2.1");
	assert_int_equal(four.bytes[4], 0);
	assert_string_equal(addr_format(&six, buf), "c000:201:ff00::");
	assert_string_equal(addr_format(&none, buf), "none");
	assert_int_equal(none.bytes[0], 0);
	assert_int_equal(addr_size(AF_INET), 4);
	assert_int_equal(addr_size(AF_INET6), 16);
	assert_int_equal(addr_size(AF_UNSPEC), 0);
}

static void test_addr_order(void **state)
{
	static const char *const ascending[] = {"0.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.0.1",
						"::",	   "::1",	    "fe80::1"};

	(void)state;
	for (size_t i = 0; i < COUNT(ascending); i++) {
		for (size_t j = 0; j < COUNT(ascending); j++) {
			struct addr a, b;
			assert_true(addr_parse(ascending[i], &a) && addr_parse(ascending[j], &b));
			int order = addr_cmp(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(addr_equal(&a, &b), i == j);
		}
	}
}

static void test_prefix_text(void **state)
{
	static const struct {
		const char *in, *out, *network;
	} pairs[] = {
		{"10.255.0.1/30", "10.255.0.1/30", "10.255.0.0/30"},
		{"10.255.0.1", "10.255.0.1/32", "10.255.0.1/32"},
		{"192.0.2.255/0", "192.0.2.255/0", "0.0.0.0/0"},
		{"192.0.2.255/25", "192.0.2.255/25", "192.0.2.128/25"},
		{"192.0.2.255/24", "192.0.2.255/24", "192.0.2.0/24"},
		{"2001:db8::ff/121", "2001:db8::ff/121", "2001:db8::80/121"},
		{"2001:db8::1", "2001:db8::1/128", "2001:db8::1/128"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
		{"10.0.0.0/33", NULL, NULL},
		{"::/129", NULL, NULL},
		{"10.0.0.0/", NULL, NULL},
		{"10.0.0.0/-1", NULL, NULL},
		{"10.0.0.0/+8", NULL, NULL},
		{"10.0.0.0/08", NULL, NULL},
		{"10.0.0.0/8 ", NULL, NULL},
		{"10.0.0.0/8/8", NULL, NULL},
		{"10.0.0.0/4294967304", NULL, NULL},
		{"10.0.0.0/255.0.0.0", NULL, NULL},
		{"/8", NULL, NULL},
		{"", NULL, NULL},
		{"1111111111111111111111111111111111111111111111111/8", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct prefix p = {.len = 200};
		char buf[PREFIX_TEXT_SIZE];
		bool good = prefix_parse(pairs[i].in, &p);
		assert_int_equal(good, pairs[i].out != NULL);
		if (!good) {
			assert_int_equal(p.len, 200);
			continue;
		}
		assert_string_equal(prefix_format(&p, buf), pairs[i].out);
		p = prefix_network(&p);
		assert_string_equal(prefix_format(&p, buf), pairs[i].network);
	}
}

static void test_prefix_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} pairs[] = {
		{"10.255.0.1/30", "10.255.0.2/30", true},
		{"10.255.0.1/30", "10.255.0.5/30", false},
		{"10.0.0.0/8", "10.255.0.5/32", true},
		{"0.0.0.0/0", "192.0.2.1/32", true},
		{"0.0.0.0/0", "::/0", false},
		{"2001:db8::/32", "2001:db8:ffff::1/64", true},
		{"2001:db8::/33", "2001:db8:8000::/33", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct prefix a, b;
		assert_true(prefix_parse(pairs[i].a, &a) && prefix_parse(pairs[i].b, &b));
		assert_int_equal(prefix_overlap(&a, &b), pairs[i].overlap);
		assert_int_equal(prefix_overlap(&b, &a), pairs[i].overlap);
	}
}

static void test_prefix_relations(void **state)
{
	struct prefix wide, narrow, six;
	struct addr inside, outside, none = {0};

	(void)state;
	assert_true(prefix_parse("10.0.0.0/8", &wide) && prefix_parse("10.0.0.0/9", &narrow));
	assert_true(prefix_parse("::/0", &six));
	assert_true(addr_parse("10.200.0.1", &inside) && addr_parse("11.0.0.0", &outside));
	assert_true(prefix_contains(&wide, &inside));
	assert_false(prefix_contains(&narrow, &inside));
	assert_false(prefix_contains(&wide, &outside));
	assert_false(prefix_contains(&six, &inside));
	assert_false(prefix_contains(&(struct prefix){0}, &none));
	assert_true(prefix_cmp(&wide, &narrow) < 0 && prefix_cmp(&narrow, &wide) > 0);
	assert_int_equal(prefix_cmp(&wide, &wide), 0);
	assert_true(prefix_cmp(&wide, &six) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_text),      cmocka_unit_test(test_addr_bytes),
		cmocka_unit_test(test_addr_order),     cmocka_unit_test(test_prefix_text),
		cmocka_unit_test(test_prefix_overlap), cmocka_unit_test(test_prefix_relations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
