// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reduces what list-sas tells. Entry: view_add, called by daemon/peer.c for each IKE_SA; daemon/tidy.c clears away by it. Pure.
 */
#include "daemon/view.h"

#include <string.h>

static void view_spis(struct view *v, const struct ike_sa *sa)
{
	for (size_t i = 0; i < sa->n_children && v->n_spis + 2 <= VIEW_SPIS_MAX; i++) {
		v->spis[v->n_spis++] = sa->children[i].spi_in;
		v->spis[v->n_spis++] = sa->children[i].spi_out;
	}
	v->cut |= sa->n_children == IKE_CHILDREN_MAX || v->n_spis + 2 > VIEW_SPIS_MAX;
}

static void view_child(struct view *v, const struct ike_child *c)
{
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

/* The SPI in use, where the IKE_SA has it, or that of the child which came last. */
static uint32_t child_spi(const struct view *v, const struct ike_sa *sa)
{
	uint32_t spi = 0;

	for (size_t i = 0; i < sa->n_children; i++)
		if (sa->children[i].installed && (!spi || spi != v->in_use))
			spi = sa->children[i].spi_out;
	return spi;
}

/* An older one may be of a charon that is gone. */
static bool is_better(const struct view *v, uint32_t spi, uint32_t age, bool by_leader)
{
	if (!v->n_established || !spi != !v->keep_spi_out)
		return !v->n_established || spi;
	if (age != v->keep_age)
		return age < v->keep_age;
	return by_leader && !v->keep_by_leader;
}

void view_add(struct view *v, const struct ike_sa *sa, bool left)
{
	bool by_leader = sa->initiator == v->leads;
	uint32_t spi = child_spi(v, sa);

	view_spis(v, sa);
	/*
	 * One that is being ended keeps its children until the peer answers or charon gives up, and another is made
	 * beside it meanwhile (strongSwan 5.9.8, ike_sa_manager.c, checkout_by_config).
	 */
	if (!sa->established) {
		v->n_connecting += !strcmp(sa->state, "CONNECTING");
		return;
	}
	for (size_t i = 0; i < sa->n_children; i++)
		view_child(v, &sa->children[i]);
	if (left)
		v->left = sa->uniqueid;
	if (is_better(v, spi, sa->age_s, by_leader)) {
		v->keep = sa->uniqueid;
		v->keep_age = sa->age_s;
		v->keep_spi_out = spi;
		v->keep_by_leader = by_leader;
	}
	if (v->n_established < VIEW_IKES_MAX)
		v->ikes[v->n_established++] = sa->uniqueid;
}

uint32_t view_surplus_ike(const struct view *v)
{
	for (size_t i = 0; i < v->n_established; i++)
		if (v->ikes[i] != v->keep)
			return v->ikes[i];
	return 0;
}
