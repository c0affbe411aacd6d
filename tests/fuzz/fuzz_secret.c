/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gwd reads of secrets and certificates: key files, files and texts of pre-shared keys, sealed texts, public keys,
 * certificates, CRLs. The first byte says which of them the rest is; files are files (memfd), read the way gwd reads them.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cert.h"
#include "lib/key.h"
#include "lib/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What gwctl keygen makes; it is used for this alone. */
static const char key_pem[] = "-----BEGIN PRIVATE KEY-----\n"
			      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
			      "-----END PRIVATE KEY-----\n";

static const char *const identities[] = {
	"hq.example.net", "ops@example.net", "192.0.2.1", "2001:db8::1", "C=DE, CN=hq", "",
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* An error is one sentence for a terminal. */
static void check_error(const char *err, size_t size)
{
	size_t n = strnlen(err, size);

	require(n > 0 && n < size);
	for (size_t i = 0; i < n; i++)
		require(err[i] >= ' ' && err[i] <= '~');
}

/* A file of these bytes; path names it as long as the descriptor is open. */
static int file_make(const void *bytes, size_t size, char path[32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	require(fd >= 0 && fchmod(fd, 0600) == 0);
	require(write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static char *text_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	require(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

static void read_key_file(const uint8_t *data, size_t size)
{
	char path[32], err[512] = "", text[KEY_PUBLIC_TEXT_SIZE], again[KEY_PUBLIC_TEXT_SIZE];
	unsigned char public[crypto_sign_PUBLICKEYBYTES], der[KEY_PUBLIC_DER_SIZE];
	int fd = file_make(data, size, path);
	struct secret *pem = NULL, *private;

	if (secret_read_file(path, &pem, err, sizeof(err))) {
		check_error(err, sizeof(err));
		close(fd);
		return;
	}
	require(pem->size == size && !memcmp(pem->bytes, data, size));
	int bad = key_public_from_pem(pem, text, err, sizeof(err));
	private = key_private_from_pem(pem, public, err, sizeof(err));
	require(!bad == (private != NULL));
	if (bad) {
		check_error(err, sizeof(err));
	} else {
		require(key_public_parse(text, der, err, sizeof(err)));
		require(!memcmp(der + sizeof(der) - sizeof(public), public, sizeof(public)));
		require(!key_public_from_pem(pem, again, err, sizeof(err)) && !strcmp(text, again));
	}
	secret_free(private);
	secret_free(pem);
	close(fd);
}

/* With a key of ours, or with the input as the key. */
static void read_source(const char *source, const void *key, size_t key_size)
{
	char path[32], err[1024] = "";
	int fd = file_make(key, key_size, path);
	struct seal_opener opener = {.key_file = path};
	struct secret *out = NULL;

	if (seal_read(&opener, source, &out, err, sizeof(err)))
		check_error(err, sizeof(err));
	else
		require(out && out->size <= SECRET_MAX);
	secret_free(out);
	seal_opener_done(&opener);
	close(fd);
}

static void read_psk_file(const uint8_t *data, size_t size)
{
	char path[32];
	int fd = file_make(data, size, path);

	read_source(path, key_pem, sizeof(key_pem) - 1);
	close(fd);
}

static void read_sealed(const uint8_t *data, size_t size)
{
	char *rest = text_of(data, size), *text = malloc(size + sizeof(SEAL_PREFIX)), err[160] = "";

	require(text);
	sprintf(text, SEAL_PREFIX "%s", rest);
	if (!seal_check(text, err, sizeof(err)))
		check_error(err, sizeof(err));
	read_source(text, key_pem, sizeof(key_pem) - 1);
	free(text);
	free(rest);
}

/* What was sealed for a key opens with it, to the same bytes. */
static void seal_and_open(const uint8_t *data, size_t size)
{
	struct secret bytes = {size, (unsigned char *)data}, *out = NULL;
	struct secret pem = {sizeof(key_pem) - 1, (unsigned char *)key_pem};
	char public[KEY_PUBLIC_TEXT_SIZE], path[32], err[1024] = "";
	int fd = file_make(key_pem, sizeof(key_pem) - 1, path);
	struct seal_opener opener = {.key_file = path};

	require(!key_public_from_pem(&pem, public, err, sizeof(err)));
	char *text = seal_make(&bytes, public, err, sizeof(err));
	require((text != NULL) == (size >= 1 && size <= SEAL_SECRET_MAX));
	if (text) {
		require(seal_check(text, err, sizeof(err)));
		require(!seal_read(&opener, text, &out, err, sizeof(err)));
		require(out->size == size && !memcmp(out->bytes, data, size));
	}
	secret_free(out);
	free(text);
	seal_opener_done(&opener);
	close(fd);
}

static void open_with(const uint8_t *data, size_t size)
{
	static const struct secret psk = {7, (unsigned char *)"a psk\n"};
	static char *sealed;
	struct secret pem = {sizeof(key_pem) - 1, (unsigned char *)key_pem};
	char public[KEY_PUBLIC_TEXT_SIZE], err[160];

	if (!sealed && !key_public_from_pem(&pem, public, err, sizeof(err)))
		sealed = seal_make(&psk, public, err, sizeof(err));
	require(sealed);
	read_source(sealed, data, size);
}

static void read_public(const uint8_t *data, size_t size)
{
	unsigned char der[KEY_PUBLIC_DER_SIZE];
	char *text = text_of(data, size), err[512] = "";
	struct secret psk = {3, (unsigned char *)"abc"};

	if (!key_public_parse(text, der, err, sizeof(err))) {
		check_error(err, sizeof(err));
	} else {
		char *sealed = seal_make(&psk, text, err, sizeof(err));

		require(sealed || *err);
		free(sealed);
	}
	free(text);
}

static void check_part(const struct cert *c, const struct cert_part *p)
{
	if (p->size)
		require(p->at >= c->der && p->at + p->size <= c->der + c->size);
}

static void check_cert(const struct cert *c, const uint8_t *pem, size_t pem_size)
{
	static const struct secret own = {sizeof(key_pem) - 1, (unsigned char *)key_pem};
	struct secret other = {pem_size, (unsigned char *)pem};
	char err[512] = "";

	check_part(c, &c->algorithm);
	check_part(c, &c->key);
	check_part(c, &c->names);
	if (c->kind == CERT_CRL)
		return;
	cert_key_kind(c);
	for (size_t i = 0; i < sizeof(identities) / sizeof(*identities); i++)
		cert_names(c, identities[i]);
	if (cert_fits_key(c, &own, err, sizeof(err)) == CERT_UNKNOWN)
		check_error(err, sizeof(err));
	if (cert_fits_key(c, &other, err, sizeof(err)) == CERT_UNKNOWN)
		check_error(err, sizeof(err));
}

/* The file is its own key too: a PEM file may hold both. */
static void read_certs(const uint8_t *data, size_t size, enum cert_kind kind)
{
	struct cert_list list = {0};
	char path[32], err[512] = "";
	int fd = file_make(data, size, path);

	if (cert_read_file(path, kind, &list, err, sizeof(err)))
		check_error(err, sizeof(err));
	else
		require(list.len > 0 && list.len <= CERT_LIST_MAX);
	for (size_t i = 0; i < list.len; i++)
		check_cert(&list.at[i], data, size);
	cert_list_free(&list);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (*data++ % 8) {
	case 0:
		read_key_file(data, size - 1);
		break;
	case 1:
		read_psk_file(data, size - 1);
		break;
	case 2:
		read_sealed(data, size - 1);
		break;
	case 3:
		seal_and_open(data, size - 1);
		break;
	case 4:
		open_with(data, size - 1);
		break;
	case 5:
		read_public(data, size - 1);
		break;
	case 6:
		read_certs(data, size - 1, CERT_X509);
		break;
	default:
		read_certs(data, size - 1, CERT_CRL);
		break;
	}
	return 0;
}
