/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out a plan: kernel actions in batches of one kind, in the plan's order; charon's as requests whose answers come
 * later. An action that fails stops the rest of its tunnel's, and only those.
 */
#ifndef GWD_DAEMON_APPLY_H
#define GWD_DAEMON_APPLY_H

#include "daemon/gateway.h"

/* errors has a place for each action: NULL, or a text; the caller frees all by apply_errors_free, which takes NULL too. */
void apply_plan(struct gateway *gw, const struct plan *p, const struct objects *want,
		char **errors);
void apply_errors_free(char **errors, size_t n);

#endif
