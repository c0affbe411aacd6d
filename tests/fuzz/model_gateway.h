/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway of daemon/'s own code upon the models: gateway_begin and gateway_end do what daemon/main.c does, without sockets and
 * signals. The configuration is a text in memory, a file of a secret has a fixed content, and names have the addresses that the
 * target says.
 */
#ifndef GWD_TESTS_FUZZ_MODEL_GATEWAY_H
#define GWD_TESTS_FUZZ_MODEL_GATEWAY_H

#include "daemon/charon.h"
#include "daemon/events.h"
#include "daemon/generation.h"
#include "daemon/lookup.h"
#include "daemon/names.h"
#include "daemon/reconcile.h"
#include "daemon/reload.h"
#include "lib/log.h"
#include "tests/fuzz/model_charon.h"
#include "tests/fuzz/model_guard.h"

static const char model_pem[] = "-----BEGIN PRIVATE KEY-----\n"
				"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
				"-----END PRIVATE KEY-----\n";

static struct gateway gw;
static char conf_text[8192], conf_name[32];
static unsigned conf_number;

/* Configurations */

WRAP(struct conf *, conf_load, const char *path, struct conf_report *report)
{
	return conf_load_text(path, conf_text, strlen(conf_text), report);
}

/* Another name, or reload_conf would find nothing new. */
static void conf_renew(void)
{
	snprintf(conf_name, sizeof(conf_name), "conf-%u.yaml", ++conf_number);
	gw.conf_path = conf_name;
}

WRAP(int, secret_read_file, const char *path, struct secret **out, char *err, size_t err_size)
{
	bool key = strstr(path, ".key") != NULL;
	size_t size = key ? sizeof(model_pem) - 1 : strlen(path);

	(void)err, (void)err_size;
	*out = secret_new(size);
	require(*out);
	memcpy((*out)->bytes, key ? model_pem : path, size);
	return 0;
}

/* Names */

static struct {
	struct {
		char tag[64], host[64];
	} at[32];
	size_t n;
	lookup_fn fn;
	void *user;
	struct name_answer answer;
	struct event *timer;
} resolver;

static void on_resolved(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what, (void)user;
	for (size_t n = resolver.n; n > 0; n--) {
		char tag[64], host[64];

		memcpy(tag, resolver.at[0].tag, sizeof(tag));
		memcpy(host, resolver.at[0].host, sizeof(host));
		memmove(&resolver.at[0], &resolver.at[1], --resolver.n * sizeof(resolver.at[0]));
		resolver.fn(resolver.user, tag, host, &resolver.answer);
	}
}

WRAP(struct lookups *, lookups_new, struct event_base *base, lookup_fn fn, void *user)
{
	resolver.fn = fn;
	resolver.user = user;
	resolver.n = 0;
	resolver.timer = evtimer_new(base, on_resolved, NULL);
	return (struct lookups *)&resolver;
}

WRAP(void, lookups_free, struct lookups *l)
{
	(void)l;
	event_free(resolver.timer);
}

WRAP(bool, lookup_room, const struct lookups *l)
{
	(void)l;
	return resolver.n < 32;
}

WRAP(int, lookup_start, struct lookups *l, const char *tag, const char *host, bool ipv6, bool ipv4)
{
	static const struct timeval soon = {.tv_usec = 20000};

	(void)l, (void)ipv6, (void)ipv4;
	snprintf(resolver.at[resolver.n].tag, 64, "%s", tag);
	snprintf(resolver.at[resolver.n++].host, 64, "%s", host);
	return evtimer_add(resolver.timer, &soon);
}

/* NULL: nobody can tell. */
static void name_is_at(const char *address)
{
	resolver.answer = (struct name_answer){.ttl_s = 60, .ipv4 = NAME_FAILED, .ipv6 = NAME_NONE};
	snprintf(resolver.answer.error, sizeof(resolver.answer.error), "nobody can tell");
	if (!address)
		return;
	resolver.answer.ipv4 = NAME_FOUND;
	resolver.answer.error[0] = '\0';
	resolver.answer.of4.n = 1;
	require(addr_parse(address, &resolver.answer.of4.at[0]));
}

/* The gateway */

/* To see what led to a finding: FUZZ_LOG=1 prints what gwd logs, and gives the model's time. */
static void model_log(enum log_level level, const char *tunnel, const char *text)
{
	static int shown = -1;

	(void)level;
	if (shown < 0)
		shown = getenv("FUZZ_LOG") != NULL;
	if (shown)
		fprintf(stderr, "%8llu %s: %s\n", (unsigned long long)(model_ms - MODEL_START_MS),
			tunnel ? tunnel : "gwd", text);
}

/* As gateway_start of daemon/main.c. False when the configuration is refused. */
static bool gateway_begin(void)
{
	char *report = NULL, err[256];

	memset(&gw, 0, sizeof(gw));
	charon.gw = &gw;
	gw.run_dir = "/nowhere";
	gw.started = model_ms;
	conf_renew();
	require(!nl_open(&gw.rtnl, NETLINK_ROUTE) && !nl_open(&gw.xfrm, NETLINK_XFRM));
	require(!guard_open(&gw.guard) && !reconcile_init(&gw) && !names_init(&gw));
	bool loaded = !reload_conf(&gw, &report);
	free(report);
	if (!loaded)
		return false;
	require(!events_open(&gw, err, sizeof(err)) && !events_watch(&gw) && !charon_init(&gw));
	charon_await(&gw, 500);
	reconcile_run(&gw, NULL);
	gw.ready = true;
	return true;
}

/* As gateway_stop of daemon/main.c. */
static void gateway_end(void)
{
	if (gw.session)
		charon_done(&gw);
	names_done(&gw);
	generation_end(&gw);
	while (model_events)
		event_free((struct event *)model_events);
	kernel.n_gre = kernel.n_xfrm = 0;
	kernel.guard_told = kernel.overrun = false;
}

static void model_begin(void)
{
	unsigned last = conf_number;

	memset(&kernel, 0, sizeof(kernel));
	memset(&charon, 0, sizeof(charon));
	memset(&resolver, 0, sizeof(resolver));
	memset(&notes, 0, sizeof(notes));
	conf_number = last;
	model_ms = MODEL_START_MS;
	model_random = 0;
	kernel.last_ifindex = 10;
	kernel.mtu = 1500;
	kernel.routed[0] = kernel.routed[1] = true;
	require(addr_parse("198.51.100.1", &kernel.local[0]));
	require(addr_parse("2001:db8:ffff::1", &kernel.local[1]));
	charon.alive = charon.peer_answers = true;
	name_is_at("192.0.2.9");
	log_set_sink(model_log);
	log_set_level(getenv("FUZZ_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
}

#endif
