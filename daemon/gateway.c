// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Look-ups in the running gateway, and its clock. Each is O(log n): an event of one tunnel must not cost a walk over
 * all of them. The indices are built by daemon/reload.c with the configuration.
 */
#include "daemon/gateway.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/domain.h"

uint64_t gateway_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void gateway_set_text(char **slot, const char *text)
{
	if (*slot && text && !strcmp(*slot, text))
		return;
	free(*slot);
	*slot = text && *text ? strdup(text) : NULL;
}

static int reqid_cmp(const void *key, const void *element)
{
	uint32_t reqid = *(const uint32_t *)key;
	const struct reqid_index *e = element;

	return reqid < e->reqid ? -1 : reqid > e->reqid;
}

static int ifname_cmp(const void *key, const void *element)
{
	return strcmp(key, ((const struct name_index *)element)->name);
}

static int tunnel_cmp(const void *key, const void *element)
{
	return strcmp(key, ((const struct tunnel *)element)->conf->name);
}

struct tunnel *gateway_tunnel_by_reqid(struct gateway *gw, uint32_t reqid)
{
	const struct reqid_index *e = NULL;

	if (gw->conf->n_tunnels)
		e = bsearch(&reqid, gw->by_reqid, gw->conf->n_tunnels, sizeof(*e), reqid_cmp);
	return e ? &gw->tunnels[e->tunnel] : NULL;
}

struct tunnel *gateway_tunnel_by_ifname(struct gateway *gw, const char *name)
{
	const struct name_index *e = NULL;

	if (gw->conf->n_tunnels)
		e = bsearch(name, gw->by_ifname, gw->conf->n_tunnels, sizeof(*e), ifname_cmp);
	return e ? &gw->tunnels[e->tunnel] : NULL;
}

struct tunnel *gateway_tunnel_by_name(struct gateway *gw, const char *name)
{
	if (!gw->conf->n_tunnels)
		return NULL;
	return bsearch(name, gw->tunnels, gw->conf->n_tunnels, sizeof(*gw->tunnels), tunnel_cmp);
}

struct tunnel *gateway_tunnel_by_conn(struct gateway *gw, const char *name)
{
	if (strncmp(name, IKE_PREFIX, strlen(IKE_PREFIX)))
		return NULL;
	return gateway_tunnel_by_name(gw, name + strlen(IKE_PREFIX));
}

static int pair_order(const void *a, const void *b)
{
	return guard_pair_cmp(a, b);
}

const struct guard_pair *gateway_pair(const struct tunnel *t, const struct addr *local,
				      const struct addr *remote, uint32_t key)
{
	const struct guard_state *seen = &t->gw->guard_seen;
	struct guard_pair wanted = {
		.local = *local,
		.remote = *remote,
		.has_key = t->conf->has_gre_key,
		.key = key,
	};

	return seen->n_pairs
		       ? bsearch(&wanted, seen->pairs, seen->n_pairs, sizeof(wanted), pair_order)
		       : NULL;
}

bool gateway_tunnel_ends_known(const struct tunnel *t)
{
	return t->local.family && t->remote.family;
}

bool gateway_tunnel_protected(const struct tunnel *t)
{
	return t->conf->enabled && t->conf->protect == CONF_PROTECT_IPSEC && !t->gw->torn_down;
}

static void fill_known(const struct tunnel *t, struct desire_tunnel *d)
{
	*d = (struct desire_tunnel){
		.local = t->local,
		.remote = t->remote,
		.held = t->held,
		.device = t->device,
		.vrf = t->vrf,
		.vrf_table = t->vrf_table,
		.waits = domain_waits(t),
		.path_mtu = t->path_mtu,
		.path_from = t->path_from,
		.overhead_known = t->overhead_known,
		.encap = t->encap,
		.iv = t->iv,
		.icv = t->icv,
		.block = t->block,
		.auth_turn = t->reauth.turn,
	};
}

void gateway_fill_desire(const struct gateway *gw, struct desire_tunnel *d)
{
	for (size_t i = 0; i < gw->conf->n_tunnels; i++) {
		fill_known(&gw->tunnels[i], &d[i]);
		d[i].psk = gw->auths[i].psk;
		d[i].other_psk = gw->auths[i].other_psk;
		d[i].ppk = gw->auths[i].ppk;
		d[i].certs = &gw->auths[i].certs;
	}
}

uint32_t gateway_tunnel_mtu(const struct tunnel *t, struct text *sum, bool *ip6_fits)
{
	struct desire_tunnel d;

	fill_known(t, &d);
	*ip6_fits = desire_ip6_fits(t->conf, &d);
	return desire_mtu(t->conf, &d, sum);
}

enum ike_auth gateway_tunnel_auth(const struct tunnel *t)
{
	switch (t->conf->auth) {
	case CONF_AUTH_PUBLIC_KEY:
		return IKE_AUTH_PUBLIC_KEY;
	case CONF_AUTH_PSK:
		return IKE_AUTH_PSK;
	case CONF_AUTH_CERTIFICATE:
		return IKE_AUTH_CERTIFICATE;
	}
	return IKE_AUTH_PUBLIC_KEY;
}
