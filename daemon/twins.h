/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels with the same two addresses and nothing to tell them apart: the kernel takes one link of them, and the policies of one
 * would cover the other's GRE. The configuration's own rules (conf/across.c) see those that are written alike; an interface, a name, a
 * route or a peer that calls only shows here.
 */
#ifndef GWD_DAEMON_TWINS_H
#define GWD_DAEMON_TWINS_H

#include "daemon/gateway.h"

/* They have the same addresses now, are both enabled, and no GRE key tells them apart (RFC 2890; doc/KERNEL.md, XFRM 6). */
bool twins_share(const struct tunnel *t, const struct tunnel *other);

/* Their policies and guard pairs have the same selectors, given the same addresses; keys of either direction count. */
bool twins_same_key(const struct conf_tunnel *a, const struct conf_tunnel *b);

/* Not to be asked to give its addresses to one that calls: they are configured, or its SAs are there. */
bool twins_holds(const struct tunnel *t);

/* Why t cannot have its addresses, which other has, and the remedy. */
void twins_text(const struct tunnel *t, const struct tunnel *other, char *text, size_t size);

/*
 * Of tunnels that would need one pair of addresses one keeps it; the others have no `remote` until the next look, and call_refused
 * says why. To be called at each look at everything, before what is wanted is computed (daemon/observe.c). 0 or -ENOMEM.
 */
int twins_part(struct gateway *gw);

#endif
