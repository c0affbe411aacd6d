/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only computes, while memory runs out at each allocation in turn: what is wanted, the plan
 * and its JSON, the guard's text and its reading, charon's messages, and what gwctl shows. The
 * result is whole, or it is said that there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/alloc_fail.h"

#include <sodium.h>

#include "ctl/render.h"
#include "daemon/plan.h"
#include "ike/conn.h"
#include "ike/known.h"
#include "tests/unit/conf_two.h"
#include "tests/unit/guard_json.h"

static bool attempt_plan(void *user, unsigned long n, enum alloc_mode mode)
{
	static size_t whole;
	struct two *t = user;
	struct objects want, have = {.charon_known = true};
	struct plan plan = {0};
	json_t *json = NULL;

	alloc_start(n, mode);
	int rc = desire(&t->in, t->reqids, NULL, 0, &want);
	if (!rc)
		rc = plan_make(&want, &have, &plan);
	if (!rc)
		json = plan_json(&plan, &t->conf, NULL);
	bool hit = alloc_stop();
	assert_true(rc == 0 || (hit && rc == -ENOMEM));
	if (!n)
		whole = plan.actions.len;
	if (!rc)
		assert_int_equal(plan.actions.len, whole);
	assert_true(hit || json);
	json_decref(json);
	plan_done(&plan);
	objects_done(&want);
	return hit;
}

static void test_plan(void **state)
{
	static struct two t;

	(void)state;
	two_make(&t);
	assert_true(alloc_each(attempt_plan, &t) > 30);
}

/* A table that cannot be read for memory must not pass for one that is damaged. */
static bool attempt_guard_parse(void *user, unsigned long n, enum alloc_mode mode)
{
	struct guard_state s;

	errno = 0;
	alloc_start(n, mode);
	bool read = guard_parse(user, &s);
	bool hit = alloc_stop();
	if (read)
		assert_true(s.present && s.n_pairs == 5 && s.n_exempts == 3);
	else
		assert_true(hit && errno == ENOMEM);
	guard_state_done(&s);
	return hit;
}

static bool attempt_guard_build(void *user, unsigned long n, enum alloc_mode mode)
{
	static size_t whole;
	const struct objects *o = user;
	struct text text = {0};

	alloc_start(n, mode);
	guard_build_table(&text, o->pairs.at, o->pairs.len, o->exempts.at, o->exempts.len);
	bool hit = alloc_stop();
	if (!n)
		whole = text.len;
	assert_true(text.failed ? hit : text.len == whole);
	text_free(&text);
	return hit;
}

static void test_guard(void **state)
{
	static char text[sizeof(guard_json)];
	static struct two t;
	struct objects o;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = guard_json[i] == '\'' ? '"' : guard_json[i];
	attempt_guard_parse(text, 0, ALLOC_ONE);
	assert_true(alloc_each_of(attempt_guard_parse, text, ALLOC_ONE) > 500);
	two_make(&t);
	assert_int_equal(desire(&t.in, t.reqids, NULL, 0, &o), 0);
	assert_true(alloc_each(attempt_guard_build, &o) > 3);
	objects_done(&o);
}

/* A message is as it should be, or it is marked, and its digest is none. */
static bool attempt_message(void *user, unsigned long n, enum alloc_mode mode)
{
	static unsigned char whole[SECRET_DIGEST_SIZE], whole_conn[SECRET_DIGEST_SIZE];
	unsigned char digest[SECRET_DIGEST_SIZE], conn[SECRET_DIGEST_SIZE];
	const struct objects *o = user;
	struct ike_msg *psk;

	alloc_start(n, mode);
	struct ike_msg *m = ike_msg_new("load-conn");
	for (size_t i = 0; m && i < o->conns.len; i++)
		ike_conn_put(m, &o->conns.at[i].conn);
	psk = ike_req_load_psk("gwd-x", &two_psk, "x.example.net");
	ike_conn_digest(&o->conns.at[0].conn, conn);
	bool hit = alloc_stop();
	if (m && !ike_msg_failed(m)) {
		ike_msg_digest(m, digest);
		if (!n)
			memcpy(whole, digest, sizeof(whole));
		assert_memory_equal(digest, whole, sizeof(whole));
		assert_true(ike_msg_valid(m));
	}
	if (!n)
		memcpy(whole_conn, conn, sizeof(conn));
	assert_true(!memcmp(conn, whole_conn, sizeof(conn)) ||
		    (hit && sodium_is_zero(conn, sizeof(conn))));
	assert_true(!psk || !ike_msg_failed(psk));
	assert_true(hit || (m && psk));
	ike_msg_free(m);
	ike_msg_free(psk);
	return hit;
}

static void test_messages(void **state)
{
	static struct two t;
	struct objects o;

	(void)state;
	two_make(&t);
	assert_int_equal(desire(&t.in, t.reqids, NULL, 0, &o), 0);
	assert_true(alloc_each(attempt_message, &o) > 5);
	objects_done(&o);
}

static const char status_text[] =
	"{\"gateway\": {\"id\": \"hq\", \"charon\": {\"state\": \"connected\"}, \"guard\": \"in place\"},"
	" \"tunnels\": [{\"name\": \"b1\", \"state\": \"down\", \"reason\": \"no answer: look there\","
	" \"peer\": \"b1.example.net\", \"remote\": \"203.0.113.7\", \"mtu\": 1442, \"protect\":"
	" \"ipsec\", \"rx_bytes\": 660, \"tx_bytes\": 712, \"since_s\": 22, \"enabled\": true}]}";

static bool attempt_render(void *user, unsigned long n, enum alloc_mode mode)
{
	static size_t whole[2];
	struct text table = {0}, shown = {0};

	alloc_start(n, mode);
	render_status(&table, user, true);
	render_show(&shown, user, true);
	bool hit = alloc_stop();
	if (!n) {
		whole[0] = table.len;
		whole[1] = shown.len;
	}
	assert_true(table.failed ? hit : table.len == whole[0]);
	assert_true(shown.failed ? hit : shown.len == whole[1]);
	text_free(&table);
	text_free(&shown);
	return hit;
}

static void test_render(void **state)
{
	json_t *status = json_loads(status_text, 0, NULL);

	(void)state;
	assert_non_null(status);
	assert_true(alloc_each(attempt_render, status) > 3);
	json_decref(status);
}

static int setup(void **state)
{
	char err[256];

	(void)state;
	return secret_init(err, sizeof(err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_render),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
