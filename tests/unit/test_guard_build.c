/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's pure part but its reader: the commands guard/ruleset.c builds, and guard/state.c.
 */
#include "guard/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct guard_pair pair(const char *local, const char *remote, int64_t key)
{
	struct guard_pair p = {.has_key = key >= 0, .key = key >= 0 ? (uint32_t)key : 0};

	assert_true(addr_parse(local, &p.local));
	assert_true(addr_parse(remote, &p.remote));
	return p;
}

static void test_build_element(void **state)
{
	struct guard_pair p = pair("192.0.2.1", "192.0.2.2", 7);
	struct text t = {0};

	(void)state;
	guard_build_add(&t, &p);
	assert_string_equal(
		t.text, "add element inet gwd key4_out { 192.0.2.1 . 192.0.2.2 . 0x00000007 }\n"
			"add element inet gwd key4_in { 192.0.2.2 . 192.0.2.1 . 0x00000007 }\n");
	text_free(&t);
	t = (struct text){0};
	p = pair("2001:db8::1", "2001:db8::2", -1);
	guard_build_delete(&t, &p);
	assert_string_equal(t.text,
			    "add element inet gwd pair6_out { 2001:db8::1 . 2001:db8::2 }\n"
			    "add element inet gwd pair6_in { 2001:db8::2 . 2001:db8::1 }\n"
			    "delete element inet gwd pair6_out { 2001:db8::1 . 2001:db8::2 }\n"
			    "delete element inet gwd pair6_in { 2001:db8::2 . 2001:db8::1 }\n");
	text_free(&t);
}

static void test_build_invalid(void **state)
{
	struct guard_pair p = pair("192.0.2.1", "2001:db8::2", -1);
	struct guard_pair none = {0};
	struct text t = {0};

	(void)state;
	guard_build_add(&t, &p);
	assert_true(t.failed);
	text_free(&t);
	t = (struct text){0};
	guard_build_table(&t, &none, 1, NULL, 0);
	assert_true(t.failed);
	text_free(&t);
}

static void test_build_exempt(void **state)
{
	struct guard_exempt e = {.link = "branch7"}, bad = {.link = "a*"};
	struct guard_exempt plain = {.link = "b8", .from = GUARD_FROM_COVER};
	struct text t = {0};

	(void)state;
	guard_build_exempt(&t, &e);
	guard_build_unexempt(&t, &e);
	guard_build_exempt(&t, &plain);
	assert_string_equal(t.text, "add element inet gwd unclamped { \"branch7\" }\n"
				    "add element inet gwd unclamped { \"branch7\" }\n"
				    "delete element inet gwd unclamped { \"branch7\" }\n"
				    "add element inet gwd plain { \"b8\" }\n");
	guard_build_table(&t, NULL, 0, &bad, 1);
	assert_true(t.failed);
	text_free(&t);
}

/* What is noted is what a reading would give. */
static void test_note(void **state)
{
	const struct guard_exempt e[] = {{.link = "b"}, {.link = "a"}, {.link = "b"}, {.link = "c"}};
	struct guard_state s = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		guard_state_note_exempt(&s, &e[i], true);
	assert_int_equal(s.n_exempts, 3);
	guard_state_note_exempt(&s, &e[0], false);
	guard_state_note_exempt(&s, &e[0], false);
	assert_int_equal(s.n_exempts, 2);
	assert_string_equal(s.exempts[0].link, "a");
	assert_string_equal(s.exempts[1].link, "c");
	guard_state_done(&s);
}

static void test_pair_order(void **state)
{
	const struct guard_pair sorted[] = {
		pair("192.0.2.1", "192.0.2.2", -1),	    pair("192.0.2.1", "192.0.2.2", 0),
		pair("192.0.2.1", "192.0.2.2", 0xffffffff), pair("192.0.2.1", "192.0.2.3", -1),
		pair("192.0.2.2", "192.0.2.1", -1),	    pair("2001:db8::1", "2001:db8::2", -1),
	};
	const int n = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			int order = guard_pair_cmp(&sorted[i], &sorted[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void test_pair_format(void **state)
{
	const char *longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
	struct guard_pair p = pair(longest, longest, 0xffffffff);
	char buf[GUARD_PAIR_TEXT_SIZE];

	(void)state;
	assert_string_equal(guard_pair_format(&p, buf, sizeof(buf)),
			    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff -> "
			    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff key 4294967295");
	p = pair("192.0.2.1", "192.0.2.2", -1);
	assert_string_equal(guard_pair_format(&p, buf, sizeof(buf)), "192.0.2.1 -> 192.0.2.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_element), cmocka_unit_test(test_build_invalid),
		cmocka_unit_test(test_build_exempt),  cmocka_unit_test(test_note),
		cmocka_unit_test(test_pair_order),    cmocka_unit_test(test_pair_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
