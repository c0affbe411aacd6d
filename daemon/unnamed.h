/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who calls: charon calls an IKE_SA that a peer has begun "(unnamed)" until it knows the connection, so that its log says of
 * no tunnel why that went wrong. The line that tells the caller's address does.
 */
#ifndef GWD_DAEMON_UNNAMED_H
#define GWD_DAEMON_UNNAMED_H

#include "ike/sa.h"
#include "lib/addr.h"

#define UNNAMED_MAX 64 /* the last so many; a line that explains follows within a second or never */

struct unnamed {
	struct {
		uint32_t id; /* of the IKE_SA; 0: none */
		struct addr from;
	} at[UNNAMED_MAX];
	unsigned next;
};

/*
 * Takes a log event of an unnamed IKE_SA. True when its caller is known by now, whose address *from then is; false for
 * the line that tells it, and for IKE_SAs of which no such line came. Pure.
 */
bool unnamed_take(struct unnamed *u, const struct ike_event *ev, struct addr *from);

#endif
