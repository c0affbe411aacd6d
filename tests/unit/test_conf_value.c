/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit tests of conf/: the scalar readers, proposals, and that dist/gwd.schema.json says the same
 * as the keyword table. Runs from the tree's root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "conf/proposal.h"
#include "conf/schema.h"
#include "conf/value.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))

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
	static const char *const identities[] = {"hq",	      "hq.example.net",	       "a@b.c",
						 "192.0.2.1", "2001:db8::1",	       "a+b@c",
						 "CN=hq",     "C=DE, O=Example, CN=hq"};
	static const char *const no_identities[] = {
		"",	   "%any", "*",	  "@a",	 "a@",		"a@b@c", "#ff", "C=",
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
		{PROPOSAL_ESP, "aes256-md6", false},
		{PROPOSAL_ESP, "aes256gcm16-modp1025", false},
		{PROPOSAL_IKE, "aes256gcm16-prfsha384-x25519-ke1_mlkem768", true},
		{PROPOSAL_IKE, "aes256gcm16-prfsha384-ke1_mlkem768", false},
		{PROPOSAL_IKE, "aes256gcm16-prfsha384-x25519-ke1_sha256", false},
		{PROPOSAL_IKE, "aes256gcm16-prfsha384-x25519-ke8_mlkem768", false},
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

static void test_weak(void **state)
{
	static const struct {
		const char *text, *word; /* NULL: none */
	} cases[] = {
		{"aes256gcm16-prfsha384-x25519", NULL},
		{"aes256-sha256_96", "sha256_96"},
		{"des-sha256", "des"},
		{"aes256-md5-modp1024", "md5"},
		{"aes256-sha1", "sha1"},
		{"aes256-sha", "sha"},
		{"aes256gcm16-modp768", "modp768"},
		{"aes256gcm16-modp1536", "modp1536"},
		{"aes256-sha256-prfmd5-modp2048", "prfmd5"},
		{"aes256gcm16-x25519-ke1_modp1024s160", "ke1_modp1024s160"},
		{"null-sha256", "null"},
	};
	char word[PROPOSAL_WORD_SIZE], err[160] = "", hint[64];
	const char *instead;

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		assert_int_equal(proposal_weak(cases[i].text, word, sizeof(word), &instead),
				 cases[i].word != NULL);
		if (cases[i].word)
			assert_string_equal(word, cases[i].word);
		assert_true(proposal_check(PROPOSAL_ESP, cases[i].text, err, sizeof(err), hint,
					   sizeof(hint)) ||
			    strstr(err, "PRF"));
	}
}

static void test_volumes(void **state)
{
	uint64_t bytes;
	char text[16];

	(void)state;
	assert_int_equal(value_volume("64K", 64, 1u << 30, &bytes), VALUE_OK);
	assert_int_equal(bytes, 65536);
	assert_int_equal(value_volume("1T", 64, 1u << 30, &bytes), VALUE_OK);
	assert_true(bytes == (uint64_t)1 << 40);
	assert_int_equal(value_volume("63K", 64, 1u << 30, &bytes), VALUE_RANGE);
	assert_int_equal(value_volume("1025G", 64, 1u << 30, &bytes), VALUE_RANGE);
	assert_int_equal(value_volume("4294967296T", 64, 1u << 30, &bytes), VALUE_RANGE);
	assert_int_equal(value_volume("12345678901234567890T", 64, 1u << 30, &bytes), VALUE_RANGE);
	assert_int_equal(value_volume("64", 64, 1u << 30, &bytes), VALUE_NO_UNIT);
	assert_int_equal(value_volume("64k", 64, 1u << 30, &bytes), VALUE_MALFORMED);
	assert_int_equal(value_volume("64KB", 64, 1u << 30, &bytes), VALUE_MALFORMED);
	assert_int_equal(value_volume("K", 64, 1u << 30, &bytes), VALUE_MALFORMED);
	assert_int_equal(value_volume("", 64, 1u << 30, &bytes), VALUE_MALFORMED);
	assert_string_equal(value_volume_format(64, text), "64K");
	assert_string_equal(value_volume_format(256 << 10, text), "256M");
	assert_string_equal(value_volume_format(1u << 30, text), "1T");
	assert_string_equal(value_volume_format(1025, text), "1025K");
}

static json_t *schema_properties(json_t *schema, enum schema_place place)
{
	static const char *const names[SCHEMA_PLACES] = {
		[SCHEMA_TOP] = "top",
		[SCHEMA_PART] = "part",
		[SCHEMA_GATEWAY] = "gateway",
		[SCHEMA_CHARON] = "charon",
		[SCHEMA_TUNNEL] = "tunnel",
		[SCHEMA_DEFAULTS] = "defaults",
		[SCHEMA_PEER] = "peer",
		[SCHEMA_IKE] = "ike",
		[SCHEMA_ESP] = "esp",
		[SCHEMA_ROUTE] = "route",
		[SCHEMA_OSPF] = "ospf",
		[SCHEMA_OSPF_AUTHENTICATION] = "ospf-authentication",
		[SCHEMA_GRE_KEYS] = "gre-keys",
		[SCHEMA_PPK] = "ppk",
	};
	json_t *def = json_object_get(json_object_get(schema, "$defs"), names[place]);

	assert_true(json_is_false(json_object_get(def, "additionalProperties")));
	return json_object_get(def, "properties");
}

static void range_compare(const struct schema_key *key, json_t *property)
{
	json_t *one_of = json_object_get(property, "oneOf");

	if (key->type == SCHEMA_MTU || key->type == SCHEMA_TTL || key->type == SCHEMA_AREA ||
	    key->type == SCHEMA_TOS)
		property = json_array_get(one_of, 1);
	else if (key->type == SCHEMA_GRE_KEY && one_of)
		property = json_array_get(one_of, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),	  cmocka_unit_test(test_duration),
		cmocka_unit_test(test_bool),	  cmocka_unit_test(test_names),
		cmocka_unit_test(test_proposals), cmocka_unit_test(test_weak),
		cmocka_unit_test(test_volumes),	  cmocka_unit_test(test_json_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
