/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting and keeping one SA pair per tunnel: who initiates when (RFC 7296 leaves it to us; charon's start_action is none), with back-off and
 * jitter, and the clearing away of surplus IKE_SAs and stale kernel SAs. Timers only decide when to look; list-sas tells what is.
 */
#ifndef GWD_DAEMON_PEER_H
#define GWD_DAEMON_PEER_H

#include "daemon/gateway.h"

/* An IKE_SA with a CHILD_SA, and its SAs in the kernel. */
bool peer_pair_there(const struct tunnel *t);

/* Arms or disarms the tunnel's timer for what is due first. Call after anything of t changed. */
void peer_arm(struct tunnel *t);

/* Plans the next attempt when the SA pair is wanted and missing; forgets it when it is there. at_once: without the followers' wait. */
void peer_want(struct tunnel *t, bool at_once);

/* start: on-traffic: for a while there is a reason to try, and what was wrong before counts no more. */
void peer_wake(struct tunnel *t);
/* A packet wants to be sent, and there is no SA (the kernel's ACQUIRE). */
void peer_acquire(struct tunnel *t);

/* The timer was due: does what of it is. */
void peer_tick(struct tunnel *t);

/* Asks charon for an IKE_SA with its child; where it has an IKE_SA of the same configuration, for a child on that. */
void peer_initiate(struct tunnel *t);

/* Drops the connection's IKE_SAs (gwctl down, restart, a changed connection). */
void peer_terminate(struct tunnel *t);

/* A parsed event of charon. */
void peer_event(struct gateway *gw, const struct ike_event *ev);
/* One IKE_SA of a list-sas over all, at connect. */
void peer_adopt(struct gateway *gw, const struct ike_sa *sa);
/* charon is gone, or new: nothing of its IKE_SAs is known. */
void peer_forget_all(struct gateway *gw);

#endif
