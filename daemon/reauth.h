/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authenticating anew when what a tunnel authenticates with has changed, without a gap: a new IKE_SA is made beside the one in
 * use, packets move to it, then the old one is ended. Keys that are only added, or put into another order, need none of it.
 */
#ifndef GWD_DAEMON_REAUTH_H
#define GWD_DAEMON_REAUTH_H

#include "daemon/generation.h"

enum reauth_need {
	REAUTH_NONE,
	REAUTH_SOFT, /* our own key is another; until the peer takes it, what there is goes on */
	REAUTH_HARD, /* something of the peer's is not accepted any more: what rests on it must end */
};

/* What a change of a tunnel's configuration and secrets asks for. Pure. */
enum reauth_need reauth_compare(const struct conf_tunnel *a, const struct tunnel_secrets *sa,
				const struct conf_tunnel *b, const struct tunnel_secrets *sb);

/* After the swap of a reload (or a preview): notes what each tunnel needs. The connections then differ from those before. */
void reauth_note(struct gateway *gw, const struct generation *old);

/* charon has the tunnel's connection and secrets as they are configured: begins what was noted. */
void reauth_begin(struct tunnel *t);

/* A CHILD_SA came, or an IKE_SA took the place of another. */
void reauth_child_up(struct tunnel *t, uint32_t ike_id);
void reauth_ike_rekey(struct tunnel *t, uint32_t ike_id);

/* t->reauth.at is over. */
void reauth_tick(struct tunnel *t);

/* All its IKE_SAs are being ended: nothing is left to do. */
void reauth_over(struct tunnel *t);

/* charon has gone: what was under way is to begin again. */
void reauth_forget(struct tunnel *t);

#endif
