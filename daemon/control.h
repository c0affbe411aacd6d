/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket of doc/CONTROL.md: accepts, checks who asks (SO_PEERCRED), reads one request, hands it to the verb
 * table (daemon/verbs.c), writes the answer. Caps: clients, line length, time.
 */
#ifndef GWD_DAEMON_CONTROL_H
#define GWD_DAEMON_CONTROL_H

#include <jansson.h>

#include "daemon/gateway.h"

struct control_client;

int control_init(struct gateway *gw, char *err, size_t err_size);
void control_done(struct gateway *gw);

/* The end of a request: exit status, result (stolen, may be NULL), error (may be NULL). */
void control_answer(struct control_client *c, int status, json_t *result, const char *error);

/* The answer waits until the tunnel is up (or down), or can't be, or the time is over; see verbs.c. */
void control_wait(struct control_client *c, const char *tunnel, bool for_up, uint64_t ms);

struct gateway *control_gateway(struct control_client *c);

/* Calls fn for the client if it still is there when a later callback comes: clients are named by a number. */
uint64_t control_id(const struct control_client *c);
struct control_client *control_find(struct gateway *gw, uint64_t id);

/* From reconcile_judge: waiting clients look whether it is what they wait for. */
void control_tunnel_changed(const struct tunnel *t);

#endif
