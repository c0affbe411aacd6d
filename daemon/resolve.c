// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks the kernel where a tunnel's transport starts (`local:` as an address, an interface or auto) and how large the
 * path's packets may be. Entries: resolve_all, called by daemon/reconcile.c when addresses or routes changed and at each
 * resync; resolve_some, once a second, since the kernel tells nobody of a path MTU it has learned; resolve_again, when
 * somebody looks at one tunnel.
 *
 * resolve_sysctl_fault reads the settings with which the kernel skips XFRM policies (net/ipv4/devinet.c, NOXFRM and
 * NOPOLICY): with one set GRE would leave or enter past them, and only the guard would hold.
 */
#include "daemon/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/caller.h"
#include "daemon/move.h"
#include "daemon/reconcile.h"
#include "daemon/sas.h"
#include "gre/addr.h"
#include "gre/link.h"

/* Of resolve_some: all are asked in so many calls, and at least so many in one. */
#define SLICES 10
#define SLICE_MIN 64

static int interface_address(struct tunnel *t, struct resolve_memo *memo, struct addr *local)
{
	const char *ifname = t->conf->local.ifname;

	if (memo->family != t->remote.family || strcmp(memo->ifname, ifname) != 0) {
		memo->err = gre_addr_first(t->gw->rtnl, ifname, t->remote.family, &memo->local);
		memo->family = t->remote.family;
		snprintf(memo->ifname, sizeof(memo->ifname), "%s", ifname);
	}
	*local = memo->local;
	return memo->err;
}

/* no_route: what the kernel says of the path, whether or not there is a local address. */
static int local_find(struct tunnel *t, struct resolve_memo *memo, struct addr *local,
		      struct gre_path_mtu *mtu, int *no_route)
{
	const struct conf_local *spec = &t->conf->local;
	struct addr source = {0};

	*no_route = gre_path_get(t->gw->rtnl, &t->remote, t->device, &source, mtu, &t->underlay,
				 &memo->link);
	switch (spec->kind) {
	case CONF_LOCAL_ADDRESS:
		*local = spec->addr;
		return 0;
	case CONF_LOCAL_INTERFACE:
		return interface_address(t, memo, local);
	case CONF_LOCAL_AUTO:
		if (caller_expected(t) && t->local.family) /* what the peer called */
			source = t->local;
		*local = source;
		return source.family ? 0 : *no_route;
	}
	return -EINVAL;
}

/* As long as there was an address once, what stands is left in place, and only the peer is out of reach. */
static void fault_tell(struct tunnel *t, int no_local, int no_route)
{
	bool interface = t->conf->local.kind == CONF_LOCAL_INTERFACE && no_local;
	char text[160] = "", remote[ADDR_TEXT_SIZE];

	if (interface && no_local == -ENODEV)
		snprintf(text, sizeof(text), "no interface %s here (`local:`)",
			 t->conf->local.ifname);
	else if (interface)
		snprintf(text, sizeof(text), "no address on %s here (`local:`)",
			 t->conf->local.ifname);
	else if (no_route)
		snprintf(text, sizeof(text), "no route to %s here: %s",
			 addr_format(&t->remote, remote), strerror(-no_route));
	gateway_set_text(&t->path_fault, text);
	gateway_set_text(&t->unresolved, t->local.family ? NULL : text);
}

/* The tunnel's link, when it is ours. */
static bool link_get(const struct tunnel *t, struct gre_link *link)
{
	return gre_link_get(t->gw->rtnl, t->conf->interface, link) == 0 && link->is_gre &&
	       link->group == GRE_GROUP;
}

/* After a restart, while a route is missing: what stands is left in place, so its local address still holds. */
static bool local_adopt(const struct tunnel *t, struct addr *local)
{
	struct gre_link link;

	if (!link_get(t, &link) || !addr_equal(&link.remote, &t->remote))
		return false;
	*local = link.local;
	return true;
}

/* After a restart, until the name is resolved or charon has told who is there. */
static bool remote_adopt(struct tunnel *t)
{
	struct gre_link link;

	if (t->conf->remote.kind == CONF_REMOTE_ADDRESS || !link_get(t, &link))
		return false;
	/* Without an address it had none that holds (daemon/caller.c). */
	if (caller_expected(t) && t->since)
		return false;
	t->remote = link.remote;
	if (caller_expected(t))
		t->local = link.local;
	return t->remote.family != AF_UNSPEC;
}

static bool ends_resolve(struct tunnel *t, struct resolve_memo *memo)
{
	struct addr local = {0};
	struct gre_path_mtu mtu = {0};
	bool changed = domain_resolve(t, &memo->domain), had_fault = t->path_fault != NULL;
	int no_route = 0;

	if (!t->remote.family)
		changed |= remote_adopt(t);
	if (!t->remote.family)
		return changed;
	int err = local_find(t, memo, &local, &mtu, &no_route);
	bool usable = !err || (!t->local.family && local_adopt(t, &local));
	if (usable && !addr_equal(&local, &t->local)) {
		t->moved |= t->local.family != AF_UNSPEC;
		t->local = local;
		sas_place(t);
		changed = true;
	}
	fault_tell(t, err, no_route);
	if (had_fault != (t->path_fault != NULL))
		move_path_changed(t);
	if (mtu.bytes && mtu.bytes != t->path_mtu) {
		t->path_mtu = mtu.bytes;
		changed = true;
	}
	if (mtu.bytes)
		t->path_from = mtu.from;
	return changed;
}

bool resolve_tunnel(struct tunnel *t, struct resolve_memo *memo)
{
	bool back = t->stood_back.family && !t->remote.family, changed;

	if (back)
		t->remote = t->stood_back;
	changed = ends_resolve(t, memo);
	if (back) {
		/* another tunnel has it, until daemon/twins.c has looked at all of them again */
		t->remote = (struct addr){0};
		sas_place(t);
	}
	return changed;
}

bool resolve_reaches(const struct tunnel *t, const struct addr *remote)
{
	const struct conf_local *spec = &t->conf->local;
	struct gre_link_mtu known = {0};
	struct addr local;
	unsigned ifindex = 0;
	struct gre_path_mtu mtu;

	if (spec->kind == CONF_LOCAL_ADDRESS && spec->addr.family != remote->family)
		return false;
	if (gre_path_get(t->gw->rtnl, remote, t->device, &local, &mtu, &ifindex, &known))
		return false;
	/* not through the tunnel itself */
	if (t->ifindex && ifindex == t->ifindex)
		return false;
	return spec->kind != CONF_LOCAL_INTERFACE ||
	       !gre_addr_first(t->gw->rtnl, spec->ifname, remote->family, &local);
}

static bool sysctl_is_set(uint8_t family, const char *interface, const char *name)
{
	char path[128];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv%d/conf/%s/%s", family == AF_INET6 ? 6 : 4,
		 interface, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	c = fgetc(f);
	fclose(f);
	return c != EOF && c != '0';
}

/* IPv6 has no disable_xfrm: its file is not there, and reads as not set. */
static char *fault_on(uint8_t family, const char *interface)
{
	static const char *const names[] = {"disable_xfrm", "disable_policy"};
	char *text = NULL;

	for (size_t i = 0; i < 2 && !text; i++)
		if (sysctl_is_set(family, interface, names[i]) &&
		    asprintf(&text, "net.ipv%d.conf.%s.%s is 1", family == AF_INET6 ? 6 : 4,
			     interface, names[i]) < 0)
			return NULL;
	return text;
}

char *resolve_sysctl_fault(struct gateway *gw, uint8_t family)
{
	unsigned checked[2] = {0};
	char *text = NULL, name[IF_NAMESIZE];
	bool any = false;

	for (size_t i = 0; i < gw->conf->n_tunnels && !text; i++) {
		const struct tunnel *t = &gw->tunnels[i];
		/* Within a VRF the kernel looks at the VRF's settings on the way in. */
		unsigned places[2] = {t->underlay, t->device};

		if (t->remote.family != family)
			continue;
		text = any ? NULL : fault_on(family, "all");
		any = true;
		for (size_t k = 0; k < 2 && !text; k++) {
			if (!places[k] || places[k] == checked[k] ||
			    !if_indextoname(places[k], name))
				continue;
			checked[k] = places[k];
			text = fault_on(family, name);
		}
	}
	return text;
}

static void resolve_and_mark(struct tunnel *t, struct resolve_memo *memo)
{
	struct addr local = t->local, remote = t->remote;

	if (!resolve_tunnel(t, memo))
		return;
	reconcile_mark(t);
	if (!addr_equal(&local, &t->local) || !addr_equal(&remote, &t->remote))
		reconcile_mark_all(t->gw);
}

void resolve_again(struct tunnel *t)
{
	struct resolve_memo memo = {0};

	resolve_and_mark(t, &memo);
}

void resolve_some(struct gateway *gw)
{
	struct resolve_memo memo = {0};
	size_t all = gw->conf->n_tunnels, n = all / SLICES > SLICE_MIN ? all / SLICES : SLICE_MIN;

	for (size_t i = 0; i < n && i < all; i++) {
		gw->resolve_next = gw->resolve_next < all ? gw->resolve_next : 0;
		resolve_and_mark(&gw->tunnels[gw->resolve_next++], &memo);
	}
}

/* A changed setting changes no object, but the verdict on every tunnel. */
static void fault_take(struct gateway *gw, uint8_t family, char **slot)
{
	char *now = resolve_sysctl_fault(gw, family);

	if (strcmp(now ? now : "", *slot ? *slot : ""))
		reconcile_mark_all(gw);
	free(*slot);
	*slot = now;
}

void resolve_all(struct gateway *gw)
{
	struct resolve_memo memo = {0};

	gw->unresolved_all = false;
	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		resolve_and_mark(&gw->tunnels[i], &memo);
	fault_take(gw, AF_INET, &gw->sysctl);
	fault_take(gw, AF_INET6, &gw->sysctl6);
}
