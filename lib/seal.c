/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed secrets: texts that only one gateway can read. Entry functions seal_make and seal_read. Neighbours: lib/key.c (the
 * gateway's key), lib/secret.c (files and guarded memory); conf/, daemon/ and ctl/ use it. Follows libsodium's sealed boxes
 * (crypto_box_seal: X25519 and XSalsa20-Poly1305, with an ephemeral key of the sender).
 */
#include "lib/seal.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/key.h"

#define PREFIX_SIZE (sizeof(SEAL_PREFIX) - 1)
#define BOX_MAX (SEAL_SECRET_MAX + crypto_box_SEALBYTES)
#define VARIANT sodium_base64_VARIANT_ORIGINAL

static int refuse(int rc, char *err, size_t err_size, const char *why)
{
	snprintf(err, err_size, "%s", why);
	return rc;
}

bool seal_is_sealed(const char *text)
{
	return strncmp(text, SEAL_PREFIX, PREFIX_SIZE) == 0;
}

/* The bytes of the box, in box (BOX_MAX); their number, or 0. */
static size_t box_decode(const char *text, size_t size, unsigned char *box)
{
	size_t got = 0;

	if (sodium_base642bin(box, BOX_MAX, text, size, NULL, &got, NULL, VARIANT))
		return 0;
	return got > crypto_box_SEALBYTES ? got : 0;
}

static int box_refuse(char *err, size_t err_size)
{
	return refuse(-EINVAL, err, err_size,
		      "the sealed text is damaged: it must be whole, as gwctl seal printed it");
}

bool seal_check(const char *text, char *err, size_t err_size)
{
	unsigned char box[BOX_MAX];

	return box_decode(text + PREFIX_SIZE, strlen(text) - PREFIX_SIZE, box) ||
	       box_refuse(err, err_size) == 0;
}

static char *box_encode(const unsigned char *box, size_t size)
{
	size_t room = sodium_base64_encoded_len(size, VARIANT);
	char *text = malloc(PREFIX_SIZE + room);

	if (!text)
		return NULL;
	memcpy(text, SEAL_PREFIX, PREFIX_SIZE);
	sodium_bin2base64(text + PREFIX_SIZE, room, box, size, VARIANT);
	return text;
}

char *seal_make(const struct secret *s, const char *public_text, char *err, size_t err_size)
{
	unsigned char der[KEY_PUBLIC_DER_SIZE], to[crypto_box_PUBLICKEYBYTES], box[BOX_MAX];
	const unsigned char *public = der + sizeof(der) - crypto_sign_PUBLICKEYBYTES;
	char *text = NULL;

	if (!key_public_parse(public_text, der, err, err_size))
		return NULL;
	if (s->size == 0 || s->size > SEAL_SECRET_MAX)
		snprintf(err, err_size, "a secret of 1 to %d bytes can be sealed, this has %zu",
			 SEAL_SECRET_MAX, s->size);
	else if (crypto_sign_ed25519_pk_to_curve25519(to, public) ||
		 crypto_box_seal(box, s->bytes, s->size, to))
		snprintf(err, err_size, "this public key cannot be sealed to");
	else if (!(text = box_encode(box, s->size + crypto_box_SEALBYTES)))
		snprintf(err, err_size, "out of memory");
	secret_wipe_stack();
	return text;
}

/* The gateway's key as X25519 pair. */
static struct secret *box_pair(const struct secret *pem, unsigned char *public, char *err,
			       size_t err_size)
{
	unsigned char ed_public[crypto_sign_PUBLICKEYBYTES];
	struct secret *private = NULL, *ed = key_private_from_pem(pem, ed_public, err, err_size);

	if (!ed)
		return NULL;
	private = secret_new(crypto_box_SECRETKEYBYTES);
	if (!private)
		secret_no_memory(err, err_size);
	else if (crypto_sign_ed25519_sk_to_curve25519(private->bytes, ed->bytes) ||
		 crypto_sign_ed25519_pk_to_curve25519(public, ed_public)) {
		refuse(0, err, err_size, "the gateway's key cannot open sealed texts");
		secret_free(private);
		private = NULL;
	}
	secret_free(ed);
	secret_wipe_stack();
	return private;
}

static int opener_key(struct seal_opener *o, char *err, size_t err_size)
{
	char why[400];

	if (o->key || !secret_read_file(o->key_file, &o->key, why, sizeof(why)))
		return 0;
	snprintf(err, err_size, "the gateway's key, which opens sealed texts, cannot be read: %s",
		 why);
	return -ENOKEY;
}

static int box_open(struct seal_opener *o, const char *text, size_t size, struct secret **out,
		    char *err, size_t err_size)
{
	unsigned char box[BOX_MAX], public[crypto_box_PUBLICKEYBYTES];
	size_t got = box_decode(text, size, box);
	struct secret *private, *s;
	int rc;

	if (!got)
		return box_refuse(err, err_size);
	rc = opener_key(o, err, err_size);
	if (rc)
		return rc;
	private = box_pair(o->key, public, err, err_size);
	if (!private)
		return -ENOKEY;
	s = secret_new(got - crypto_box_SEALBYTES);
	if (!s)
		rc = secret_no_memory(err, err_size);
	else if (crypto_box_seal_open(s->bytes, box, got, public, private->bytes))
		rc = refuse(-EKEYREJECTED, err, err_size,
			    "sealed for another gateway's key, or damaged: gwctl seal here makes "
			    "one for this key");
	secret_free(private);
	secret_wipe_stack();
	if (rc)
		secret_free(s);
	else
		*out = s;
	return rc;
}

int seal_read(struct seal_opener *opener, const char *source, struct secret **out, char *err,
	      size_t err_size)
{
	struct secret *file;
	char why[400];
	int rc;

	if (seal_is_sealed(source))
		return box_open(opener, source + PREFIX_SIZE, strlen(source) - PREFIX_SIZE, out,
				err, err_size);
	rc = secret_read_file(source, &file, err, err_size);
	if (rc)
		return rc;
	secret_trim_newline(file);
	if (file->size < PREFIX_SIZE || memcmp(file->bytes, SEAL_PREFIX, PREFIX_SIZE)) {
		*out = file;
		return 0;
	}
	rc = box_open(opener, (char *)file->bytes + PREFIX_SIZE, file->size - PREFIX_SIZE, out, why,
		      sizeof(why));
	if (rc)
		snprintf(err, err_size, "%s: %s", source, why);
	secret_free(file);
	return rc;
}

void seal_opener_done(struct seal_opener *opener)
{
	secret_free(opener->key);
	opener->key = NULL;
}
