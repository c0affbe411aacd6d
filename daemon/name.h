/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a tunnel's `remote: NAME`: the addresses it had last, which of them to take, and when to ask again. Pure:
 * answers, reachability, clock and chance come as input. Milliseconds are monotonic.
 */
#ifndef GWD_DAEMON_NAME_H
#define GWD_DAEMON_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "lib/addr.h"

#define NAME_ADDRS_MAX 8 /* of each family; more are not looked at */
#define NAME_ERROR_SIZE 96

#define NAME_TTL_MIN_S 30 /* asked again after the TTL, within these bounds */
#define NAME_TTL_MAX_S 3600
#define NAME_RETRY_MIN_MS 5000 /* after a failure; doubled with each */
#define NAME_RETRY_MAX_MS 60000
#define NAME_HINT_MS 10000 /* however often the peer is lost, not sooner again than this */

enum name_result {
	NAME_FOUND,
	NAME_NONE, /* there is no such name, or none with an address of this family */
	NAME_FAILED, /* nobody could tell */
	NAME_NOT_ASKED, /* this family is of no use here */
};

struct name_addrs {
	struct addr at[NAME_ADDRS_MAX];
	size_t n;
};

/* What one question brought, of each family. */
struct name_answer {
	enum name_result ipv6, ipv4;
	struct name_addrs of6, of4;
	uint32_t ttl_s; /* the least of those found */
	char error[NAME_ERROR_SIZE]; /* what went wrong, "" when nothing */
};

struct name {
	struct name_addrs of6, of4; /* in the order they came */
	uint64_t asked_at; /* 0: never */
	uint64_t ask_at; /* 0: no date, a question is under way or waits for its turn */
	bool asking, waiting;
	unsigned failures; /* in a row */
	time_t failed_since; /* the first of them, wall clock: a person reads it */
	char error[NAME_ERROR_SIZE]; /* of the last one; "" when the last answer was well */
};

struct name_candidate {
	struct addr addr;
	bool reachable; /* there is a route, and an address of ours to send from */
};

/*
 * Takes an answer. The addresses of a family that could not be asked for stay, and all stay when nothing was found. True when there
 * was an address.
 */
bool name_take(struct name *n, const struct name_answer *answer, time_t wall);

/*
 * The address to use: that in use as long as it is among the candidates; else the first that is reachable, else the first. next: that in
 * use does not answer, so the reachable one after it, in a circle. NULL: nothing to choose, or nothing else.
 */
const struct addr *name_choose(const struct name_candidate *list, size_t n,
			       const struct addr *current, bool next);

/* How long until the next question after an answer; random: any number, spreads them over an eighth more. */
uint64_t name_again_ms(const struct name *n, uint32_t ttl_s, uint32_t random);

/* When to ask because something happened: within a second, but not sooner than NAME_HINT_MS after the last time. */
uint64_t name_hinted_at(const struct name *n, uint64_t now, uint32_t random);

/* What /etc/hosts (hosts(5)), as text, gives the name; sets the results of both families. False: nothing, and nothing is set;
 * then DNS is to be asked. */
bool name_hosts_find(const char *hosts, const char *host, struct name_answer *answer);

/* Adds an address unless it is none of one host (unspecified, loopback, multicast, link-local), is there already, or is one too many. */
void name_addrs_add(struct name_addrs *of, const struct addr *addr);

#endif
