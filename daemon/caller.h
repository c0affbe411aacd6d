/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers that call (`remote: any`): the address of each is that from which its identity was authenticated (RFC 7296 section 2.15),
 * and follows it. Neighbours: daemon/peer.c tells of IKE_SAs, daemon/reconcile.c brings guard, policies and link to the address.
 */
#ifndef GWD_DAEMON_CALLER_H
#define GWD_DAEMON_CALLER_H

#include "daemon/gateway.h"

/* True for a tunnel whose peer calls. */
bool caller_expected(const struct tunnel *t);

/*
 * An IKE_SA of the tunnel's connection, from an event or a list. Its address is taken when it is established and not older than
 * the one that was taken last; nothing happens when the tunnel has it already, or another tunnel that works has it
 * (t->call_refused tells). Does nothing for other tunnels.
 */
void caller_learn(struct tunnel *t, const struct ike_sa *sa);

/* The answer to a list-sas of the tunnel: learns from its newest IKE_SA with a CHILD_SA. */
void caller_look(struct tunnel *t, struct ike_msg *const *items, size_t n);

/* Nobody has called yet: nothing but the connection is wanted. */
bool caller_awaited(const struct tunnel *t);

/* After a run: what stood between the ends before is away, or everything is to be looked at. */
void caller_settled(struct tunnel *t);

/*
 * charon is to be asked again where the peer is: it could not have its address, or SAs of its are there without an IKE_SA, wherever they
 * lead; a list leaves out an IKE_SA that charon is at work on.
 */
bool caller_unclear(const struct tunnel *t);

/* That IKE_SA went; 0: all did. The address stays until the peer calls again: with it policies and guard. */
void caller_gone(struct tunnel *t, uint32_t ike_id);

/* An IKE_SA of an earlier address, which the peer left without a word. */
bool caller_left(const struct tunnel *t, const struct ike_sa *sa);

#endif
