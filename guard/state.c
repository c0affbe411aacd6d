/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in the guard, as data: the order of pairs and exemptions, their names, and keeping a
 * reading up to date. Entries: guard_state_note_pair, guard_state_note_exempt. Neighbours:
 * guard/parse.c fills a reading. Pure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

int guard_exempt_cmp(const struct guard_exempt *a, const struct guard_exempt *b)
{
	int order = strncmp(a->link, b->link, sizeof(a->link));

	return order ? order : (int)a->from - (int)b->from;
}

int guard_pair_cmp(const struct guard_pair *a, const struct guard_pair *b)
{
	int order = addr_cmp(&a->local, &b->local);

	if (!order)
		order = addr_cmp(&a->remote, &b->remote);
	if (!order)
		order = a->has_key - b->has_key;
	if (!order && a->has_key)
		order = (a->key > b->key) - (a->key < b->key);
	return order;
}

const char *guard_pair_format(const struct guard_pair *p, char *buf, size_t size)
{
	char local[ADDR_TEXT_SIZE], remote[ADDR_TEXT_SIZE], key[16] = "";

	if (p->has_key)
		snprintf(key, sizeof(key), " key %u", p->key);
	snprintf(buf, size, "%s -> %s%s", addr_format(&p->local, local),
		 addr_format(&p->remote, remote), key);
	return buf;
}

void guard_state_done(struct guard_state *s)
{
	free(s->pairs);
	free(s->exempts);
	*s = (struct guard_state){0};
}

void guard_state_note_pair(struct guard_state *seen, const struct guard_pair *pair, bool add)
{
	size_t at = 0;
	struct guard_pair *grown;

	while (at < seen->n_pairs && guard_pair_cmp(&seen->pairs[at], pair) < 0)
		at++;
	if (at < seen->n_pairs && !guard_pair_cmp(&seen->pairs[at], pair)) {
		if (add) {
			seen->pairs[at].out_missing = seen->pairs[at].in_missing = false;
			return;
		}
		memmove(&seen->pairs[at], &seen->pairs[at + 1],
			(--seen->n_pairs - at) * sizeof(*pair));
		return;
	}
	grown = add ? realloc(seen->pairs, (seen->n_pairs + 1) * sizeof(*pair)) : NULL;
	if (!grown)
		return;
	seen->pairs = grown;
	memmove(&grown[at + 1], &grown[at], (seen->n_pairs++ - at) * sizeof(*pair));
	grown[at] = *pair;
}

void guard_state_note_exempt(struct guard_state *seen, const struct guard_exempt *exempt, bool add)
{
	size_t at = 0;
	struct guard_exempt *grown;

	while (at < seen->n_exempts && guard_exempt_cmp(&seen->exempts[at], exempt) < 0)
		at++;
	bool there = at < seen->n_exempts && !guard_exempt_cmp(&seen->exempts[at], exempt);
	if (there == add)
		return;
	if (there) {
		memmove(&seen->exempts[at], &seen->exempts[at + 1],
			(--seen->n_exempts - at) * sizeof(*exempt));
		return;
	}
	grown = realloc(seen->exempts, (seen->n_exempts + 1) * sizeof(*exempt));
	if (!grown)
		return;
	seen->exempts = grown;
	memmove(&grown[at + 1], &grown[at], (seen->n_exempts++ - at) * sizeof(*exempt));
	grown[at] = *exempt;
}
