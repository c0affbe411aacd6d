// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One tunnel's IKE_SAs and CHILD_SAs as list-sas gave them, counted. Entry: view_take, called by daemon/peer.c, which decides
 * by them what to do. Pure but for the memory of one IKE_SA.
 */
#include "daemon/view.h"

#include <stdlib.h>
#include <string.h>

static void view_child(struct view *v, const struct ike_child *c)
{
	if (v->n_spis + 2 <= VIEW_SPIS_MAX) {
		v->spis[v->n_spis++] = c->spi_in;
		v->spis[v->n_spis++] = c->spi_out;
	}
	if (!c->installed)
		return;
	if (v->n_children < IKE_CHILDREN_MAX)
		v->child_ids[v->n_children] = c->uniqueid;
	v->n_children++;
	if (c->spi_out == v->in_use)
		v->in_use_there = true;
	else
		v->surplus_child = c->uniqueid;
	v->tunnel_mode = !c->transport;
}

static void view_add(struct view *v, const struct ike_sa *sa, bool leads)
{
	bool by_leader = sa->initiator == leads;

	for (size_t i = 0; i < sa->n_children; i++)
		view_child(v, &sa->children[i]);
	if (!sa->established) {
		v->n_connecting += !strcmp(sa->state, "CONNECTING");
		return;
	}
	/* an older one may be of a charon that is gone */
	if (!v->n_established++ || sa->age_s < v->keep_age ||
	    (sa->age_s == v->keep_age && by_leader > v->keep_leads)) {
		v->keep = sa->uniqueid;
		v->keep_age = sa->age_s;
		v->keep_leads = by_leader;
	}
}

bool view_take(struct view *v, const struct tunnel *t, struct ike_msg *const *items, size_t n)
{
	struct ike_sa *sa = malloc(sizeof(*sa));

	for (size_t i = 0; sa && i < n; i++)
		if (ike_sa_parse(items[i], sa) &&
		    !strcmp(sa->name + strlen(IKE_PREFIX), t->conf->name))
			view_add(v, sa, t->leads);
	free(sa);
	return sa != NULL;
}
