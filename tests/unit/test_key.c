/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/key.c against the sample key of RFC 8410 section 10, and what people paste instead of keys.
 */
#include "lib/key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define RFC_PRIVATE "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC"
#define RFC_PUBLIC "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define END "\n-----END PRIVATE KEY-----\n"

static char err[256];

static int public_of(const char *pem_text, char *public_text)
{
	struct secret *pem = secret_new(strlen(pem_text));

	assert_non_null(pem);
	memcpy(pem->bytes, pem_text, pem->size);
	int rc = key_public_from_pem(pem, public_text, err, sizeof(err));
	secret_free(pem);
	return rc;
}

static void test_pem_read(void **state)
{
	static const char *const same[] = {
		BEGIN RFC_PRIVATE END,
		"-----BEGIN PRIVATE KEY-----\r\n" RFC_PRIVATE "\r\n-----END PRIVATE KEY-----\r\n",
		"# made on Monday\n" BEGIN RFC_PRIVATE "\n-----END PRIVATE KEY-----",
		BEGIN "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK\n1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC" END,
	};
	char public_text[KEY_PUBLIC_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		memset(public_text, 0, sizeof(public_text));
		assert_int_equal(public_of(same[i], public_text), 0);
		assert_string_equal(public_text, RFC_PUBLIC);
	}
}

static void test_pem_refused(void **state)
{
	static const struct {
		const char *pem, *why;
	} pairs[] = {
		{"secret\n", "not a PEM file"},
		{BEGIN RFC_PRIVATE, "END"},
		{"-----END PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\n", "END"},
		{BEGIN "MC4CAQAw!" END, "not base64"},
		{BEGIN END, "not an Ed25519 key"},
		{BEGIN "MC4CAQAwBQYDK2VwBCIEINTuctv5" END, "PKCS#8"},
		/* version 1 with the public key, RFC 8410 section 10.3 */
		{BEGIN "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		       "oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n"
		       "Z9w7lshQhqowtrbLDFw4rXAxZuE=" END,
		 "PKCS#8"},
		/* X25519: 1.3.101.110 */
		{BEGIN "MC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC" END,
		 "not an Ed25519 key"},
		{"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "passphrase"},
		{"-----BEGIN OPENSSH PRIVATE KEY-----\n", "OpenSSH"},
		{"-----BEGIN RSA PRIVATE KEY-----\n", "another kind"},
		{"-----BEGIN CERTIFICATE-----\n", "certificate"},
		{"-----BEGIN PUBLIC KEY-----\n" RFC_PUBLIC "\n-----END PUBLIC KEY-----\n",
		 "a public key"},
	};
	char public_text[KEY_PUBLIC_TEXT_SIZE] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(public_of(pairs[i].pem, public_text), -EINVAL);
		assert_non_null(strstr(err, pairs[i].why));
		assert_string_equal(public_text, "untouched");
	}
}

static void test_generate(void **state)
{
	char made[KEY_PUBLIC_TEXT_SIZE], other[KEY_PUBLIC_TEXT_SIZE], back[KEY_PUBLIC_TEXT_SIZE];
	struct secret *pem = key_generate(made), *second = key_generate(other);

	(void)state;
	assert_non_null(pem);
	assert_non_null(second);
	/* The bytes around the key are those openssl genpkey writes. */
	assert_int_equal(pem->size, strlen(BEGIN RFC_PRIVATE END));
	assert_memory_equal(pem->bytes, BEGIN "MC4CAQAwBQYDK2VwBCIEI", strlen(BEGIN) + 21);
	assert_memory_equal(pem->bytes + strlen(BEGIN RFC_PRIVATE), END, strlen(END));
	assert_int_equal(key_public_from_pem(pem, back, err, sizeof(err)), 0);
	assert_string_equal(back, made);
	assert_int_equal(strlen(made), KEY_PUBLIC_TEXT_SIZE - 1);
	assert_string_not_equal(made, other);
	assert_true(key_public_parse(made, NULL, err, sizeof(err)));
	secret_free(pem);
	secret_free(second);
}

static void test_public(void **state)
{
	static const unsigned char head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
					     0x65, 0x70, 0x03, 0x21, 0x00, 0x19, 0xbf};
	unsigned char der[KEY_PUBLIC_DER_SIZE];

	(void)state;
	assert_true(key_public_parse(RFC_PUBLIC, der, err, sizeof(err)));
	assert_memory_equal(der, head, sizeof(head));
	assert_int_equal(der[43], 0xe1);
}

static void test_public_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} pairs[] = {
		{"", "this has 0"},
		{"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE", "this has 59"},
		{RFC_PUBLIC " ", "this has 61"},
		{" MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE", "not base64"},
		{"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZu-=", "not base64"},
		{"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE8", "not base64"},
		{"MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
		 "begin with MCowBQYDK2VwAyEA"},
		{"MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		 "no Ed25519 key has these bytes"},
		{"MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		 "no Ed25519 key has these bytes"},
		{RFC_PRIVATE, "private key"},
		{BEGIN RFC_PRIVATE END, "private key"},
		{"-----BEGIN PUBLIC KEY-----\n" RFC_PUBLIC "\n-----END PUBLIC KEY-----\n",
		 "between the BEGIN and END"},
		{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI root@hq", "SSH"},
		{"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", "WireGuard"},
	};
	unsigned char der[KEY_PUBLIC_DER_SIZE] = {7};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_false(key_public_parse(pairs[i].text, der, err, sizeof(err)));
		assert_non_null(strstr(err, pairs[i].why));
		assert_null(strstr(err, "INTuctv5"));
		assert_int_equal(der[0], 7);
	}
}

/* What was found good once is known after that, and nothing else is. */
static void test_public_again(void **state)
{
	static char made[200][KEY_PUBLIC_TEXT_SIZE];
	unsigned char der[KEY_PUBLIC_DER_SIZE];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		secret_free(key_generate(made[i]));
		assert_true(key_public_parse(made[i], NULL, err, sizeof(err)));
	}
	for (size_t i = 0; i < 200; i++)
		assert_true(key_public_parse(made[i], der, err, sizeof(err)));
	for (size_t i = 0; i < 200; i++) {
		size_t bad = 0;

		/* Of the points on the curve every eighth is in the main subgroup, and half of all bytes are on no curve. */
		for (char c = 'A'; c <= 'Z'; c++) {
			made[i][30] = c;
			bad += !key_public_parse(made[i], NULL, err, sizeof(err));
		}
		assert_in_range(bad, 10, 26);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pem_read),       cmocka_unit_test(test_pem_refused),
		cmocka_unit_test(test_generate),       cmocka_unit_test(test_public),
		cmocka_unit_test(test_public_refused), cmocka_unit_test(test_public_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
