/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of a tunnel's `ospf:` block: entry functions ospf_check, called by conf/check.c, and
 * ospf_check_files, called by conf/files.c. What FRR is told is made of it in ctl/frr.c. Follows
 * RFC 2328 (OSPFv2) and RFC 5340 (OSPFv3).
 */
#include "conf/ospf.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define HELLOS_UNTIL_DEAD 4 /* RFC 2328 section C.3 */
#define SECONDS_MAX 65535 /* FRR's limit for both intervals */
#define HERE(d, slot) given_here(&(d)->given, slot)
#define GIVEN(d, slot) (HERE(d, slot) || given_inherited(&(d)->given, slot))
#define AT(d, slot) ((d)->given.at[slot])

static struct finding *wrong(struct drafts *ds, struct spot at, const char *what)
{
	return findings_add(ds->found, FINDING_ERROR, at, "%s", what);
}

static void check_intervals(struct drafts *ds, struct draft *d)
{
	struct conf_ospf *ospf = &d->tunnel.ospf;

	if (!ospf->dead) {
		ospf->dead = ospf->hello * HELLOS_UNTIL_DEAD;
		if (ospf->dead > SECONDS_MAX)
			ospf->dead = SECONDS_MAX;
	}
	if (ospf->dead > ospf->hello)
		return;
	if (GIVEN(d, SLOT_OSPF_DEAD))
		finding_hint(findings_add(ds->found, FINDING_ERROR, AT(d, SLOT_OSPF_DEAD),
					  "dead-interval: %us is over before the next hello, which "
					  "comes after %us",
					  ospf->dead, ospf->hello),
			     "leave the key out for four hellos");
	else
		findings_add(ds->found, FINDING_ERROR, AT(d, SLOT_OSPF_HELLO),
			     "hello-interval: no dead-interval can be longer than %us",
			     ospf->hello);
}

static void check_authentication(struct drafts *ds, const struct draft *d)
{
	if (!GIVEN(d, SLOT_OSPF_AUTHENTICATION) || GIVEN(d, SLOT_OSPF_KEY_FILE))
		return;
	finding_hint(wrong(ds, AT(d, SLOT_OSPF_AUTHENTICATION), "authentication has no key-file"),
		     "key-file: the path of a file with the key, at most %d characters",
		     OSPF_KEY_MAX);
}

/*
 * Hellos have TTL 1 (RFC 2328 section A.1), and a carrier with TTL 1 ends at the first router.
 */
static void check_ttl(struct drafts *ds, const struct draft *d)
{
	if (d->tunnel.ttl || !GIVEN(d, SLOT_TTL))
		return;
	struct finding *finding = wrong(ds, AT(d, SLOT_TTL),
					"ttl: with inherit no hello of OSPF passes a router");
	finding_hint(finding, "leave the key out for 64; ospf was given");
	finding_other(finding, AT(d, SLOT_OSPF));
}

void ospf_check(struct drafts *drafts, struct draft *d)
{
	struct conf_ospf *ospf = &d->tunnel.ospf;

	ospf->enabled &= GIVEN(d, SLOT_OSPF);
	if (!ospf->enabled)
		return;
	check_intervals(drafts, d);
	check_authentication(drafts, d);
	check_ttl(drafts, d);
	if (!d->tunnel.n_addresses && !HERE(d, SLOT_ADDRESSES))
		finding_hint(findings_add(drafts->found, FINDING_ERROR, AT(d, SLOT_OSPF),
					  "OSPF needs an address on %s", d->tunnel.name),
			     "give the tunnel addresses, or here ospf: {enabled: false}");
}

const char *ospf_key_fault(const struct secret *key)
{
	if (key->size == 0)
		return "holds an empty line";
	if (key->size > OSPF_KEY_MAX)
		return "holds more than 16 characters";
	for (size_t i = 0; i < key->size; i++) {
		if (!isascii(key->bytes[i]) || !isgraph(key->bytes[i]) ||
		    strchr("?|", key->bytes[i]))
			return "holds a blank, ?, | or what is not ASCII";
	}
	return NULL;
}

static void check_key_file(struct drafts *ds, const struct draft *d)
{
	const char *path = d->tunnel.ospf.key_file, *fault;
	struct spot at = AT(d, SLOT_OSPF_KEY_FILE);
	struct secret *key = NULL;
	char err[512];
	int rc = secret_read_file(path, &key, err, sizeof(err));

	if (rc) {
		struct finding *finding = findings_add(ds->found, FINDING_ERROR, at, "key-file: %s",
						       err);
		if (rc == -ENOENT)
			finding_hint(finding,
				     "the file holds the key that OSPF's neighbours share");
		return;
	}
	secret_trim_newline(key);
	fault = ospf_key_fault(key);
	if (fault)
		finding_hint(findings_add(ds->found, FINDING_ERROR, at, "key-file: %s %s", path,
					  fault),
			     "1 to %d characters without blanks, such as openssl rand -hex 8 makes",
			     OSPF_KEY_MAX);
	secret_free(key);
}

static int key_file_cmp(const void *left, const void *right)
{
	const struct draft *const *a = left, *const *b = right;
	int order = strcmp((*a)->tunnel.ospf.key_file, (*b)->tunnel.ospf.key_file);

	if (order)
		return order;
	return (*a)->name_at.offset < (*b)->name_at.offset ? -1 : 1;
}

void ospf_check_files(struct drafts *drafts)
{
	VEC(const struct draft *) users = {0};

	for (size_t i = 0; i < drafts->list.len; i++) {
		const struct conf_ospf *ospf = &drafts->list.at[i].tunnel.ospf;
		if (!ospf->enabled || !ospf->key_file)
			continue;
		const struct draft **user = vec_push(&users);
		if (user)
			*user = &drafts->list.at[i];
		else
			drafts->found->failed = true;
	}
	vec_sort(&users, key_file_cmp);
	for (size_t i = 0; i < users.len; i++) {
		if (i == 0 || strcmp(users.at[i - 1]->tunnel.ospf.key_file,
				     users.at[i]->tunnel.ospf.key_file))
			check_key_file(drafts, users.at[i]);
	}
	vec_free(&users);
}

bool ospf_runs(const struct conf_tunnel *t, int family)
{
	for (size_t i = 0; t->ospf.enabled && i < t->n_addresses; i++) {
		if (t->addresses[i].addr.family == family)
			return true;
	}
	return false;
}
