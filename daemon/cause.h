/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a line of charon's log says of a tunnel that is not up. */
#ifndef GWD_DAEMON_CAUSE_H
#define GWD_DAEMON_CAUSE_H

#include "daemon/gateway.h"

/* Notes the cause that the line tells, unless a better one was told a moment ago. */
void cause_take(struct tunnel *t, const char *line);

#endif
