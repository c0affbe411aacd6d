/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing domains: the interface a tunnel's transport is bound to (`device:`), and the VRF its own interface is in (`vrf:`). */
#ifndef GWD_DAEMON_DOMAIN_H
#define GWD_DAEMON_DOMAIN_H

#include "daemon/gateway.h"
#include "gre/vrf.h"

/* What one pass over the tunnels has asked already: most of them name the same. Zeroed by the caller. */
struct domain_memo {
	char device[IF_NAMESIZE], vrf[IF_NAMESIZE];
	unsigned ifindex;
	int device_err, vrf_err;
	struct gre_vrf found;
};

/*
 * Sets the tunnel's device, vrf, vrf_table, and missing, the sentence about one of them that is not there. True when something
 * changed. A device that has gone keeps its index, so that the link stays as it is until the device is there again; without its
 * VRF the link has no place, since its traffic must not appear in another routing domain.
 */
bool domain_resolve(struct tunnel *t, struct domain_memo *memo);

/* Whether a tunnel's device or VRF has this index. */
bool domain_uses(const struct gateway *gw, unsigned ifindex);

/* No link is wanted: its VRF is not there, or the device that it is to be bound to has never been seen. */
bool domain_waits(const struct tunnel *t);

#endif
