/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X.509 certificates and CRLs (RFC 5280) as far as mistakes can be found before charon sees them: when they are valid, for whom,
 * with which key. Signatures are charon's business. Files are PEM (RFC 7468) or DER; nothing in them is secret.
 */
#ifndef GWD_LIB_CERT_H
#define GWD_LIB_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "lib/secret.h"

#define CERT_SIZE_MAX 65535 /* bytes of DER: more does not fit into a value of vici */
#define CERT_LIST_MAX 64 /* in one file */

enum cert_kind {
	CERT_X509,
	CERT_CRL,
};

/* A part of the DER. */
struct cert_part {
	const unsigned char *at;
	size_t size;
};

struct cert {
	enum cert_kind kind;
	unsigned char *der;
	size_t size;
	time_t from,
		until; /* validity; of a CRL thisUpdate and nextUpdate; until 0: no end (RFC 5280 4.1.2.5) */
	bool is_ca; /* basicConstraints */
	bool names_issuer; /* of a CRL: it has an authorityKeyIdentifier (RFC 5280 5.2.1) */
	struct cert_part algorithm; /* of the public key, the OID's content */
	struct cert_part key; /* the content of its BIT STRING */
	struct cert_part names; /* subjectAltName, the content of its SEQUENCE; size 0: none */
};

struct cert_list {
	struct cert *at;
	size_t len, room;
};

/*
 * Reads all of one kind in a file. -errno and a sentence in err: cannot be read, -EINVAL neither PEM nor DER of this kind or
 * malformed, -EFBIG too large or too many. The list is the caller's.
 */
int cert_read_file(const char *path, enum cert_kind kind, struct cert_list *out, char *err,
		   size_t err_size);
void cert_list_free(struct cert_list *list);

/* Parses one; fills all but der and size, whose bytes are only referred to. False: malformed. */
bool cert_parse(enum cert_kind kind, const unsigned char *der, size_t size, struct cert *out);

enum cert_key {
	CERT_KEY_RSA,
	CERT_KEY_EC,
	CERT_KEY_ED25519,
	CERT_KEY_OTHER,
};

/* The kind of its public key (RFC 3279 2.3, RFC 8410 3). */
enum cert_key cert_key_kind(const struct cert *c);

enum cert_match {
	CERT_MATCH,
	CERT_DIFFERS,
	CERT_UNKNOWN, /* cannot be told here: charon will */
};

/* Whether subjectAltName has an IKE identity: a domain name, user@domain, or an address (RFC 4945 3.1). A DN is unknown. */
enum cert_match cert_names(const struct cert *c, const char *identity);

/*
 * Whether a PEM private key (RSA, EC, Ed25519; PKCS#8, PKCS#1 or SEC 1, not locked) is that of the certificate. CERT_UNKNOWN and a
 * sentence in err when it is no such key.
 */
enum cert_match cert_fits_key(const struct cert *c, const struct secret *pem, char *err,
			      size_t err_size);

#endif
