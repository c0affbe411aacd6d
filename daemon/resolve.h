/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a tunnel's transport starts: its local address and the path's MTU, asked of the kernel; and settings that defeat policies. */
#ifndef GWD_DAEMON_RESOLVE_H
#define GWD_DAEMON_RESOLVE_H

#include "daemon/domain.h"
#include "daemon/gateway.h"

/* What one pass over the tunnels has asked already: most of them start at the same place. Zeroed by the caller. */
struct resolve_memo {
	struct domain_memo domain;
	struct gre_link_mtu link;
	char ifname[IF_NAMESIZE];
	uint8_t family;
	int err;
	struct addr local; /* of ifname and family */
};

/* True when something of the tunnel changed. A local address once known is kept when it cannot be found now. */
bool resolve_tunnel(struct tunnel *t, struct resolve_memo *memo);

/* There is a route to this address, not through the tunnel itself, and an address of ours to send from. */
bool resolve_reaches(const struct tunnel *t, const struct addr *remote);

/* Resolves all tunnels, marks those that changed, and looks at the sysctls. */
void resolve_all(struct gateway *gw);
/* The next few tunnels, without the sysctls: up to 64 tunnels all in each call, of more a tenth. Some 5 us each. */
void resolve_some(struct gateway *gw);
/* The same for one tunnel, without the sysctls. */
void resolve_again(struct tunnel *t);

/*
 * A sentence when net.ipv4.conf.{all,IF}.disable_xfrm or disable_policy, or net.ipv6.conf.{all,IF}.disable_policy for AF_INET6, would
 * let GRE past the policies of tunnels whose transport is of this family, else NULL. The caller frees.
 */
char *resolve_sysctl_fault(struct gateway *gw, uint8_t family);

#endif
