/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Algorithm names as charon lists them (AES_GCM_16, HMAC_SHA2_256_128, CURVE_25519) in the form in
 * which proposals are written (aes256gcm16, sha256, x25519); entry function ike_algs_format.
 * Neighbour: ike/sa.c. Pure. Follows the enum names in libstrongswan's crypto/ and the keywords of
 * proposal_keywords_static.txt.
 */
#include "ike/algs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ike/msg.h"

struct alg {
	const char *listed;
	const char *before;
	const char *after; /* the key's size stands between the two; NULL: it has none */
};

static const struct alg algs[] = {
	{"AES_CBC", "aes", ""},
	{"AES_CTR", "aes", "ctr"},
	{"AES_CCM_8", "aes", "ccm8"},
	{"AES_CCM_12", "aes", "ccm12"},
	{"AES_CCM_16", "aes", "ccm16"},
	{"AES_GCM_8", "aes", "gcm8"},
	{"AES_GCM_12", "aes", "gcm12"},
	{"AES_GCM_16", "aes", "gcm16"},
	{"NULL_AES_GMAC", "aes", "gmac"},
	{"CAMELLIA_CBC", "camellia", ""},
	{"CHACHA20_POLY1305", "chacha20poly1305", NULL},
	{"3DES_CBC", "3des", NULL},
	{"DES_CBC", "des", NULL},
	{"BLOWFISH_CBC", "blowfish", ""},
	{"CAST_CBC", "cast", ""},
	{"HMAC_MD5_96", "md5", NULL},
	{"HMAC_MD5_128", "md5_128", NULL},
	{"HMAC_SHA1_160", "sha1_160", NULL},
	{"HMAC_SHA2_256_96", "sha256_96", NULL},
	{"HMAC_SHA1_96", "sha1", NULL},
	{"HMAC_SHA2_256_128", "sha256", NULL},
	{"HMAC_SHA2_384_192", "sha384", NULL},
	{"HMAC_SHA2_512_256", "sha512", NULL},
	{"AES_XCBC_96", "aesxcbc", NULL},
	{"AES_CMAC_96", "aescmac", NULL},
	{"PRF_HMAC_SHA1", "prfsha1", NULL},
	{"PRF_HMAC_SHA2_256", "prfsha256", NULL},
	{"PRF_HMAC_SHA2_384", "prfsha384", NULL},
	{"PRF_HMAC_SHA2_512", "prfsha512", NULL},
	{"PRF_HMAC_MD5", "prfmd5", NULL},
	{"PRF_AES128_XCBC", "prfaesxcbc", NULL},
	{"PRF_AES128_CMAC", "prfaescmac", NULL},
	{"CURVE_25519", "x25519", NULL},
	{"CURVE_448", "x448", NULL},
	{"MODP_1024_160", "modp1024s160", NULL},
	{"MODP_2048_224", "modp2048s224", NULL},
	{"MODP_2048_256", "modp2048s256", NULL},
	{"ECP_224_BP", "ecp224bp", NULL},
	{"ECP_256_BP", "ecp256bp", NULL},
	{"ECP_384_BP", "ecp384bp", NULL},
	{"ECP_512_BP", "ecp512bp", NULL},
};

/* A name that is in no table: MODP_2048 -> modp2048, ECP_256 -> ecp256, and whatever is to come. */
static void plain_name(char *out, size_t size, const char *listed)
{
	size_t n = 0;

	for (; *listed && n + 1 < size; listed++)
		if (isalnum((unsigned char)*listed))
			out[n++] = (char)tolower((unsigned char)*listed);
	out[n] = '\0';
}

static void alg_add(char *out, size_t size, const char *listed, const char *keysize)
{
	char name[48], key[8] = "";
	size_t used = strlen(out);

	if (!listed)
		return;
	plain_name(name, sizeof(name), listed);
	if (keysize)
		plain_name(key, sizeof(key), keysize);
	for (size_t i = 0; i < sizeof(algs) / sizeof(*algs); i++)
		if (strcmp(algs[i].listed, listed) == 0)
			snprintf(name, sizeof(name), "%s%s%s", algs[i].before,
				 algs[i].after ? key : "", algs[i].after ? algs[i].after : "");
	snprintf(out + used, size - used, "%s%s", used ? "-" : "", name);
}

void ike_algs_format(char *out, size_t size, const char *encr, const char *keysize,
		     const char *integ, const char *prf, const char *dh)
{
	if (!size)
		return;
	out[0] = '\0';
	alg_add(out, size, encr, keysize);
	alg_add(out, size, integ, NULL);
	alg_add(out, size, prf, NULL);
	alg_add(out, size, dh, NULL);
}
