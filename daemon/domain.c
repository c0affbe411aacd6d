// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds the interfaces that place a tunnel in the kernel's routing domains: the device or front-door VRF that carries it, and the VRF
 * it is a part of. Entry: domain_resolve, called by daemon/resolve.c for each tunnel when links changed. Neighbours: gre/vrf.c
 * asks the kernel, daemon/desire.c uses the indexes, daemon/health.c tells what is missing.
 */
#include "daemon/domain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gre/link.h"

static void memo_device(struct tunnel *t, struct domain_memo *memo)
{
	const char *name = t->conf->device;

	if (!strcmp(memo->device, name))
		return;
	memcpy(memo->device, name, sizeof(memo->device));
	memo->ifindex = 0;
	memo->device_err = gre_device_get(t->gw->rtnl, name, &memo->ifindex);
}

static void memo_vrf(struct tunnel *t, struct domain_memo *memo)
{
	const char *name = t->conf->vrf;

	if (!strcmp(memo->vrf, name))
		return;
	memcpy(memo->vrf, name, sizeof(memo->vrf));
	memo->found = (struct gre_vrf){0};
	memo->vrf_err = gre_vrf_get(t->gw->rtnl, name, &memo->found);
}

/* After a restart, while the device is away: what stands is left in place. */
static unsigned device_adopt(const struct tunnel *t)
{
	struct gre_link link;

	if (gre_link_get(t->gw->rtnl, t->conf->interface, &link) || !link.is_gre ||
	    link.group != GRE_GROUP)
		return 0;
	return link.device;
}

static bool device_resolve(struct tunnel *t, struct domain_memo *memo, char *text, size_t size)
{
	unsigned before = t->device;

	if (!*t->conf->device) {
		t->device = 0;
		return before != 0;
	}
	memo_device(t, memo);
	if (!memo->device_err)
		t->device = memo->ifindex;
	else
		snprintf(text, size, "there is no interface %s here (`device:`)", t->conf->device);
	if (memo->device_err && !t->device)
		t->device = device_adopt(t);
	return t->device != before;
}

static bool vrf_resolve(struct tunnel *t, struct domain_memo *memo, char *text, size_t size)
{
	unsigned before = t->vrf;
	uint32_t table = t->vrf_table;

	t->vrf = t->vrf_table = 0;
	if (*t->conf->vrf) {
		memo_vrf(t, memo);
		if (memo->vrf_err == -EMEDIUMTYPE)
			snprintf(text, size, "%s is an interface, but no VRF here (`vrf:`)",
				 t->conf->vrf);
		else if (memo->vrf_err)
			snprintf(text, size, "there is no VRF %s here (`vrf:`)", t->conf->vrf);
		if (!memo->vrf_err) {
			t->vrf = memo->found.ifindex;
			t->vrf_table = memo->found.table;
		}
	}
	return t->vrf != before || t->vrf_table != table;
}

bool domain_resolve(struct tunnel *t, struct domain_memo *memo)
{
	char text[160] = "";
	bool changed = vrf_resolve(t, memo, text, sizeof(text));

	changed |= device_resolve(t, memo, text, sizeof(text));
	changed |= strcmp(t->missing ? t->missing : "", text) != 0;
	gateway_set_text(&t->missing, text);
	return changed;
}

bool domain_uses(const struct gateway *gw, unsigned ifindex)
{
	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		if (gw->tunnels[i].device == ifindex || gw->tunnels[i].vrf == ifindex)
			return true;
	return false;
}

bool domain_waits(const struct tunnel *t)
{
	return (*t->conf->vrf && !t->vrf) || (*t->conf->device && !t->device);
}
