/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's notifications, turned into marks for the main path; a lost one (ENOBUFS) marks everything. */
#ifndef GWD_DAEMON_EVENTS_H
#define GWD_DAEMON_EVENTS_H

#include "daemon/gateway.h"

/* Opens the three event sockets. -errno, and what could not be opened in err. */
int events_open(struct gateway *gw, char *err, size_t err_size);
/* Adds them to the loop. */
int events_watch(struct gateway *gw);

#endif
