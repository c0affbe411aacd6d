/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What charon's log says of a tunnel that is not up. */
#ifndef GWD_DAEMON_CAUSE_H
#define GWD_DAEMON_CAUSE_H

#include "daemon/gateway.h"

/* A log event of t, or of nobody known (NULL). Lines that explain become the tunnel's cause until its SA pair is there. */
void cause_event(struct gateway *gw, struct tunnel *t, const struct ike_event *ev);

#endif
