// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificates of a configuration, read into memory. Entries: certs_read_own, certs_read_tunnel, called by daemon/generation.c.
 * Neighbours: lib/cert.c (parses), daemon/desire_auth.c (hands them to charon), daemon/reauth.c (compares).
 */
#include "daemon/certs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int file_load(struct cert_file *f, const char *path, enum cert_kind kind, char *err,
		     size_t err_size)
{
	unsigned char parts[CERT_LIST_MAX][SECRET_DIGEST_SIZE];
	int r = cert_read_file(path, kind, &f->list, err, err_size);

	if (r)
		return r;
	f->path = path;
	for (size_t i = 0; i < f->list.len; i++)
		secret_digest(f->list.at[i].der, f->list.at[i].size, parts[i]);
	secret_digest(parts, f->list.len * sizeof(parts[0]), f->digest);
	return 0;
}

static int file_get(struct certs *c, const char *path, enum cert_kind kind,
		    const struct cert_file **out, char *err, size_t err_size)
{
	struct cert_file *f, **slot;
	int r;

	for (size_t i = 0; i < c->files.len; i++) {
		*out = c->files.at[i];
		if (!strcmp((*out)->path, path) && (*out)->list.at[0].kind == kind)
			return 0;
	}
	f = calloc(1, sizeof(*f));
	slot = f ? vec_push(&c->files) : NULL;
	if (!slot) {
		free(f);
		return -ENOMEM;
	}
	r = file_load(f, path, kind, err, err_size);
	if (r) {
		free(f);
		c->files.len--;
		return r;
	}
	*out = *slot = f;
	return 0;
}

int certs_read_own(struct certs *c, const struct conf *conf, char *err, size_t err_size)
{
	const struct cert_file *own = NULL;
	int r = file_get(c, conf->cert_file, CERT_X509, &own, err, err_size);

	c->own = (struct cert_file *)own;
	return r ? r : secret_read_file(conf->cert_key_file, &c->key, err, err_size);
}

int certs_read_tunnel(struct certs *c, const struct conf_tunnel *t, struct tunnel_certs *out,
		      char *err, size_t err_size)
{
	int r = 0;

	for (size_t i = 0; !r && t->ca_files && t->ca_files[i]; i++)
		r = file_get(c, t->ca_files[i], CERT_X509, &out->cas[i], err, err_size);
	for (size_t i = 0; !r && t->crl_files && t->crl_files[i]; i++)
		r = file_get(c, t->crl_files[i], CERT_CRL, &out->crls[i], err, err_size);
	return r;
}

bool cert_file_equal(const struct cert_file *a, const struct cert_file *b)
{
	if (!a || !b)
		return a == b;
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

static bool among(const struct cert_file *f, const struct cert_file *const *list)
{
	for (size_t i = 0; list[i]; i++)
		if (cert_file_equal(f, list[i]))
			return true;
	return false;
}

static bool all_among(const struct cert_file *const *a, const struct cert_file *const *b)
{
	for (size_t i = 0; a[i]; i++)
		if (!among(a[i], b))
			return false;
	return true;
}

bool tunnel_certs_kept(const struct tunnel_certs *a, const struct tunnel_certs *b)
{
	return all_among(a->cas, b->cas) && all_among(a->crls, b->crls) &&
	       all_among(b->crls, a->crls);
}

bool certs_equal(const struct certs *a, const struct certs *b)
{
	if (!cert_file_equal(a->own, b->own) || a->files.len != b->files.len)
		return false;
	for (size_t i = 0; i < a->files.len; i++)
		if (!cert_file_equal(a->files.at[i], b->files.at[i]))
			return false;
	return true;
}

void certs_done(struct certs *c)
{
	for (size_t i = 0; i < c->files.len; i++) {
		cert_list_free(&c->files.at[i]->list);
		free(c->files.at[i]);
	}
	vec_free(&c->files);
	secret_free(c->key);
	*c = (struct certs){0};
}
