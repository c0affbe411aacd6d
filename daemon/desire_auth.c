/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What charon is to know for authentication: entry functions desire_auth_secrets, desire_auth_gateway, desire_auth_conn, called by
 * daemon/desire.c. Of two pre-shared keys charon uses for itself the one that was loaded last (5.9.8, mem_cred.c,
 * add_shared_unique and credential_manager.c, get_shared), and takes any of them from the peer; so the second is named to be loaded
 * first. Pure.
 */
#include "daemon/desire_auth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Digests are keyed and tell nothing, so a digest of digests needs no copy of the secret. */
static void psk_digest(const struct secret *psk, const char *local_id, const char *remote_id,
		       unsigned char out[SECRET_DIGEST_SIZE])
{
	unsigned char parts[3][SECRET_DIGEST_SIZE];

	secret_digest(psk->bytes, psk->size, parts[0]);
	secret_digest(local_id, strlen(local_id), parts[1]);
	secret_digest(remote_id, strlen(remote_id), parts[2]);
	secret_digest(parts, sizeof(parts), out);
}

static int add_psk(const struct desire_input *in, int i, const char *prefix,
		   const struct secret *psk, struct objects *out)
{
	const struct conf_tunnel *t = &in->conf->tunnels[i];
	struct object_secret *s;

	if (t->auth != CONF_AUTH_PSK || !psk)
		return 0;
	s = vec_push(&out->secrets);
	if (!s)
		return -ENOMEM;
	s->kind = OBJECT_SECRET_PSK;
	s->tunnel = i;
	snprintf(s->name, sizeof(s->name), "%s%s", prefix, t->name);
	s->value = psk;
	s->local_id = conf_tunnel_id(in->conf, t);
	s->remote_id = t->peer_id;
	psk_digest(psk, s->local_id, s->remote_id, s->digest);
	return 0;
}

static int add_ppk(const struct desire_input *in, int i, struct objects *out)
{
	const struct conf_tunnel *t = &in->conf->tunnels[i];
	const struct secret *ppk = in->tunnels[i].ppk;
	struct object_secret *s = ppk ? vec_push(&out->secrets) : NULL;

	if (!s)
		return ppk ? -ENOMEM : 0;
	s->kind = OBJECT_SECRET_PPK;
	s->tunnel = i;
	snprintf(s->name, sizeof(s->name), IKE_PREFIX_PPK "%s", t->name);
	s->value = ppk;
	s->remote_id = t->ppk_id;
	psk_digest(ppk, "ppk", s->remote_id, s->digest);
	return 0;
}

int desire_auth_secrets(const struct desire_input *in, int i, struct objects *out)
{
	const struct desire_tunnel *d = &in->tunnels[i];
	int rc = add_psk(in, i, IKE_PREFIX_OTHER, d->other_psk, out);

	if (!rc)
		rc = add_psk(in, i, IKE_PREFIX, d->psk, out);
	return rc ? rc : add_ppk(in, i, out);
}

/* CRLs have no names in charon: ours is a hash. */
static int add_crl(const struct cert *crl, struct objects *out)
{
	unsigned char digest[SECRET_DIGEST_SIZE];
	struct object_secret *s = vec_push(&out->secrets);

	if (!s)
		return -ENOMEM;
	secret_digest(crl->der, crl->size, digest);
	s->kind = OBJECT_SECRET_CRL;
	s->tunnel = -1;
	s->crl = crl;
	snprintf(s->name, sizeof(s->name), OBJECT_CRL_PREFIX "%02x%02x%02x%02x%02x%02x%02x%02x",
		 digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6],
		 digest[7]);
	memcpy(s->digest, digest, sizeof(digest));
	return 0;
}

static int add_certificates(const struct certs *c, struct objects *out)
{
	struct object_secret *s = c->key ? vec_push(&out->secrets) : NULL;
	int rc = c->key && !s ? -ENOMEM : 0;

	if (s) {
		s->kind = OBJECT_SECRET_KEY;
		s->tunnel = -1;
		snprintf(s->name, sizeof(s->name), "certificate-key");
		s->value = c->key;
		secret_digest(c->key->bytes, c->key->size, s->digest);
	}
	for (size_t i = 0; i < c->files.len; i++) {
		const struct cert_list *list = &c->files.at[i]->list;

		for (size_t k = 0; !rc && k < list->len; k++)
			if (list->at[k].kind == CERT_CRL)
				rc = add_crl(&list->at[k], out);
	}
	return rc;
}

static bool needs_key(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_tunnels; i++) {
		const struct conf_tunnel *t = &conf->tunnels[i];

		if (t->enabled && t->protect == CONF_PROTECT_IPSEC &&
		    t->auth == CONF_AUTH_PUBLIC_KEY)
			return true;
	}
	return false;
}

int desire_auth_gateway(const struct desire_input *in, struct objects *out)
{
	struct object_secret *s;
	int rc = in->certs ? add_certificates(in->certs, out) : 0;

	if (rc || !in->key || !in->public_key || !needs_key(in->conf))
		return rc;
	s = vec_push(&out->secrets);
	if (!s)
		return -ENOMEM;
	s->kind = OBJECT_SECRET_KEY;
	s->tunnel = -1;
	snprintf(s->name, sizeof(s->name), "%s", in->public_key);
	s->value = in->key;
	secret_digest(in->key->bytes, in->key->size, s->digest);
	return 0;
}

static void conn_certs(const struct desire_input *in, int i, struct ike_conn *c)
{
	const struct tunnel_certs *t = in->tunnels[i].certs;

	_Static_assert(IKE_CAS_MAX == CONF_FILES_MAX, "CAs of a tunnel");
	c->local_certs = in->certs && in->certs->own ? &in->certs->own->list : NULL;
	for (size_t k = 0; t && t->cas[k]; k++)
		c->cas[k] = &t->cas[k]->list;
	c->crl_strict = t && t->crls[0];
}

void desire_auth_conn(const struct desire_input *in, int i, struct ike_conn *c)
{
	const struct conf_tunnel *t = &in->conf->tunnels[i];

	c->turn = in->tunnels[i].auth_turn;
	switch (t->auth) {
	case CONF_AUTH_PUBLIC_KEY:
		c->auth = IKE_AUTH_PUBLIC_KEY;
		c->local_public_key = in->public_key;
		c->remote_public_key = t->peer_public_key;
		c->other_public_key = *t->peer_other_key ? t->peer_other_key : NULL;
		break;
	case CONF_AUTH_PSK:
		c->auth = IKE_AUTH_PSK;
		break;
	case CONF_AUTH_CERTIFICATE:
		c->auth = IKE_AUTH_CERTIFICATE;
		conn_certs(in, i, c);
		break;
	}
	c->key_in_each = in->certs && in->certs->own;
	c->ppk_id = t->ppk_id;
	c->ppk_required = t->ppk_id && t->ppk_required;
}
