/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan at work: what daemon/apply.c shares with daemon/apply_guard.c, and nobody else sees. */
#ifndef GWD_DAEMON_APPLIER_H
#define GWD_DAEMON_APPLIER_H

#include "daemon/gateway.h"

struct applier {
	struct gateway *gw;
	const struct plan *plan;
	const struct objects *want;
	char **errors;
	bool *stopped; /* per tunnel */
	bool all_stopped;
	bool link_failed; /* a link may still stand on endpoints whose cover the plan takes away */
	size_t *owner; /* action of each message of the batch at hand */
	size_t n_owner;
};

/* Notes why the action i failed, which stops later ones of its tunnel. */
void applier_failed(struct applier *a, size_t i, const char *text);

/* The action i is not to be done: a conflict, or something before it failed. */
bool applier_stopped(const struct applier *a, size_t i);

/* The actions from to to of the guard, its pairs and exemptions, as one transaction of nftables. */
void apply_guard(struct applier *a, size_t from, size_t to);

#endif
