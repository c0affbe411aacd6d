/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SAs that are up and cannot be renewed, as when one side has forward secrecy and the other has not: the first CHILD_SA takes its
 * keys from IKE_AUTH and needs none (RFC 7296 1.2), each later one does. The tunnel works until its SAs end, and that is said.
 */
#ifndef GWD_DAEMON_RENEWAL_H
#define GWD_DAEMON_RENEWAL_H

#include <stdbool.h>

#include "daemon/gateway.h"
#include "ike/sa.h"

/* Takes note of an event of the tunnel; up: it has an SA pair. Judges the tunnel anew where that changes what is to be said. */
void renewal_event(struct tunnel *t, const struct ike_event *ev, bool up);

#endif
