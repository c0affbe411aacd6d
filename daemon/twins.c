// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tunnels that have come to need the same pair of addresses, with no GRE key between them: one keeps it, the others stand
 * back, with nothing in the kernel, until it is free. Entry: twins_part, called by daemon/observe.c at each look at
 * everything; daemon/caller.c asks the same when a peer calls.
 *
 * Who keeps it: first those whose address the configuration gives, protected before plain, and who works before who does not;
 * then peers that call, those that work first. Else the first by name.
 */
#include "daemon/twins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/caller.h"
#include "daemon/sas.h"
#include "lib/log.h"

static bool keys_meet(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	return a->gre_key_in == b->gre_key_in || a->gre_key_in == b->gre_key_out ||
	       a->gre_key_out == b->gre_key_in || a->gre_key_out == b->gre_key_out;
}

bool twins_same_key(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	return a->has_gre_key == b->has_gre_key && (!a->has_gre_key || keys_meet(a, b));
}

/* Between plain tunnels a key on one side is enough: there is no policy that would cover both. */
static bool told_apart(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	if (a->has_gre_key == b->has_gre_key)
		return !twins_same_key(a, b);
	return a->protect == CONF_PROTECT_NONE && b->protect == CONF_PROTECT_NONE;
}

bool twins_share(const struct tunnel *t, const struct tunnel *other)
{
	return other != t && other->conf->enabled && addr_equal(&t->remote, &other->remote) &&
	       addr_equal(&t->local, &other->local) && !told_apart(t->conf, other->conf);
}

static bool calls_and_works(const struct tunnel *t)
{
	return t->ike_established && t->child_installed;
}

bool twins_holds(const struct tunnel *t)
{
	return !caller_expected(t) || calls_and_works(t);
}

/* By the kernel's SAs between these very addresses, which also tell after a restart, before charon has. */
static bool works(const struct tunnel *t)
{
	return sas_have(t, true) && sas_have(t, false);
}

void twins_text(const struct tunnel *t, const struct tunnel *other, char *text, size_t size)
{
	bool keys = t->conf->has_gre_key && other->conf->has_gre_key;
	const char *remedy = keys ? "another" : "a";
	char local[ADDR_TEXT_SIZE], remote[ADDR_TEXT_SIZE];

	if (caller_expected(t))
		snprintf(text, size,
			 "%s comes from the same address as %s (one NAT): give each %s gre-key",
			 t->conf->name, other->conf->name, remedy);
	else
		snprintf(text, size,
			 "%s would run between the same addresses as %s, %s and %s: give each %s "
			 "gre-key, on both sides",
			 t->conf->name, other->conf->name, addr_format(&t->local, local),
			 addr_format(&t->remote, remote), remedy);
}

/* The lowest keeps the pair. */
static int rank(const struct tunnel *t)
{
	if (caller_expected(t))
		return calls_and_works(t) ? 4 : 5;
	if (t->conf->protect == CONF_PROTECT_NONE)
		return 3;
	if (t->stood_back.family)
		return 2;
	return works(t) ? 0 : 1;
}

static int ends_order(const void *a, const void *b)
{
	const struct tunnel *t = *(struct tunnel *const *)a, *u = *(struct tunnel *const *)b;
	int order = addr_cmp(&t->remote, &u->remote);

	if (!order)
		order = addr_cmp(&t->local, &u->local);
	if (!order)
		order = rank(t) - rank(u);
	return order ? order : t->index - u->index;
}

/* A peer that calls will tell where it is; of others the address is kept, to be tried at the next look. */
static void stand_back(struct tunnel *t, const struct tunnel *other)
{
	char text[256];

	twins_text(t, other, text, sizeof(text));
	if (!caller_expected(t) && !t->stood_back.family)
		log_warn(t->conf->name, "%s", text);
	gateway_set_text(&t->call_refused, twins_holds(t) ? text : NULL);
	if (!caller_expected(t))
		t->stood_back = t->remote;
	t->remote = (struct addr){0};
	sas_place(t);
}

static bool part_one(struct tunnel *t, struct tunnel *const *before, size_t n)
{
	for (size_t i = n; i-- > 0 && addr_equal(&t->remote, &before[i]->remote);) {
		if (!twins_share(t, before[i]))
			continue;
		stand_back(t, before[i]);
		return false;
	}
	return true;
}

/* daemon/resolve.c has kept its local address true. */
static void try_again(struct tunnel *t)
{
	if (!t->remote.family)
		t->remote = t->stood_back;
}

static void keep(struct tunnel *t)
{
	if (!t->stood_back.family)
		return;
	t->stood_back = (struct addr){0};
	gateway_set_text(&t->call_refused, NULL);
	sas_place(t);
}

int twins_part(struct gateway *gw)
{
	struct tunnel **sorted = calloc(gw->conf->n_tunnels + 1, sizeof(struct tunnel *));
	size_t n = 0, kept = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < gw->conf->n_tunnels; i++) {
		try_again(&gw->tunnels[i]);
		if (gw->tunnels[i].conf->enabled && gateway_tunnel_ends_known(&gw->tunnels[i]))
			sorted[n++] = &gw->tunnels[i];
	}
	if (n)
		qsort(sorted, n, sizeof(struct tunnel *), ends_order);
	for (size_t i = 0; i < n; i++) {
		if (!part_one(sorted[i], sorted, kept))
			continue;
		keep(sorted[i]);
		sorted[kept++] = sorted[i];
	}
	free(sorted);
	return 0;
}
