/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/name.c: which of a name's addresses, when to ask again, /etc/hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/name.h"

static struct addr addr(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static void chosen(const struct addr *got, const char *want)
{
	char text[ADDR_TEXT_SIZE];

	if (!want)
		assert_null(got);
	else
		assert_string_equal(got ? addr_format(got, text) : "nothing", want);
}

static void the_one_in_use_is_kept(void **unused)
{
	const struct name_candidate list[] = {{addr("203.0.113.7"), true},
					      {addr("203.0.113.8"), true},
					      {addr("203.0.113.9"), false}};
	const struct addr none = {0}, third = addr("203.0.113.9"), other = addr("203.0.113.66");

	(void)unused;
	chosen(name_choose(list, 3, &none, false), "203.0.113.7");
	chosen(name_choose(list, 3, &list[1].addr, false), "203.0.113.8");
	/* a route that is away for a moment moves nothing */
	chosen(name_choose(list, 3, &third, false), "203.0.113.9");
	chosen(name_choose(list, 3, &other, false), "203.0.113.7");
	chosen(name_choose(list, 0, &other, false), NULL);
	chosen(name_choose(list, 0, &none, true), NULL);
}

static void the_next_one_in_a_circle(void **unused)
{
	const struct name_candidate list[] = {{addr("2001:db8::7"), false},
					      {addr("203.0.113.7"), true},
					      {addr("203.0.113.8"), true},
					      {addr("203.0.113.9"), false}};
	const struct addr other = addr("203.0.113.66");

	(void)unused;
	chosen(name_choose(list, 4, &list[1].addr, true), "203.0.113.8");
	chosen(name_choose(list, 4, &list[2].addr, true), "203.0.113.7");
	chosen(name_choose(list, 4, &list[0].addr, true), "203.0.113.7");
	chosen(name_choose(list, 4, &other, true), "203.0.113.7");
	chosen(name_choose(&list[1], 1, &list[1].addr, true), NULL);
}

static void reachable_ones_come_first(void **unused)
{
	const struct name_candidate list[] = {{addr("2001:db8::7"), false},
					      {addr("203.0.113.7"), true}};
	const struct addr none = {0};

	(void)unused;
	chosen(name_choose(list, 2, &none, false), "203.0.113.7");
	chosen(name_choose(list, 1, &none, false), "2001:db8::7");
}

static struct name_answer found4(const char *text, enum name_result ipv6)
{
	struct name_answer a = {.ipv6 = ipv6, .ipv4 = NAME_FOUND, .ttl_s = 300};
	struct addr one = addr(text);

	name_addrs_add(&a.of4, &one);
	return a;
}

static void what_was_found_stays_until_better_is_known(void **unused)
{
	struct name n = {0};
	struct name_answer both = found4("203.0.113.7", NAME_FOUND);
	struct name_answer failed = {.ipv6 = NAME_FAILED, .ipv4 = NAME_NONE, .error = "e"};
	struct name_answer half = found4("203.0.113.8", NAME_FAILED);
	struct name_answer only4 = found4("203.0.113.8", NAME_NONE);
	struct addr six = addr("2001:db8::7");

	(void)unused;
	name_addrs_add(&both.of6, &six);
	assert_true(name_take(&n, &both, 1000));
	assert_false(name_take(&n, &failed, 1010));
	assert_false(name_take(&n, &failed, 1020));
	assert_int_equal(n.failed_since, 1010);
	assert_int_equal(n.failures, 2);
	assert_string_equal(n.error, "e");
	assert_int_equal(n.of6.n + n.of4.n, 2);
	assert_true(name_take(&n, &half, 1030));
	assert_string_equal(n.error, "");
	assert_int_equal(n.of6.n, 1);
	chosen(&n.of4.at[0], "203.0.113.8");
	assert_true(name_take(&n, &only4, 1040));
	assert_int_equal(n.of6.n, 0);
}

static void again_within_bounds(void **unused)
{
	static const struct {
		unsigned failures;
		uint32_t ttl_s, least_ms;
	} rows[] = {{0, 0, 30000}, {0, 300, 300000},	   {0, UINT32_MAX, 3600000},
		    {1, 0, 5000},  {2, 0, 10000},	   {4, 0, 40000},
		    {5, 0, 60000}, {4000000000u, 9, 60000}};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct name n = {.failures = rows[i].failures};
		uint64_t least = rows[i].least_ms;

		assert_int_equal(name_again_ms(&n, rows[i].ttl_s, 0), least);
		for (uint32_t random = 1; random < 4000000000u; random += 123456789)
			assert_in_range(name_again_ms(&n, rows[i].ttl_s, random), least,
					least + least / 8);
	}
}

static void hints_do_not_flood(void **unused)
{
	struct name n = {.asked_at = 100000, .ask_at = 400000};

	(void)unused;
	assert_int_equal(name_hinted_at(&n, 101000, 0), 110000);
	assert_in_range(name_hinted_at(&n, 200000, 999), 200000, 200999);
	assert_int_equal(name_hinted_at(&n, 500000, 7), 400000);
	n = (struct name){0};
	assert_int_equal(name_hinted_at(&n, 5, 0), 5);
}

static void hosts(void **unused)
{
	static const char text[] = "127.0.0.1 localhost\n"
				   "# 203.0.113.1 hub.example.net\n"
				   "203.0.113.7\tother  HUB.example.net. # hub2.example.net\n"
				   "\n"
				   "not-an-address hub.example.net\n"
				   "2001:db8::7 hub.example.net\r\n"
				   "203.0.113.7 hub.example.net\n"
				   "0.0.0.0 hub.example.net\n"
				   "fe80::1 hub.example.net\n"
				   "203.0.113.8 hub.example.net";
	struct name_answer a = {0}, loopback = {0},
			   none = {.ipv6 = NAME_NOT_ASKED, .ipv4 = NAME_FAILED, .ttl_s = 77};

	(void)unused;
	assert_true(name_hosts_find(text, "hub.example.net", &a));
	assert_int_equal(a.ipv6, NAME_FOUND);
	assert_int_equal(a.ipv4, NAME_FOUND);
	assert_int_equal(a.of6.n, 1);
	assert_int_equal(a.of4.n, 2);
	chosen(&a.of4.at[0], "203.0.113.7");
	chosen(&a.of4.at[1], "203.0.113.8");
	assert_false(name_hosts_find(text, "hub2.example.net", &none));
	assert_false(name_hosts_find(text, "hub", &none));
	assert_false(name_hosts_find("", "hub", &none));
	assert_false(name_hosts_find(text, "localhost", &loopback));
	assert_int_equal(none.ipv6, NAME_NOT_ASKED);
	assert_int_equal(none.ipv4, NAME_FAILED);
	assert_int_equal(none.ttl_s, 77);
}

static void long_hosts_lines_are_passed_over(void **unused)
{
	char text[4096];
	struct name_answer a = {0};

	(void)unused;
	memset(text, 'x', sizeof(text));
	memcpy(text, "203.0.113.9 hub ", 16);
	strcpy(text + 3000, "\n203.0.113.7 hub");
	assert_true(name_hosts_find(text, "hub.", &a));
	assert_int_equal(a.of4.n, 1);
	chosen(&a.of4.at[0], "203.0.113.7");
}

static void at_most_so_many_addresses(void **unused)
{
	struct name_addrs of = {0};
	struct addr a = addr("203.0.113.0");

	(void)unused;
	for (int i = 1; i < 20; i++) {
		a.bytes[3] = (uint8_t)i;
		name_addrs_add(&of, &a);
	}
	assert_int_equal(of.n, NAME_ADDRS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_in_use_is_kept),
		cmocka_unit_test(the_next_one_in_a_circle),
		cmocka_unit_test(reachable_ones_come_first),
		cmocka_unit_test(what_was_found_stays_until_better_is_known),
		cmocka_unit_test(again_within_bounds),
		cmocka_unit_test(hints_do_not_flood),
		cmocka_unit_test(hosts),
		cmocka_unit_test(long_hosts_lines_are_passed_over),
		cmocka_unit_test(at_most_so_many_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
