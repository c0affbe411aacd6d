/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/cert.c against a certificate made by openssl: what is read out of it, and that no damage to it is believed or read beyond.
 */
#include "lib/cert.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBqTCCAU+gAwIBAgIUSAYrxTqsazbxNh7gsW6Y4NU5MRIwCgYIKoZIzj0EAwIw\n"
	"JzEQMA4GA1UECgwHRXhhbXBsZTETMBEGA1UEAwwKRXhhbXBsZSBDQTAgFw0yNjEx\n"
	"MjIyMDUwMzNaGA8yMDUxMDcxNDIwNTAzM1owDDEKMAgGA1UEAwwBdTBZMBMGByqG\n"
	"SM49AgEGCCqGSM49AwEHA0IABLdCU/PAyn40hDOhzylnYW111a1vhynNp9BdyULt\n"
	"JMx5ogTiZkYa5akC8z6kqhRHQLdr1MIbDroKiqgxlk8GG4OjcjBwMC4GA1UdEQQn\n"
	"MCWCDmhxLmV4YW1wbGUubmV0hwTAAAIBgQ1hQGV4YW1wbGUubmV0MB0GA1UdDgQW\n"
	"BBSf/ynPVUBzjHlaX4MzmpLm1S1BCzAfBgNVHSMEGDAWgBRHwIDRwwd3e+V3FBhM\n"
	"V4wtTKzwoDAKBggqhkjOPQQDAgNIADBFAiBoqpC5JQW/T3kyp/90hnyeGGAm3AnZ\n"
	"p9p1VFMhfg5MCwIhAJbwg1STP5L2T8tyNalizKgwpgValAkubRLLf4i+3wTk\n"
	"-----END CERTIFICATE-----\n";
static const char its_key[] = "-----BEGIN PRIVATE KEY-----\n"
			      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgN4HgGwQK5aMqOpFo\n"
			      "TabF0fxMyZauWocw+eU/zlko6UyhRANCAAS3QlPzwMp+NIQzoc8pZ2FtddWtb4cp\n"
			      "zafQXclC7STMeaIE4mZGGuWpAvM+pKoUR0C3a9TCGw66CoqoMZZPBhuD\n"
			      "-----END PRIVATE KEY-----\n";
static char err[256];

static int load(const char *text, enum cert_kind kind, struct cert_list *list)
{
	char path[] = "/tmp/gwd-cert.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int rc = cert_read_file(path, kind, list, err, sizeof(err));
	unlink(path);
	return rc;
}

static void what_is_in_it(void **unused)
{
	struct cert_list list;

	(void)unused;
	assert_int_equal(load(certificate, CERT_X509, &list), 0);
	assert_int_equal(list.len, 1);
	const struct cert *c = &list.at[0];
	assert_int_equal(c->until - c->from, 9000 * 86400);
	assert_false(c->is_ca);
	assert_int_equal(cert_names(c, "hq.example.net"), CERT_MATCH);
	assert_int_equal(cert_names(c, "HQ.example.net"), CERT_MATCH);
	assert_int_equal(cert_names(c, "hq.example.ne"), CERT_DIFFERS);
	assert_int_equal(cert_names(c, "192.0.2.1"), CERT_MATCH);
	assert_int_equal(cert_names(c, "192.0.2.2"), CERT_DIFFERS);
	assert_int_equal(cert_names(c, "a@example.net"), CERT_MATCH);
	assert_int_equal(cert_names(c, "CN=u"), CERT_UNKNOWN);
	cert_list_free(&list);
	assert_int_equal(load(certificate, CERT_CRL, &list), -EINVAL);
	assert_int_equal(load("nothing", CERT_X509, &list), -EINVAL);
	assert_int_equal(load("", CERT_X509, &list), -EINVAL);
}

static enum cert_match fits(const struct cert *c, const char *text)
{
	struct secret *pem = secret_new(strlen(text));

	assert_non_null(pem);
	memcpy(pem->bytes, text, pem->size);
	enum cert_match m = cert_fits_key(c, pem, err, sizeof(err));
	secret_free(pem);
	return m;
}

static void its_key_fits(void **unused)
{
	char other[sizeof(its_key)];
	struct cert_list list;

	(void)unused;
	assert_int_equal(load(certificate, CERT_X509, &list), 0);
	assert_int_equal(fits(&list.at[0], its_key), CERT_MATCH);
	assert_int_equal(cert_key_kind(&list.at[0]), CERT_KEY_EC);
	strcpy(other, its_key);
	other[strlen(other) - 40] = other[strlen(other) - 40] == 'A' ? 'B' : 'A';
	assert_int_equal(fits(&list.at[0], other), CERT_DIFFERS);
	assert_int_equal(fits(&list.at[0], "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
			 CERT_UNKNOWN);
	assert_int_equal(fits(&list.at[0], certificate), CERT_UNKNOWN);
	cert_list_free(&list);
}

/* Each in memory of its own size, so that the sanitizer sees a byte too many. */
static void parse_copy(const unsigned char *der, size_t size)
{
	unsigned char *copy = malloc(size ? size : 1);
	struct cert c;

	assert_non_null(copy);
	memcpy(copy, der, size);
	if (cert_parse(CERT_X509, copy, size, &c)) {
		cert_names(&c, "hq.example.net");
		cert_names(&c, "192.0.2.1");
	}
	cert_parse(CERT_CRL, copy, size, &c);
	free(copy);
}

static void damage_is_not_believed(void **unused)
{
	struct cert_list list;

	(void)unused;
	assert_int_equal(load(certificate, CERT_X509, &list), 0);
	unsigned char *der = list.at[0].der;
	size_t size = list.at[0].size;
	struct cert c;
	for (size_t n = 0; n < size; n++) {
		assert_false(cert_parse(CERT_X509, der, n, &c));
		parse_copy(der, n);
	}
	for (size_t i = 0; i < size; i++) {
		unsigned char was = der[i];
		for (unsigned bit = 0; bit < 8; bit++) {
			der[i] = was ^ (unsigned char)(1u << bit);
			parse_copy(der, size);
		}
		der[i] = was;
	}
	cert_list_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_it),
		cmocka_unit_test(its_key_fits),
		cmocka_unit_test(damage_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
