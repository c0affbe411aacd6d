/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clearing away what two ends have made at once: charon keeps surplus IKE_SAs and CHILD_SAs for ever, and each would be
 * rekeyed for ever (strongSwan 5.9.8, for every value of `unique`). And the kernel's SAs that charon does not know.
 */
#ifndef GWD_DAEMON_TIDY_H
#define GWD_DAEMON_TIDY_H

#include "daemon/gateway.h"
#include "daemon/view.h"

#define TIDY_MS 4000 /* after a CHILD_SA came, or a rekey */

/* Looks in time; an earlier date stays, so that frequent rekeys do not put it off for ever. */
void tidy_soon(struct tunnel *t);

/* A child of this IKE_SA whose SAs the kernel lacks, or 0. */
uint32_t tidy_lost_child(const struct tunnel *t, const struct ike_sa *sa);

/* Acts on a look, and sets when to look again. */
void tidy(struct tunnel *t, const struct view *v);

#endif
