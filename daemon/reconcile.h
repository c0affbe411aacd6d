/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main path: dirty -> resolve -> observe -> desire -> plan -> apply -> observe again -> judge. Events, timers and
 * reloads only mark; a short debounce later this runs, over the marked tunnels or over all.
 */
#ifndef GWD_DAEMON_RECONCILE_H
#define GWD_DAEMON_RECONCILE_H

#include "daemon/gateway.h"

/* Repairs of one tunnel within ten seconds; from then on somebody else is at it, and what is marked waits for a second. */
#define RECONCILE_REPAIRS_MAX 50

int reconcile_init(struct gateway *gw);

/* Marks, and starts the debounce. */
void reconcile_mark(struct tunnel *t);
void reconcile_mark_all(struct gateway *gw);
void reconcile_mark_guard(struct gateway *gw);
/* The transport may have changed: resolves local addresses and path MTUs again, at most once a second. */
void reconcile_mark_resolve(struct gateway *gw);

/*
 * Runs now, over what is marked. done (may be NULL) takes the plan object of doc/CONTROL.md with the result of each action.
 * 0, or -errno when the kernel could not be read.
 */
int reconcile_run(struct gateway *gw, json_t **done);

/* What a run over everything would do for this configuration (NULL: the one in force), without doing it. */
int reconcile_preview(struct gateway *gw, json_t **plan, char *err, size_t err_size);

/* Computes the verdict anew, sets the link's operational state, tells the log and the waiting clients. */
void reconcile_judge(struct tunnel *t);

#endif
