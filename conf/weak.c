/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weak algorithms (conf/proposal.c says which). Entry functions: weak_note, called by conf/list.c for each proposal, and
 * weak_check, called by conf/check.c when allow-weak is known, wherever it stood; conf_tunnel_weak for the status. Pure.
 */
#include "conf/weak.h"

#include "conf/proposal.h"

_Static_assert(sizeof(((struct weak_proposal *)0)->word) == PROPOSAL_WORD_SIZE, "a word fits");

bool weak_note(struct draft *draft, enum schema_slot slot, const char *proposal, struct spot at)
{
	struct weak_proposal weak = {.at = at, .slot = slot};
	struct weak_proposal *place;

	if (!proposal_weak(proposal, weak.word, sizeof(weak.word), &weak.instead))
		return true;
	place = vec_push(&draft->weak);
	if (place)
		*place = weak;
	return place != NULL;
}

void weak_forget(struct draft *draft, enum schema_slot slot)
{
	size_t kept = 0;

	for (size_t i = 0; i < draft->weak.len; i++)
		if (draft->weak.at[i].slot != slot)
			draft->weak.at[kept++] = draft->weak.at[i];
	draft->weak.len = kept;
}

/* The words are the same for each tunnel that takes them from defaults, so that they are said once. */
void weak_check(struct findings *found, const struct draft *draft)
{
	for (size_t i = 0; i < draft->weak.len; i++) {
		const struct weak_proposal *w = &draft->weak.at[i];

		if (draft->tunnel.allow_weak)
			finding_hint(findings_add(found, FINDING_WARNING, w->at,
						  "proposals: %s is weak, and allowed by allow-weak",
						  w->word),
				     "%s is strong", w->instead);
		else
			finding_hint(findings_add(found, FINDING_ERROR, w->at,
						  "proposals: %s is too weak to protect anything",
						  w->word),
				     "%s is strong; allow-weak: true takes it all the same",
				     w->instead);
	}
}

static bool list_weak(char *const *list, char *word)
{
	const char *instead;

	for (size_t i = 0; list && list[i]; i++)
		if (proposal_weak(list[i], word, PROPOSAL_WORD_SIZE, &instead))
			return true;
	return false;
}

const char *conf_tunnel_weak(const struct conf_tunnel *tunnel, char *buf)
{
	if (!tunnel->allow_weak || tunnel->protect != CONF_PROTECT_IPSEC)
		return NULL;
	return list_weak(tunnel->ike_proposals, buf) || list_weak(tunnel->esp_proposals, buf)
		       ? buf
		       : NULL;
}
