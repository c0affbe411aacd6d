/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weak algorithms in proposals: refused, or allowed by `allow-weak: true` and warned about. */
#ifndef GWD_CONF_WEAK_H
#define GWD_CONF_WEAK_H

#include "conf/draft.h"

/* Notes the proposal's first weak word, if it has one; false when memory ran out. */
bool weak_note(struct draft *draft, enum schema_slot slot, const char *proposal, struct spot at);

/* The list of this slot is given anew: what was noted of the one before counts no more. */
void weak_forget(struct draft *draft, enum schema_slot slot);

/* One finding for each noted word of a protected tunnel: an error, or a warning where it is
 * allowed. */
void weak_check(struct findings *found, const struct draft *draft);

/* The first weak word of the tunnel's proposals, in buf (PROPOSAL_WORD_SIZE); NULL: none. */
const char *conf_tunnel_weak(const struct conf_tunnel *tunnel, char *buf);

#endif
