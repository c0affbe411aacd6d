/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules within one tunnel, and between it and the gateway: entry function check_tunnels, called
 * by conf/load.c after all files are parsed. A rule looks at a value only when it was read well,
 * so that one mistake is one finding. Pure. Neighbours: conf/across.c, conf/files.c.
 */
#include "conf/check.h"

#include <stdlib.h>
#include <string.h>

#include "conf/ospf.h"
#include "conf/value.h"
#include "conf/weak.h"

#define IPV6_MTU_MIN 1280 /* RFC 8200 section 5 */
#define HERE(d, slot) given_here(&(d)->given, slot)
#define INHERITED(d, slot) given_inherited(&(d)->given, slot)
#define AT(d, slot) ((d)->given.at[slot])

static struct finding *missing(struct drafts *ds, const struct draft *d, const char *what)
{
	return findings_add(ds->found, FINDING_ERROR, d->name_at, "%s has no %s", d->tunnel.name,
			    what);
}

static void check_interface(struct drafts *ds, struct draft *d)
{
	struct conf_tunnel *t = &d->tunnel;

	if (HERE(d, SLOT_INTERFACE) || !value_tunnel_name(t->name))
		return;
	if (value_interface(t->name) && !value_interface_reserved(t->name)) {
		strcpy(t->interface, t->name);
		return;
	}
	finding_hint(findings_add(ds->found, FINDING_ERROR, d->name_at,
				  "%s cannot be the name of an interface", t->name),
		     "give one of at most %d characters: interface: NAME", IF_NAMESIZE - 1);
}

static struct spot local_spot(const struct drafts *ds, const struct draft *d)
{
	if (HERE(d, SLOT_LOCAL) || INHERITED(d, SLOT_LOCAL))
		return AT(d, SLOT_LOCAL);
	return ds->global.at[SLOT_LOCAL];
}

/* Who calls is known by its identity alone. */
static void check_any(struct drafts *ds, const struct draft *d)
{
	const struct conf_tunnel *t = &d->tunnel;

	if (t->remote.kind != CONF_REMOTE_ANY || t->protect != CONF_PROTECT_NONE)
		return;
	struct finding *finding = findings_add(
		ds->found, FINDING_ERROR, AT(d, SLOT_REMOTE),
		"remote: any contradicts protect: none, where nobody proves who calls");
	finding_hint(finding, "give the peer's address; protect was given");
	finding_other(finding, AT(d, SLOT_PROTECT));
}

/* There is no address a first packet could be sent to; what defaults say of it is for the other tunnels. */
static void check_any_start(struct drafts *ds, struct draft *d)
{
	struct conf_tunnel *t = &d->tunnel;

	if (t->remote.kind != CONF_REMOTE_ANY || t->start != CONF_START_ON_TRAFFIC)
		return;
	t->start = CONF_START_ALWAYS;
	if (!HERE(d, SLOT_START))
		return;
	struct finding *finding = findings_add(
		ds->found, FINDING_ERROR, AT(d, SLOT_START),
		"start: on-traffic contradicts remote: any, where only the peer can call");
	finding_hint(finding, "leave the key out; remote was given");
	finding_other(finding, AT(d, SLOT_REMOTE));
}

static void check_ends(struct drafts *ds, const struct draft *d)
{
	const struct conf_tunnel *t = &d->tunnel;
	const struct addr *remote = &t->remote.addr;
	struct findings *found = ds->found;

	if (!HERE(d, SLOT_REMOTE))
		finding_hint(missing(ds, d, "remote"), "the peer's address, its DNS name, or any");
	check_any(ds, d);
	if (t->local.kind == CONF_LOCAL_INTERFACE && strcmp(t->local.ifname, t->interface) == 0)
		finding_hint(findings_add(found, FINDING_ERROR, d->name_at,
					  "%s is the interface the tunnel is sent from",
					  t->interface),
			     "give the tunnel another: interface: NAME");
	if (t->local.kind != CONF_LOCAL_ADDRESS || remote->family == AF_UNSPEC)
		return;
	if (t->local.addr.family != remote->family) {
		bool ipv4 = remote->family == AF_INET;
		struct finding *finding =
			findings_add(found, FINDING_ERROR, local_spot(ds, d),
				     "local is an %s address, the remote of %s an %s address",
				     ipv4 ? "IPv6" : "IPv4", t->name, ipv4 ? "IPv4" : "IPv6");
		finding_hint(finding, ipv4 ? "give the gateway's IPv4 address, or its interface"
					   : "give the gateway's IPv6 address, or its interface");
	} else if (addr_equal(&t->local.addr, remote)) {
		struct finding *finding = findings_add(found, FINDING_ERROR, AT(d, SLOT_REMOTE),
						       "remote is the gateway's own address");
		finding_hint(finding, "local was given");
		finding_other(finding, local_spot(ds, d));
	}
}

/* A family told for all tunnels by defaults concerns those whose remote is a name. */
static void check_family(struct drafts *ds, const struct draft *d)
{
	const struct conf_tunnel *t = &d->tunnel;

	if (HERE(d, SLOT_REMOTE_FAMILY) && HERE(d, SLOT_REMOTE) && !t->remote.name)
		finding_hint(findings_add(ds->found, FINDING_ERROR, AT(d, SLOT_REMOTE_FAMILY),
					  "remote-family chooses among the addresses of a name, "
					  "and remote is no name"),
			     "leave it out");
	if (t->remote.name && t->remote_family && t->local.kind == CONF_LOCAL_ADDRESS &&
	    t->local.addr.family != t->remote_family)
		finding_hint(findings_add(ds->found, FINDING_ERROR, AT(d, SLOT_REMOTE_FAMILY),
					  "remote-family contradicts local, which is an %s address",
					  t->local.addr.family == AF_INET ? "IPv4" : "IPv6"),
			     "leave it out: the family is that of local");
}

static void check_inside(struct drafts *ds, const struct draft *d)
{
	const struct conf_tunnel *t = &d->tunnel;
	bool ipv6 = false;

	for (size_t i = 0; i < t->n_addresses; i++) {
		ipv6 |= t->addresses[i].addr.family == AF_INET6;
		if (t->remote.addr.family != AF_UNSPEC &&
		    prefix_contains(&t->addresses[i], &t->remote.addr))
			finding_hint(findings_add(ds->found, FINDING_ERROR, d->address_at[i],
						  "the network of this address contains the remote "
						  "of the tunnel"),
				     "the tunnel would be sent through itself");
	}
	for (size_t i = 0; i < t->n_routes; i++)
		ipv6 |= t->routes[i].to.addr.family == AF_INET6;
	if (ipv6 && t->mtu && t->mtu < IPV6_MTU_MIN)
		finding_hint(findings_add(ds->found, FINDING_ERROR, AT(d, SLOT_MTU),
					  "mtu: IPv6, which %s carries, needs at least %d", t->name,
					  IPV6_MTU_MIN),
			     "leave the key out for the right one");
}

static void check_plain(struct drafts *ds, struct draft *d)
{
	static const struct {
		enum schema_slot slot;
		const char *name;
	} keys[] = {{SLOT_PEER, "peer"},  {SLOT_ID, "id"},
		    {SLOT_AUTH, "auth"},  {SLOT_PSK, "psk"},
		    {SLOT_CA, "ca"},	  {SLOT_CRL, "crl"},
		    {SLOT_PPK, "ppk"},	  {SLOT_IKE, "ike"},
		    {SLOT_ESP, "esp"},	  {SLOT_ALLOW_WEAK, "allow-weak"},
		    {SLOT_START, "start"}};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!HERE(d, keys[i].slot))
			continue;
		struct finding *finding = findings_add(
			ds->found, FINDING_ERROR, AT(d, keys[i].slot),
			"%s contradicts protect: none, which sends in clear", keys[i].name);
		finding_hint(finding, "remove it, or write protect: ipsec; protect was given");
		finding_other(finding, AT(d, SLOT_PROTECT));
		finding_hide(finding,
			     keys[i].slot == SLOT_PSK ? FINDING_SHOW_TO_SPOT : FINDING_SHOW_LINE);
	}
}

/* What the tunnel says of itself counts before what defaults say. */
static enum conf_auth auth_of(const struct draft *d)
{
	if (HERE(d, SLOT_AUTH))
		return d->tunnel.auth;
	if (HERE(d, SLOT_PSK))
		return CONF_AUTH_PSK;
	if (HERE(d, SLOT_PUBLIC_KEY))
		return CONF_AUTH_PUBLIC_KEY;
	if (INHERITED(d, SLOT_AUTH))
		return d->tunnel.auth;
	return INHERITED(d, SLOT_PSK) ? CONF_AUTH_PSK : CONF_AUTH_PUBLIC_KEY;
}

static void check_auth_psk(struct drafts *ds, const struct draft *d)
{
	if (!HERE(d, SLOT_PSK) && !INHERITED(d, SLOT_PSK))
		finding_hint(missing(ds, d, "psk"), "psk: the path of a file with the key");
	if (!HERE(d, SLOT_PUBLIC_KEY))
		return;
	struct finding *finding = findings_add(ds->found, FINDING_ERROR, AT(d, SLOT_PUBLIC_KEY),
					       "public-key contradicts auth: psk");
	finding_hint(finding, "keep one of the two; psk or auth was given");
	finding_other(finding, AT(d, HERE(d, SLOT_PSK) ? SLOT_PSK : SLOT_AUTH));
}

static void check_auth_public_key(struct drafts *ds, const struct draft *d)
{
	if (!HERE(d, SLOT_PUBLIC_KEY))
		finding_hint(missing(ds, d, "peer.public-key"),
			     "\"gwctl pubkey\" on the peer prints it; or psk: the path of a file");
	if (!HERE(d, SLOT_PSK))
		return;
	struct finding *finding = findings_add(ds->found, FINDING_ERROR, AT(d, SLOT_PSK),
					       "psk contradicts auth: public-key");
	finding_hint(finding, "keep one of the two; auth was given");
	finding_other(finding, AT(d, SLOT_AUTH));
	finding_hide(finding, FINDING_SHOW_TO_SPOT);
}

/* Its own keys that say another way of authentication. */
static void contradicts(struct drafts *ds, const struct draft *d, enum schema_slot slot,
			const char *name)
{
	struct finding *finding;

	if (!HERE(d, slot))
		return;
	finding = findings_add(ds->found, FINDING_ERROR, AT(d, slot),
			       "%s contradicts auth: certificate", name);
	finding_hint(finding, "keep one of the two; auth was given");
	finding_other(finding, AT(d, SLOT_AUTH));
	finding_hide(finding, FINDING_SHOW_TO_SPOT);
}

static void check_auth_certificate(struct drafts *ds, const struct draft *d)
{
	const struct conf *conf = ds->conf;
	struct spot at = AT(d, SLOT_AUTH);

	contradicts(ds, d, SLOT_PSK, "psk");
	contradicts(ds, d, SLOT_PUBLIC_KEY, "public-key");
	if (!given_here(&ds->global, SLOT_CERTIFICATE))
		finding_hint(findings_add(ds->found, FINDING_ERROR, at,
					  "auth: certificate needs the gateway's certificate"),
			     "gateway: {certificate: FILE, certificate-key: FILE}");
	else if (!given_here(&ds->global, SLOT_CERTIFICATE_KEY))
		finding_hint(findings_add(ds->found, FINDING_ERROR, ds->global.at[SLOT_CERTIFICATE],
					  "the gateway's certificate has no key"),
			     "certificate-key: the path of a file");
	if (!d->tunnel.ca_files && !conf->ca_files)
		finding_hint(missing(ds, d, "ca"),
			     "ca: the file of the CA that issued the peer's certificate");
}

static void check_ppk(struct drafts *ds, const struct draft *d)
{
	if (!HERE(d, SLOT_PPK))
		return;
	if (!HERE(d, SLOT_PPK_ID))
		finding_hint(missing(ds, d, "ppk.id"),
			     "a name for the secret, the same on both sides");
	if (!HERE(d, SLOT_PPK_SECRET))
		finding_hint(missing(ds, d, "ppk.secret"), "the path of a file, or a sealed text");
}

static void check_peer(struct drafts *ds, const struct draft *d)
{
	const char *peer = d->tunnel.peer_id, *id = conf_tunnel_id(ds->conf, &d->tunnel);

	if (!HERE(d, SLOT_PEER)) {
		finding_hint(missing(ds, d, "peer"), "peer: {id: NAME, public-key: KEY}");
		return;
	}
	if (!HERE(d, SLOT_PEER_ID))
		finding_hint(missing(ds, d, "peer.id"), "what the peer has as its gateway.id");
	if (peer && id && strcasecmp(peer, id) == 0) {
		struct finding *finding = findings_add(ds->found, FINDING_ERROR,
						       AT(d, SLOT_PEER_ID),
						       "the peer has the identity of this gateway");
		finding_hint(finding, d->tunnel.id ? "id was given" : "gateway.id was given");
		finding_other(finding, d->tunnel.id ? AT(d, SLOT_ID) : ds->global.at[SLOT_ID]);
	}
	switch (d->tunnel.auth) {
	case CONF_AUTH_PSK:
		check_auth_psk(ds, d);
		break;
	case CONF_AUTH_PUBLIC_KEY:
		check_auth_public_key(ds, d);
		break;
	case CONF_AUTH_CERTIFICATE:
		check_auth_certificate(ds, d);
		break;
	}
	check_ppk(ds, d);
}

static void check_gateway_id(struct drafts *ds)
{
	struct spot at = {0};
	bool needed = false;

	for (size_t i = 0; i < ds->list.len; i++)
		needed |= ds->list.at[i].tunnel.protect == CONF_PROTECT_IPSEC;
	if (!needed || given_here(&ds->global, SLOT_ID))
		return;
	if (given_here(&ds->global, SLOT_GATEWAY))
		at = ds->global.at[SLOT_GATEWAY];
	finding_hint(findings_add(ds->found, FINDING_ERROR, at, "the gateway has no id"),
		     "gateway: {id: NAME}, the name the peers know it by");
}

/* So that written out it is the same as left out. */
static void settle_id(const struct drafts *ds, struct draft *d)
{
	struct conf_tunnel *t = &d->tunnel;

	if (!t->id || !ds->conf->id || strcasecmp(t->id, ds->conf->id) != 0)
		return;
	free(t->id);
	t->id = NULL;
}

static void list_drop(char ***list)
{
	conf_list_free(*list);
	*list = NULL;
}

static char **list_copy(struct drafts *ds, char *const *from)
{
	char **list = from ? calloc(CONF_FILES_MAX + 1, sizeof(*list)) : NULL;

	ds->found->failed |= from && !list;
	for (size_t i = 0; list && i < CONF_FILES_MAX && from[i]; i++) {
		list[i] = strdup(from[i]);
		if (!list[i]) {
			ds->found->failed = true;
			break;
		}
	}
	return list;
}

/* Of what the tunnel, the defaults and the gateway gave, what its way of authentication uses stays. */
static void credentials_settle(struct drafts *ds, struct draft *d)
{
	struct conf_tunnel *t = &d->tunnel;
	bool protected = t->protect == CONF_PROTECT_IPSEC;

	if (!protected || t->auth != CONF_AUTH_PSK)
		list_drop(&t->psks);
	if (!protected || t->auth != CONF_AUTH_CERTIFICATE) {
		list_drop(&t->ca_files);
		list_drop(&t->crl_files);
		return;
	}
	if (!t->ca_files)
		t->ca_files = list_copy(ds, ds->conf->ca_files);
	if (!t->crl_files)
		t->crl_files = list_copy(ds, ds->conf->crl_files);
}

void check_tunnels(struct drafts *drafts)
{
	check_gateway_id(drafts);
	for (size_t i = 0; i < drafts->list.len; i++) {
		struct draft *d = &drafts->list.at[i];
		if (d->left_out)
			continue;
		check_interface(drafts, d);
		check_ends(drafts, d);
		check_any_start(drafts, d);
		check_family(drafts, d);
		check_inside(drafts, d);
		ospf_check(drafts, d);
		check_gre(drafts, d);
		settle_id(drafts, d);
		d->tunnel.auth = auth_of(d);
		if (d->tunnel.protect == CONF_PROTECT_NONE)
			check_plain(drafts, d);
		else
			check_peer(drafts, d);
		credentials_settle(drafts, d);
		if (d->tunnel.protect == CONF_PROTECT_IPSEC)
			weak_check(drafts->found, d);
	}
}
