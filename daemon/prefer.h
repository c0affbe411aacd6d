/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outbound SA in use is made the one the kernel takes. A template without an SPI takes the one with the greatest add_time
 * (xfrm_state_look_at), so that one gets an add_time ahead of any that can come during its life, whatever happens to the clock.
 */
#ifndef GWD_DAEMON_PREFER_H
#define GWD_DAEMON_PREFER_H

#include "daemon/gateway.h"

/* When an SA came, monotonic ms, from what the kernel tells of it: its add_time, and its lifetime in seconds (0: it has no end). */
uint64_t prefer_came_at(uint64_t add_time, uint64_t hard_s);

/* Writes the times of the tunnel's outbound SAs that are not as they should be: none, mostly. */
void prefer_sa(struct tunnel *t);

/*
 * Looks at all tunnels when the wall clock was set, by which the kernel compares. 0 or -errno; where this kernel does not tell of it, the
 * look every 30 s finds it. Call before the sandbox.
 */
int prefer_init(struct gateway *gw);
void prefer_done(struct gateway *gw);

#endif
