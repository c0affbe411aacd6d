/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gwd cannot do without, asked of the kernel before anything is changed. */
#ifndef GWD_DAEMON_PROBE_H
#define GWD_DAEMON_PROBE_H

#include <stddef.h>

#include "daemon/gateway.h"

/* CAP_NET_ADMIN, GRE, ESP. 0, or -errno and a sentence with the remedy. Needs gw->rtnl and gw->xfrm; changes nothing. */
int probe_kernel(struct gateway *gw, char *err, size_t err_size);

/* Keeps a second gwd out of this network namespace. 0, or -EADDRINUSE and a sentence. */
int probe_alone(struct gateway *gw, char *err, size_t err_size);

#endif
