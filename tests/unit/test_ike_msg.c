/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ike/msg.c: building, reading, what is well formed, limits, digests. */
#include "ike/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct ike_msg *sample(void)
{
	struct ike_msg *m = ike_msg_new("list-sa");

	ike_msg_value(m, "up", "yes");
	ike_msg_section(m, "a");
	ike_msg_value(m, "key", "%d", 7);
	ike_msg_section(m, "inner");
	ike_msg_value(m, "deep", "x");
	ike_msg_section_end(m);
	ike_msg_list_one(m, "list", "one");
	ike_msg_section_end(m);
	ike_msg_section(m, "b");
	ike_msg_section_end(m);
	return m;
}

static void test_items(void **state)
{
	struct ike_msg *m = sample();

	(void)state;
	assert_string_equal(ike_msg_name(m), "list-sa");
	assert_true(ike_msg_valid(m));
	assert_false(ike_msg_failed(m));
	assert_int_equal(ike_msg_len(m), 12);
	assert_int_equal(ike_msg_at(m, 2)->type, IKE_ITEM_VALUE);
	assert_string_equal(ike_msg_at(m, 2)->name, "key");
	assert_string_equal(ike_msg_at(m, 2)->value, "7");
	assert_int_equal(ike_msg_at(m, 2)->size, 1);
	assert_null(ike_msg_at(m, 12));
	/* 2 + 7 name; up 1+3+2+3; a 1+2; key 1+4+2+1; inner 1+6; deep 1+5+2+1; 1; list 1+5,
	 * 1+2+3, 1; 1; b 1+2; 1 */
	assert_int_equal(ike_msg_size(m), 9 + 9 + 3 + 8 + 7 + 9 + 1 + 6 + 6 + 1 + 1 + 3 + 1);
	ike_msg_free(m);
	ike_msg_free(NULL);
}

static void test_find(void **state)
{
	struct ike_msg *m = sample();
	size_t pos = 0, from, end;
	const char *name;

	(void)state;
	assert_string_equal(ike_msg_get(m, "up"), "yes");
	assert_null(ike_msg_get(m, "key"));
	assert_true(ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end));
	assert_string_equal(name, "a");
	assert_string_equal(ike_msg_find(m, from, end, "key"), "7");
	assert_null(ike_msg_find(m, from, end, "deep"));
	assert_null(ike_msg_find(m, from, end, "one"));
	size_t in_pos = from, in_from, in_end;
	assert_true(ike_msg_next_section(m, &in_pos, end, &name, &in_from, &in_end));
	assert_string_equal(name, "inner");
	assert_string_equal(ike_msg_find(m, in_from, in_end, "deep"), "x");
	assert_false(ike_msg_next_section(m, &in_pos, end, &name, &in_from, &in_end));
	assert_true(ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end));
	assert_string_equal(name, "b");
	assert_int_equal(from, end);
	assert_false(ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end));
	assert_false(ike_msg_next_section(m, &pos, SIZE_MAX, &name, &from, &end));
	ike_msg_free(m);
}

static void test_not_text(void **state)
{
	struct ike_msg *m = ike_msg_new("");

	(void)state;
	ike_msg_bytes(m, "key", "a\0b", 3);
	ike_msg_bytes(m, "empty", NULL, 0);
	assert_null(ike_msg_get(m, "key"));
	assert_string_equal(ike_msg_get(m, "empty"), "");
	ike_msg_free(m);
}

static void test_sections_that_do_not_close(void **state)
{
	struct ike_msg *m = ike_msg_new("");
	size_t pos = 0, from, end;
	const char *name;

	(void)state;
	ike_msg_section(m, "open");
	ike_msg_value(m, "key", "v");
	assert_false(ike_msg_valid(m));
	assert_false(ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end));
	assert_null(ike_msg_get(m, "key"));
	ike_msg_free(m);

	m = ike_msg_new("");
	ike_msg_section_end(m);
	assert_false(ike_msg_valid(m));
	ike_msg_section(m, "late");
	assert_false(ike_msg_valid(m));
	ike_msg_free(m);
}

static void test_lists_hold_values_alone(void **state)
{
	struct ike_msg *m = ike_msg_new("");

	(void)state;
	ike_msg_list(m, "list");
	assert_false(ike_msg_valid(m));
	ike_msg_list_end(m);
	assert_true(ike_msg_valid(m));
	ike_msg_list_value(m, "outside");
	assert_false(ike_msg_valid(m));
	ike_msg_free(m);

	m = ike_msg_new("");
	ike_msg_list(m, "list");
	ike_msg_value(m, "key", "inside");
	ike_msg_list_end(m);
	assert_false(ike_msg_valid(m));
	ike_msg_free(m);
}

static void test_names_are_there(void **state)
{
	struct ike_msg *m = ike_msg_new("");

	(void)state;
	ike_msg_bytes(m, NULL, "v", 1);
	assert_false(ike_msg_valid(m));
	assert_null(ike_msg_get(m, "key"));
	ike_msg_free(m);

	m = ike_msg_new("");
	ike_msg_value(m, "", "v");
	assert_false(ike_msg_valid(m));
	ike_msg_free(m);
}

static void test_deep_nesting(void **state)
{
	struct ike_msg *m = ike_msg_new("");
	size_t pos = 0, from, end;
	const char *name;

	(void)state;
	for (int i = 0; i < 100000; i++)
		ike_msg_section(m, "s");
	for (int i = 0; i < 100000; i++)
		ike_msg_section_end(m);
	assert_false(ike_msg_valid(m));
	assert_true(ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end));
	assert_int_equal(end, 199999);
	ike_msg_free(m);
}

static void test_limits(void **state)
{
	char name[257];
	char *value = calloc(1, 65537);
	struct ike_msg *m = ike_msg_new("");

	(void)state;
	memset(name, 'n', 256);
	name[256] = '\0';
	memset(value, 'v', 65536);
	assert_null(ike_msg_new(name));
	ike_msg_bytes(m, name + 1, value, 65535);
	assert_true(ike_msg_valid(m));
	assert_int_equal(ike_msg_at(m, 0)->size, 65535);
	assert_int_equal(ike_msg_size(m), 2 + 1 + 1 + 255 + 2 + 65535);
	ike_msg_section(m, name);
	assert_true(ike_msg_failed(m));
	ike_msg_value(m, "later", "v");
	assert_false(ike_msg_valid(m));
	ike_msg_free(m);

	m = ike_msg_new("");
	ike_msg_bytes(m, "key", value, 65536);
	assert_true(ike_msg_failed(m));
	ike_msg_free(m);

	m = ike_msg_new("");
	ike_msg_value(m, "key", "%.512s", value);
	assert_true(ike_msg_failed(m));
	ike_msg_free(m);
	free(value);
}

static void test_items_stay_where_they_are(void **state)
{
	struct ike_msg *m = ike_msg_new("");

	(void)state;
	ike_msg_value(m, "first", "1");
	const char *value = ike_msg_get(m, "first");
	for (int i = 0; i < 50000; i++)
		ike_msg_value(m, "more", "%d", i);
	assert_ptr_equal(ike_msg_get(m, "first"), value);
	assert_string_equal(value, "1");
	assert_string_equal(ike_msg_at(m, 50000)->value, "49999");
	ike_msg_free(m);
}

static void test_secret(void **state)
{
	struct secret *s = secret_new(5);
	struct ike_msg *m = ike_msg_new("load-shared");

	(void)state;
	memcpy(s->bytes, "k\0y!?", 5);
	ike_msg_secret(m, "data", s);
	secret_free(s);
	assert_true(ike_msg_valid(m));
	assert_int_equal(ike_msg_at(m, 0)->size, 5);
	assert_memory_equal(ike_msg_at(m, 0)->value, "k\0y!?", 6);
	ike_msg_free(m);
}

static void digest_of(const char *key, const char *value, bool list, unsigned char *out)
{
	struct ike_msg *m = ike_msg_new("");

	if (list)
		ike_msg_list_one(m, key, value);
	else
		ike_msg_bytes(m, key, value, strlen(value));
	ike_msg_digest(m, out);
	ike_msg_free(m);
}

static void test_digest(void **state)
{
	unsigned char a[SECRET_DIGEST_SIZE], b[SECRET_DIGEST_SIZE];

	(void)state;
	digest_of("key", "value", false, a);
	digest_of("key", "value", false, b);
	assert_memory_equal(a, b, sizeof(a));
	digest_of("keyv", "alue", false, b);
	assert_memory_not_equal(a, b, sizeof(a));
	digest_of("key", "value", true, b);
	assert_memory_not_equal(a, b, sizeof(a));
	digest_of("key", "valuf", false, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void test_digest_of_a_long_message(void **state)
{
	unsigned char seen[3][SECRET_DIGEST_SIZE];
	char *value = malloc(65535);

	(void)state;
	memset(value, 'v', 65535);
	for (int i = 0; i < 3; i++) {
		struct ike_msg *m = ike_msg_new("");

		value[i * 32767] = 'w'; /* at its head, in the middle, at its end */
		ike_msg_bytes(m, "key", value, 65535);
		ike_msg_digest(m, seen[i]);
		value[i * 32767] = 'v';
		ike_msg_free(m);
	}
	assert_memory_not_equal(seen[0], seen[1], SECRET_DIGEST_SIZE);
	assert_memory_not_equal(seen[1], seen[2], SECRET_DIGEST_SIZE);
	free(value);
}

static void test_copy_text(void **state)
{
	char out[6];

	(void)state;
	ike_msg_copy_text(out, sizeof(out),
			  "a\x1b[\xc3\x9f"
			  "z");
	assert_string_equal(out, "a?[??");
	ike_msg_copy_text(out, sizeof(out), "ab");
	assert_string_equal(out, "ab");
	ike_msg_copy_text(out, 0, "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_not_text),
		cmocka_unit_test(test_sections_that_do_not_close),
		cmocka_unit_test(test_lists_hold_values_alone),
		cmocka_unit_test(test_names_are_there),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_items_stay_where_they_are),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_digest_of_a_long_message),
		cmocka_unit_test(test_copy_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
