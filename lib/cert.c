/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X.509 certificates and CRLs: entry functions cert_read_file, cert_parse, cert_names, cert_fits_key. A walk over DER (X.690) that
 * takes out what is compared, and believes no length. Neighbours: lib/key.c (Ed25519 keys), lib/secret.c; conf/ finds mistakes
 * with it, daemon/ hands the DER to charon. Follows RFC 5280 sections 4.1 and 5.1.
 */
#include "lib/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/key.h"
#include "lib/owner.h"
#include "lib/vec.h"

#define FILE_MAX (1u << 20) /* bytes */
#define TAG_BOOLEAN 0x01
#define TAG_INTEGER 0x02
#define TAG_BITS 0x03
#define TAG_OCTETS 0x04
#define TAG_OID 0x06
#define TAG_UTC_TIME 0x17
#define TAG_TIME 0x18
#define TAG_SEQUENCE 0x30
#define TAG_CONTEXT(n) (0xa0 | (n)) /* constructed */
#define NAME_MAIL 0x81
#define NAME_DNS 0x82
#define NAME_ADDRESS 0x87

static const unsigned char oid_names[] = {0x55, 0x1d, 0x11}; /* 2.5.29.17 */
static const unsigned char oid_constraints[] = {0x55, 0x1d, 0x13}; /* 2.5.29.19 */
static const unsigned char oid_issuer[] = {0x55, 0x1d, 0x23}; /* 2.5.29.35 */
static const unsigned char oid_ed25519[] = {0x2b, 0x65, 0x70}; /* 1.3.101.112 */
static const unsigned char oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const unsigned char oid_ec[] = {0x2a, 0x86, 0x48, 0xce,
				       0x3d, 0x02, 0x01}; /* id-ecPublicKey */

/* Takes the first element off the part: its tag, or -1 when there is none that is whole. */
static int der_next(struct cert_part *from, struct cert_part *content)
{
	size_t head = 2, size;
	int tag;

	if (from->size < 2)
		return -1;
	tag = from->at[0];
	size = from->at[1];
	if (size & 0x80) {
		size_t n = size & 0x7f;

		if (n == 0 || n > 3 || from->size < 2 + n)
			return -1;
		size = 0;
		for (size_t i = 0; i < n; i++)
			size = size << 8 | from->at[2 + i];
		head += n;
	}
	if (size > from->size - head)
		return -1;
	*content = (struct cert_part){from->at + head, size};
	from->at += head + size;
	from->size -= head + size;
	return tag;
}

static bool der_take(struct cert_part *from, int tag, struct cert_part *content)
{
	return der_next(from, content) == tag;
}

/* Drops the next element when it has this tag. */
static void der_skip(struct cert_part *from, int tag)
{
	struct cert_part drop;

	if (from->size && from->at[0] == tag)
		der_next(from, &drop);
}

static bool part_is(const struct cert_part *p, const unsigned char *bytes, size_t size)
{
	return p->size == size && memcmp(p->at, bytes, size) == 0;
}

static bool two_digits(const unsigned char *at, int *out)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return false;
	*out = (at[0] - '0') * 10 + at[1] - '0';
	return true;
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, in UTC (RFC 5280 4.1.2.5). */
static bool time_parse(int tag, const struct cert_part *p, time_t *out)
{
	int century = 0, v[6];
	size_t skip = tag == TAG_TIME ? 2 : 0;

	if ((tag != TAG_UTC_TIME && tag != TAG_TIME) || p->size != 13 + skip ||
	    p->at[p->size - 1] != 'Z' || (skip && !two_digits(p->at, &century)))
		return false;
	for (size_t i = 0; i < 6; i++)
		if (!two_digits(p->at + skip + 2 * i, &v[i]))
			return false;
	if (!skip)
		century = v[0] < 50 ? 20 : 19;
	struct tm tm = {.tm_year = century * 100 + v[0] - 1900,
			.tm_mon = v[1] - 1,
			.tm_mday = v[2],
			.tm_hour = v[3],
			.tm_min = v[4],
			.tm_sec = v[5]};
	/* "no well-defined expiration date" */
	*out = century == 99 && v[0] == 99 && v[1] == 12 && v[2] == 31 ? 0 : timegm(&tm);
	return true;
}

static bool take_time(struct cert_part *from, time_t *out)
{
	struct cert_part content;
	int tag = der_next(from, &content);

	return tag >= 0 && time_parse(tag, &content, out);
}

static void extension_read(struct cert *c, struct cert_part ext)
{
	struct cert_part oid, octets, inner, flag;

	if (!der_take(&ext, TAG_OID, &oid))
		return;
	der_skip(&ext, TAG_BOOLEAN); /* critical */
	if (!der_take(&ext, TAG_OCTETS, &octets) || !der_take(&octets, TAG_SEQUENCE, &inner))
		return;
	if (part_is(&oid, oid_issuer, sizeof(oid_issuer)))
		c->names_issuer = inner.size > 0;
	else if (part_is(&oid, oid_names, sizeof(oid_names)))
		c->names = inner;
	else if (part_is(&oid, oid_constraints, sizeof(oid_constraints)))
		c->is_ca = der_take(&inner, TAG_BOOLEAN, &flag) && flag.size == 1 && flag.at[0];
}

/* The last element of a body, in certificates tagged 3, in CRLs 0. */
static void extensions_read(struct cert *c, struct cert_part body, int context)
{
	struct cert_part outer, list, ext;
	int tag;

	while ((tag = der_next(&body, &outer)) >= 0 && tag != TAG_CONTEXT(context))
		;
	if (tag < 0 || !der_take(&outer, TAG_SEQUENCE, &list))
		return;
	while (der_take(&list, TAG_SEQUENCE, &ext))
		extension_read(c, ext);
}

static bool key_parse(struct cert *c, struct cert_part info)
{
	struct cert_part algorithm;

	if (!der_take(&info, TAG_SEQUENCE, &algorithm) || !der_take(&info, TAG_BITS, &c->key) ||
	    !der_take(&algorithm, TAG_OID, &c->algorithm) || c->key.size < 2)
		return false;
	c->key.at++; /* the number of unused bits */
	c->key.size--;
	return true;
}

/* Certificate's body after its SEQUENCE. */
static bool body_parse(struct cert *c, struct cert_part body)
{
	struct cert_part drop, validity, info;

	der_skip(&body, TAG_CONTEXT(0)); /* version */
	if (!der_take(&body, TAG_INTEGER, &drop) || !der_take(&body, TAG_SEQUENCE, &drop) ||
	    !der_take(&body, TAG_SEQUENCE, &drop) || !der_take(&body, TAG_SEQUENCE, &validity) ||
	    !der_take(&body, TAG_SEQUENCE, &drop) || !der_take(&body, TAG_SEQUENCE, &info))
		return false;
	if (!take_time(&validity, &c->from) || !take_time(&validity, &c->until) ||
	    !key_parse(c, info))
		return false;
	extensions_read(c, body, 3);
	return true;
}

static bool crl_parse(struct cert *c, struct cert_part body)
{
	struct cert_part drop;

	der_skip(&body, TAG_INTEGER); /* version */
	if (!der_take(&body, TAG_SEQUENCE, &drop) || !der_take(&body, TAG_SEQUENCE, &drop) ||
	    !take_time(&body, &c->from))
		return false;
	if (body.size && (body.at[0] == TAG_UTC_TIME || body.at[0] == TAG_TIME) &&
	    !take_time(&body, &c->until))
		return false;
	extensions_read(c, body, 0);
	return true;
}

bool cert_parse(enum cert_kind kind, const unsigned char *der, size_t size, struct cert *out)
{
	struct cert_part all = {der, size}, outer, body;

	*out = (struct cert){.kind = kind};
	if (!der_take(&all, TAG_SEQUENCE, &outer) || all.size ||
	    !der_take(&outer, TAG_SEQUENCE, &body))
		return false;
	switch (kind) {
	case CERT_X509:
		return body_parse(out, body);
	case CERT_CRL:
		return crl_parse(out, body);
	}
	return false;
}

static int fail(int rc, char *err, size_t err_size, const char *path, const char *why)
{
	snprintf(err, err_size, "%s %s", path, why);
	return rc;
}

static const char *label_of(enum cert_kind kind)
{
	return kind == CERT_X509 ? "CERTIFICATE" : "X509 CRL";
}

/* Takes der over. */
static int list_add(struct cert_list *list, enum cert_kind kind, unsigned char *der, size_t size)
{
	struct cert c, *slot;

	if (list->len == CERT_LIST_MAX || size > CERT_SIZE_MAX ||
	    !cert_parse(kind, der, size, &c)) {
		free(der);
		return list->len == CERT_LIST_MAX || size > CERT_SIZE_MAX ? -EFBIG : -EINVAL;
	}
	c.der = der;
	c.size = size;
	slot = vec_push(list);
	if (!slot) {
		free(der);
		return -ENOMEM;
	}
	*slot = c;
	return 0;
}

/* Each "-----BEGIN LABEL-----" of the text. */
static int pem_read(const char *text, size_t size, enum cert_kind kind, struct cert_list *list)
{
	char begin[48], end[48];
	const char *at = text, *stop = text + size, *tail;
	int rc = 0;

	snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label_of(kind));
	snprintf(end, sizeof(end), "-----END %s-----", label_of(kind));
	while (!rc && (at = memmem(at, (size_t)(stop - at), begin, strlen(begin)))) {
		at += strlen(begin);
		tail = memmem(at, (size_t)(stop - at), end, strlen(end));
		if (!tail)
			return -EINVAL;
		size_t room = (size_t)(tail - at), got = 0;
		unsigned char *der = malloc(room + 1);
		if (!der)
			return -ENOMEM;
		if (sodium_base642bin(der, room, at, room, " \t\r\n", &got, NULL,
				      sodium_base64_VARIANT_ORIGINAL)) {
			free(der);
			return -EINVAL;
		}
		rc = list_add(list, kind, der, got);
		at = tail;
	}
	return rc;
}

static int text_read(const char *text, size_t size, enum cert_kind kind, struct cert_list *list)
{
	unsigned char *der;

	if (size == 0 || (unsigned char)text[0] != TAG_SEQUENCE)
		return pem_read(text, size, kind, list);
	der = malloc(size);
	if (!der)
		return -ENOMEM;
	memcpy(der, text, size);
	return list_add(list, kind, der, size);
}

static int file_read(const char *path, char **text, size_t *size)
{
	struct stat st;
	ssize_t got = 0;
	int rc = 0, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else if (st.st_size > FILE_MAX)
		rc = -EFBIG;
	*text = rc ? NULL : malloc((size_t)st.st_size + 1);
	if (!rc && !*text)
		rc = -ENOMEM;
	*size = 0;
	while (!rc && *size < (size_t)st.st_size) {
		got = read(fd, *text + *size, (size_t)st.st_size - *size);
		if (got <= 0)
			break;
		*size += (size_t)got;
	}
	if (got < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static const char *why_of(int rc, enum cert_kind kind)
{
	switch (rc) {
	case -ENOENT:
		return "does not exist";
	case -EFBIG:
		return "is larger than charon takes";
	case -EINVAL:
		return kind == CERT_X509 ? "is no certificate, in PEM or DER"
					 : "is no CRL, in PEM or DER";
	}
	return NULL;
}

int cert_read_file(const char *path, enum cert_kind kind, struct cert_list *out, char *err,
		   size_t err_size)
{
	char *text = NULL, why[512];
	size_t size = 0;
	int rc = file_read(path, &text, &size);

	*out = (struct cert_list){0};
	if (!rc)
		rc = text_read(text, size, kind, out);
	free(text);
	if (!rc && !out->len)
		rc = -EINVAL;
	if (!rc)
		return 0;
	cert_list_free(out);
	if (why_of(rc, kind))
		return fail(rc, err, err_size, path, why_of(rc, kind));
	owner_explain(path, -rc, false, why, sizeof(why));
	snprintf(err, err_size, "%s cannot be read: %s", path, why);
	return rc;
}

void cert_list_free(struct cert_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->at[i].der);
	vec_free(list);
}

/* Text names compare as DNS does; of mail addresses only the domain should (RFC 5280 7.5), which no CA makes use of. */
static bool name_equal(int tag, const struct cert_part *name, int want, const char *identity)
{
	return tag == want && name->size == strlen(identity) &&
	       strncasecmp((const char *)name->at, identity, name->size) == 0;
}

enum cert_match cert_names(const struct cert *c, const char *identity)
{
	struct cert_part names = c->names, name;
	struct addr a;
	bool address = addr_parse(identity, &a);
	int tag;

	if (strchr(identity, '='))
		return CERT_UNKNOWN;
	while ((tag = der_next(&names, &name)) >= 0) {
		if (address && tag == NAME_ADDRESS && part_is(&name, a.bytes, addr_size(a.family)))
			return CERT_MATCH;
		if (!address &&
		    name_equal(tag, &name, strchr(identity, '@') ? NAME_MAIL : NAME_DNS, identity))
			return CERT_MATCH;
	}
	return CERT_DIFFERS;
}

enum cert_key cert_key_kind(const struct cert *c)
{
	if (part_is(&c->algorithm, oid_rsa, sizeof(oid_rsa)))
		return CERT_KEY_RSA;
	if (part_is(&c->algorithm, oid_ec, sizeof(oid_ec)))
		return CERT_KEY_EC;
	if (part_is(&c->algorithm, oid_ed25519, sizeof(oid_ed25519)))
		return CERT_KEY_ED25519;
	return CERT_KEY_OTHER;
}

/* What of the public key must be in a private key in clear: RSA's modulus, EC's point. */
static struct cert_part public_part(const struct cert *c)
{
	struct cert_part key = c->key, inner, modulus;

	if (!part_is(&c->algorithm, oid_rsa, sizeof(oid_rsa)))
		return c->key;
	if (der_take(&key, TAG_SEQUENCE, &inner) && der_take(&inner, TAG_INTEGER, &modulus))
		return modulus;
	return c->key;
}

/* The DER between BEGIN and END of the private key. */
static struct secret *private_der(const struct secret *pem, char *err, size_t err_size)
{
	static const char mark[] = "PRIVATE KEY-----", end_mark[] = "-----END ";
	const char *text = (const char *)pem->bytes, *stop = text + pem->size, *end;
	const char *at = memmem(text, pem->size, mark, sizeof(mark) - 1);
	size_t got = 0;

	if (memmem(text, pem->size, "ENCRYPTED", 9)) {
		snprintf(err, err_size,
			 "is locked by a passphrase: openssl pkey -in OLD -out NEW unlocks it");
		return NULL;
	}
	at = at ? at + sizeof(mark) - 1 : NULL;
	end = at ? memmem(at, (size_t)(stop - at), end_mark, sizeof(end_mark) - 1) : NULL;
	struct secret *der = end ? secret_new((size_t)(end - at) + 1) : NULL;
	if (end && !der) {
		secret_no_memory(err, err_size);
		return NULL;
	}
	if (der && sodium_base642bin(der->bytes, der->size, at, (size_t)(end - at), " \t\r\n", &got,
				     NULL, sodium_base64_VARIANT_ORIGINAL)) {
		secret_free(der);
		der = NULL;
	}
	if (!der)
		snprintf(err, err_size, "is no private key in PEM");
	else
		der->size = got;
	return der;
}

/* An Ed25519 key need not have its public half with it. */
static enum cert_match fits_ed25519(const struct cert *c, const struct secret *pem)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
	char ignored[160];
	struct secret *private = key_private_from_pem(pem, public, ignored, sizeof(ignored));

	if (!private)
		return CERT_DIFFERS;
	secret_free(private);
	return part_is(&c->key, public, sizeof(public)) ? CERT_MATCH : CERT_DIFFERS;
}

enum cert_match cert_fits_key(const struct cert *c, const struct secret *pem, char *err,
			      size_t err_size)
{
	struct secret *der = private_der(pem, err, err_size);
	struct cert_part public = public_part(c);
	bool found;

	if (!der)
		return CERT_UNKNOWN;
	found = memmem(der->bytes, der->size, public.at, public.size) != NULL;
	secret_free(der);
	if (part_is(&c->algorithm, oid_ed25519, sizeof(oid_ed25519)))
		return fits_ed25519(c, pem);
	return found ? CERT_MATCH : CERT_DIFFERS;
}
