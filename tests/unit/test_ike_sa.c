/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ike/sa.c, ike/event.c, ike/algs.c: what charon lists and tells, in its own form and in hostile
 * ones. */
#include "ike/sa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ike/algs.h"

struct pair {
	const char *key, *value;
};

static const struct pair ike_keys[] = {
	{"uniqueid", "7"},
	{"version", "2"},
	{"state", "ESTABLISHED"},
	{"local-host", "198.51.100.1"},
	{"local-port", "4500"},
	{"local-id", "hq.example.net"},
	{"remote-host", "2001:db8::7"},
	{"remote-port", "65535"},
	{"remote-id", "branch1.example.net"},
	{"initiator", "yes"},
	{"nat-remote", "yes"},
	{"nat-any", "yes"},
	{"encr-alg", "AES_GCM_16"},
	{"encr-keysize", "256"},
	{"prf-alg", "PRF_HMAC_SHA2_384"},
	{"dh-group", "CURVE_25519"},
	{"established", "11"},
	{"rekey-time", "14000"},
	{NULL, NULL},
};

static const struct pair child_keys[] = {
	{"name", "gre"},	   {"uniqueid", "3"},
	{"reqid", "1191182337"},   {"state", "INSTALLED"},
	{"mode", "TRANSPORT"},	   {"protocol", "ESP"},
	{"encap", "yes"},	   {"spi-in", "c0ffee01"},
	{"spi-out", "00000102"},   {"encr-alg", "AES_CBC"},
	{"encr-keysize", "128"},   {"integ-alg", "HMAC_SHA2_256_128"},
	{"dh-group", "MODP_2048"}, {"bytes-in", "184467440737095516150"},
	{"rekey-time", "-3"},	   {"life-time", "600"},
	{"install-time", "42"},	   {NULL, NULL},
};

/* All keys, one of them with another value, or left out when value is NULL. */
static void put(struct ike_msg *m, const struct pair *keys, const char *key, const char *value)
{
	for (; keys->key; keys++) {
		bool other = key && strcmp(key, keys->key) == 0;

		if (!other)
			ike_msg_value(m, keys->key, "%s", keys->value);
		else if (value)
			ike_msg_value(m, keys->key, "%s", value);
	}
}

static void put_children(struct ike_msg *m, unsigned n, const char *key, const char *value)
{
	ike_msg_section(m, "child-sas");
	for (unsigned i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "gre-%u", i);
		ike_msg_section(m, name);
		put(m, child_keys, key, value);
		ike_msg_list_one(m, "local-ts", "198.51.100.1/32[gre]");
		ike_msg_section_end(m);
	}
	ike_msg_section_end(m);
}

static struct ike_msg *sample(const char *event, const char *ike_key, const char *ike_value,
			      const char *child_key, const char *child_value)
{
	struct ike_msg *m = ike_msg_new(event);

	ike_msg_section(m, "gwd-branch1");
	put(m, ike_keys, ike_key, ike_value);
	ike_msg_list_one(m, "tasks-active", "IKE_DPD");
	put_children(m, 1, child_key, child_value);
	ike_msg_section_end(m);
	return m;
}

static bool parses(const char *ike_key, const char *ike_value, const char *child_key,
		   const char *child_value, struct ike_sa *sa)
{
	struct ike_msg *m = sample("list-sa", ike_key, ike_value, child_key, child_value);
	bool ok = ike_sa_parse(m, sa);

	ike_msg_free(m);
	return ok;
}

static void test_sa(void **state)
{
	char text[ADDR_TEXT_SIZE];
	struct ike_sa sa;

	(void)state;
	assert_true(parses(NULL, NULL, NULL, NULL, &sa));
	assert_string_equal(sa.name, "gwd-branch1");
	assert_int_equal(sa.uniqueid, 7);
	assert_string_equal(sa.state, "ESTABLISHED");
	assert_true(sa.established && sa.initiator && sa.nat_remote && !sa.nat_local);
	assert_string_equal(addr_format(&sa.local, text), "198.51.100.1");
	assert_string_equal(addr_format(&sa.remote, text), "2001:db8::7");
	assert_int_equal(sa.local_port, 4500);
	assert_int_equal(sa.remote_port, 65535);
	assert_string_equal(sa.local_id, "hq.example.net");
	assert_string_equal(sa.remote_id, "branch1.example.net");
	assert_string_equal(sa.proposal, "aes256gcm16-prfsha384-x25519");
	assert_int_equal(sa.age_s, 11);
	assert_int_equal(sa.rekey_s, 14000);
}

static void test_child(void **state)
{
	struct ike_sa sa;

	(void)state;
	assert_true(parses(NULL, NULL, NULL, NULL, &sa));
	assert_int_equal(sa.n_children, 1);
	const struct ike_child *c = &sa.children[0];
	assert_int_equal(c->uniqueid, 3);
	assert_int_equal(c->reqid, 0x47000001);
	assert_string_equal(c->state, "INSTALLED");
	assert_true(c->installed && c->transport && c->encap);
	assert_int_equal(c->spi_in, 0xc0ffee01);
	assert_int_equal(c->spi_out, 0x102);
	assert_string_equal(c->proposal, "aes128-sha256-modp2048");
	assert_int_equal(c->rekey_s, 0); /* overdue */
	assert_int_equal(c->life_s, 600);
	assert_int_equal(c->age_s, 42);
}

static void test_states(void **state)
{
	struct ike_sa sa;

	(void)state;
	assert_true(parses("state", "CONNECTING", "state", "REKEYED", &sa));
	assert_false(sa.established);
	assert_false(sa.children[0].installed);
	assert_true(parses("state", "REKEYING", "state", "REKEYING", &sa));
	assert_true(sa.established);
	assert_true(sa.children[0].installed);
	assert_true(parses("remote-host", "%any", "mode", "TUNNEL", &sa));
	assert_int_equal(sa.remote.family, AF_UNSPEC);
	assert_false(sa.children[0].transport);
}

static void test_hostile_numbers(void **state)
{
	static const char *const bad[] = {"",	 " 1", "-1",	     "+1",
					  "0x1", "1 ", "4294967296", "99999999999999999999999",
					  "one", "\n1"};
	struct ike_sa sa;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(parses("uniqueid", bad[i], NULL, NULL, &sa));
		assert_false(parses("local-port", bad[i], NULL, NULL, &sa));
		assert_false(parses(NULL, NULL, "uniqueid", bad[i], &sa));
		assert_false(parses(NULL, NULL, "reqid", bad[i], &sa));
		assert_true(parses("established", bad[i], "life-time", bad[i], &sa));
		assert_int_equal(sa.age_s, 0);
		assert_int_equal(sa.children[0].life_s, 0);
	}
	assert_false(parses("remote-port", "65536", NULL, NULL, &sa));
	assert_false(parses(NULL, NULL, "spi-in", "100000000", &sa));
	assert_false(parses(NULL, NULL, "spi-out", "xyz", &sa));
	assert_true(parses("uniqueid", "4294967295", NULL, NULL, &sa));
	assert_int_equal(sa.uniqueid, UINT32_MAX);
}

static void test_missing(void **state)
{
	struct ike_sa sa;

	(void)state;
	assert_false(parses("uniqueid", NULL, NULL, NULL, &sa));
	assert_false(parses(NULL, NULL, "uniqueid", NULL, &sa));
	/* A child that is being created has no SPIs yet. */
	assert_true(parses("remote-id", NULL, "spi-in", NULL, &sa));
	assert_string_equal(sa.remote_id, "");
	assert_int_equal(sa.children[0].spi_in, 0);
}

static void test_long_and_unprintable(void **state)
{
	char id[400], name[128];
	struct ike_sa sa;
	struct ike_msg *m;

	(void)state;
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	id[1] = '\x1b';
	assert_true(parses("remote-id", id, "state", id, &sa));
	assert_int_equal(strlen(sa.remote_id), sizeof(sa.remote_id) - 1);
	assert_int_equal(sa.remote_id[1], '?');

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	m = ike_msg_new("list-sa");
	ike_msg_section(m, name);
	put(m, ike_keys, NULL, NULL);
	ike_msg_section_end(m);
	assert_false(ike_sa_parse(m, &sa));
	ike_msg_free(m);
}

static void test_many_children(void **state)
{
	struct ike_msg *m = ike_msg_new("list-sa");
	struct ike_sa sa;

	(void)state;
	ike_msg_section(m, "gwd-x");
	put(m, ike_keys, NULL, NULL);
	put_children(m, 100, NULL, NULL);
	put_children(m, 100, NULL, NULL);
	ike_msg_section_end(m);
	assert_true(ike_sa_parse(m, &sa));
	assert_int_equal(sa.n_children, IKE_CHILDREN_MAX);
	ike_msg_free(m);
}

static void test_malformed(void **state)
{
	struct ike_msg *m = ike_msg_new("list-sa");
	struct ike_sa sa;

	(void)state;
	assert_false(ike_sa_parse(m, &sa)); /* no section */
	ike_msg_section(m, "gwd-x");
	put(m, ike_keys, NULL, NULL);
	assert_false(ike_sa_parse(m, &sa)); /* it does not close */
	for (int i = 0; i < 1000; i++)
		ike_msg_section(m, "child-sas");
	for (int i = 0; i < 1001; i++)
		ike_msg_section_end(m);
	assert_false(ike_sa_parse(m, &sa)); /* it nests too deep */
	ike_msg_free(m);
}

static void test_updown(void **state)
{
	struct ike_msg *m = sample("child-updown", NULL, NULL, "mode", "TUNNEL");
	struct ike_event ev;

	(void)state;
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_CHILD_DOWN);
	assert_string_equal(ev.sa.name, "gwd-branch1");
	assert_int_equal(ev.sa.n_children, 1);
	assert_false(ev.sa.children[0].transport);
	ike_msg_value(m, "up", "yes");
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_CHILD_UP);
	ike_msg_free(m);

	m = sample("ike-updown", NULL, NULL, NULL, NULL);
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_IKE_DOWN);
	ike_msg_value(m, "up", "yes");
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_IKE_UP);
	ike_msg_free(m);

	m = ike_msg_new("ike-updown");
	assert_false(ike_event_parse(m, &ev));
	ike_msg_free(m);
}

static void put_named(struct ike_msg *m, const char *name, const struct pair *keys, const char *key,
		      const char *value)
{
	ike_msg_section(m, name);
	put(m, keys, key, value);
	ike_msg_section_end(m);
}

static void test_ike_rekey(void **state)
{
	struct ike_msg *m = ike_msg_new("ike-rekey");
	struct ike_event ev;

	(void)state;
	ike_msg_section(m, "gwd-x");
	put_named(m, "old", ike_keys, NULL, NULL);
	put_named(m, "new", ike_keys, "uniqueid", "8");
	ike_msg_section_end(m);
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_IKE_REKEY);
	assert_string_equal(ev.sa.name, "gwd-x");
	assert_int_equal(ev.sa.uniqueid, 8);
	ike_msg_free(m);
}

static void test_child_rekey(void **state)
{
	struct ike_msg *m = ike_msg_new("child-rekey");
	struct ike_event ev;

	(void)state;
	ike_msg_section(m, "gwd-x");
	put(m, ike_keys, NULL, NULL);
	ike_msg_section(m, "child-sas");
	ike_msg_section(m, "gre-1");
	put_named(m, "old", child_keys, "spi-out", "00000001");
	put_named(m, "new", child_keys, "spi-out", "00000002");
	ike_msg_section_end(m);
	ike_msg_section_end(m);
	ike_msg_section_end(m);
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_CHILD_REKEY);
	assert_int_equal(ev.sa.n_children, 1);
	assert_int_equal(ev.old_spi_out, 1);
	assert_int_equal(ev.old_spi_in, 0xc0ffee01);
	assert_int_equal(ev.sa.children[0].spi_out, 2);
	ike_msg_free(m);

	m = sample("child-rekey", NULL, NULL, NULL, NULL); /* neither old nor new */
	assert_false(ike_event_parse(m, &ev));
	ike_msg_free(m);
}

static void test_update(void **state)
{
	struct ike_msg *m = ike_msg_new("ike-update");
	char text[ADDR_TEXT_SIZE];
	struct ike_event ev;

	(void)state;
	ike_msg_value(m, "local-host", "198.51.100.1");
	ike_msg_value(m, "local-port", "4500");
	ike_msg_value(m, "remote-host", "192.0.2.99");
	ike_msg_value(m, "remote-port", "1024");
	put_named(m, "gwd-x", ike_keys, NULL, NULL);
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_IKE_UPDATE);
	assert_string_equal(addr_format(&ev.sa.remote, text), "192.0.2.99");
	assert_int_equal(ev.sa.remote_port, 1024);
	ike_msg_free(m);
}

static void test_log(void **state)
{
	struct ike_msg *m = ike_msg_new("log");
	struct ike_event ev;

	(void)state;
	assert_false(ike_event_parse(m, &ev));
	ike_msg_value(m, "msg", "giving up\tafter 5 retransmits");
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_LOG);
	assert_string_equal(ev.sa.name, "");
	assert_string_equal(ev.text, "giving up?after 5 retransmits");
	ike_msg_value(m, "ikesa-name", "gwd-x");
	assert_true(ike_event_parse(m, &ev));
	assert_string_equal(ev.sa.name, "gwd-x");
	ike_msg_free(m);

	m = ike_msg_new("log");
	ike_msg_value(m, "ikesa-name", "(unnamed)");
	ike_msg_value(m, "msg", "no matching peer config found");
	assert_true(ike_event_parse(m, &ev));
	assert_string_equal(ev.sa.name, "");
	ike_msg_free(m);

	m = ike_msg_new("alert");
	assert_true(ike_event_parse(m, &ev));
	assert_int_equal(ev.kind, IKE_EVENT_OTHER);
	ike_msg_free(m);
}

static void test_algs(void **state)
{
	char out[96], small[8];

	(void)state;
	ike_algs_format(out, sizeof(out), "CHACHA20_POLY1305", "256", NULL, NULL, "ECP_384_BP");
	assert_string_equal(out, "chacha20poly1305-ecp384bp");
	ike_algs_format(out, sizeof(out), "AES_CTR", "192", "HMAC_SHA2_512_256", NULL, NULL);
	assert_string_equal(out, "aes192ctr-sha512");
	ike_algs_format(out, sizeof(out), "NEW_ALG_9", NULL, NULL, NULL, "ML_KEM_768");
	assert_string_equal(out, "newalg9-mlkem768");
	ike_algs_format(out, sizeof(out), NULL, NULL, NULL, NULL, NULL);
	assert_string_equal(out, "");
	ike_algs_format(small, sizeof(small), "AES_GCM_16", "256", NULL, NULL, "CURVE_25519");
	assert_string_equal(small, "aes256g");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sa),
		cmocka_unit_test(test_child),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_hostile_numbers),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_long_and_unprintable),
		cmocka_unit_test(test_many_children),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_updown),
		cmocka_unit_test(test_ike_rekey),
		cmocka_unit_test(test_child_rekey),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_algs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
