// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks the kernel where a tunnel's transport starts (`local:` as an address, an interface or auto) and how large the
 * path's packets may be. Entry: resolve_tunnel, called by daemon/reconcile.c when addresses or routes changed.
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
#include "gre/addr.h"
#include "gre/link.h"

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

static int local_find(struct tunnel *t, struct resolve_memo *memo, struct addr *local,
		      uint32_t *mtu)
{
	const struct conf_local *spec = &t->conf->local;
	struct addr source = {0};
	int err = gre_path_get(t->gw->rtnl, &t->remote, &source, mtu, &t->underlay, &memo->link);

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
		return source.family ? 0 : err;
	}
	return -EINVAL;
}

static void unresolved_tell(struct tunnel *t, int err)
{
	char text[160], remote[ADDR_TEXT_SIZE];

	if (!err)
		text[0] = '\0';
	else if (t->conf->local.kind == CONF_LOCAL_INTERFACE && err == -ENODEV)
		snprintf(text, sizeof(text), "no interface %s here (`local:`)",
			 t->conf->local.ifname);
	else if (t->conf->local.kind == CONF_LOCAL_INTERFACE)
		snprintf(text, sizeof(text), "no address on %s here (`local:`)",
			 t->conf->local.ifname);
	else
		snprintf(text, sizeof(text), "no route to %s here: %s",
			 addr_format(&t->remote, remote), strerror(-err));
	gateway_set_text(&t->unresolved, text);
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

bool resolve_tunnel(struct tunnel *t, struct resolve_memo *memo)
{
	struct addr local = {0};
	uint32_t mtu = 0;
	bool changed = false;

	if (!t->remote.family && !(changed = remote_adopt(t)))
		return false;
	int err = local_find(t, memo, &local, &mtu);
	if (err && !t->local.family && local_adopt(t, &local))
		err = 0;
	unresolved_tell(t, t->local.family ? 0 : err);
	if (!err && !addr_equal(&local, &t->local)) {
		t->local = local;
		gateway_set_text(&t->unresolved, NULL);
		changed = true;
	}
	if (mtu && mtu != t->path_mtu) {
		t->path_mtu = mtu;
		changed = true;
	}
	return changed;
}

static bool sysctl_is_set(const char *interface, const char *name)
{
	char path[128];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", interface, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	c = fgetc(f);
	fclose(f);
	return c != EOF && c != '0';
}

static char *fault_on(const char *interface)
{
	static const char *const names[] = {"disable_xfrm", "disable_policy"};
	char *text = NULL;

	for (size_t i = 0; i < 2 && !text; i++)
		if (sysctl_is_set(interface, names[i]) &&
		    asprintf(&text, "net.ipv4.conf.%s.%s is 1", interface, names[i]) < 0)
			return NULL;
	return text;
}

char *resolve_sysctl_fault(struct gateway *gw)
{
	char *text = fault_on("all"), name[IF_NAMESIZE];
	unsigned checked = 0;

	for (size_t i = 0; i < gw->conf->n_tunnels && !text; i++) {
		unsigned underlay = gw->tunnels[i].underlay;

		if (!underlay || underlay == checked || !if_indextoname(underlay, name))
			continue;
		checked = underlay;
		text = fault_on(name);
	}
	return text;
}
