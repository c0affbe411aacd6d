/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway's Ed25519 key: the PKCS#8 PEM file and the public text that peers exchange. Entry
 * functions key_generate, key_public_from_pem, key_private_from_pem and key_public_parse. The DER of both is constant but
 * for its 32 key bytes (RFC 8410 sections 4 and 7, PEM of RFC 7468), so it is compared, not parsed.
 * Neighbour: lib/secret.c.
 */
#include "lib/key.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_SIZE crypto_sign_SEEDBYTES
#define PRIVATE_DER_SIZE 48
#define PRIVATE_TEXT_SIZE 64 /* its base64: one line of RFC 7468 */
#define DER_MAX 8192 /* room for keys of other kinds, to name them */
#define PEM_BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define PEM_END "\n-----END PRIVATE KEY-----\n"

/* SEQUENCE { version 0, SEQUENCE { 1.3.101.112 }, OCTET STRING { OCTET STRING of 32 */
static const unsigned char private_head[PRIVATE_DER_SIZE - SEED_SIZE] = {
	0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
	0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
};

/* SEQUENCE { SEQUENCE { 1.3.101.112 }, BIT STRING of 32, no unused bits */
static const unsigned char public_head[KEY_PUBLIC_DER_SIZE - crypto_sign_PUBLICKEYBYTES] = {
	0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
};

static void public_text_write(const unsigned char *public, char *text)
{
	unsigned char der[KEY_PUBLIC_DER_SIZE];

	memcpy(der, public_head, sizeof(public_head));
	memcpy(der + sizeof(public_head), public, crypto_sign_PUBLICKEYBYTES);
	sodium_bin2base64(text, KEY_PUBLIC_TEXT_SIZE, der, sizeof(der),
			  sodium_base64_VARIANT_ORIGINAL);
}

static void keypair(unsigned char *public, unsigned char *private, const unsigned char *seed)
{
	crypto_sign_seed_keypair(public, private, seed);
	secret_wipe_stack();
}

/* The expanded secret key is of no use to us beyond this call: charon derives its own. */
static bool public_text_from_seed(const unsigned char *seed, char *text)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
	struct secret *expanded = secret_new(crypto_sign_SECRETKEYBYTES);

	if (!expanded)
		return false;
	keypair(public, expanded->bytes, seed);
	secret_free(expanded);
	public_text_write(public, text);
	return true;
}

/* In two steps, for sodium_bin2base64 ends its text with a NUL where the PEM goes on. */
static void pem_write(struct secret *pem, const struct secret *der)
{
	char *at = (char *)pem->bytes;

	memcpy(at, PEM_BEGIN, strlen(PEM_BEGIN));
	at += strlen(PEM_BEGIN);
	sodium_bin2base64(at, PRIVATE_TEXT_SIZE + 1, der->bytes, der->size,
			  sodium_base64_VARIANT_ORIGINAL);
	memcpy(at + PRIVATE_TEXT_SIZE, PEM_END, strlen(PEM_END));
}

struct secret *key_generate(char public_text[KEY_PUBLIC_TEXT_SIZE])
{
	struct secret *der = secret_new(PRIVATE_DER_SIZE);
	struct secret *pem = secret_new(strlen(PEM_BEGIN) + PRIVATE_TEXT_SIZE + strlen(PEM_END));

	if (!der || !pem)
		goto failed;
	memcpy(der->bytes, private_head, sizeof(private_head));
	randombytes_buf(der->bytes + sizeof(private_head), SEED_SIZE);
	if (!public_text_from_seed(der->bytes + sizeof(private_head), public_text))
		goto failed;
	pem_write(pem, der);
	secret_free(der);
	return pem;
failed:
	secret_free(der);
	secret_free(pem);
	return NULL;
}

static int refuse(char *err, size_t err_size, const char *why)
{
	snprintf(err, err_size, "%s", why);
	return -EINVAL;
}

/* Where text begins within the secret at or after from; NULL when it does not. */
static const char *pem_find(const struct secret *pem, const char *from, const char *text)
{
	const char *end = (const char *)pem->bytes + pem->size;

	return from ? memmem(from, (size_t)(end - from), text, strlen(text)) : NULL;
}

static int pem_name_wrong_kind(const struct secret *pem, char *err, size_t err_size)
{
	static const struct {
		const char *label, *why;
	} kinds[] = {
		{"-----BEGIN ENCRYPTED PRIVATE KEY-----",
		 "the key is locked by a passphrase: openssl pkey -in OLD -out NEW unlocks it"},
		{"-----BEGIN OPENSSH PRIVATE KEY-----",
		 "this is an OpenSSH key: gwctl keygen makes one of the right kind"},
		{"-----BEGIN PUBLIC KEY-----",
		 "this is a public key, the private one belongs here"},
		{"-----BEGIN CERTIFICATE-----",
		 "this is a certificate, the private key belongs here"},
		{"-----BEGIN ", "this is a key of another kind: gwctl keygen makes an Ed25519 key"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (pem_find(pem, (const char *)pem->bytes, kinds[i].label))
			return refuse(err, err_size, kinds[i].why);
	}
	return refuse(err, err_size, "not a PEM file: it has no line -----BEGIN PRIVATE KEY-----");
}

static int der_check(const unsigned char *der, size_t size, char *err, size_t err_size)
{
	static const unsigned char oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

	if (size == PRIVATE_DER_SIZE && memcmp(der, private_head, sizeof(private_head)) == 0)
		return 0;
	if (memmem(der, size, oid, sizeof(oid)))
		return refuse(err, err_size,
			      "not a plain PKCS#8 key: openssl pkey -in OLD -out NEW rewrites it");
	return refuse(err, err_size,
		      "not an Ed25519 key: gwctl keygen or openssl genpkey -algorithm ed25519 "
		      "makes one");
}

/* The DER of a PEM private key, which its seed ends. */
static int der_from_pem(const struct secret *pem, struct secret **out, char *err, size_t err_size)
{
	const char *body = pem_find(pem, (const char *)pem->bytes, "-----BEGIN PRIVATE KEY-----");
	size_t size = 0;

	if (!body)
		return pem_name_wrong_kind(pem, err, err_size);
	body += strlen("-----BEGIN PRIVATE KEY-----");
	const char *end = pem_find(pem, body, "-----END PRIVATE KEY-----");
	if (!end)
		return refuse(err, err_size, "the line -----END PRIVATE KEY----- is missing");
	struct secret *der = secret_new(DER_MAX);
	if (!der)
		return secret_no_memory(err, err_size);
	int rc = sodium_base642bin(der->bytes, der->size, body, (size_t)(end - body), " \t\r\n",
				   &size, NULL, sodium_base64_VARIANT_ORIGINAL);
	if (rc)
		rc = refuse(err, err_size, "what is between its BEGIN and END is not base64");
	else
		rc = der_check(der->bytes, size, err, err_size);
	if (rc)
		secret_free(der);
	else
		*out = der;
	return rc;
}

int key_public_from_pem(const struct secret *pem, char public_text[KEY_PUBLIC_TEXT_SIZE], char *err,
			size_t err_size)
{
	struct secret *der = NULL;
	int rc = der_from_pem(pem, &der, err, err_size);

	if (!rc && !public_text_from_seed(der->bytes + sizeof(private_head), public_text))
		rc = secret_no_memory(err, err_size);
	secret_free(der);
	return rc;
}

struct secret *key_private_from_pem(const struct secret *pem, unsigned char *public, char *err,
				    size_t err_size)
{
	struct secret *der = NULL, *private;

	if (der_from_pem(pem, &der, err, err_size))
		return NULL;
	private = secret_new(crypto_sign_SECRETKEYBYTES);
	if (private)
		keypair(public, private->bytes, der->bytes + sizeof(private_head));
	else
		secret_no_memory(err, err_size);
	secret_free(der);
	return private;
}

/* Names what was pasted instead, without repeating it: it may be a private key. */
static bool public_refuse(const char *text, char *err, size_t err_size)
{
	size_t len = strlen(text);

	if (strstr(text, "PRIVATE KEY") || strncmp(text, "MC4CAQAwBQYDK2Vw", 16) == 0)
		snprintf(err, err_size,
			 "this is a private key: it is no secret any more, make a new one; the "
			 "peer's public key (gwctl pubkey) belongs here");
	else if (strstr(text, "-----BEGIN"))
		snprintf(err, err_size,
			 "only the base64 between the BEGIN and END lines belongs here");
	else if (strncmp(text, "ssh-", 4) == 0)
		snprintf(err, err_size,
			 "this is an SSH key: gwctl pubkey on the peer prints its key");
	else if (len == 44)
		snprintf(err, err_size,
			 "44 characters look like a WireGuard key; an Ed25519 key of gwctl pubkey "
			 "has 60 and begins with MCowBQYDK2VwAyEA");
	else
		snprintf(err, err_size, "a public key has %d characters, this has %zu",
			 KEY_PUBLIC_TEXT_SIZE - 1, len);
	return false;
}

static bool public_refuse_as(char *err, size_t err_size, const char *why)
{
	refuse(err, err_size, why);
	return false;
}

/*
 * Keys whose point was found good, by a keyed hash of 64 bits: the check takes 40 us, and without this each reload would
 * make it anew for every peer. An open-addressed table, at most half full; room is a power of two.
 */
static struct {
	uint64_t *at;
	size_t used, room;
	unsigned char key[crypto_shorthash_KEYBYTES];
} known;

static uint64_t known_hash(const unsigned char *public)
{
	uint64_t hash;

	_Static_assert(sizeof(hash) == crypto_shorthash_BYTES, "hash size");
	if (!known.room)
		randombytes_buf(known.key, sizeof(known.key));
	crypto_shorthash((unsigned char *)&hash, public, crypto_sign_PUBLICKEYBYTES, known.key);
	return hash | 1; /* 0 is an empty place */
}

static uint64_t *known_place(uint64_t *at, size_t room, uint64_t hash)
{
	size_t i = hash / 2 & (room - 1);

	while (at[i] && at[i] != hash)
		i = (i + 1) & (room - 1);
	return &at[i];
}

static bool known_grow(void)
{
	size_t room = known.room ? known.room * 2 : 64;
	uint64_t *at = calloc(room, sizeof(*at));

	if (!at)
		return false;
	for (size_t i = 0; i < known.room; i++)
		if (known.at[i])
			*known_place(at, room, known.at[i]) = known.at[i];
	free(known.at);
	known.at = at;
	known.room = room;
	return true;
}

static void known_add(uint64_t hash)
{
	if (known.used * 2 >= known.room && !known_grow())
		return;
	*known_place(known.at, known.room, hash) = hash;
	known.used++;
}

/* A point of small order, all zeros say, would verify forged signatures (RFC 8032 section 8). */
static bool point_is_good(const unsigned char *public)
{
	uint64_t hash = known_hash(public);

	if (known.room && *known_place(known.at, known.room, hash))
		return true;
	if (!crypto_core_ed25519_is_valid_point(public))
		return false;
	known_add(hash);
	return true;
}

bool key_public_parse(const char *text, unsigned char der[KEY_PUBLIC_DER_SIZE], char *err,
		      size_t err_size)
{
	unsigned char bytes[KEY_PUBLIC_DER_SIZE];
	size_t size = 0;

	if (strlen(text) != KEY_PUBLIC_TEXT_SIZE - 1)
		return public_refuse(text, err, err_size);
	if (sodium_base642bin(bytes, sizeof(bytes), text, KEY_PUBLIC_TEXT_SIZE - 1, NULL, &size,
			      NULL, sodium_base64_VARIANT_ORIGINAL) ||
	    size != sizeof(bytes))
		return public_refuse_as(err, err_size, "a character of it is not base64");
	if (memcmp(bytes, public_head, sizeof(public_head)))
		return public_refuse_as(err, err_size,
					"not an Ed25519 key: those begin with MCowBQYDK2VwAyEA");
	if (!point_is_good(bytes + sizeof(public_head)))
		return public_refuse_as(
			err, err_size,
			"no Ed25519 key has these bytes: a character of it is wrong");
	if (der)
		memcpy(der, bytes, sizeof(bytes));
	return true;
}
