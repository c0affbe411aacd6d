// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Remembers from where the last unnamed IKE_SAs came. Entry: unnamed_take, called by daemon/peer.c. The line is that of
 * strongSwan 5.9.8 and 6.0 (libcharon/sa/ikev2/tasks/ike_init.c): "198.51.100.1 is initiating an IKE_SA". Nobody has proven
 * yet to be who sent it, so what follows from it is only told, and only of a tunnel that is down. Pure.
 */
#include "daemon/unnamed.h"

#include <string.h>

static bool caller_of(const char *text, struct addr *from)
{
	static const char line[] = " is initiating an IKE_SA";
	const char *end = strstr(text, line);
	char address[ADDR_TEXT_SIZE];

	if (!end || end[sizeof(line) - 1] || (size_t)(end - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(end - text));
	address[end - text] = '\0';
	return addr_parse(address, from);
}

bool unnamed_take(struct unnamed *u, const struct ike_event *ev, struct addr *from)
{
	uint32_t id = ev->sa.uniqueid;

	if (!id)
		return false;
	if (caller_of(ev->text, from)) {
		unsigned i = u->next++ % UNNAMED_MAX;

		u->at[i].id = id;
		u->at[i].from = *from;
		return false;
	}
	for (unsigned i = 0; i < UNNAMED_MAX; i++) {
		if (u->at[i].id != id)
			continue;
		*from = u->at[i].from;
		return true;
	}
	return false;
}
