/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files a configuration names: entry function check_files, called by conf/load.c when a
 * configuration is read from disk. Reads them as gwd would, to say now what would fail later;
 * lib/secret.c and lib/key.c word what is wrong. Nothing of their content is kept.
 */
#include "conf/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/certs.h"
#include "conf/ospf.h"
#include "lib/key.h"
#include "lib/seal.h"
#include "lib/secret.h"

#define PSK_SIZE_GOOD \
	20 /* bytes; a shorter one can be guessed offline by who answers in the peer's place */

static void check_key_file(struct drafts *ds)
{
	char err[512], public_text[KEY_PUBLIC_TEXT_SIZE];
	const char *path = ds->conf->key_file;
	struct secret *pem = NULL;
	struct spot at = {0};

	if (given_here(&ds->global, SLOT_KEY))
		at = ds->global.at[SLOT_KEY];
	else if (given_here(&ds->global, SLOT_GATEWAY))
		at = ds->global.at[SLOT_GATEWAY];
	int rc = secret_read_file(path, &pem, err, sizeof(err));
	if (rc) {
		struct finding *finding = findings_add(ds->found, FINDING_ERROR, at, "key: %s",
						       err);
		if (rc == -ENOENT)
			finding_hint(finding, "\"gwctl keygen %s\" makes it", path);
		return;
	}
	if (key_public_from_pem(pem, public_text, err, sizeof(err)))
		findings_add(ds->found, FINDING_ERROR, at, "key: %s: %s", path, err);
	secret_free(pem);
}

/* A secret that tunnels have: where it is, and where it was first written. */
struct written {
	const char *text, *key; /* a path or a sealed text; the name of its key */
	struct spot at, tunnel_at;
};

typedef VEC(struct written) written_list;

/* What it is called in a message: a path, but never the sealed text. */
static const char *written_name(const struct written *s)
{
	return seal_is_sealed(s->text) ? "the sealed text" : s->text;
}

/* A sealed text is hidden, for it stands where somebody may have written the secret itself. */
static void check_source(struct drafts *ds, struct seal_opener *opener, const struct written *s)
{
	enum finding_show show = seal_is_sealed(s->text) ? FINDING_SHOW_TO_SPOT : FINDING_SHOW_LINE;
	struct finding *finding = NULL;
	struct secret *secret = NULL;
	char err[600];
	int rc = seal_read(opener, s->text, &secret, err, sizeof(err));

	if (rc) {
		finding = findings_add(ds->found, FINDING_ERROR, s->at, "%s: %s", s->key, err);
		if (rc == -ENOENT)
			finding_hint(finding, "the file holds the key that both gateways share");
	} else if (secret->size == 0) {
		finding = findings_add(ds->found, FINDING_ERROR, s->at,
				       "%s: %s holds an empty line", s->key, written_name(s));
	} else if (secret->size < PSK_SIZE_GOOD) {
		finding = findings_add(ds->found, FINDING_WARNING, s->at,
				       "%s: %s holds a key that can be guessed", s->key,
				       written_name(s));
		finding_hint(finding,
			     "at least %d random characters, such as openssl rand -base64 24 makes",
			     PSK_SIZE_GOOD);
	}
	finding_hide(finding, show);
	secret_free(secret);
}

static int written_cmp(const void *left, const void *right)
{
	const struct written *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	if (order)
		return order;
	return a->tunnel_at.offset < b->tunnel_at.offset ? -1 : 1;
}

static void sources_add(struct drafts *ds, written_list *list, const struct draft *d)
{
	for (size_t i = 0; d->tunnel.psks && d->tunnel.psks[i]; i++) {
		struct written *s = vec_push(list);

		if (s)
			*s = (struct written){d->tunnel.psks[i], "psk", d->psk_at[i], d->name_at};
		ds->found->failed |= !s;
	}
	if (d->tunnel.ppk_secret) {
		struct written *s = vec_push(list);

		if (s)
			*s = (struct written){d->tunnel.ppk_secret, "ppk.secret",
					      d->given.at[SLOT_PPK_SECRET], d->name_at};
		ds->found->failed |= !s;
	}
}

/* Many tunnels may share one file: each file is read once. */
static void check_sources(struct drafts *ds)
{
	struct seal_opener opener = {.key_file = ds->conf->key_file};
	written_list list = {0};

	for (size_t i = 0; i < ds->list.len; i++)
		sources_add(ds, &list, &ds->list.at[i]);
	vec_sort(&list, written_cmp);
	for (size_t i = 0; i < list.len; i++) {
		if (i == 0 || strcmp(list.at[i - 1].text, list.at[i].text))
			check_source(ds, &opener, &list.at[i]);
	}
	vec_free(&list);
	seal_opener_done(&opener);
}

/* For authentication; sealed texts say themselves that they need it. */
static bool key_needed(const struct drafts *ds)
{
	for (size_t i = 0; i < ds->list.len; i++) {
		const struct conf_tunnel *t = &ds->list.at[i].tunnel;

		if (t->protect == CONF_PROTECT_IPSEC && t->auth == CONF_AUTH_PUBLIC_KEY)
			return true;
	}
	return false;
}

void check_files(struct drafts *drafts)
{
	char err[256];

	if (secret_init(err, sizeof(err))) {
		findings_add(drafts->found, FINDING_ERROR, (struct spot){0},
			     "no key file was checked: %s", err);
		return;
	}
	if (key_needed(drafts))
		check_key_file(drafts);
	ospf_check_files(drafts);
	check_sources(drafts);
	certs_check(drafts);
}
