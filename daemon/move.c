// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel's addresses change while it runs: its `local:` interface got another one, its name another answer. Entries: move_settle,
 * called by daemon/reconcile.c when the plan for the new addresses was applied, and move_path_changed, by daemon/resolve.c.
 *
 * The plan makes the new pair, policies and connection, moves the link, and removes the old cover (daemon/plan.c);
 * with the old policies go the kernel's SAs between the old addresses (daemon/apply.c). What is left is charon's IKE_SA.
 * Asked to delete it, charon 5.9.8 would keep it until the peer answered or all retransmissions were over; by force it sends
 * one DELETE and forgets (ike_sa.c, delete_).
 */
#include "daemon/move.h"

#include <stdio.h>

#include "daemon/charon.h"
#include "daemon/peer.h"
#include "daemon/reconcile.h"

#define AFTER_TERMINATE_MS 300

static void on_terminated(void *user, int err, const struct ike_msg *answer,
			  struct ike_msg *const *items, size_t n)
{
	(void)user, (void)err, (void)answer, (void)items, (void)n;
}

void move_settle(struct tunnel *t)
{
	char name[IKE_NAME_SIZE];

	if (!gateway_tunnel_protected(t)) {
		t->moved = false;
		return;
	}
	snprintf(name, sizeof(name), IKE_PREFIX "%s", t->conf->name);
	if (!charon_connected(t->gw) ||
	    charon_submit(t->gw, ike_req_terminate(name, 0, true), NULL, on_terminated, NULL))
		return;
	t->moved = false;
	t->no_answer = t->ike_established = t->child_installed = false;
	t->tries = 0;
	t->attempt_at = gateway_now() + AFTER_TERMINATE_MS;
}

void move_path_changed(struct tunnel *t)
{
	if (!t->path_fault) {
		t->tries = 0;
		peer_want(t, true);
	}
	reconcile_mark(t);
}
