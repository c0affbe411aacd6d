/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of conf/: what a configuration becomes (built-in values, defaults, the tunnel's own)
 * and what a report may say. Scalars and keywords are in test_conf_value.c, the text of every
 * diagnostic in tests/golden/conf.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "conf/report.h"

#define PUBLIC_KEY "MCowBQYDK2VwAyEA4NOT4eXW2MG2Z1Pk17wlr/jmkSmMSxeW/HHk00CQ31k="
#define N(list) (sizeof(list) / sizeof((list)[0]))

static struct conf *load(const char *text)
{
	struct conf_report report;
	struct conf *conf = conf_load_text("test.yaml", text, strlen(text), &report);

	if (!conf)
		fail_msg("%s", report.text);
	assert_int_equal(report.errors, 0);
	conf_report_done(&report);
	return conf;
}

/* The whole report of a text that must be refused. */
static char *refused(const char *text)
{
	struct conf_report report;

	assert_null(conf_load_text("test.yaml", text, strlen(text), &report));
	assert_true(report.errors > 0);
	return report.text;
}

static void test_builtin(void **state)
{
	(void)state;
	struct conf *conf = load("gateway: {id: hq.example.net}\n"
				 "tunnels:\n"
				 "  b1:\n"
				 "    remote: 203.0.113.7\n"
				 "    peer: {id: b1.example.net, public-key: " PUBLIC_KEY "}\n"
				 "    addresses: [10.255.0.1/30]\n");
	const struct conf_tunnel *t = conf_find_tunnel(conf, "b1");
	char text[PREFIX_TEXT_SIZE];

	assert_string_equal(conf->path, "test.yaml");
	assert_string_equal(conf->id, "hq.example.net");
	assert_string_equal(conf->key_file, "/etc/gwd/gwd.key");
	assert_string_equal(conf->charon_socket, "/run/gwd/charon.vici");
	assert_int_equal(conf->local.kind, CONF_LOCAL_AUTO);
	assert_int_equal(conf->n_tunnels, 1);
	assert_non_null(t);
	assert_true(t->enabled);
	assert_null(t->description);
	assert_string_equal(t->interface, "b1");
	assert_int_equal(t->protect, CONF_PROTECT_IPSEC);
	assert_int_equal(t->local.kind, CONF_LOCAL_AUTO);
	assert_string_equal(addr_format(&t->remote.addr, text), "203.0.113.7");
	assert_int_equal(t->n_addresses, 1);
	assert_string_equal(prefix_format(&t->addresses[0], text), "10.255.0.1/30");
	assert_int_equal(t->n_routes, 0);
	assert_false(t->has_gre_key);
	assert_int_equal(t->ttl, 64);
	assert_int_equal(t->mtu, 0);
	assert_int_equal(t->auth, CONF_AUTH_PUBLIC_KEY);
	assert_string_equal(t->peer_id, "b1.example.net");
	assert_string_equal(t->peer_public_key, PUBLIC_KEY);
	assert_null(t->psks);
	assert_string_equal(t->ike_proposals[0], "aes256gcm16-prfsha384-x25519");
	assert_string_equal(t->ike_proposals[1], "aes256-sha384-ecp384");
	assert_null(t->ike_proposals[2]);
	assert_string_equal(t->esp_proposals[0], "aes256gcm16-x25519");
	assert_int_equal(t->ike_rekey_time, 4 * 3600);
	assert_int_equal(t->ike_dpd_delay, 10);
	assert_int_equal(t->esp_rekey_time, 3600);
	assert_int_equal(t->esp_replay_window, 1024);
	assert_null(conf_find_tunnel(conf, "b2"));
	conf_free(conf);
}

static void test_all_keys(void **state)
{
	(void)state;
	struct conf *conf = load(
		"gateway: {id: 198.51.100.1, local: wan0, key: /k}\n"
		"charon: {socket: /s}\n"
		"tunnels:\n"
		"  branch-office-munich:\n"
		"    description: the \"far\" one\n"
		"    enabled: off\n"
		"    interface: muc0\n"
		"    local: 198.51.100.9\n"
		"    remote: 203.0.113.7\n"
		"    gre-key: 4294967295\n"
		"    mtu: 1400\n"
		"    ttl: 255\n"
		"    auth: psk\n"
		"    psk: /p\n"
		"    peer: {id: admin@example.net}\n"
		"    addresses: [10.255.0.1/30, \"2001:db8::1/64\"]\n"
		"    routes:\n"
		"      - 10.8.0.0/16\n"
		"      - {to: \"2001:db8:8::/48\", metric: 7, table: 100}\n"
		"    ike: {proposals: aes128-sha256-ecp256, rekey-time: 7d, dpd-delay: 0}\n"
		"    esp: {proposals: [aes128gcm16, aes256-sha512-modp4096-esn],\n"
		"          rekey-time: 90m, replay-window: 64}\n");
	const struct conf_tunnel *t = conf_find_tunnel(conf, "branch-office-munich");

	assert_string_equal(conf->charon_socket, "/s");
	assert_int_equal(conf->local.kind, CONF_LOCAL_INTERFACE);
	assert_string_equal(conf->local.ifname, "wan0");
	assert_string_equal(t->description, "the \"far\" one");
	assert_false(t->enabled);
	assert_string_equal(t->interface, "muc0");
	assert_int_equal(t->local.kind, CONF_LOCAL_ADDRESS);
	assert_int_equal(t->local.addr.family, AF_INET);
	assert_true(t->has_gre_key);
	assert_int_equal(t->gre_key_in, UINT32_MAX);
	assert_int_equal(t->gre_key_out, UINT32_MAX);
	assert_int_equal(t->mtu, 1400);
	assert_int_equal(t->ttl, 255);
	assert_int_equal(t->auth, CONF_AUTH_PSK);
	assert_string_equal(t->psks[0], "/p");
	assert_string_equal(t->peer_public_key, "");
	assert_int_equal(t->n_addresses, 2);
	assert_int_equal(t->addresses[1].addr.family, AF_INET6);
	assert_int_equal(t->n_routes, 2);
	assert_int_equal(t->routes[0].table, 0);
	assert_int_equal(t->routes[0].metric, 0);
	assert_int_equal(t->routes[1].metric, 7);
	assert_int_equal(t->routes[1].table, 100);
	assert_int_equal(t->routes[1].to.len, 48);
	assert_string_equal(t->ike_proposals[0], "aes128-sha256-ecp256");
	assert_null(t->ike_proposals[1]);
	assert_int_equal(t->ike_rekey_time, 7 * 86400);
	assert_int_equal(t->ike_dpd_delay, 0);
	assert_string_equal(t->esp_proposals[1], "aes256-sha512-modp4096-esn");
	assert_int_equal(t->esp_rekey_time, 5400);
	assert_int_equal(t->esp_replay_window, 64);
	conf_free(conf);
}

/* Tunnel over defaults over built-in, also when defaults stand last in the file. */
static void test_precedence(void **state)
{
	(void)state;
	struct conf *conf = load("tunnels:\n"
				 "  b:\n"
				 "    remote: 203.0.113.8\n"
				 "    peer: {id: b.example.net}\n"
				 "    local: auto\n"
				 "    ike: {rekey-time: 1h}\n"
				 "    routes: []\n"
				 "  a:\n"
				 "    remote: 203.0.113.7\n"
				 "    peer: {id: a.example.net}\n"
				 "gateway: {id: hq.example.net, local: wan0}\n"
				 "defaults:\n"
				 "  local: wan1\n"
				 "  psk: /p\n"
				 "  routes: [10.0.0.0/8]\n"
				 "  ike: {rekey-time: 2h, dpd-delay: 30s}\n"
				 "  esp: {proposals: aes256gcm16-ecp256}\n");
	const struct conf_tunnel *a = &conf->tunnels[0], *b = &conf->tunnels[1];

	assert_string_equal(a->name, "a");
	assert_string_equal(a->local.ifname, "wan1");
	assert_int_equal(a->ike_rekey_time, 7200);
	assert_int_equal(a->n_routes, 1);
	assert_int_equal(a->auth, CONF_AUTH_PSK);
	assert_string_equal(a->psks[0], "/p");
	assert_string_equal(b->name, "b");
	assert_int_equal(b->local.kind, CONF_LOCAL_AUTO);
	assert_int_equal(b->ike_rekey_time, 3600);
	assert_int_equal(b->ike_dpd_delay, 30);
	assert_int_equal(b->n_routes, 0);
	assert_string_equal(b->esp_proposals[0], "aes256gcm16-ecp256");
	conf_free(conf);
}

/*
 * Which authentication follows from what was given where; text is the defaults and the tunnel's
 * own lines.
 */
static void test_auth(void **state)
{
	static const struct {
		const char *defaults, *tunnel;
		enum conf_auth auth;
		const char *psk_file;
	} cases[] = {
		{"{}", "peer: {id: b, public-key: " PUBLIC_KEY "}", CONF_AUTH_PUBLIC_KEY, NULL},
		{"{}", "{peer: {id: b}, psk: /p}", CONF_AUTH_PSK, "/p"},
		{"{psk: /d}", "{peer: {id: b}}", CONF_AUTH_PSK, "/d"},
		{"{psk: /d}", "{peer: {id: b}, psk: /p}", CONF_AUTH_PSK, "/p"},
		{"{psk: /d}", "peer: {id: b, public-key: " PUBLIC_KEY "}", CONF_AUTH_PUBLIC_KEY,
		 NULL},
		{"{auth: psk}", "{peer: {id: b}, psk: /p}", CONF_AUTH_PSK, "/p"},
		{"{auth: psk, psk: /d}", "peer: {id: b, public-key: " PUBLIC_KEY "}",
		 CONF_AUTH_PUBLIC_KEY, NULL},
		{"{auth: public-key}", "{peer: {id: b}, psk: /p}", CONF_AUTH_PSK, "/p"},
		{"{auth: public-key, psk: /d}", "{auth: psk, peer: {id: b}}", CONF_AUTH_PSK, "/d"},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		char text[512];
		bool brace = cases[i].tunnel[0] == '{';
		snprintf(text, sizeof(text),
			 "gateway: {id: hq}\ndefaults: %s\n"
			 "tunnels: {b1: {remote: 203.0.113.7, %s}}\n",
			 cases[i].defaults, cases[i].tunnel + brace);
		if (brace) /* its closing brace closed the tunnel */
			strcpy(text + strlen(text) - 3, "}\n");
		struct conf *conf = load(text);
		assert_int_equal(conf->tunnels[0].auth, cases[i].auth);
		if (cases[i].psk_file)
			assert_string_equal(conf->tunnels[0].psks[0], cases[i].psk_file);
		else
			assert_null(conf->tunnels[0].psks);
		conf_free(conf);
	}
}

static void test_plain_needs_nothing(void **state)
{
	(void)state;
	struct conf *conf = load("tunnels: {p: {remote: 203.0.113.7, protect: none}}\n");

	assert_null(conf->id);
	assert_null(conf->key_file);
	assert_int_equal(conf->tunnels[0].protect, CONF_PROTECT_NONE);
	assert_null(conf->tunnels[0].peer_id);
	conf_free(conf);
}

/* Parts follow the main file in strcmp order, and defaults of the main file hold for them. */
static void test_parts(void **state)
{
	char folder[] = "/tmp/test_conf.XXXXXX", path[64], parts[64], part[2][80];
	struct conf_report report;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/gwd.yaml", folder);
	snprintf(parts, sizeof(parts), "%s/tunnels.d", folder);
	assert_int_equal(mkdir(parts, 0700), 0);
	FILE *f = fopen(path, "w");
	fputs("defaults: {protect: none, ttl: 9}\ntunnels: {m: {remote: 192.0.2.1}}\n", f);
	fclose(f);
	for (int i = 0; i < 2; i++) {
		snprintf(part[i], sizeof(part[i]), "%s/%d.yaml", parts, 2 - i);
		f = fopen(part[i], "w");
		fprintf(f, "tunnels: {t%d: {remote: 192.0.2.%d}}\n", i, i + 2);
		fclose(f);
	}
	struct conf *conf = conf_load(path, &report);
	assert_non_null(conf);
	assert_null(report.text);
	assert_int_equal(conf->n_tunnels, 3);
	assert_int_equal(conf_find_tunnel(conf, "t1")->ttl, 9);
	conf_free(conf);
	for (int i = 0; i < 2; i++)
		unlink(part[i]);
	unlink(path);
	rmdir(parts);
	rmdir(folder);
}

/* The report never repeats what may be a secret. */
static void test_secrets_hidden(void **state)
{
	static const char *const texts[] = {
		"tunnels: {b: {psk: hunter2}}\n",
		"tunnels: {b: {peer: {id: b, psk: hunter2}}}\n",
		"tunnels: {b: {peer: {id: b, public-key: hunter2}}}\n",
		"tunnels: {b: {peer: {id: b}, secret: hunter2}}\n",
		"gateway: {key: hunter2}\ntunnels: {}\n",
		"tunnels: {b: {psk: [hunter2]}}\n",
		"tunnels: {b: {psk: /a, psk: hunter2}}\n",
	};

	(void)state;
	for (size_t i = 0; i < N(texts); i++) {
		char *report = refused(texts[i]);
		assert_null(strstr(report, "hunter2"));
		free(report);
	}
}

/* What a terminal would obey does not reach it, even from a comment of the shown line. */
static void test_report_is_clean(void **state)
{
	(void)state;
	char *report = refused("mtu\xc2\x9b: 1 # \xe2\x82\xac\n");

	for (const char *p = report; *p; p++)
		assert_true((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
	assert_null(strstr(report, "\xc2\x9b"));
	free(report);
}

/* All errors of one run, in the file's order, and only one per mistake. */
static void test_many_errors(void **state)
{
	struct conf_report report;
	const char *text = "gatway: {}\n"
			   "tunnels:\n"
			   "  b1: {remote: a..b, mtu: 5, protect: none}\n"
			   "defaults: {ttl: 300}\n";

	(void)state;
	assert_null(conf_load_text("t", text, strlen(text), &report));
	assert_int_equal(report.errors, 4);
	const char *first = strstr(report.text, "t:1:1: error");
	const char *second = strstr(report.text, "t:3:16: error");
	const char *third = strstr(report.text, "t:3:27: error");
	const char *fourth = strstr(report.text, "t:4:17: error");
	assert_true(first && first < second && second < third && third < fourth);
	conf_report_done(&report);
	assert_null(report.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_plain_needs_nothing),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_secrets_hidden),
		cmocka_unit_test(test_report_is_clean),
		cmocka_unit_test(test_many_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
