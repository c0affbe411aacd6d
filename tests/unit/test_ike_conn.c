/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ike/conn.c and ike/request.c: the messages they build, key by key, and what answers say. */
#include "ike/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *const esp[] = {"aes256gcm16-x25519", "aes128gcm16-x25519", NULL};
static char *const ike[] = {"aes256gcm16-prfsha384-x25519", NULL};

static struct ike_conn sample(void)
{
	struct ike_conn c = {
		.name = "gwd-branch1",
		.local_id = "hq",
		.remote_id = "branch1",
		.auth = IKE_AUTH_PUBLIC_KEY,
		.local_public_key = "LOCALKEY",
		.remote_public_key = "REMOTEKEY",
		.ike_proposals = ike,
		.esp_proposals = esp,
		.reqid = 0x47000001,
		.replay_window = 1024,
		.dpd_delay = 10,
	};

	addr_parse("198.51.100.1", &c.local);
	addr_parse("203.0.113.7", &c.remote);
	ike_conn_set_times(&c, true, 14400, 3600);
	return c;
}

/* The message as one line: name{key=value list=[a,b] section{…}} */
static void render(const struct ike_msg *m, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");
	const struct ike_item *item;

	fputs(ike_msg_name(m), f);
	for (size_t i = 0; (item = ike_msg_at(m, i)); i++) {
		switch (item->type) {
		case IKE_ITEM_SECTION:
			fprintf(f, " %s{", item->name);
			break;
		case IKE_ITEM_SECTION_END:
			fputs(" }", f);
			break;
		case IKE_ITEM_VALUE:
			fprintf(f, " %s=%s", item->name, (const char *)item->value);
			break;
		case IKE_ITEM_LIST:
			fprintf(f, " %s=[", item->name);
			break;
		case IKE_ITEM_LIST_VALUE:
			fprintf(f, "<%s>", (const char *)item->value);
			break;
		case IKE_ITEM_LIST_END:
			fputs("]", f);
			break;
		}
	}
	fclose(f);
}

static void assert_renders(struct ike_msg *m, const char *want)
{
	char got[4096];

	assert_non_null(m);
	assert_true(ike_msg_valid(m));
	render(m, got, sizeof(got));
	assert_string_equal(got, want);
	ike_msg_free(m);
}

static struct ike_msg *load(const struct ike_conn *c)
{
	struct ike_msg *m = ike_msg_new("load-conn");

	ike_conn_put(m, c);
	return m;
}

#define COMMON                                                                                    \
	" mobike=no unique=never keyingtries=1 childless=allow fragmentation=yes send_cert=never" \
	" send_certreq=no dpd_delay=10s reauth_time=0s rekey_time=14400s over_time=7200s"         \
	" rand_time=1440s"
#define CHILD                                                                                   \
	" children{ gre{ mode=transport policies=no reqid=1191182337 local_ts=[<dynamic[47]>]"  \
	" remote_ts=[<dynamic[47]>] esp_proposals=[<aes256gcm16-x25519><aes128gcm16-x25519>]"   \
	" rekey_time=3600s life_time=5400s rand_time=360s replay_window=1024 start_action=none" \
	" close_action=none dpd_action=clear } } }"
#define PEM(key) "<-----BEGIN PUBLIC KEY-----\n" key "\n-----END PUBLIC KEY-----\n>"

static void test_public_key(void **state)
{
	struct ike_conn c = sample();

	(void)state;
	assert_renders(
		load(&c),
		"load-conn gwd-branch1{ version=2 local_addrs=[<198.51.100.1>]"
		" remote_addrs=[<203.0.113.7>] proposals=[<aes256gcm16-prfsha384-x25519>]" COMMON
		" local{ auth=pubkey id=hq pubkeys=[" PEM(
			"LOCALKEY") "] }"
				    " remote{ auth=pubkey id=branch1 pubkeys=[" PEM(
					    "REMOTEKEY") "] }" CHILD);
}

static void test_our_key_goes_once(void **state)
{
	struct ike_msg *m = ike_msg_new("load-conn");
	struct ike_conn c = sample();
	char text[16384];
	const char *at = text;
	unsigned n = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		snprintf(c.name, sizeof(c.name), "gwd-%d", i);
		ike_conn_put(m, &c);
	}
	c.local_id = "another";
	ike_conn_put(m, &c);
	assert_true(ike_msg_valid(m));
	render(m, text, sizeof(text));
	ike_msg_free(m);
	for (; (at = strstr(at, "LOCALKEY")); at++)
		n++;
	assert_int_equal(n, 2);
	for (at = text, n = 0; (at = strstr(at, "REMOTEKEY")); at++)
		n++;
	assert_int_equal(n, 4);
}

static void test_psk_and_any(void **state)
{
	struct ike_conn c = sample();

	(void)state;
	c.auth = IKE_AUTH_PSK;
	c.remote = (struct addr){0};
	assert_renders(load(&c),
		       "load-conn gwd-branch1{ version=2 local_addrs=[<198.51.100.1>]"
		       " remote_addrs=[<%any>] proposals=[<aes256gcm16-prfsha384-x25519>]" COMMON
		       " local{ auth=psk id=hq } remote{ auth=psk id=branch1 }" CHILD);
}

static void test_many_in_one_message(void **state)
{
	struct ike_msg *m = ike_msg_new("load-conn");
	struct ike_conn c = sample();
	size_t pos = 0, from, end, n = 0;
	const char *name;

	(void)state;
	while (ike_msg_size(m) < 400 * 1024) {
		snprintf(c.name, sizeof(c.name), "gwd-%zu", n++);
		ike_conn_put(m, &c);
	}
	assert_true(ike_msg_valid(m));
	assert_true(ike_msg_size(m) < IKE_MSG_MAX);
	for (size_t i = 0; i < n; i++)
		assert_true(ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end));
	assert_false(ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end));
	ike_msg_free(m);
}

static void test_digest(void **state)
{
	static const unsigned char zero[SECRET_DIGEST_SIZE];
	unsigned char a[SECRET_DIGEST_SIZE], b[SECRET_DIGEST_SIZE];
	struct ike_conn c = sample();

	(void)state;
	ike_conn_digest(&c, a);
	assert_memory_not_equal(a, zero, sizeof(a));
	c.tunnel = 17; /* not charon's business */
	ike_conn_digest(&c, b);
	assert_memory_equal(a, b, sizeof(a));
	c.reqid++;
	ike_conn_digest(&c, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* Every field that charon is told of counts, and no text runs into the next. */
static void test_digest_of_each_field(void **state)
{
	static char *other[] = {"aes128gcm16-x25519", NULL}, *both[] = {"a", "b", NULL};
	static char *one[] = {"ab", NULL};
	struct ike_conn c[32];
	unsigned char d[32][SECRET_DIGEST_SIZE];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 32; i++)
		c[i] = sample();
	n++;
	strcpy(c[n++].name, "gwd-branch2");
	addr_parse("198.51.100.2", &c[n++].local);
	addr_parse("203.0.113.8", &c[n++].remote);
	c[n++].remote.family = AF_UNSPEC;
	c[n++].local_id = "hr";
	c[n++].remote_id = "branch2";
	c[n++].auth = IKE_AUTH_PSK;
	c[n++].local_public_key = "LOCALKEz";
	c[n++].remote_public_key = "REMOTEKEz";
	c[n++].remote_public_key = NULL;
	c[n++].ike_proposals = other;
	c[n++].esp_proposals = other;
	c[n++].ike_proposals = both;
	c[n++].ike_proposals = one;
	c[n++].replay_window++;
	c[n++].dpd_delay++;
	c[n++].encap = true;
	c[n++].ike_rekey_time++;
	c[n++].ike_rand_time++;
	c[n++].ike_over_time++;
	c[n++].esp_rekey_time++;
	c[n++].esp_rand_time++;
	c[n++].esp_life_time++;
	c[n++].bytes.rekey++;
	c[n++].bytes.life++;
	c[n++].packets.rekey++;
	c[n++].packets.rand++;
	c[n++].offload = IKE_OFFLOAD_AUTO;
	assert_true(n <= 32);
	for (size_t i = 0; i < n; i++) {
		ike_conn_digest(&c[i], d[i]);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(d[i], d[k], sizeof(d[i]));
	}
}

static void test_encap(void **state)
{
	struct ike_conn c = sample();
	struct ike_msg *m = load(&c);
	char text[8192];

	(void)state;
	render(m, text, sizeof(text));
	ike_msg_free(m);
	assert_null(strstr(text, "encap"));
	c.encap = true;
	m = load(&c);
	render(m, text, sizeof(text));
	ike_msg_free(m);
	assert_non_null(strstr(text, " encap=yes "));
}

static void test_digest_of_long_texts(void **state)
{
	unsigned char a[SECRET_DIGEST_SIZE], b[SECRET_DIGEST_SIZE];
	struct ike_conn c = sample();
	char id[4000];

	(void)state;
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	c.local_id = id;
	ike_conn_digest(&c, a);
	id[sizeof(id) - 2] = 'y';
	ike_conn_digest(&c, b);
	assert_memory_not_equal(a, b, sizeof(a));
	c.reqid++;
	ike_conn_digest(&c, a);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void test_leads(void **state)
{
	(void)state;
	assert_true(ike_conn_leads("branch1", "hq"));
	assert_false(ike_conn_leads("hq", "branch1"));
	assert_false(ike_conn_leads("hq", "hq"));
}

static void assert_times_apart(uint32_t ike_time, uint32_t esp_time)
{
	struct ike_conn lead, follow;

	ike_conn_set_times(&lead, true, ike_time, esp_time);
	ike_conn_set_times(&follow, false, ike_time, esp_time);
	/* The leader's latest lies before the other's earliest, which lies before the end of the
	 * SA on either side. */
	assert_int_equal(lead.esp_rekey_time, esp_time);
	assert_in_range(lead.esp_rand_time, 1, (esp_time + 9) / 10);
	assert_true(lead.esp_rekey_time < follow.esp_rekey_time - follow.esp_rand_time);
	assert_true(follow.esp_rekey_time < follow.esp_life_time);
	assert_true(follow.esp_rekey_time < lead.esp_life_time);
	assert_true(lead.ike_rekey_time < follow.ike_rekey_time - follow.ike_rand_time);
	assert_true(follow.ike_rekey_time <
		    lead.ike_rekey_time - lead.ike_rand_time + lead.ike_over_time);
	assert_true(follow.ike_over_time > 0);
}

static void test_times(void **state)
{
	struct ike_conn never;

	(void)state;
	assert_times_apart(14400, 3600);
	assert_times_apart(60, 20);
	assert_times_apart(86400 * 365, 86400 * 365);
	ike_conn_set_times(&never, true, 0, 0);
	assert_int_equal(never.ike_rekey_time + never.ike_rand_time + never.ike_over_time, 0);
	assert_int_equal(never.esp_rekey_time + never.esp_rand_time + never.esp_life_time, 0);
	ike_conn_set_times(&never, false, UINT32_MAX, UINT32_MAX);
	assert_int_equal(never.esp_rekey_time, UINT32_MAX / 2);
}

static void test_volumes(void **state)
{
	struct ike_conn lead = sample(), follow;
	char text[4096];
	struct ike_msg *m;

	(void)state;
	ike_conn_set_volumes(&lead, true, (uint64_t)1 << 40, 2147483648u);
	ike_conn_set_volumes(&follow, false, (uint64_t)1 << 40, 2147483648u);
	assert_true(lead.bytes.rekey == (uint64_t)1 << 40);
	assert_true(lead.bytes.rekey < follow.bytes.rekey - follow.bytes.rand);
	assert_true(follow.bytes.rekey < lead.bytes.life);
	assert_true(lead.packets.rekey < follow.packets.rekey - follow.packets.rand);
	assert_true(follow.packets.rekey < lead.packets.life);
	assert_true(lead.packets.life < UINT32_MAX); /* the sequence number's end */

	ike_conn_set_volumes(&lead, true, 1 << 20, 1000);
	lead.offload = IKE_OFFLOAD_CRYPTO;
	m = load(&lead);
	render(m, text, sizeof(text));
	ike_msg_free(m);
	assert_non_null(strstr(text, " rekey_bytes=1048576 life_bytes=1572864 rand_bytes=104857"
				     " rekey_packets=1000 life_packets=1500 rand_packets=100"
				     " replay_window=1024 hw_offload=yes start_action=none"));
	lead.offload = IKE_OFFLOAD_AUTO;
	m = load(&lead);
	render(m, text, sizeof(text));
	ike_msg_free(m);
	assert_non_null(strstr(text, " hw_offload=auto "));
}

static void test_format(void **state)
{
	struct ike_conn c = sample();
	char buf[200], small[12];

	(void)state;
	assert_string_equal(ike_conn_format(&c, buf, sizeof(buf)),
			    "198.51.100.1 hq -> 203.0.113.7 branch1 public-key esp "
			    "aes256gcm16-x25519,aes128gcm16-x25519");
	assert_string_equal(ike_conn_format(&c, small, sizeof(small)), "198.51.100.");
	c.remote = (struct addr){0};
	c.auth = IKE_AUTH_PSK;
	c.esp_proposals = NULL;
	assert_string_equal(ike_conn_format(&c, buf, sizeof(buf)),
			    "198.51.100.1 hq -> any branch1 psk esp");
}

static void test_requests(void **state)
{
	struct secret *s = secret_new(3);

	(void)state;
	memcpy(s->bytes, "abc", 3);
	assert_renders(ike_req_load_key(s), "load-key type=any data=abc");
	/* Never our own identity: the key would open every tunnel. */
	assert_renders(ike_req_load_psk("gwd-b", s, "branch1"),
		       "load-shared id=gwd-b type=IKE owners=[<branch1>] data=abc");
	/* What comes behind a secret makes libvici's buffer move, and leaves the secret where it was. */
	assert_renders(ike_req_load_ppk("gwd-b", s, "ppk1"),
		       "load-shared id=gwd-b type=PPK owners=[<ppk1>] data=abc");
	secret_free(s);
	assert_renders(ike_req_unload_psk("gwd-b"), "unload-shared id=gwd-b");
	assert_renders(ike_req_unload_conn("gwd-b"), "unload-conn name=gwd-b");
	assert_renders(ike_req_initiate("gwd-b"), "initiate ike=gwd-b child=gre timeout=-1");
	assert_renders(ike_req_terminate("gwd-b", 0, false), "terminate ike=gwd-b timeout=-1");
	/* with the name beside it charon would end all of the connection's */
	assert_renders(ike_req_terminate("gwd-b", 7, true),
		       "terminate ike-id=7 force=yes timeout=-1");
	assert_renders(ike_req_terminate_child(9), "terminate child-id=9 timeout=-1");
	assert_renders(ike_req_list_sas(NULL), "list-sas noblock=yes");
	assert_renders(ike_req_list_sas("gwd-b"), "list-sas noblock=yes ike=gwd-b");
	assert_renders(ike_req_simple("version"), "version");
}

static void test_request_too_long(void **state)
{
	struct secret *s = secret_new(SECRET_MAX);

	(void)state;
	assert_null(ike_req_load_key(s));
	secret_free(s);
}

static void test_answer(void **state)
{
	struct ike_msg *m = ike_msg_new("");
	char err[64] = "";

	(void)state;
	assert_false(ike_answer_ok(m, err, sizeof(err)));
	assert_string_not_equal(err, "");
	ike_msg_value(m, "success", "no");
	ike_msg_value(m, "errmsg", "unknown option: x\n");
	assert_false(ike_answer_ok(m, err, sizeof(err)));
	assert_string_equal(err, "unknown option: x?");
	ike_msg_free(m);
	m = ike_msg_new("");
	ike_msg_value(m, "success", "yes");
	assert_true(ike_answer_ok(m, err, sizeof(err)));
	ike_msg_free(m);
}

static void collect(void *user, const char *name)
{
	char *names = user;

	strcat(strcat(names, name), ",");
}

static void test_answer_list(void **state)
{
	struct ike_msg *m = ike_msg_new("");
	char names[64] = "";

	(void)state;
	ike_msg_section(m, "s");
	ike_msg_list_one(m, "conns", "inside");
	ike_msg_section_end(m);
	ike_msg_list_one(m, "other", "z");
	ike_msg_list(m, "conns");
	ike_msg_list_value(m, "a");
	ike_msg_list_bytes(m, "n\0l", 3);
	ike_msg_list_value(m, "b");
	ike_msg_list_end(m);
	ike_answer_list(m, "conns", collect, names);
	assert_string_equal(names, "a,b,");
	ike_msg_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_key),
		cmocka_unit_test(test_our_key_goes_once),
		cmocka_unit_test(test_psk_and_any),
		cmocka_unit_test(test_many_in_one_message),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_digest_of_each_field),
		cmocka_unit_test(test_digest_of_long_texts),
		cmocka_unit_test(test_encap),
		cmocka_unit_test(test_leads),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_request_too_long),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_answer_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
