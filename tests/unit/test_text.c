/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/text.c (the buffer, the nearest word), lib/vec.c and lib/log.c. */
#include "lib/log.h"
#include "lib/text.h"
#include "lib/vec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void test_text_add(void **state)
{
	struct text t = {0};

	(void)state;
	text_add(&t, "%s", "");
	assert_string_equal(t.text, "");
	for (int i = 0; i < 1000; i++)
		text_add(&t, "%03d ", i);
	assert_int_equal(t.len, 4000);
	assert_int_equal(strlen(t.text), 4000);
	assert_string_equal(t.text + 3996, "999 ");
	assert_false(t.failed);
	text_free(&t);
	assert_null(t.text);
	assert_int_equal(t.room, 0);
}

static void test_text_add_failed_sticks(void **state)
{
	struct text t = {.failed = true};

	(void)state;
	text_add(&t, "more");
	assert_null(t.text);
	assert_int_equal(t.len, 0);
}

static void test_text_nearest(void **state)
{
	static const char *const words[] = {"status",	  "show", "restart", "remote",
					    "public-key", "up",	  "psk",     NULL};
	static const struct {
		const char *written, *nearest;
	} pairs[] = {
		{"status", "status"},
		{"staus", "status"},
		{"sttaus", "status"}, /* a swap counts 1 */
		{"satsut", NULL}, /* 3 of 6 */
		{"remot", "remote"},
		{"pubic-key", "public-key"},
		{"publickey", "public-key"},
		{"public_kye", "public-key"}, /* 2 of 10 */
		{"u", "up"},
		{"pu", "up"},
		{"ps", "psk"},
		{"x", NULL},
		{"", NULL},
		{"gateway", NULL},
		{"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const char *nearest = text_nearest(pairs[i].written, words);
		if (pairs[i].nearest)
			assert_string_equal(nearest, pairs[i].nearest);
		else
			assert_null(nearest);
	}
	assert_null(text_nearest("status", (const char *const[]){NULL}));
}

static void test_vec(void **state)
{
	VEC(uint32_t) v = {0};

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *slot = vec_push(&v);
		assert_non_null(slot);
		assert_int_equal(*slot, 0);
		*slot = i;
	}
	assert_int_equal(v.len, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(v.at[i], i);
	vec_free(&v);
	assert_null(v.at);
	assert_int_equal(v.room, 0);
}

static void test_vec_out_of_memory(void **state)
{
	void *at = NULL;
	size_t len = 0, room = 0;

	(void)state;
	assert_null(vec_grow(&at, &len, &room, SIZE_MAX / 2));
	assert_null(at);
	assert_int_equal(len, 0);
	assert_int_equal(room, 0);
}

static char seen[256];

static void sink(enum log_level level, const char *tunnel, const char *text)
{
	snprintf(seen, sizeof(seen), "%d %s %s", level, tunnel ? tunnel : "-", text);
	errno = EIO;
}

static void test_log(void **state)
{
	(void)state;
	log_set_sink(sink);
	errno = ENOENT;
	log_warn("branch1", "peer says \"%s\"", "a\nb\033[2J");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(seen, "1 branch1 peer says \"a b [2J\"");
	log_debug(NULL, "below the level");
	assert_string_equal(seen, "1 branch1 peer says \"a b [2J\"");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug(NULL, "now");
	assert_string_equal(seen, "3 - now");
	log_set_sink(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_add),
		cmocka_unit_test(test_text_add_failed_sticks),
		cmocka_unit_test(test_text_nearest),
		cmocka_unit_test(test_vec),
		cmocka_unit_test(test_vec_out_of_memory),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
