/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The certificates a configuration names: entry function certs_check, called by conf/files.c. What cannot work is an error; what
 * only time has made wrong is a warning, for it must not keep the other tunnels from starting. Neighbour: lib/cert.c, which
 * parses them; signatures and chains are charon's.
 */
#include "conf/certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/cert.h"

#define SOON (30 * 86400) /* seconds, or a third of the lifetime when that is less */

struct named {
	const char *path;
	enum cert_kind kind;
	struct spot at;
};

typedef VEC(struct named) named_list;

static const char *date(time_t t, char buf[16])
{
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, 16, "%Y-%m-%d", &tm);
	return buf;
}

static time_t soon_of(const struct cert *c)
{
	time_t third = (c->until - c->from) / 3;

	return third < SOON ? third : SOON;
}

/* key: "certificate", "ca" or "crl"; remedy: what follows from its being over. */
static void check_time(struct drafts *ds, const struct named *n, const char *key,
		       const struct cert *c, const char *remedy)
{
	time_t now = time(NULL);
	struct finding *finding = NULL;
	char day[16];

	if (c->from > now)
		finding = findings_add(ds->found, FINDING_WARNING, n->at,
				       "%s: %s is not valid before %s", key, n->path,
				       date(c->from, day));
	else if (c->until && c->until <= now)
		finding = findings_add(ds->found, FINDING_WARNING, n->at, "%s: %s expired on %s",
				       key, n->path, date(c->until, day));
	else if (c->kind == CERT_X509 && c->until && c->until - now < soon_of(c))
		finding = findings_add(ds->found, FINDING_WARNING, n->at, "%s: %s expires on %s",
				       key, n->path, date(c->until, day));
	if (finding)
		finding_hint(finding, "%s", remedy);
}

static bool uses_certificate(const struct conf_tunnel *t)
{
	return t->protect == CONF_PROTECT_IPSEC && t->auth == CONF_AUTH_CERTIFICATE;
}

static struct spot own_spot(const struct drafts *ds, enum schema_slot slot)
{
	return ds->global.at[slot];
}

static void check_own_key(struct drafts *ds, const struct cert *c)
{
	const char *path = ds->conf->cert_key_file;
	struct spot at = own_spot(ds, SLOT_CERTIFICATE_KEY);
	struct secret *pem = NULL;
	char err[512];

	if (secret_read_file(path, &pem, err, sizeof(err))) {
		findings_add(ds->found, FINDING_ERROR, at, "certificate-key: %s", err);
		return;
	}
	switch (cert_fits_key(c, pem, err, sizeof(err))) {
	case CERT_MATCH:
		break;
	case CERT_DIFFERS:
		findings_add(ds->found, FINDING_ERROR, at,
			     "certificate-key: %s is not the key of %s", path, ds->conf->cert_file);
		break;
	case CERT_UNKNOWN:
		findings_add(ds->found, FINDING_ERROR, at, "certificate-key: %s %s", path, err);
		break;
	}
	secret_free(pem);
}

static void check_own_id(struct drafts *ds, const struct named *n, const struct draft *d,
			 const struct cert *c)
{
	const char *id = conf_tunnel_id(ds->conf, &d->tunnel);

	if (!uses_certificate(&d->tunnel) || !id || cert_names(c, id) != CERT_DIFFERS)
		return;
	finding_hint(findings_add(ds->found, FINDING_ERROR, n->at,
				  "certificate: %s is not for %s, which is %s", n->path, id,
				  d->tunnel.id ? "the id of a tunnel" : "gateway.id"),
		     "the CA must put the identity into subjectAltName");
}

static void check_own(struct drafts *ds)
{
	struct named n = {ds->conf->cert_file, CERT_X509, own_spot(ds, SLOT_CERTIFICATE)};
	struct cert_list list;
	char err[512];

	if (cert_read_file(n.path, CERT_X509, &list, err, sizeof(err))) {
		findings_add(ds->found, FINDING_ERROR, n.at, "certificate: %s", err);
		return;
	}
	for (size_t i = 0; i < ds->list.len; i++)
		check_own_id(ds, &n, &ds->list.at[i], &list.at[0]);
	check_time(ds, &n, "certificate", &list.at[0], "peers refuse it then");
	if (ds->conf->cert_key_file)
		check_own_key(ds, &list.at[0]);
	cert_list_free(&list);
}

static void check_ca(struct drafts *ds, const struct named *n, const struct cert_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		if (!list->at[i].is_ca)
			finding_hint(findings_add(ds->found, FINDING_ERROR, n->at,
						  "ca: %s holds a certificate that is no CA's",
						  n->path),
				     "the certificate of who issued the peer's");
		check_time(ds, n, "ca", &list->at[i],
			   "peers it issued certificates for are refused then");
	}
}

/* charon finds a CRL by the identifier of its CA's key alone (5.9.8, revocation_validator.c, check_crl). */
static void check_crl(struct drafts *ds, const struct named *n, const struct cert *crl)
{
	if (!crl->names_issuer)
		finding_hint(findings_add(ds->found, FINDING_ERROR, n->at,
					  "crl: %s has no authorityKeyIdentifier", n->path),
			     "the CA must put it in, as RFC 5280 demands; openssl ca does with "
			     "crl_extensions");
	check_time(ds, n, "crl", crl, "peers are refused without a current one");
}

static void check_file(struct drafts *ds, const struct named *n)
{
	struct cert_list list;
	char err[512];

	if (cert_read_file(n->path, n->kind, &list, err, sizeof(err))) {
		findings_add(ds->found, FINDING_ERROR, n->at, "%s: %s",
			     n->kind == CERT_CRL ? "crl" : "ca", err);
		return;
	}
	if (n->kind == CERT_X509)
		check_ca(ds, n, &list);
	for (size_t i = 0; n->kind == CERT_CRL && i < list.len; i++)
		check_crl(ds, n, &list.at[i]);
	cert_list_free(&list);
}

static void named_add(struct drafts *ds, named_list *list, const struct draft *d,
		      char *const *paths, enum cert_kind kind)
{
	enum schema_slot slot = kind == CERT_CRL ? SLOT_CRL : SLOT_CA;
	bool own = given_here(&d->given, slot) || given_inherited(&d->given, slot);

	for (size_t i = 0; paths && paths[i]; i++) {
		struct named *n = vec_push(list);

		if (n)
			*n = (struct named){paths[i], kind,
					    own ? d->given.at[slot] : ds->global.at[slot]};
		ds->found->failed |= !n;
	}
}

static int named_cmp(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	int order = strcmp(a->path, b->path);

	if (order)
		return order;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->at.offset < b->at.offset ? -1 : a->at.offset > b->at.offset;
}

void certs_check(struct drafts *drafts)
{
	named_list list = {0};
	bool used = false;

	for (size_t i = 0; i < drafts->list.len; i++) {
		const struct draft *d = &drafts->list.at[i];
		const struct conf_tunnel *t = &d->tunnel;

		if (!uses_certificate(t))
			continue;
		used = true;
		named_add(drafts, &list, d, t->ca_files, CERT_X509);
		named_add(drafts, &list, d, t->crl_files, CERT_CRL);
	}
	if (used && drafts->conf->cert_file)
		check_own(drafts);
	vec_sort(&list, named_cmp);
	for (size_t i = 0; i < list.len; i++)
		if (i == 0 || strcmp(list.at[i - 1].path, list.at[i].path) ||
		    list.at[i - 1].kind != list.at[i].kind)
			check_file(drafts, &list.at[i]);
	vec_free(&list);
}
