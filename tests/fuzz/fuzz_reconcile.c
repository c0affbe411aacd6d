/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random orders of events and failures into daemon/'s own main path, over a model kernel and a model charon (model_*.h, in the
 * place of the functions of reconcile.wrap). The input is a configuration and then steps: another configuration, what
 * others do to our objects, notifications that get lost, calls that fail with any error, gwd killed in the middle of a change
 * and started again, charon gone, still, refusing and back, SAs that go, peers that call and move, addresses, routes and
 * names that change, gwctl's verbs. What must hold:
 *
 *	1. after no single change of gwd's stands a GRE link of a protected tunnel, that did not stand so before, without
 *	   its guard pairs and both policies;
 *	2. nothing of others is changed or removed;
 *	3. no verdict is "up", and no link of a protected tunnel UP, while what it needs is known to be missing;
 *	4. when the failures have ended, all is as wanted after a while, and planning again finds nothing to do.
 */
#include "tests/fuzz/model_gateway.h"

#include "daemon/caller.h"
#include "daemon/peer.h"

#define TUNNELS 4
#define SETTLE_MS 200000 /* the longest back-offs and looks are 30 s */
#define DEBOUNCED_MS 20 /* from a mark to the end of its look */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input, *input_end;
static const char *const names[] = {"a", "b", "c", "d", "other"};
static const char *const peers[] = {"192.0.2.1", "192.0.2.2", "192.0.2.9", "2001:db8::1"};

static unsigned take(unsigned below)
{
	return input < input_end ? *input++ % below : 0;
}

/* The configuration: three bytes a tunnel */

static void conf_add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void conf_add(const char *fmt, ...)
{
	size_t n = strlen(conf_text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(conf_text + n, sizeof(conf_text) - n, fmt, ap);
	va_end(ap);
}

static void conf_tunnel(unsigned i, unsigned kind, unsigned options, unsigned more)
{
	static const char *const starts[] = {"always", "on-traffic", "passive", "always"};
	bool plain = more & 64, any = kind % 4 == 3 && i != 3 && !plain;
	const char *remote = any	     ? "any"
			     : kind % 4 == 3 ? "hub.example.net"
					     : peers[kind % 4 == 2 ? 3 : kind % 4];

	if (kind & 128)
		return;
	conf_add("  %s:\n    remote: %s\n    mtu: %s\n", names[i], remote,
		 more & 1 ? "1400" : "auto");
	if (plain)
		conf_add("    protect: none\n");
	else if (options & 1)
		conf_add("    peer: {id: %s.example.net}\n    psk: /etc/gwd/%s-%u.psk\n", names[i],
			 names[i], more >> 1 & 1);
	else
		conf_add("    peer: {id: %s.example.net, public-key: %s}\n", names[i],
			 "MCowBQYDK2VwAyEA4NOT4eXW2MG2Z1Pk17wlr/jmkSmMSxeW/HHk00CQ31k=");
	if (!plain && !any)
		conf_add("    start: %s\n", starts[more >> 2 & 3]);
	if (any || kind & 4)
		conf_add("    gre-key: %u\n", kind & 8 ? 7 : i + 1);
	if (kind & 16)
		conf_add("    enabled: false\n");
	if (kind & 32)
		conf_add("    mss-clamp: false\n");
	conf_add("    addresses: [%s%u.1/30%s]\n", "10.255.", i,
		 options & 2 ? ", 2001:db8:255::1/64" : "");
	if (options & 4)
		conf_add("    routes:\n      - {to: 10.1.%u.0/24, metric: %u}\n",
			 options & 8 ? 0 : i, i + 1);
	if (options & 16)
		conf_add("      - {to: 10.2.%u.0/24, hold: false}\n", i);
}

static void conf_make(void)
{
	unsigned flags = take(256);

	conf_text[0] = '\0';
	conf_add("gateway:\n  id: hq.example.net\n  local: %s\n  key: /etc/gwd/gwd.key\n",
		 flags & 1 ? "auto" : "wan0");
	conf_add("tunnels:\n");
	for (unsigned i = 0; i < TUNNELS; i++) {
		unsigned kind = take(256), options = take(256), more = take(256);

		conf_tunnel(i, kind, options & 4 ? options : options & ~16u, more);
	}
}

/* 1: what stands in clear */

static bool plain_as_wanted(const struct gre_link *l)
{
	const struct tunnel *t = gateway_tunnel_by_ifname(&gw, l->name);

	return t && t->conf->enabled && t->conf->protect == CONF_PROTECT_NONE;
}

/* Where the kernel did not tell of a change of the guard, not even that something was lost, the policies alone hold till the resync. */
static void model_changed(struct world *before, struct world *after)
{
	for (size_t i = 0; i < after->links.n && !kernel.guard_untold; i++) {
		const struct gre_link *l = &after->links.at[i];
		const struct gre_link *was = world_link(before, l->name);
		bool stood = was && was->is_gre && world_same_endpoints(was, l);

		if (!world_link_ours(l) || plain_as_wanted(l) || world_covered(after, l))
			continue;
		if (!stood || world_covered(before, was))
			log_error(l->name, "stands in clear");
		require(stood && !world_covered(before, was));
	}
}

/* 2: what is of others */

static size_t count_foreign(void)
{
	size_t n = 0;

	for (size_t i = 0; i < kernel.w.policies.n; i++)
		n += !xfrm_policy_ours(&kernel.w.policies.at[i]);
	for (size_t i = 0; i < kernel.w.links.n; i++)
		n += !world_link_ours(&kernel.w.links.at[i]);
	return n;
}

/* 3: what is told */

static bool sa_there(const struct tunnel *t, bool out)
{
	for (size_t i = 0; i < kernel.sas.n; i++) {
		const struct xfrm_sa *sa = &kernel.sas.at[i];

		if (sa->reqid == t->reqid && addr_equal(&sa->dst, out ? &t->remote : &t->local) &&
		    addr_equal(&sa->src, out ? &t->local : &t->remote))
			return true;
	}
	return false;
}

static bool quiet(void)
{
	return !gw.dirty.len && !gw.dirty_all && !gw.unresolved_all && !gw.guard_dirty &&
	       !kernel.n_gre && !kernel.n_xfrm && !kernel.guard_told && !kernel.overrun &&
	       !kernel.untold && !kernel.guard_untold && !kernel.dead;
}

static void check_verdict(const struct tunnel *t)
{
	const struct gre_link *l = world_link(&kernel.w, t->conf->interface);
	bool stands = l && world_link_ours(l) && l->up && world_covered(&kernel.w, l);

	if (t->state == HEALTH_UP && gateway_tunnel_protected(t))
		require(stands && sa_there(t, true) && sa_there(t, false));
	/* Where setting it was refused it is tried again. */
	if (l && l->dormant_mode && l->operstate == IF_OPER_UP && gateway_tunnel_protected(t) &&
	    world_link_ours(l))
		require(stands || t->retry_at);
}

/* Where somebody else keeps changing what is ours a change may wait for a second. */
static bool put_off(const struct tunnel *t)
{
	return t->repairs >= RECONCILE_REPAIRS_MAX && t->retry_at;
}

static void check_told(void)
{
	for (size_t i = 0; quiet() && i < gw.conf->n_tunnels; i++)
		if (!put_off(&gw.tunnels[i]))
			check_verdict(&gw.tunnels[i]);
}

#include "tests/fuzz/reconcile_steps.h"

/* 4: the failures have ended */

static void all_well_again(void)
{
	kernel.fail_n = kernel.dies_in = 0;
	kernel.mute = kernel.sysctl = false;
	kernel.routed[0] = kernel.routed[1] = true;
	if (!kernel.local[0].family)
		require(addr_parse("198.51.100.1", &kernel.local[0]));
	charon.alive = charon.peer_answers = true;
	charon.still = charon.tunnel_mode = false;
	charon.refuses = 0;
	name_is_at("192.0.2.9");
	foreign_gone();
	kernel.untold = true;
}

static void check_reached(void)
{
	char err[256];
	json_t *plan = NULL;

	require(quiet());
	require(!reconcile_preview(&gw, &plan, err, sizeof(err)));
	require(json_integer_value(json_object_get(plan, "changes")) == 0);
	require(json_integer_value(json_object_get(plan, "conflicts")) == 0);
	json_decref(plan);
	for (size_t i = 0; i < gw.conf->n_tunnels; i++) {
		const struct tunnel *t = &gw.tunnels[i];

		if (!gateway_tunnel_protected(t) || !gateway_tunnel_ends_known(t))
			continue;
		const struct gre_link *l = world_link(&kernel.w, t->conf->interface);
		require(l && world_covered(&kernel.w, l));
		if (t->conf->start == CONF_START_ALWAYS && !t->held &&
		    t->conf->remote.kind == CONF_REMOTE_ADDRESS)
			require(t->state == HEALTH_UP);
	}
	check_told();
}

static void run_steps(void)
{
	for (unsigned i = 0; input < input_end && i < 64; i++) {
		one_step();
		size_t foreign = count_foreign();
		model_run(20);
		if (kernel.dead)
			restart();
		require(count_foreign() == foreign);
		check_told();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	input_end = data + size;
	model_begin();
	conf_make();
	if (!gateway_begin()) {
		gateway_end();
		return 0;
	}
	run_steps();
	all_well_again();
	log_debug(NULL, "-- the failures have ended");
	model_run(SETTLE_MS);
	if (!quiet())
		model_run(DEBOUNCED_MS); /* a resync was due in just this moment */
	check_reached();
	gateway_end();
	return 0;
}
