/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of a tunnel: addresses, routes, proposals. */
#ifndef GWD_CONF_LIST_H
#define GWD_CONF_LIST_H

#include "conf/parse.h"

#define LIST_ADDRESSES_MAX 256
#define LIST_ROUTES_MAX 4096
#define LIST_PROPOSALS_MAX 16
#define LIST_KEYS_MAX 2 /* of one peer: the one in use and its successor */

/* False when the key's type is no list; else the value was read, or refused with a finding. */
bool list_read(struct parse *p, const struct schema_key *key, struct fy_node *node, struct spot at,
	       const struct target *target);

#endif
