/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a change of the transport's addresses, or of the way to the peer, means for the negotiation. */
#ifndef GWD_DAEMON_MOVE_H
#define GWD_DAEMON_MOVE_H

#include "daemon/gateway.h"

/*
 * After the objects of the new addresses were made (tunnel.moved): ends what charon has of the addresses before, by force, as nobody may
 * answer there any more, and has the next attempt begin at once. Waits for charon while it is out of sight.
 */
void move_settle(struct tunnel *t);

/* The peer can be reached again (tunnel.path_fault), or cannot be any more: no wait for the next attempt, and a new verdict. */
void move_path_changed(struct tunnel *t);

#endif
