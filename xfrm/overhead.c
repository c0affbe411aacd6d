/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ESP adds to a packet: xfrm_mtu, xfrm_proposal_overhead and xfrm_algorithm_overhead. Pure.
 *
 * Packet format: RFC 4303 section 2, UDP encapsulation RFC 3948. IV and ICV sizes: RFC 4106 (GCM),
 * RFC 4309 (CCM), RFC 4543 (GMAC), RFC 7634 (ChaCha20-Poly1305), RFC 3686 (CTR), RFC 3602
 * (AES-CBC), RFC 2451 (3DES), RFC 4868 (SHA-2), RFC 2404 (SHA-1), RFC 3566 and RFC 4494 (XCBC,
 * CMAC). Keywords: strongSwan's proposal_keywords_static.txt. The block is what the kernel pads to:
 * the cipher's, at least 4 (esp4.c). Neighbour: xfrm/state.c.
 */
#include "xfrm/overhead.h"

#include <string.h>
#include <sys/socket.h>

#include "xfrm/state.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define IP4_HEADER 20
#define IP6_HEADER 40
#define UDP_HEADER 8
#define ESP_HEADER 8
#define ESP_TRAILER 2 /* pad length, next header */
#define TOKEN_SIZE 32
#define TOKENS_MAX 64

struct kernel_algorithm {
	const char *name;
	unsigned iv, block;
};

static const struct kernel_algorithm kernel_algorithms[] = {
	{"rfc4106(gcm(aes))", 8, 4}, {"rfc7539esp(chacha20,poly1305)", 8, 4},
	{"rfc4309(ccm(aes))", 8, 4}, {"rfc4543(gcm(aes))", 8, 4},
	{"rfc3686(ctr(aes))", 8, 4}, {"cbc(aes)", 16, 16},
	{"cbc(camellia)", 16, 16},   {"cbc(serpent)", 16, 16},
	{"cbc(twofish)", 16, 16},    {"cbc(des3_ede)", 8, 8},
	{"cbc(blowfish)", 8, 8},     {"cbc(cast5)", 8, 8},
	{"ecb(cipher_null)", 0, 4},
};

/* icv is 0 where an integrity algorithm must be named as well. A key length goes between name and
 * mode. */
struct cipher_keyword {
	const char *name, *mode;
	bool key_length;
	unsigned iv, icv, block;
};

static const struct cipher_keyword ciphers[] = {
	{"aes", "gcm", true, 8, 16, 4},
	{"aes", "gcm16", true, 8, 16, 4},
	{"aes", "gcm128", true, 8, 16, 4},
	{"aes", "gcm12", true, 8, 12, 4},
	{"aes", "gcm96", true, 8, 12, 4},
	{"aes", "gcm8", true, 8, 8, 4},
	{"aes", "gcm64", true, 8, 8, 4},
	{"aes", "ccm", true, 8, 16, 4},
	{"aes", "ccm16", true, 8, 16, 4},
	{"aes", "ccm128", true, 8, 16, 4},
	{"aes", "ccm12", true, 8, 12, 4},
	{"aes", "ccm96", true, 8, 12, 4},
	{"aes", "ccm8", true, 8, 8, 4},
	{"aes", "ccm64", true, 8, 8, 4},
	{"aes", "gmac", true, 8, 16, 4},
	{"aes", "ctr", true, 8, 0, 4},
	{"aes", "", true, 16, 0, 16},
	{"aes", "", false, 16, 0, 16},
	{"camellia", "", true, 16, 0, 16},
	{"camellia", "", false, 16, 0, 16},
	{"chacha20poly1305", "", false, 8, 16, 4},
	{"3des", "", false, 8, 0, 8},
	{"null", "", false, 0, 0, 4},
};

struct integrity_keyword {
	const char *name;
	unsigned icv;
};

static const struct integrity_keyword integrities[] = {
	{"sha", 12},	  {"sha1", 12},	     {"sha1_160", 20},	  {"sha256", 16},
	{"sha2_256", 16}, {"sha256_96", 12}, {"sha2_256_96", 12}, {"sha384", 24},
	{"sha2_384", 24}, {"sha512", 32},    {"sha2_512", 32},	  {"md5", 12},
	{"md5_128", 16},  {"aesxcbc", 12},   {"aescmac", 12},
};

/* The worst of what a proposal offers: the peer may choose any of it. */
struct worst {
	unsigned iv, cipher_icv, block, icv;
	bool cipher, needs_integrity, integrity;
};

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static bool cipher_matches(const struct cipher_keyword *c, const char *token)
{
	size_t len = strlen(c->name);

	if (strncmp(token, c->name, len) != 0)
		return false;
	token += len;
	if (c->key_length) {
		if (strncmp(token, "128", 3) != 0 && strncmp(token, "192", 3) != 0 &&
		    strncmp(token, "256", 3) != 0)
			return false;
		token += 3;
	}
	return strcmp(token, c->mode) == 0;
}

/* Groups, key exchanges, PRFs and esn add nothing to a packet, so what is not found is passed over.
 */
static void token_read(const char *token, struct worst *w)
{
	for (size_t i = 0; i < COUNT(ciphers); i++) {
		const struct cipher_keyword *c = &ciphers[i];

		if (!cipher_matches(c, token))
			continue;
		w->cipher = true;
		w->needs_integrity |= !c->icv;
		w->iv = larger(w->iv, c->iv);
		w->cipher_icv = larger(w->cipher_icv, c->icv);
		w->block = larger(w->block, c->block);
		return;
	}
	for (size_t i = 0; i < COUNT(integrities); i++) {
		if (strcmp(integrities[i].name, token) != 0)
			continue;
		w->integrity = true;
		w->icv = larger(w->icv, integrities[i].icv);
	}
}

bool xfrm_algorithm_overhead(const char *name, unsigned *iv, unsigned *block)
{
	for (size_t i = 0; i < COUNT(kernel_algorithms); i++) {
		if (strcmp(kernel_algorithms[i].name, name) != 0)
			continue;
		*iv = kernel_algorithms[i].iv;
		*block = kernel_algorithms[i].block;
		return true;
	}
	return false;
}

uint32_t xfrm_mtu(uint32_t path_mtu, uint8_t family, bool encap, unsigned iv, unsigned icv,
		  unsigned block, unsigned gre_header)
{
	uint32_t outer = (family == AF_INET6 ? IP6_HEADER : IP4_HEADER) + (encap ? UDP_HEADER : 0) +
			 ESP_HEADER + iv + icv;
	uint32_t padded, inner = ESP_TRAILER + gre_header;

	if (!block || path_mtu <= outer)
		return 0;
	padded = (path_mtu - outer) / block * block;
	return padded > inner ? padded - inner : 0;
}

bool xfrm_proposal_overhead(const char *proposal, unsigned *iv, unsigned *icv, unsigned *block)
{
	struct worst w = {0};
	char token[TOKEN_SIZE];

	for (unsigned i = 0; i < TOKENS_MAX && *proposal; i++) {
		size_t len = strcspn(proposal, "-");

		if (len < sizeof(token)) {
			memcpy(token, proposal, len);
			token[len] = '\0';
			token_read(token, &w);
		}
		proposal += len;
		proposal += *proposal == '-';
	}
	if (!w.cipher || (w.needs_integrity && !w.integrity))
		return false;
	*iv = w.iv;
	*icv = w.needs_integrity ? larger(w.cipher_icv, w.icv) : w.cipher_icv;
	*block = w.block;
	return true;
}
