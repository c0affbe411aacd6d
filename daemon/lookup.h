/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of a host's name, from /etc/hosts or DNS, without ever blocking. Knows nothing of tunnels. */
#ifndef GWD_DAEMON_LOOKUP_H
#define GWD_DAEMON_LOOKUP_H

#include <event2/event.h>

#include "daemon/name.h"

struct lookups;

/* The answer to one question: tag and host are those of lookup_start. Called from the loop, never from within lookup_start. */
typedef void (*lookup_fn)(void *user, const char *tag, const char *host,
			  const struct name_answer *answer);

/* NULL when out of memory. Opens nothing yet. */
struct lookups *lookups_new(struct event_base *base, lookup_fn fn, void *user);
/* Drops what is under way, without a call. NULL is fine. */
void lookups_free(struct lookups *l);

/* There is room for one more question: so many are under way at most. */
bool lookup_room(const struct lookups *l);

/*
 * Asks for the addresses of the families wanted. What /etc/hosts says counts before what DNS says, as nsswitch.conf(5) has it
 * everywhere. A name without any dot is tried in the domains of resolv.conf's search list; one with a dot is whole. Each
 * name asked for takes 6 s at most, three attempts of 2 s. -ENOMEM, -EBUSY when there is no room; then there is no answer.
 */
int lookup_start(struct lookups *l, const char *tag, const char *host, bool ipv6, bool ipv4);

#endif
