/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failed actions of a plan: told to their tunnels and the log, with back-off from 0.5 to 30 s. */
#ifndef GWD_DAEMON_OUTCOME_H
#define GWD_DAEMON_OUTCOME_H

#include "daemon/gateway.h"

/* Forgets what failed for the tunnel before. */
void outcome_clear(struct tunnel *t);

/* errors has a text or NULL for each action of p. Returns the number of actions that failed. */
size_t outcome_take(struct gateway *gw, const struct plan *p, char *const *errors);

/* A line for each action; those that went well at debug level only. */
void outcome_log(struct gateway *gw, const struct plan *p, char *const *errors);

#endif
