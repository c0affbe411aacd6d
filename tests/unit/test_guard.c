/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's reader, guard/parse.c, on a recorded table, as it was, cut short, and tampered with in each way that must not pass for ours.
 */
#include "guard/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/guard_json.h"

static struct guard_pair pair(const char *local, const char *remote, int64_t key)
{
	struct guard_pair p = {.has_key = key >= 0, .key = key >= 0 ? (uint32_t)key : 0};

	assert_true(addr_parse(local, &p.local));
	assert_true(addr_parse(remote, &p.remote));
	return p;
}

static json_t *recorded(void)
{
	char text[sizeof(guard_json)];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = guard_json[i] == '\'' ? '"' : guard_json[i];
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	return root;
}

static bool parse(const json_t *root, struct guard_state *s)
{
	char *text = json_dumps(root, 0);
	bool good = guard_parse(text, s);

	free(text);
	return good;
}

/* The index in the list of the object of this kind whose key has this value. */
static size_t entry_find(const json_t *root, const char *kind, const char *key, const char *value)
{
	const json_t *entry;
	size_t index;

	json_array_foreach(json_object_get(root, "nftables"), index, entry)
	{
		const char *text = json_string_value(
			json_object_get(json_object_get(entry, kind), key));

		if (text && !strcmp(text, value))
			return index;
	}
	fail_msg("no %s with %s %s", kind, key, value);
	return 0;
}

static json_t *entry_at(const json_t *root, const char *kind, const char *key, const char *value)
{
	const json_t *list = json_object_get(root, "nftables");

	return json_object_get(json_array_get(list, entry_find(root, kind, key, value)), kind);
}

static void test_parse_recorded(void **state)
{
	const struct guard_pair want[] = {
		pair("192.0.2.1", "192.0.2.2", -1),
		pair("192.0.2.1", "192.0.2.3", 7),
		pair("192.0.2.1", "192.0.2.3", 0xfffffffe),
		pair("2001:db8::1", "2001:db8::2", -1),
		pair("2001:db8::1", "2001:db8::2", 0x01020304),
	};
	const size_t n = sizeof(want) / sizeof(want[0]);
	json_t *root = recorded();
	struct guard_state s;

	(void)state;
	assert_true(parse(root, &s));
	assert_true(s.present);
	assert_true(s.intact);
	assert_int_equal(s.uncovered, 12);
	assert_int_equal(s.strayed, 5);
	assert_int_equal(s.n_pairs, n);
	assert_int_equal(s.n_exempts, 3);
	assert_string_equal(s.exempts[0].link, "branch7");
	assert_int_equal(s.exempts[0].from, GUARD_FROM_CLAMP);
	assert_string_equal(s.exempts[1].link, "branch7");
	assert_int_equal(s.exempts[1].from, GUARD_FROM_COVER);
	assert_string_equal(s.exempts[2].link, "x.y-z");
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(guard_pair_cmp(&s.pairs[i], &want[i]), 0);
		assert_false(s.pairs[i].out_missing || s.pairs[i].in_missing);
		assert_int_equal(s.pairs[i].out_dropped, i == 0 ? 3 : 0);
		assert_int_equal(s.pairs[i].in_dropped, i == 2 ? 5000000000 : 0);
		assert_int_equal(s.pairs[i].tunnel, -1);
	}
	guard_state_done(&s);
	json_decref(root);
}

/* Every proper beginning of the text, and texts that are JSON but no list of ours. */
static void test_parse_not_understood(void **state)
{
	static const char *const texts[] = {"", "[]", "{}", "{\"nftables\": {}}",
					    "{\"nftables\": 1}"};
	json_t *root = recorded();
	char *text = json_dumps(root, 0);
	struct guard_state s;

	(void)state;
	for (size_t len = strlen(text); len-- > 0;) {
		text[len] = '\0';
		assert_false(guard_parse(text, &s));
		assert_null(s.pairs);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(guard_parse(texts[i], &s));
	free(text);
	json_decref(root);
}

static void test_parse_absent(void **state)
{
	struct guard_state s;

	(void)state;
	assert_true(guard_parse("{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\"}}]}", &s));
	assert_false(s.present || s.intact);
	/* Another family's table, and another name. */
	assert_true(
		guard_parse("{\"nftables\": [{\"table\": {\"family\": \"ip\", \"name\": \"gwd\"}},"
			    "{\"table\": {\"family\": \"inet\", \"name\": \"gwd2\"}}]}",
			    &s));
	assert_false(s.present || s.intact);
}

/* A table of somebody else in the same list changes nothing. */
static void test_parse_other_table(void **state)
{
	json_t *root = recorded();
	struct guard_state s;

	(void)state;
	json_array_append_new(json_object_get(root, "nftables"),
			      json_pack("{s:{s:s,s:s,s:s}}", "chain", "family", "ip", "table",
					"gwd", "name", "c"));
	assert_true(parse(root, &s));
	assert_true(s.intact);
	guard_state_done(&s);
	json_decref(root);
}

static void tamper_remove_rule(json_t *root)
{
	json_array_remove(json_object_get(root, "nftables"),
			  entry_find(root, "rule", "comment", "gwd 3 in4"));
}

static void tamper_remove_last_rule(json_t *root)
{
	json_array_remove(json_object_get(root, "nftables"),
			  entry_find(root, "rule", "comment", "gwd 3 in6 short"));
}

static void tamper_foreign_rule(json_t *root)
{
	json_array_append_new(json_object_get(root, "nftables"),
			      json_pack("{s:{s:s,s:s,s:s,s:[{s:n}]}}", "rule", "family", "inet",
					"table", "gwd", "chain", "out", "expr", "accept"));
}

static void tamper_repeat_rule(json_t *root)
{
	json_t *list = json_object_get(root, "nftables");
	size_t index = entry_find(root, "rule", "comment", "gwd 3 out clear");

	json_array_insert(list, index, json_array_get(list, index));
}

static void tamper_swap_rules(json_t *root)
{
	json_t *list = json_object_get(root, "nftables");
	size_t index = entry_find(root, "rule", "comment", "gwd 3 in clear");
	json_t *rule = json_incref(json_array_get(list, index));

	json_array_remove(list, index);
	json_array_insert_new(list, index + 1, rule);
}

static void tamper_old_version(json_t *root)
{
	json_object_set_new(entry_at(root, "rule", "comment", "gwd 3 out4"), "comment",
			    json_string("gwd 1 out4"));
}

static void tamper_no_comment(json_t *root)
{
	json_object_del(entry_at(root, "rule", "comment", "gwd 3 out4"), "comment");
}

static void tamper_verdict(json_t *root)
{
	json_t *list = json_object_get(entry_at(root, "rule", "comment", "gwd 3 out4"), "expr");

	json_array_set_new(list, json_array_size(list) - 1, json_pack("{s:n}", "accept"));
}

static void tamper_jump(json_t *root)
{
	json_t *list = json_object_get(entry_at(root, "rule", "comment", "gwd 3 in clear"), "expr");
	json_t *verdict = json_array_get(list, json_array_size(list) - 1);

	json_object_set_new(json_object_get(verdict, "jump"), "target", json_string("clear_out"));
}

static void tamper_lookup(json_t *root)
{
	json_t *list = json_object_get(entry_at(root, "rule", "comment", "gwd 3 out4"), "expr");

	json_object_set_new(json_object_get(json_array_get(list, 0), "match"), "right",
			    json_string("@pair4_in"));
}

static void tamper_priority(json_t *root)
{
	json_object_set_new(entry_at(root, "chain", "name", "out"), "prio", json_integer(-150));
}

static void tamper_policy(json_t *root)
{
	json_object_set_new(entry_at(root, "chain", "name", "in"), "policy", json_string("drop"));
}

static void tamper_hook(json_t *root)
{
	json_object_set_new(entry_at(root, "chain", "name", "out"), "hook", json_string("forward"));
}

static void tamper_type(json_t *root)
{
	json_object_set_new(entry_at(root, "chain", "name", "out"), "type", json_string("route"));
}

static void tamper_base_chain(json_t *root)
{
	json_object_set_new(entry_at(root, "chain", "name", "clear_in"), "hook",
			    json_string("input"));
}

static void tamper_remove_chain(json_t *root)
{
	json_array_remove(json_object_get(root, "nftables"),
			  entry_find(root, "chain", "name", "in"));
}

static void tamper_foreign_chain(json_t *root)
{
	json_array_append_new(json_object_get(root, "nftables"),
			      json_pack("{s:{s:s,s:s,s:s}}", "chain", "family", "inet", "table",
					"gwd", "name", "mine"));
}

static void tamper_foreign_object(json_t *root)
{
	json_array_append_new(json_object_get(root, "nftables"),
			      json_pack("{s:{s:s,s:s,s:s}}", "flowtable", "family", "inet", "table",
					"gwd", "name", "mine"));
}

static void tamper_foreign_set(json_t *root)
{
	json_array_append_new(json_object_get(root, "nftables"),
			      json_pack("{s:{s:s,s:s,s:s,s:s}}", "set", "family", "inet", "table",
					"gwd", "name", "mine", "type", "mark"));
}

static void tamper_remove_set(json_t *root)
{
	json_array_remove(json_object_get(root, "nftables"),
			  entry_find(root, "set", "name", "key6_in"));
}

static void tamper_set_type(json_t *root)
{
	json_t *set = entry_at(root, "set", "name", "pair4_in");

	json_object_del(set, "elem");
	json_array_set_new(json_object_get(set, "type"), 0, json_string("mark"));
}

static void tamper_set_flags(json_t *root)
{
	json_object_set_new(entry_at(root, "set", "name", "pair4_in"), "flags",
			    json_pack("[s]", "timeout"));
}

static json_t *first_element(json_t *root)
{
	json_t *list = json_object_get(entry_at(root, "set", "name", "pair4_in"), "elem");

	return json_object_get(json_array_get(list, 0), "elem");
}

static void tamper_timeout(json_t *root)
{
	json_object_set_new(first_element(root), "timeout", json_integer(60));
}

static void tamper_counter(json_t *root)
{
	json_object_del(first_element(root), "counter");
}

static void tamper_clamp_verdict(json_t *root)
{
	json_t *list = json_object_get(entry_at(root, "rule", "comment", "gwd 3 clamp"), "expr");

	json_array_set_new(list, 0, json_pack("{s:n}", "accept"));
}

static void tamper_clamp_lookup(json_t *root)
{
	json_t *list = json_object_get(entry_at(root, "rule", "comment", "gwd 3 mss out"), "expr");

	json_array_remove(list, 2);
}

static void tamper_remove_exempt_set(json_t *root)
{
	json_array_remove(json_object_get(root, "nftables"),
			  entry_find(root, "set", "name", "unclamped"));
}

static void tamper_remove_plain_set(json_t *root)
{
	json_array_remove(json_object_get(root, "nftables"),
			  entry_find(root, "set", "name", "plain"));
}

static void tamper_passenger_lookup(json_t *root)
{
	json_t *list = json_object_get(entry_at(root, "rule", "comment", "gwd 3 late passenger"),
				       "expr");

	json_array_remove(list, 1);
}

static void tamper_exempt_type(json_t *root)
{
	json_object_set_new(entry_at(root, "set", "name", "unclamped"), "type",
			    json_string("mark"));
}

static void tamper_exempt_element(json_t *root)
{
	json_object_set_new(entry_at(root, "set", "name", "unclamped"), "elem",
			    json_pack("[s]", "a name that is too long"));
}

static void tamper_dormant(json_t *root)
{
	json_object_set_new(entry_at(root, "table", "name", "gwd"), "flags",
			    json_string("dormant"));
}

static void test_parse_tampered(void **state)
{
	static void (*const tampers[])(json_t *) = {
		tamper_remove_rule,
		tamper_remove_last_rule,
		tamper_foreign_rule,
		tamper_repeat_rule,
		tamper_swap_rules,
		tamper_old_version,
		tamper_no_comment,
		tamper_verdict,
		tamper_jump,
		tamper_lookup,
		tamper_priority,
		tamper_policy,
		tamper_hook,
		tamper_type,
		tamper_base_chain,
		tamper_remove_chain,
		tamper_foreign_chain,
		tamper_foreign_object,
		tamper_foreign_set,
		tamper_remove_set,
		tamper_set_type,
		tamper_set_flags,
		tamper_timeout,
		tamper_counter,
		tamper_dormant,
		tamper_clamp_verdict,
		tamper_clamp_lookup,
		tamper_remove_exempt_set,
		tamper_exempt_type,
		tamper_exempt_element,
		tamper_remove_plain_set,
		tamper_passenger_lookup,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tampers) / sizeof(tampers[0]); i++) {
		json_t *root = recorded();
		struct guard_state s;

		tampers[i](root);
		assert_true(parse(root, &s));
		assert_true(s.present);
		if (s.intact)
			fail_msg("tampering %zu was taken for intact", i);
		guard_state_done(&s);
		json_decref(root);
	}
}

static void one_direction(const char *set, bool out_missing, bool in_missing)
{
	json_t *root = recorded();
	struct guard_state s;

	json_object_del(entry_at(root, "set", "name", set), "elem");
	assert_true(parse(root, &s));
	assert_true(s.intact);
	assert_int_equal(s.n_pairs, 5);
	assert_int_equal(s.pairs[0].out_missing, out_missing);
	assert_int_equal(s.pairs[0].in_missing, in_missing);
	assert_false(s.pairs[1].out_missing || s.pairs[1].in_missing);
	guard_state_done(&s);
	json_decref(root);
}

static void test_parse_one_direction(void **state)
{
	(void)state;
	one_direction("pair4_out", true, false);
	one_direction("pair4_in", false, true);
}

static void test_parse_bad_element(void **state)
{
	static const char *const values[] = {
		"{}",
		"{\"concat\": []}",
		"{\"concat\": [\"192.0.2.2\"]}",
		"{\"concat\": [\"192.0.2.2\", 7]}",
		"{\"concat\": [\"192.0.2.2\", \"host\"]}",
		"{\"concat\": [\"2001:db8::1\", \"2001:db8::2\"]}",
		"{\"concat\": [\"192.0.2.2\", \"192.0.2.1\", 7]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		json_t *root = recorded();
		struct guard_state s;

		json_object_set_new(first_element(root), "val", json_loads(values[i], 0, NULL));
		assert_false(parse(root, &s));
		assert_null(s.pairs);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_recorded),
		cmocka_unit_test(test_parse_not_understood),
		cmocka_unit_test(test_parse_absent),
		cmocka_unit_test(test_parse_other_table),
		cmocka_unit_test(test_parse_tampered),
		cmocka_unit_test(test_parse_one_direction),
		cmocka_unit_test(test_parse_bad_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
