/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ike/known.c: what a charon can, by its answer to get-algorithms, against what proposals ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ike/known.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))

static void section(struct ike_msg *m, const char *name, const char *const *algorithms)
{
	ike_msg_section(m, name);
	for (; *algorithms; algorithms++)
		ike_msg_value(m, *algorithms, "openssl");
	ike_msg_section_end(m);
}

/* As Debian's 5.9.8 answers with the plugins of dist/strongswan.conf; 6.0 has "ke" for "dh". */
static struct ike_known known_of(const char *exchanges)
{
	static const char *const encryption[] = {
		"AES_CBC", "AES_CTR", "CAMELLIA_CBC", "BLOWFISH_CBC", "3DES_CBC", "NULL", NULL};
	static const char *const aead[] = {"AES_GCM_16", "CHACHA20_POLY1305", NULL};
	static const char *const integrity[] = {"HMAC_SHA1_96", "HMAC_SHA2_256_128",
						"HMAC_SHA2_384_192", NULL};
	static const char *const prf[] = {"PRF_HMAC_SHA2_256", "PRF_HMAC_SHA2_384", NULL};
	static const char *const dh[] = {"MODP_2048", "MODP_1024_160", "CURVE_25519",
					 "ECP_384",   "ECP_256_BP",    NULL};
	static const char *const hasher[] = {"HASH_SHA2_512", NULL};
	struct ike_msg *m = ike_msg_new("");
	struct ike_known known = {0};

	section(m, "encryption", encryption);
	section(m, "integrity", integrity);
	section(m, "aead", aead);
	section(m, "hasher", hasher);
	section(m, "prf", prf);
	section(m, exchanges, dh);
	assert_true(ike_msg_valid(m));
	assert_int_equal(ike_known_take(&known, m), 0);
	ike_msg_free(m);
	return known;
}

static void expect(const struct ike_known *known, bool esp, const char *proposal, const char *lacks,
		   const char *instead)
{
	char word[IKE_WORD_SIZE];
	const char *near;
	bool found = ike_known_lacks(known, esp, proposal, word, sizeof(word), &near);

	if (found != (lacks != NULL))
		fail_msg("%s: %s", proposal, found ? word : "nothing is missing");
	if (lacks)
		assert_string_equal(word, lacks);
	if (instead)
		assert_string_equal(near, instead);
}

static void test_has(void **state)
{
	static const char *const well[] = {
		"aes256gcm16-prfsha384-x25519",
		"aes128gcm128-prfsha256-curve25519",
		"aes-sha2_256-modp2048",
		"camellia192-sha384-prfsha384-ecp384",
		"3des-sha-modp1024s160",
		"blowfish-sha256-ecp256bp",
		"chacha20poly1305-prfsha256-x25519-ke1_ecp384",
		"null-sha256-x25519",
	};
	static const char *const sections[] = {"dh", "ke"};

	(void)state;
	for (size_t k = 0; k < N(sections); k++) {
		struct ike_known known = known_of(sections[k]);
		for (size_t i = 0; i < N(well); i++)
			expect(&known, false, well[i], NULL, NULL);
		ike_known_free(&known);
	}
}

static void test_lacks(void **state)
{
	struct ike_known known = known_of("dh");

	(void)state;
	expect(&known, false, "aes256ccm16-prfsha256-x25519", "aes256ccm16", "aes256gcm16");
	expect(&known, false, "aes256-sha512-x25519", "sha512", NULL);
	expect(&known, false, "aes256-sha256-prfaescmac-x25519", "prfaescmac", NULL);
	expect(&known, false, "aes256gcm16-prfsha384-x448", "x448", NULL);
	expect(&known, false, "aes256gcm16-prfsha384-x25519-ke1_mlkem768", "ke1_mlkem768", NULL);
	ike_known_free(&known);
}

/* The ciphers of ESP are the kernel's. */
static void test_esp(void **state)
{
	struct ike_known known = known_of("dh");

	(void)state;
	expect(&known, true, "aes256ccm16-x25519-esn", NULL, NULL);
	expect(&known, true, "aes256-sha512-noesn", NULL, NULL);
	expect(&known, true, "aes256gcm16-ecp521", "ecp521", NULL);
	expect(&known, true, "aes256gcm16-x25519-ke1_mlkem768", "ke1_mlkem768", NULL);
	ike_known_free(&known);
}

static void test_nothing_known(void **state)
{
	struct ike_known known = {0};

	(void)state;
	expect(&known, false, "aes256gcm99-x", NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_lacks),
		cmocka_unit_test(test_esp),
		cmocka_unit_test(test_nothing_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
