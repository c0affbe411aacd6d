/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway's Ed25519 key (RFC 8032): PKCS#8 PEM on disk (RFC 8410, RFC 5958), and the public key
 * as the 60-character base64 of its SubjectPublicKeyInfo (RFC 8410 section 4), as RFC 8420 uses it
 * in IKEv2.
 */
#ifndef GWD_LIB_KEY_H
#define GWD_LIB_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/secret.h"

#define KEY_PUBLIC_TEXT_SIZE 61 /* 60 characters and NUL */
#define KEY_PUBLIC_DER_SIZE 44

/* A new private key as PEM, and its public text. NULL without guarded memory (secret_no_memory). */
struct secret *key_generate(char public_text[KEY_PUBLIC_TEXT_SIZE]);

/*
 * The public text of a PEM private key. -EINVAL and a sentence in err when it is no Ed25519 PKCS#8
 * key.
 */
int key_public_from_pem(const struct secret *pem, char public_text[KEY_PUBLIC_TEXT_SIZE], char *err,
			size_t err_size);

/*
 * The Ed25519 secret key (64 bytes as libsodium has them: seed, public key) of a PEM private key, and the 32 bytes of the public
 * one. NULL and a sentence in err when it is none, or without guarded memory.
 */
struct secret *key_private_from_pem(const struct secret *pem, unsigned char *public, char *err,
				    size_t err_size);

/*
 * Checks a public key text and gives its 44 DER bytes (der may be NULL). False, with what is wrong
 * in err (length, alphabet, not Ed25519, no point of the curve's main subgroup, a private key
 * pasted), when it is none.
 */
bool key_public_parse(const char *text, unsigned char der[KEY_PUBLIC_DER_SIZE], char *err,
		      size_t err_size);

#endif
