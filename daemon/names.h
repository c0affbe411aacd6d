/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels whose remote is a DNS name: asks, never blocking, and moves a tunnel to the address the name has. What is asked when is decided by
 * daemon/name.h; a name that does not resolve leaves the tunnel as it is.
 */
#ifndef GWD_DAEMON_NAMES_H
#define GWD_DAEMON_NAMES_H

#include "daemon/gateway.h"

#define NAMES_FAULT_SIZE 448

/* 0 or -ENOMEM. Opens nothing yet. */
int names_init(struct gateway *gw);
/* Drops what is under way, without a call back. */
void names_done(struct gateway *gw);

/* The tunnel's timer: asks when it is time. names_due: when that is, 0 for never. */
void names_tick(struct tunnel *t, uint64_t now);
uint64_t names_due(const struct tunnel *t);

/* The peer is lost: its address may be another by now. Asks soon, at most every NAME_HINT_MS. Nothing for tunnels without a name. */
void names_hint(struct tunnel *t);
/* The same of all that are not up, or (every) of all: the network changed, or somebody asked for it. */
void names_hint_all(struct gateway *gw, bool every);

/* An attempt to reach the peer failed: goes on to the name's next address. False: there is no other that can be reached. */
bool names_next(struct tunnel *t);

/*
 * A sentence's part when the name is not known or did not resolve the last time: "the name hub.example.net does not resolve here since
 * 2026-11-22 19:42:10: no such name"; else NULL. In buf.
 */
const char *names_fault(const struct tunnel *t, char *buf, size_t size);

/* For status: {"name": …, "addresses": […], "ask_s": …, "error": …}, or null. */
json_t *names_json(const struct tunnel *t);

#endif
