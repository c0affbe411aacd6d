/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unreachable routes that hold a tunnel's destinations. No link names them, so what stands is remembered: read with
 * each full look, and kept up to date by what gwd does and by the kernel's notifications.
 */
#ifndef GWD_DAEMON_HOLDS_H
#define GWD_DAEMON_HOLDS_H

#include "daemon/gateway.h"

/* A full look: forget, then one call for each that stands, then all of them into out. 0 or -ENOMEM. */
void holds_forget(struct gateway *gw);
int holds_take(struct gateway *gw, const struct gre_route *hold);
int holds_all(struct gateway *gw, struct objects *out);

/* Those that these tunnels want; and after holds_recount those that no tunnel wants. 0 or -ENOMEM. */
int holds_some(struct gateway *gw, const int *only, size_t n, struct objects *out);

/* The configuration has changed: the next look, of however few tunnels, also finds the holds that nobody wants now. */
void holds_recount(struct gateway *gw);

/* One came or went, by us or as the kernel tells. True when that was not known. */
bool holds_note(struct gateway *gw, const struct gre_route *hold, bool there);

#endif
