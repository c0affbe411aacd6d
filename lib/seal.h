/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed secrets: "sealed:" and the base64 of a libsodium sealed box (crypto_box_seal) to a gateway's public key, so that a
 * configuration with secrets can be published. The Ed25519 key of the gateway serves as X25519 key (RFC 7748; libsodium's
 * crypto_sign_ed25519_pk_to_curve25519). A box says for whom it is and nothing else: who has the public key can make one, and
 * it fits wherever that gateway reads a secret.
 */
#ifndef GWD_LIB_SEAL_H
#define GWD_LIB_SEAL_H

#include <stdbool.h>

#include "lib/secret.h"

#define SEAL_PREFIX "sealed:"
#define SEAL_SECRET_MAX 2048 /* bytes of what is sealed */

/* Opens boxes; the key is read when the first one needs it. Start from {.key_file = PATH}. */
struct seal_opener {
	const char *key_file; /* borrowed */
	struct secret *key; /* PEM; the opener's, until seal_opener_done */
};

bool seal_is_sealed(const char *text);

/* Whether the text can be a box, without a key; what is wrong goes to err. */
bool seal_check(const char *text, char *err, size_t err_size);

/*
 * The sealed text (malloc'ed, the caller's) of a secret of 1 to SEAL_SECRET_MAX bytes for the gateway with this public key
 * text. NULL and a sentence in err: no public key, too long, empty, out of memory.
 */
char *seal_make(const struct secret *s, const char *public_text, char *err, size_t err_size);

/*
 * A secret from where a configuration says it is: a sealed text, or the path of a file (secret_read_file) with the secret or a
 * sealed text in it; the line's end at the end of a file is no part of it. 0 and the secret, the caller's; or -errno and a
 * sentence: what secret_read_file says, -EINVAL damaged, -EKEYREJECTED sealed for another key, -ENOKEY our key cannot be read.
 */
int seal_read(struct seal_opener *opener, const char *source, struct secret **out, char *err,
	      size_t err_size);

void seal_opener_done(struct seal_opener *opener);

#endif
