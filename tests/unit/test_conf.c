/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of conf/: what a configuration becomes (built-in values, defaults, the tunnel's
 * own), the scalar readers, proposals, and that dist/gwd.schema.json says the same as the keyword
 * table. Every diagnostic's text is in tests/golden/conf. Runs from the tree's root.
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
#include <jansson.h>

#include "conf/conf.h"
#include "conf/proposal.h"
#include "conf/report.h"
#include "conf/schema.h"
#include "conf/value.h"

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
	assert_string_equal(addr_format(&t->remote, text), "203.0.113.7");
	assert_int_equal(t->n_addresses, 1);
	assert_string_equal(prefix_format(&t->addresses[0], text), "10.255.0.1/30");
	assert_int_equal(t->n_routes, 0);
	assert_false(t->has_gre_key);
	assert_int_equal(t->ttl, 64);
	assert_int_equal(t->mtu, 0);
	assert_int_equal(t->auth, CONF_AUTH_PUBLIC_KEY);
	assert_string_equal(t->peer_id, "b1.example.net");
	assert_string_equal(t->peer_public_key, PUBLIC_KEY);
	assert_null(t->psk_file);
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

	assert_null(conf->key_file);
	assert_string_equal(conf->charon_socket, "/s");
	assert_int_equal(conf->local.kind, CONF_LOCAL_INTERFACE);
	assert_string_equal(conf->local.ifname, "wan0");
	assert_string_equal(t->description, "the \"far\" one");
	assert_false(t->enabled);
	assert_string_equal(t->interface, "muc0");
	assert_int_equal(t->local.kind, CONF_LOCAL_ADDRESS);
	assert_int_equal(t->local.addr.family, AF_INET);
	assert_true(t->has_gre_key);
	assert_int_equal(t->gre_key, UINT32_MAX);
	assert_int_equal(t->mtu, 1400);
	assert_int_equal(t->ttl, 255);
	assert_int_equal(t->auth, CONF_AUTH_PSK);
	assert_string_equal(t->psk_file, "/p");
	assert_string_equal(t->peer_public_key, "");
	assert_int_equal(t->n_addresses, 2);
	assert_int_equal(t->addresses[1].addr.family, AF_INET6);
	assert_int_equal(t->n_routes, 2);
	assert_int_equal(t->routes[0].table, 254);
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
	assert_string_equal(a->psk_file, "/p");
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
			assert_string_equal(conf->tunnels[0].psk_file, cases[i].psk_file);
		else
			assert_null(conf->tunnels[0].psk_file);
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

static void test_number(void **state)
{
	static const struct {
		const char *text;
		enum value_result result;
		uint32_t value;
	} cases[] = {
		{"0", VALUE_OK, 0},
		{"7", VALUE_OK, 7},
		{"4294967295", VALUE_OK, UINT32_MAX},
		{"4294967296", VALUE_RANGE, 0},
		{"99999999999999999999", VALUE_RANGE, 0},
		{"", VALUE_MALFORMED, 0},
		{"-1", VALUE_MALFORMED, 0},
		{"+1", VALUE_MALFORMED, 0},
		{"01", VALUE_MALFORMED, 0},
		{"0x1", VALUE_MALFORMED, 0},
		{" 1", VALUE_MALFORMED, 0},
		{"1 ", VALUE_MALFORMED, 0},
		{"1e3", VALUE_MALFORMED, 0},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		uint32_t value = 0;
		assert_int_equal(value_number(cases[i].text, 0, UINT32_MAX, &value),
				 cases[i].result);
		assert_int_equal(value, cases[i].value);
	}
	uint32_t untouched = 5;
	assert_int_equal(value_number("9", 10, 20, &untouched), VALUE_RANGE);
	assert_int_equal(untouched, 5);
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		enum value_result result;
		uint32_t seconds;
	} cases[] = {
		{"90s", VALUE_OK, 90},
		{"30m", VALUE_OK, 1800},
		{"4h", VALUE_OK, 14400},
		{"7d", VALUE_OK, 604800},
		{"0", VALUE_OK, 0},
		{"0s", VALUE_OK, 0},
		{"8d", VALUE_RANGE, 0},
		{"4294967295d", VALUE_RANGE, 0},
		{"3600", VALUE_NO_UNIT, 0},
		{"h", VALUE_MALFORMED, 0},
		{"4 h", VALUE_MALFORMED, 0},
		{"4hh", VALUE_MALFORMED, 0},
		{"1h30m", VALUE_MALFORMED, 0},
		{"4w", VALUE_MALFORMED, 0},
		{"-4h", VALUE_MALFORMED, 0},
		{"", VALUE_MALFORMED, 0},
		{"1.5h", VALUE_MALFORMED, 0},
	};
	char text[16];

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		uint32_t seconds = 0;
		assert_int_equal(value_duration(cases[i].text, 0, 604800, &seconds),
				 cases[i].result);
		assert_int_equal(seconds, cases[i].seconds);
	}
	assert_string_equal(value_duration_format(0, text), "0");
	assert_string_equal(value_duration_format(90, text), "90s");
	assert_string_equal(value_duration_format(3600, text), "1h");
	assert_string_equal(value_duration_format(UINT32_MAX, text), "4294967295s");
}

static void test_bool(void **state)
{
	static const char *const yes[] = {"true", "yes", "on"};
	static const char *const no[] = {"false", "no", "off"};
	static const char *const none[] = {"", "y", "1", "True", "truee", "maybe"};
	bool value;

	(void)state;
	for (size_t i = 0; i < N(yes); i++) {
		value = false;
		assert_true(value_bool(yes[i], &value) && value);
		value = true;
		assert_true(value_bool(no[i], &value) && !value);
	}
	for (size_t i = 0; i < N(none); i++)
		assert_false(value_bool(none[i], &value));
}

static void test_names(void **state)
{
	static const char *const interfaces[] = {"b1", "wan0.100", "a-b_c", "123456789012345"};
	static const char *const no_interfaces[] = {"",	   ".",	  "..",
						    "a/b", "a b", "a:b",
						    "a%d", "\t",  "1234567890123456"};
	static const char *const identities[] = {"hq",	      "hq.example.net", "a@b.c",
						 "192.0.2.1", "2001:db8::1",	"a+b@c"};
	static const char *const no_identities[] = {
		"",	   "%any", "*",	  "@a",	 "a@",		"a@b@c", "#ff", "C=DE",
		"0.0.0.0", "::",   "a b", "a:b", "192.0.2.300", "-a",	 "a,b"};

	(void)state;
	for (size_t i = 0; i < N(interfaces); i++)
		assert_true(value_interface(interfaces[i]));
	for (size_t i = 0; i < N(no_interfaces); i++)
		assert_false(value_interface(no_interfaces[i]));
	for (size_t i = 0; i < N(identities); i++)
		assert_true(value_identity(identities[i]));
	for (size_t i = 0; i < N(no_identities); i++)
		assert_false(value_identity(no_identities[i]));
	assert_true(value_interface_reserved("gre0"));
	assert_false(value_interface_reserved("gre1"));
	assert_true(value_tunnel_name("_a.b-C9"));
	assert_false(value_tunnel_name("-a"));
	assert_false(value_tunnel_name("a/b"));
}

static void test_proposals(void **state)
{
	static const struct {
		enum proposal_for what;
		const char *text;
		bool good;
	} cases[] = {
		{PROPOSAL_IKE, "aes256gcm16-prfsha384-x25519", true},
		{PROPOSAL_IKE, "aes256-sha384-ecp384", true},
		{PROPOSAL_IKE, "aes256-sha256-prfsha256-modp2048", true},
		{PROPOSAL_IKE, "aes256-aes128-sha256-sha384-ecp256-x25519", true},
		{PROPOSAL_IKE, "chacha20poly1305-prfsha512-x448", true},
		{PROPOSAL_ESP, "aes256gcm16", true},
		{PROPOSAL_ESP, "aes128-sha256-noesn", true},
		{PROPOSAL_ESP, "aes256gcm16-", false},
		{PROPOSAL_ESP, "-aes256gcm16", false},
		{PROPOSAL_ESP, "", false},
		{PROPOSAL_ESP, "AES256GCM16", false},
		{PROPOSAL_ESP, "des-sha256", false},
		{PROPOSAL_ESP, "aes256-md5", false},
		{PROPOSAL_ESP, "aes256-sha1", false},
		{PROPOSAL_ESP, "aes256-sha", false},
		{PROPOSAL_ESP, "aes256gcm16-modp768", false},
		{PROPOSAL_ESP, "aes256gcm16-modp1536", false},
		{PROPOSAL_IKE, "aes256-sha256", false},
	};
	char err[160], hint[64];

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		*err = '\0';
		assert_int_equal(proposal_check(cases[i].what, cases[i].text, err, sizeof(err),
						hint, sizeof(hint)),
				 cases[i].good);
		assert_int_equal(*err == '\0', cases[i].good);
	}
	assert_false(
		proposal_check(PROPOSAL_ESP, "aes256gmc16", err, sizeof(err), hint, sizeof(hint)));
	assert_string_equal(hint, "did you mean aes256gcm16?");
}

static json_t *schema_properties(json_t *schema, enum schema_place place)
{
	static const char *const names[SCHEMA_PLACES] = {
		[SCHEMA_TOP] = "top",	      [SCHEMA_PART] = "part",
		[SCHEMA_GATEWAY] = "gateway", [SCHEMA_CHARON] = "charon",
		[SCHEMA_TUNNEL] = "tunnel",   [SCHEMA_DEFAULTS] = "defaults",
		[SCHEMA_PEER] = "peer",	      [SCHEMA_IKE] = "ike",
		[SCHEMA_ESP] = "esp",	      [SCHEMA_ROUTE] = "route",
	};
	json_t *def = json_object_get(json_object_get(schema, "$defs"), names[place]);

	assert_true(json_is_false(json_object_get(def, "additionalProperties")));
	return json_object_get(def, "properties");
}

static void range_compare(const struct schema_key *key, json_t *property)
{
	json_t *one_of = json_object_get(property, "oneOf");

	if (key->type == SCHEMA_MTU || key->type == SCHEMA_TTL)
		property = json_array_get(one_of, 1);
	else if (key->type != SCHEMA_NUMBER && key->type != SCHEMA_GRE_KEY)
		return;
	assert_int_equal(json_integer_value(json_object_get(property, "minimum")), key->min);
	assert_int_equal(json_integer_value(json_object_get(property, "maximum")), key->max);
}

/* The JSON schema has exactly the keys of the table at every place, with the same ranges. */
static void test_json_schema(void **state)
{
	json_error_t error;
	json_t *schema = json_load_file("dist/gwd.schema.json", 0, &error);

	(void)state;
	if (!schema)
		fail_msg("dist/gwd.schema.json:%d: %s", error.line, error.text);
	for (enum schema_place place = SCHEMA_TOP; place < SCHEMA_PLACES; place++) {
		json_t *properties = schema_properties(schema, place);
		size_t n = 0;
		for (size_t i = 0; i < schema_n_keys; i++) {
			if (!(schema_keys[i].places & (1u << place)))
				continue;
			json_t *property = json_object_get(properties, schema_keys[i].name);
			if (!property)
				fail_msg("%s is not in the JSON schema", schema_keys[i].name);
			range_compare(&schema_keys[i], property);
			n++;
		}
		assert_int_equal(json_object_size(properties), n);
	}
	json_decref(schema);
}

/* All errors of one run, in the file's order, and only one per mistake. */
static void test_many_errors(void **state)
{
	struct conf_report report;
	const char *text = "gatway: {}\n"
			   "tunnels:\n"
			   "  b1: {remote: x, mtu: 5, protect: none}\n"
			   "defaults: {ttl: 300}\n";

	(void)state;
	assert_null(conf_load_text("t", text, strlen(text), &report));
	assert_int_equal(report.errors, 4);
	const char *first = strstr(report.text, "t:1:1: error");
	const char *second = strstr(report.text, "t:3:16: error");
	const char *third = strstr(report.text, "t:3:24: error");
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
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_proposals),
		cmocka_unit_test(test_json_schema),
		cmocka_unit_test(test_many_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
