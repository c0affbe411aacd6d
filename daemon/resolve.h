/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a tunnel's transport starts: its local address and the path's MTU, asked of the kernel; and settings that defeat policies. */
#ifndef GWD_DAEMON_RESOLVE_H
#define GWD_DAEMON_RESOLVE_H

#include "daemon/gateway.h"

/* True when something of the tunnel changed. A local address once known is kept when it cannot be found now. */
bool resolve_tunnel(struct tunnel *t);

/* A sentence when net.ipv4.conf.{all,IF}.disable_xfrm or disable_policy would let GRE past the policies, else NULL. The caller frees. */
char *resolve_sysctl_fault(struct gateway *gw);

#endif
