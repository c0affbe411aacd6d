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

#include "conf/ospf.h"
#include "lib/key.h"
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

static void check_psk_file(struct drafts *ds, const struct draft *d)
{
	char err[512];
	struct secret *psk = NULL;
	struct spot at = d->given.at[SLOT_PSK];
	int rc = secret_read_file(d->tunnel.psk_file, &psk, err, sizeof(err));

	if (rc) {
		struct finding *finding = findings_add(ds->found, FINDING_ERROR, at, "psk: %s",
						       err);
		if (rc == -ENOENT)
			finding_hint(finding, "the file holds the key that both gateways share");
		return;
	}
	secret_trim_newline(psk);
	if (psk->size == 0)
		findings_add(ds->found, FINDING_ERROR, at, "psk: %s holds an empty line",
			     d->tunnel.psk_file);
	else if (psk->size < PSK_SIZE_GOOD)
		finding_hint(findings_add(ds->found, FINDING_WARNING, at,
					  "psk: %s holds a key that can be guessed",
					  d->tunnel.psk_file),
			     "at least %d random characters, such as openssl rand -base64 24 makes",
			     PSK_SIZE_GOOD);
	secret_free(psk);
}

static int psk_cmp(const void *left, const void *right)
{
	const struct draft *const *a = left, *const *b = right;
	int order = strcmp((*a)->tunnel.psk_file, (*b)->tunnel.psk_file);

	if (order)
		return order;
	return (*a)->name_at.offset < (*b)->name_at.offset ? -1 : 1;
}

/* Many tunnels may share one file: each file is read once. */
static void check_psk_files(struct drafts *ds)
{
	VEC(const struct draft *) users = {0};

	for (size_t i = 0; i < ds->list.len; i++) {
		const struct draft **user = ds->list.at[i].tunnel.psk_file ? vec_push(&users)
									   : NULL;
		if (user)
			*user = &ds->list.at[i];
		else if (ds->list.at[i].tunnel.psk_file)
			ds->found->failed = true;
	}
	vec_sort(&users, psk_cmp);
	for (size_t i = 0; i < users.len; i++) {
		if (i == 0 ||
		    strcmp(users.at[i - 1]->tunnel.psk_file, users.at[i]->tunnel.psk_file))
			check_psk_file(ds, users.at[i]);
	}
	vec_free(&users);
}

void check_files(struct drafts *drafts)
{
	if (secret_init()) {
		findings_add(drafts->found, FINDING_ERROR, (struct spot){0},
			     "memory for secrets cannot be guarded: no key file was checked");
		return;
	}
	if (drafts->conf->key_file)
		check_key_file(drafts);
	check_psk_files(drafts);
	ospf_check_files(drafts);
}
