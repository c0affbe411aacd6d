/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What list-sas told of one tunnel's connection, reduced to what is decided on: is there what should be, and what is there
 * too much of it. Pure.
 */
#ifndef GWD_DAEMON_VIEW_H
#define GWD_DAEMON_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/sa.h"

#define VIEW_SPIS_MAX 64
#define VIEW_IKES_MAX 16

struct view {
	bool leads; /* we do */
	uint32_t in_use; /* outbound SPI */
	size_t n_established, n_connecting;
	size_t n_children; /* of IKE_SAs that are not being ended */
	/* Of several established IKE_SAs the one to keep: one with a child, the youngest, the leader's. */
	uint32_t keep, keep_age;
	uint32_t keep_spi_out; /* of its child; 0: it has none */
	bool keep_by_leader;
	uint32_t left; /* an IKE_SA of an address where the peer is no more */
	uint32_t ikes[VIEW_IKES_MAX]; /* established, n_established of them */
	uint32_t spis[VIEW_SPIS_MAX];
	size_t n_spis;
	bool cut; /* there may be more SAs than in spis */
	uint32_t child_ids[IKE_CHILDREN_MAX];
	bool in_use_there;
	uint32_t surplus_child; /* one beside that in use */
	uint32_t lost_child; /* one whose SAs the kernel lacks; set by who knows those */
	bool tunnel_mode;
};

/* One more IKE_SA of the connection; left: of an address where the peer is no more. Begin with {.leads, .in_use}. */
void view_add(struct view *v, const struct ike_sa *sa, bool left);

/* The first established IKE_SA beside that which is kept, or 0. */
uint32_t view_surplus_ike(const struct view *v);

#endif
