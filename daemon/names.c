// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks for the addresses of `remote: NAME`, and moves tunnels to them. Entries: names_tick (the tunnel's timer), names_hint
 * (something happened), names_next (the address in use does not answer). Decisions are daemon/name.c's, questions daemon/lookup.c's.
 */
#include "daemon/names.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/lookup.h"
#include "daemon/name.h"
#include "daemon/peer.h"
#include "daemon/reconcile.h"
#include "daemon/resolve.h"
#include "daemon/sas.h"
#include "lib/log.h"

#define PARTLY_TTL_S 60 /* one family could not be asked for */
#define CANDIDATES_MAX (2 * NAME_ADDRS_MAX)

struct names {
	struct lookups *lookups;
	bool waiting; /* some tunnel may be, for its turn */
	size_t cursor; /* where the search for it goes on */
};

/* The families that are of use to the tunnel. */
static bool family_wanted(const struct tunnel *t, uint8_t family)
{
	const struct conf_tunnel *c = t->conf;

	if (c->local.kind == CONF_LOCAL_ADDRESS && c->local.addr.family != family)
		return false;
	return !c->remote_family || c->remote_family == family;
}

/* IPv6 first, as RFC 6724 prefers it. */
static size_t candidates(const struct tunnel *t, struct name_candidate *list)
{
	const struct name_addrs *families[] = {&t->name->of6, &t->name->of4};
	size_t n = 0;

	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < families[f]->n; i++) {
			const struct addr *a = &families[f]->at[i];

			if (family_wanted(t, a->family) && !addr_equal(a, &t->local))
				list[n++] = (struct name_candidate){*a, resolve_reaches(t, a)};
		}
	}
	return n;
}

static void move(struct tunnel *t, const struct addr *to)
{
	char was[ADDR_TEXT_SIZE], is[ADDR_TEXT_SIZE];
	struct resolve_memo memo = {0};

	if (t->remote.family)
		log_info(t->conf->name, "%s is at %s now, before at %s", t->conf->remote.name,
			 addr_format(to, is), addr_format(&t->remote, was));
	else
		log_info(t->conf->name, "%s is at %s", t->conf->remote.name, addr_format(to, is));
	t->moved |= t->remote.family != AF_UNSPEC;
	if (t->local.family != to->family)
		t->local = (struct addr){0};
	t->remote = *to;
	resolve_tunnel(t, &memo);
	sas_place(t);
	t->gw->dirty_all = true;
	reconcile_mark(t);
}

/* Where the new address cannot be reached and is of the other family, nothing could stand there. */
static bool choose(struct tunnel *t, bool next)
{
	struct name_candidate list[CANDIDATES_MAX];
	size_t n = candidates(t, list);
	const struct addr *to = name_choose(list, n, &t->remote, next);

	if (!to || addr_equal(to, &t->remote) || addr_equal(to, &t->stood_back))
		return false;
	if (t->remote.family && t->remote.family != to->family && !resolve_reaches(t, to))
		return false;
	move(t, to);
	return true;
}

static void answer_take(struct tunnel *t, const struct name_answer *answer)
{
	struct name *n = t->name;
	bool well, partly = answer->ipv6 == NAME_FAILED || answer->ipv4 == NAME_FAILED;
	unsigned failures = n->failures;

	n->asking = false;
	well = name_take(n, answer, time(NULL));
	n->ask_at = gateway_now() + name_again_ms(n,
						  partly && answer->ttl_s > PARTLY_TTL_S
							  ? PARTLY_TTL_S
							  : answer->ttl_s,
						  randombytes_random());
	if (!well && !failures)
		log_warn(t->conf->name, "the name %s does not resolve: %s", t->conf->remote.name,
			 n->error);
	else if (well && failures)
		log_info(t->conf->name, "the name %s resolves again", t->conf->remote.name);
	if (well)
		choose(t, false);
	reconcile_judge(t);
	peer_arm(t);
}

static void ask(struct tunnel *t)
{
	struct names *names = t->gw->names;
	struct name *n = t->name;
	int r;

	n->ask_at = 0;
	n->waiting = !lookup_room(names->lookups);
	names->waiting |= n->waiting;
	if (n->waiting)
		return;
	n->asked_at = gateway_now();
	r = lookup_start(names->lookups, t->conf->name, t->conf->remote.name,
			 family_wanted(t, AF_INET6), family_wanted(t, AF_INET));
	n->asking = !r;
	if (r)
		n->ask_at = n->asked_at + NAME_RETRY_MIN_MS;
}

/* In a circle, so that no tunnel waits for ever. */
static void ask_waiting(struct gateway *gw)
{
	struct names *names = gw->names;
	size_t n = gw->conf->n_tunnels, i = 0;

	while (names->waiting && i < n && lookup_room(names->lookups)) {
		struct tunnel *t = &gw->tunnels[names->cursor++ % n];

		i++;
		if (t->name && t->name->waiting)
			ask(t);
		peer_arm(t);
	}
	names->waiting &= i < n;
}

/* A reload may have come between: the tunnel is found again by its name. */
static void on_answer(void *user, const char *tag, const char *host,
		      const struct name_answer *answer)
{
	struct gateway *gw = user;
	struct tunnel *t = gateway_tunnel_by_name(gw, tag);

	if (t && t->name && !strcmp(t->conf->remote.name, host))
		answer_take(t, answer);
	ask_waiting(gw);
}

static bool asks(const struct tunnel *t)
{
	return t->name && t->conf->enabled && !t->gw->torn_down;
}

void names_tick(struct tunnel *t, uint64_t now)
{
	uint64_t due = names_due(t);

	if (due && due <= now && !t->name->asking && !t->name->waiting)
		ask(t);
}

uint64_t names_due(const struct tunnel *t)
{
	return asks(t) ? t->name->ask_at : 0;
}

void names_hint(struct tunnel *t)
{
	if (!asks(t) || t->name->asking || t->name->waiting)
		return;
	t->name->ask_at = name_hinted_at(t->name, gateway_now(), randombytes_random());
	peer_arm(t);
}

void names_hint_all(struct gateway *gw, bool every)
{
	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		if (every || !health_as_wanted(gw->tunnels[i].state))
			names_hint(&gw->tunnels[i]);
}

bool names_next(struct tunnel *t)
{
	if (!t->name)
		return false;
	names_hint(t);
	return choose(t, true);
}

const char *names_fault(const struct tunnel *t, char *buf, size_t size)
{
	const struct name *n = t->name;
	char when[32];
	struct tm tm;

	if (!n || (n->error[0] == '\0' && (t->remote.family || t->stood_back.family)))
		return NULL;
	if (n->error[0] == '\0') {
		snprintf(buf, size, "the name %s is being resolved", t->conf->remote.name);
		return buf;
	}
	strftime(when, sizeof(when), "%F %T", localtime_r(&n->failed_since, &tm));
	snprintf(buf, size, "the name %s does not resolve here since %s: %s", t->conf->remote.name,
		 when, n->error);
	return buf;
}

json_t *names_json(const struct tunnel *t)
{
	const struct name *n = t->name;
	uint64_t now = gateway_now();
	json_t *list;
	char text[ADDR_TEXT_SIZE];

	if (!n)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < n->of6.n; i++)
		json_array_append_new(list, json_string(addr_format(&n->of6.at[i], text)));
	for (size_t i = 0; i < n->of4.n; i++)
		json_array_append_new(list, json_string(addr_format(&n->of4.at[i], text)));
	return json_pack("{s:s,s:o,s:I,s:s?}", "name", t->conf->remote.name, "addresses", list,
			 "ask_s", (json_int_t)(n->ask_at > now ? (n->ask_at - now) / 1000 : 0),
			 "error", n->error[0] ? n->error : NULL);
}

int names_init(struct gateway *gw)
{
	gw->names = calloc(1, sizeof(*gw->names));
	if (!gw->names)
		return -ENOMEM;
	gw->names->lookups = lookups_new(gw->base, on_answer, gw);
	return gw->names->lookups ? 0 : -ENOMEM;
}

void names_done(struct gateway *gw)
{
	if (gw->names)
		lookups_free(gw->names->lookups);
	free(gw->names);
	gw->names = NULL;
}
