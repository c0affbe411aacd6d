/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which outbound SA of a tunnel packets take, and when they move to another. Pure state machine, one per tunnel.
 *
 * With policies=no charon, as rekey responder, installs the new outbound SA before the peer can receive on it, and a template without an
 * SPI takes the newest SA at once: packets are lost. So the SA in use is kept the one which the kernel prefers (daemon/prefer.c), and
 * the new one follows by itself, with no gap, when the old one is deleted: the peer does that when it is ready (RFC 7296 2.8).
 * Where it does not, packets move with its first packet on the new inbound SA, or after a delay. The end that starts the
 * rekey moves at once: its peer has had the new inbound SA since before it answered (strongSwan child_sa.c, child_rekey.c).
 */
#ifndef GWD_DAEMON_PIN_H
#define GWD_DAEMON_PIN_H

#include <stdbool.h>
#include <stdint.h>

#define PIN_DELAY_MS \
	2500 /* the longest wait; outlasts one lost message of charon's with its default retransmission */
#define PIN_POLL_MS 200 /* between looks at the new inbound SA's counter */
#define PIN_SOFT_MS 30000 /* a soft expiry this long ago still makes us the one who rekeys */
/* Our asking this long ago still counts: longer and what comes is the peer's, who may not be ready yet. */
#define PIN_ASKED_MS 10000
#define PIN_PAIR_MS \
	5000 /* an inbound SA this much older than an outbound one did not come with it */

struct pin {
	uint32_t spi; /* in use; 0: none */
	uint32_t in; /* the inbound SA that came last; 0: none */
	uint32_t next; /* new outbound SA, waiting; 0: none */
	uint32_t next_in; /* the inbound SA that came with it, or the last one that came; 0: not seen yet */
	uint64_t in_at; /* monotonic ms of next_in's arrival: it may come before or after next */
	uint64_t deadline; /* monotonic ms; when next is set; 0: starts with the next tick */
	uint64_t soft_at; /* monotonic ms of the last soft expiry of the pair in use; 0: none yet */
	uint64_t asked_at; /* monotonic ms of our last asking for another pair; 0: not since the one in use came */
};

/* All return true when p->spi changed: the caller then tells the kernel. */

/* A new SA of the tunnel's reqid. The first one is used at once; of several that wait the newest stays, with the first one's
 * deadline. */
bool pin_sa_new(struct pin *p, bool outbound, uint32_t spi, uint64_t now);
bool pin_sa_gone(struct pin *p, bool outbound, uint32_t spi);
/* A soft expiry here: strongSwan starts a rekey on it, unless that SA has been replaced already. */
void pin_sa_soft(struct pin *p, bool outbound, uint32_t spi, uint64_t now);
/* We ask for a new SA, for charon does not know the one in use (it was killed, say): as with a rekey of ours, the new one is used
 * at once. The peer may have forgotten the old one (INITIAL_CONTACT, RFC 7296 2.4). */
void pin_initiated(struct pin *p, uint64_t now);
/* packets: what the inbound SA next_in has received so far (only asked for while next_in is set). */
bool pin_tick(struct pin *p, uint64_t packets, uint64_t now);
/* Packets are to take this SA from now on, which the caller knows the peer to have. */
bool pin_use(struct pin *p, uint32_t spi);
/* When pin_tick wants to be called next; UINT64_MAX: not. */
uint64_t pin_due(const struct pin *p, uint64_t now);

/* After a full look: out_spis are the outbound SAs that exist, newest first; seen is the one the kernel was told to prefer (0: none). Keeps
 * what is in use while it exists; else adopts seen while that exists; else the newest; else 0. A newest one that is not in use waits
 * as if its notification had come, so a lost one cannot leave packets on an SA which the peer has forgotten. in is the newest inbound
 * SA. */
bool pin_adopt(struct pin *p, uint32_t seen, uint32_t in, const uint32_t *out_spis, unsigned n);

#endif
