/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a list-sas told of one tunnel's connection, reduced to what daemon/peer.c acts on. */
#ifndef GWD_DAEMON_VIEW_H
#define GWD_DAEMON_VIEW_H

#include "daemon/gateway.h"

#define VIEW_SPIS_MAX 64

struct view {
	size_t n_established, n_connecting, n_children;
	uint32_t keep, keep_age; /* the IKE_SA to keep when there are several */
	bool keep_leads;
	uint32_t childless; /* an established one without a child */
	uint32_t spis[VIEW_SPIS_MAX];
	size_t n_spis;
	uint32_t child_ids[IKE_CHILDREN_MAX];
	uint32_t in_use; /* outbound SPI */
	bool in_use_there;
	uint32_t surplus_child; /* one beside that in use */
	bool tunnel_mode;
};

/* Adds the tunnel's IKE_SAs among the items to v, whose in_use the caller has set. False when out of memory. */
bool view_take(struct view *v, const struct tunnel *t, struct ike_msg *const *items, size_t n);

#endif
