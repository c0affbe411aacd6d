// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks /etc/hosts and DNS for a name's addresses. Entry: lookup_start, called by daemon/names.c.
 *
 * The resolver is libevent's, in the main loop. What must be known of it (2.1.12, evdns.c): it reads resolv.conf only when told to;
 * it takes addresses from /etc/hosts only in evdns_getaddrinfo, which hides the TTL; it tries a name server that failed again by
 * asking it for google.com; it takes no answer whose name is not in the upper and lower case it made up; SERVFAIL is a
 * time-out to it. So each resolver here lives for a few seconds only, /etc/hosts is read here, and case is not played with:
 * a forged answer gains nothing, as the peer must authenticate.
 */
#include "daemon/lookup.h"

#include <errno.h>
#include <event2/dns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/host.h"
#include "conf/value.h"
#include "lib/log.h"

#define AT_ONCE 32 /* questions */
#define RESOLVER_LIFE_S 5 /* then resolv.conf and hosts are read again */
#define RESOLVER_IDLE_S 1
#define HOSTS_BYTES_MAX (1 << 20)

/* One reading of resolv.conf and hosts; the newest one is first, older ones end with their last question. */
struct resolver {
	struct resolver *next;
	struct evdns_base *base;
	char *hosts;
	time_t born_s; /* monotonic */
	unsigned users;
};

struct question {
	struct lookups *of;
	struct resolver *via; /* NULL: free */
	char tag[VALUE_NAME_MAX + 1];
	char host[HOST_NAME_BYTES_MAX + 2];
	unsigned outstanding;
	bool done;
	struct name_answer answer;
};

struct lookups {
	struct event_base *base;
	lookup_fn fn;
	void *user;
	struct question of[AT_ONCE];
	struct resolver *resolvers;
	struct event *answer, *reap;
};

/* Without a function of ours it would go to stderr; of what is no warning there are five lines for each question. */
static void on_log(int warning, const char *text)
{
	if (warning)
		log_debug(NULL, "DNS: %s", text);
}

static char *hosts_read(void)
{
	FILE *f = fopen("/etc/hosts", "re");
	char *text = calloc(1, HOSTS_BYTES_MAX + 1);

	if (f && text)
		text[fread(text, 1, HOSTS_BYTES_MAX, f)] = '\0';
	if (f)
		fclose(f);
	return text;
}

static void resolver_free(struct resolver *r)
{
	if (r->base)
		evdns_base_free(r->base, 0);
	free(r->hosts);
	free(r);
}

/* What resolv.conf says of time-outs is overridden, so that each question ends in time. */
static int resolver_setup(struct evdns_base *base)
{
	static const char *const options[][2] = {
		{"timeout", "2"},	 {"attempts", "3"},
		{"randomize-case", "0"}, {"initial-probe-timeout", "3600"},
		{"max-inflight", "128"},
	};

	/* Its result tells of a missing file, too; then, as resolv.conf(5) has it, 127.0.0.1 is asked. */
	evdns_base_resolv_conf_parse(base, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS,
				     "/etc/resolv.conf");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (evdns_base_set_option(base, options[i][0], options[i][1]))
			return -EINVAL;
	return 0;
}

static struct resolver *resolver_get(struct lookups *l)
{
	struct resolver *r = l->resolvers;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (r && now.tv_sec - r->born_s < RESOLVER_LIFE_S)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->born_s = now.tv_sec;
	r->hosts = hosts_read();
	r->base = evdns_base_new(l->base, 0);
	if (!r->hosts || !r->base || resolver_setup(r->base)) {
		resolver_free(r);
		return NULL;
	}
	r->next = l->resolvers;
	l->resolvers = r;
	return r;
}

static void on_reap(evutil_socket_t fd, short what, void *user)
{
	struct lookups *l = user;
	struct resolver **at = &l->resolvers;

	(void)fd, (void)what;
	while (*at) {
		struct resolver *r = *at;

		if (r->users) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		resolver_free(r);
	}
}

static void on_answer(evutil_socket_t fd, short what, void *user)
{
	struct timeval idle = {.tv_sec = RESOLVER_IDLE_S};
	struct lookups *l = user;

	(void)fd, (void)what;
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct question done = l->of[i];

		if (!done.via || !done.done)
			continue;
		done.via->users--;
		l->of[i].via = NULL;
		evtimer_add(l->reap, &idle);
		l->fn(l->user, done.tag, done.host, &done.answer);
	}
}

static void part_done(struct question *q)
{
	if (--q->outstanding)
		return;
	q->done = true;
	event_active(q->of->answer, EV_TIMEOUT, 0); /* needs no memory, as a timer may */
}

static const char *error_text(int result)
{
	switch (result) {
	case DNS_ERR_NONE:
		return "its addresses are none of a host";
	case DNS_ERR_NOTEXIST:
		return "no such name";
	case DNS_ERR_NODATA:
		return "it has no address";
	case DNS_ERR_TIMEOUT:
		return "no name server gives an answer";
	case DNS_ERR_REFUSED:
		return "the name servers refuse to answer";
	case DNS_ERR_TRUNCATED:
		return "the answer is too long for UDP";
	default:
		return evdns_err_to_string(result);
	}
}

static enum name_result result_of(struct question *q, int result, size_t found)
{
	bool known = result == DNS_ERR_NONE || result == DNS_ERR_NOTEXIST ||
		     result == DNS_ERR_NODATA;

	if (result == DNS_ERR_NONE && found)
		return NAME_FOUND;
	/* what could not be asked says more than what is not there */
	if (!known || !q->answer.error[0])
		snprintf(q->answer.error, sizeof(q->answer.error), "%s", error_text(result));
	return known ? NAME_NONE : NAME_FAILED;
}

static void take(struct question *q, uint8_t family, int result, int count, int ttl,
		 const uint8_t *bytes)
{
	struct name_addrs *of = family == AF_INET6 ? &q->answer.of6 : &q->answer.of4;
	enum name_result *slot = family == AF_INET6 ? &q->answer.ipv6 : &q->answer.ipv4;

	for (int i = 0; result == DNS_ERR_NONE && i < count; i++) {
		struct addr a = addr_from_bytes(family, bytes + (size_t)i * addr_size(family));

		name_addrs_add(of, &a);
	}
	*slot = result_of(q, result, of->n);
	if (*slot == NAME_FOUND && ttl >= 0 && (uint32_t)ttl < q->answer.ttl_s)
		q->answer.ttl_s = (uint32_t)ttl;
	part_done(q);
}

static void on_ipv6(int result, char type, int count, int ttl, void *addresses, void *user)
{
	(void)type;
	take(user, AF_INET6, result, count, ttl, addresses);
}

static void on_ipv4(int result, char type, int count, int ttl, void *addresses, void *user)
{
	(void)type;
	take(user, AF_INET, result, count, ttl, addresses);
}

static void ask_dns(struct question *q, bool ipv6, bool ipv4)
{
	struct evdns_base *base = q->via->base;
	char host[sizeof(q->host)];
	int flags = strchr(q->host, '.') ? DNS_QUERY_NO_SEARCH : 0;

	snprintf(host, sizeof(host), "%s", q->host);
	if (host[0] && host[strlen(host) - 1] == '.')
		host[strlen(host) - 1] = '\0';
	q->outstanding += ipv6 + ipv4;
	if (ipv6 && !evdns_base_resolve_ipv6(base, host, flags, on_ipv6, q))
		take(q, AF_INET6, DNS_ERR_UNKNOWN, 0, 0, NULL);
	if (ipv4 && !evdns_base_resolve_ipv4(base, host, flags, on_ipv4, q))
		take(q, AF_INET, DNS_ERR_UNKNOWN, 0, 0, NULL);
}

static struct question *question_free(struct lookups *l)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (!l->of[i].via)
			return &l->of[i];
	return NULL;
}

bool lookup_room(const struct lookups *l)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (!l->of[i].via)
			return true;
	return false;
}

int lookup_start(struct lookups *l, const char *tag, const char *host, bool ipv6, bool ipv4)
{
	struct question *q = question_free(l);
	struct resolver *via = q ? resolver_get(l) : NULL;

	if (!via)
		return q ? -ENOMEM : -EBUSY;
	*q = (struct question){.of = l, .via = via, .outstanding = 1};
	q->answer = (struct name_answer){NAME_NOT_ASKED, NAME_NOT_ASKED, .ttl_s = UINT32_MAX};
	snprintf(q->tag, sizeof(q->tag), "%s", tag);
	snprintf(q->host, sizeof(q->host), "%s", host);
	via->users++;
	if (!name_hosts_find(via->hosts, host, &q->answer))
		ask_dns(q, ipv6, ipv4);
	part_done(q);
	return 0;
}

void lookups_free(struct lookups *l)
{
	if (!l)
		return;
	while (l->resolvers) {
		struct resolver *r = l->resolvers;

		l->resolvers = r->next;
		resolver_free(r);
	}
	if (l->answer)
		event_free(l->answer);
	if (l->reap)
		event_free(l->reap);
	free(l);
}

struct lookups *lookups_new(struct event_base *base, lookup_fn fn, void *user)
{
	struct lookups *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	evdns_set_log_fn(on_log);
	l->base = base;
	l->fn = fn;
	l->user = user;
	l->answer = evtimer_new(base, on_answer, l);
	l->reap = evtimer_new(base, on_reap, l);
	if (l->answer && l->reap)
		return l;
	lookups_free(l);
	return NULL;
}
