/* SPDX-License-Identifier: GPL-2.0-or-later */
/* charon's names of algorithms in the form of proposals. Pure. Private to ike/. */
#ifndef GWD_IKE_ALGS_H
#define GWD_IKE_ALGS_H

#include <stddef.h>

/* Each may be NULL. "aes256gcm16-prfsha384-x25519" from AES_GCM_16, 256, NULL,
 * PRF_HMAC_SHA2_384, CURVE_25519; cut to size. */
void ike_algs_format(char *out, size_t size, const char *encr, const char *keysize,
		     const char *integ, const char *prf, const char *dh);

#endif
