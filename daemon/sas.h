/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's SAs of each tunnel, kept by events and made anew by a dump; they drive the pin (daemon/pin.h) and the MTU. */
#ifndef GWD_DAEMON_SAS_H
#define GWD_DAEMON_SAS_H

#include "daemon/gateway.h"
#include "xfrm/events.h"

/* Dumps all SAs and replaces what is known. */
int sas_read_all(struct gateway *gw);
/* The tunnel's ends changed: tells anew which of its SAs serve them, and which way. */
void sas_place(struct tunnel *t);
/* Which outbound SA is in use. Call after sas_read_all. */
void sas_adopt_pin(struct tunnel *t);

/* Sends by this outbound SA from now on; false when the kernel does not have it. */
bool sas_move(struct tunnel *t, uint32_t spi);
#define SAS_MOVED_MS 1000 /* from then to the end of the SA they left: those on the way arrive */

/* An SA event: marks the tunnel dirty as needed, moves its pin. */
void sas_event(struct gateway *gw, const struct xfrm_event *ev);
/* The waiting pin's turn: looks at the new inbound SA's counter. */
void sas_pin_tick(struct tunnel *t, uint64_t now);

bool sas_have(const struct tunnel *t, bool outbound);
/* The kernel has an SA of t with this SPI. */
bool sas_know(const struct tunnel *t, uint32_t spi);
/* Deletes the SAs of t that charon does not list (spis, n) when a look before had found the same. */
void sas_strike_stale(struct tunnel *t, const uint32_t *spis, size_t n);
/*
 * Deletes the kernel's SAs of these reqids (sorted), of tunnels that go: charon does so later, if it runs. What came in on them
 * until then would be answered in clear, by ICMP errors that quote it, as soon as neither link nor guard is there.
 */
void sas_delete(struct gateway *gw, const uint32_t *reqids, size_t n);
/* The same of one tunnel that stays, and has other addresses than these now. */
void sas_delete_between(struct tunnel *t, const struct addr *src, const struct addr *dst);

#endif
