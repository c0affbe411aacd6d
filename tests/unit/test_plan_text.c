/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/plan_text.c: the words for what changes, and the JSON of doc/CONTROL.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/plan_lines.h"

static void policy_changes(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	t.tunnels[1].enabled = false;
	struct objects want = make(&t), have = make(&t);
	have.policies.at[1].spi = 0xc0ffee01;
	assert_plan(&want, &have,
		    "update policy out 198.51.100.1 -> 203.0.113.7: spi c0ffee01 -> any\n");
	have.policies.at[0].required = false;
	have.policies.at[1].reqid = XFRM_REQID_BASE | 1;
	have.policies.at[1].spi = 0xc0ffee00;
	assert_plan(&want, &have,
		    "update policy in 203.0.113.7 -> 198.51.100.1: it did not require esp "
		    "transport\n"
		    "update policy out 198.51.100.1 -> 203.0.113.7: reqid 0x40000001 -> "
		    "0x424da8ae, spi c0ffee00 -> any\n");
	objects_done(&want);
	objects_done(&have);
}

static void guard_broken(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects want = make(&t), have = make(&t);
	have.pairs.at[0].in_missing = true;
	assert_plan(&want, &have,
		    "update pair 198.51.100.1 -> 203.0.113.7: one direction was missing\n");
	have.guard_intact = false;
	have.pairs.len = 1;
	assert_plan(&want, &have,
		    "update guard inet gwd: not as gwd made it: made anew with 2 pairs\n");
	have.guard = false;
	have.pairs.len = 0;
	assert_plan(&want, &have, "create guard inet gwd: 2 pairs\n");
	objects_done(&want);
	objects_done(&have);
}

static void charon_restarted(void **unused)
{
	struct two t;

	(void)unused;
	two_make(&t);
	struct objects want = make(&t), have = make(&t);
	memset(have.secrets.at[0].digest, 0, SECRET_DIGEST_SIZE);
	memset(have.conns.at[1].digest, 0, SECRET_DIGEST_SIZE);
	have.secrets.at[1].digest[0] ^= 1;
	assert_plan(&want, &have,
		    "update secret " OWN_KEY ": private key of this gateway, loaded again\n"
		    "update secret gwd-branch2: pre-shared key of hq.example.net and "
		    "branch2.example.net, changed\n"
		    "update connection gwd-branch2: 2001:db8::1 hq.example.net -> 2001:db8::7 "
		    "branch2.example.net psk esp aes256-sha256-x25519, loaded again\n");
	have.charon_known = false;
	have.secrets.len = have.conns.len = 0;
	assert_plan(&want, &have, "");
	objects_done(&want);
	objects_done(&have);
}

static void as_json(void **unused)
{
	struct two t;
	struct plan plan;

	(void)unused;
	two_make(&t);
	t.tunnels[1].enabled = false;
	struct objects want = make(&t), have = make(&t);
	have.links.at[0].mtu = 1476;
	have.secrets.len = 0;
	have.addrs.len = 0;
	assert_int_equal(plan_make(&want, &have, &plan), 0);
	char *const errors[] = {NULL, (char *)"Invalid argument", NULL, NULL};
	assert_int_equal(plan.actions.len, 4);
	json_t *json = plan_json(&plan, &t.conf, errors);
	char *text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(
		text,
		"{\"changes\":4,\"conflicts\":0,\"actions\":["
		"{\"op\":\"create\",\"kind\":\"secret\",\"name\":\"" OWN_KEY
		"\",\"tunnel\":null,\"text\":\"private key of this gateway\",\"error\":null},"
		"{\"op\":\"update\",\"kind\":\"link\",\"name\":\"branch1\",\"tunnel\":\"branch1\","
		"\"text\":\"mtu 1476 -> 1442\",\"error\":\"Invalid argument\"},"
		"{\"op\":\"create\",\"kind\":\"address\",\"name\":\"10.255.0.1/30 dev branch1\","
		"\"tunnel\":\"branch1\",\"text\":\"\",\"error\":null},"
		"{\"op\":\"create\",\"kind\":\"address\",\"name\":\"2001:db8:255::1/64 dev "
		"branch1\",\"tunnel\":\"branch1\",\"text\":\"\",\"error\":null}]}");
	free(text);
	json_decref(json);
	plan_done(&plan);
	/* A name that is cut within a character is still JSON. */
	char id[600];
	memset(id, 'x', sizeof(id));
	for (size_t i = 0; i + 1 < sizeof(id); i += 2)
		memcpy(&id[i], "\xc3\xa4", 2);
	id[sizeof(id) - 2] = id[sizeof(id) - 1] = '\0';
	want.conns.at[0].conn.remote_id = id;
	want.conns.at[0].digest[0] ^= 1;
	assert_int_equal(plan_make(&want, &have, &plan), 0);
	json = plan_json(&plan, NULL, NULL);
	const json_t *conn = json_array_get(json_object_get(json, "actions"), 1);
	assert_true(strlen(json_string_value(json_object_get(conn, "text"))) > 400);
	assert_true(json_is_null(json_object_get(conn, "tunnel")));
	json_decref(json);
	plan_done(&plan);
	objects_done(&want);
	objects_done(&have);
}

static void conflicts_in_json(void **unused)
{
	struct two t;
	struct plan plan;

	(void)unused;
	two_make(&t);
	struct objects want = make(&t), have = make(&t);
	have.links.at[0].group = 0;
	assert_int_equal(plan_make(&want, &have, &plan), 0);
	json_t *json = plan_json(&plan, &t.conf, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "changes")), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "conflicts")), 1);
	json_decref(json);
	plan_done(&plan);
	objects_done(&want);
	objects_done(&have);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_changes),    cmocka_unit_test(guard_broken),
		cmocka_unit_test(charon_restarted),  cmocka_unit_test(as_json),
		cmocka_unit_test(conflicts_in_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
