/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl export: reads the configuration as gwctl check does, turns a tunnel's view round, and has it written for the make that
 * is asked for. Entry function verb_export. Neighbours: ctl/export_linux.c (guard and GRE link), ctl/export_strongswan.c,
 * ctl/export_libreswan.c, ctl/export_gwd.c. What is not in the configuration is looked up on this machine, which is the gateway
 * as a rule: the address of an interface, the public half of the key.
 */
#include "ctl/export.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/output.h"
#include "ctl/verb.h"
#include "lib/secret.h"
#include "xfrm/state.h"

#define PATH_MTU 1500 /* Ethernet, as long as nothing else is known */
#define INTERFACE_PREFIX "gre-"
#define PORT_DISCARD 9 /* RFC 863; nothing is sent */

static const struct {
	const char *name;
	bool (*write)(struct text *out, struct export *e, const char **why);
} makes[] = {
	{"strongswan", export_strongswan},
	{"libreswan", export_libreswan},
	{"linux", export_linux},
	{"gwd", export_gwd},
};

#define MAKES (sizeof(makes) / sizeof(makes[0]))

void export_missing(struct export *e, const char *word, const char *what)
{
	if (!e->notes.text || !strstr(e->notes.text, word))
		text_add(&e->notes, "put in %s: %s\n", word, what);
}

void export_missing_certificates(struct export *e, const char *kinds)
{
	char what[512];

	export_missing(e, EXPORT_CA, "the CA of this gateway's certificate, a file there");
	snprintf(what, sizeof(what), "the other side's certificate, for %s%s", e->tunnel->peer_id,
		 kinds);
	export_missing(e, EXPORT_CERTIFICATE, what);
	export_missing(e, EXPORT_CERTIFICATE_KEY, "its private key");
}

struct export_renewal export_renewal(const struct export *e, uint64_t limit)
{
	return (struct export_renewal){
		.from = limit * (e->leads ? 90 : 120) / 100,
		.to = limit * (e->leads ? 100 : 125) / 100,
		.end = limit * 150 / 100,
	};
}

static bool from_socket(const struct sockaddr *sa, struct addr *out)
{
	if (sa->sa_family == AF_INET)
		*out = addr_from_bytes(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr);
	else if (sa->sa_family == AF_INET6)
		*out = addr_from_bytes(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr);
	else
		return false;
	return true;
}

static bool is_link_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* The first global address of the family on an interface, as gwd takes it. */
static bool address_on(const char *ifname, uint8_t family, struct addr *out)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all))
		return false;
	for (struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != family ||
		    strcmp(i->ifa_name, ifname) != 0)
			continue;
		found = from_socket(i->ifa_addr, out) && !is_link_local(out);
	}
	freeifaddrs(all);
	return found;
}

/* The source of the kernel's route to an address: a connected UDP socket tells it without a packet. */
static bool address_towards(const struct addr *remote, struct addr *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT_DISCARD)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT_DISCARD)};
	bool six = remote->family == AF_INET6;
	struct sockaddr_storage own = {0};
	socklen_t size = sizeof(own);

	memcpy(&v4.sin_addr, remote->bytes, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, remote->bytes, sizeof(v6.sin6_addr));
	int fd = socket(remote->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool known = connect(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
			     six ? sizeof(v6) : sizeof(v4)) == 0 &&
		     getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
		     from_socket((struct sockaddr *)&own, out);
	close(fd);
	return known;
}

static bool own_address(const struct export *e, struct addr *out)
{
	const struct conf_local *local = &e->tunnel->local;

	switch (local->kind) {
	case CONF_LOCAL_ADDRESS:
		*out = local->addr;
		return true;
	case CONF_LOCAL_INTERFACE:
		return address_on(local->ifname, e->family, out);
	case CONF_LOCAL_AUTO:
		return e->tunnel->remote.kind == CONF_REMOTE_ADDRESS &&
		       address_towards(&e->tunnel->remote.addr, out);
	}
	return false;
}

/* The first part of an identity, as a name: hq of hq.example.net and of O=Example, CN=hq; "gwd" where there is none. */
static void name_from(const char *id, char *name, size_t size)
{
	const char *common = id ? strcasestr(id, "CN=") : NULL;
	size_t n = 0;
	struct addr a;

	if (common)
		id = common + strlen("CN=");
	if (id && !addr_parse(id, &a)) {
		for (; n < size - 1 && isalnum((unsigned char)id[n]); n++)
			name[n] = (char)tolower((unsigned char)id[n]);
	}
	if (n == 0)
		n = (size_t)snprintf(name, size, "gwd");
	name[n] = '\0';
}

static void addresses_set(struct export *e)
{
	const struct conf_remote *remote = &e->tunnel->remote;
	char text[ADDR_TEXT_SIZE];
	struct addr own;

	if (own_address(e, &own)) {
		snprintf(e->remote, sizeof(e->remote), "%s", addr_format(&own, text));
	} else {
		snprintf(e->remote, sizeof(e->remote), "ADDRESS-OF-THIS-GATEWAY");
		export_missing(e, e->remote, "this gateway's address, as the other side sees it");
	}
	if (remote->kind == CONF_REMOTE_ADDRESS) {
		snprintf(e->local, sizeof(e->local), "%s", addr_format(&remote->addr, text));
	} else {
		snprintf(e->local, sizeof(e->local), "ADDRESS-OF-THE-OTHER-SIDE");
		export_missing(e, e->local, "the address from which the other side sends");
	}
}

/* Silent: a file that only root may read leaves a word to be put in. */
static void public_key_set(struct export *e)
{
	char err[512];
	struct secret *pem;

	if (e->tunnel->protect == CONF_PROTECT_NONE || e->tunnel->auth != CONF_AUTH_PUBLIC_KEY)
		return;
	if (secret_read_file(e->conf->key_file, &pem, err, sizeof(err)))
		return;
	if (key_public_from_pem(pem, e->public_key, err, sizeof(err)))
		e->public_key[0] = '\0';
	secret_free(pem);
}

static void certificate_set(struct export *e)
{
	struct cert_list list;
	char err[512];

	e->certificate = CERT_KEY_OTHER;
	if (e->tunnel->protect == CONF_PROTECT_NONE || e->tunnel->auth != CONF_AUTH_CERTIFICATE)
		return;
	if (cert_read_file(e->conf->cert_file, CERT_X509, &list, err, sizeof(err)))
		return;
	e->certificate = cert_key_kind(&list.at[0]);
	cert_list_free(&list);
}

/* What gwd computes as well (daemon/desire_mtu.c), so that OSPF finds the same on both sides. */
static uint32_t mtu_of(const struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;
	unsigned iv = 16, icv = 32, block = 16,
		 gre = 4 + 4u * (t->has_gre_key + t->checksum + t->sequence);

	if (t->mtu)
		return t->mtu;
	if (t->protect == CONF_PROTECT_NONE)
		return PATH_MTU - (e->family == AF_INET6 ? 40 : 20) - gre;
	if (t->esp_proposals && t->esp_proposals[0])
		xfrm_proposal_overhead(t->esp_proposals[0], &iv, &icv, &block);
	return xfrm_mtu(PATH_MTU, e->family, t->ike_encap, iv, icv, block, gre);
}

static void export_fill(struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;

	e->family = t->remote.addr.family;
	if (e->family == AF_UNSPEC)
		e->family = t->local.kind == CONF_LOCAL_ADDRESS ? t->local.addr.family : AF_INET;
	name_from(conf_tunnel_id(e->conf, e->tunnel), e->name, sizeof(e->name));
	snprintf(e->interface, sizeof(e->interface), INTERFACE_PREFIX "%.*s",
		 (int)(sizeof(e->interface) - sizeof(INTERFACE_PREFIX)), e->name);
	e->leads = t->peer_id && conf_tunnel_id(e->conf, e->tunnel) &&
		   strcmp(t->peer_id, conf_tunnel_id(e->conf, e->tunnel)) < 0;
	addresses_set(e);
	public_key_set(e);
	certificate_set(e);
	e->mtu = mtu_of(e);
}

static int export_as(struct export *e, size_t make)
{
	const char *why = NULL;
	struct text out = {0};

	export_fill(e);
	bool done = makes[make].write(&out, e, &why);
	if (e->notes.text && done)
		output_note(e->notes.text);
	text_free(&e->notes);
	if (done)
		return output_text(&out, EXIT_WELL);
	text_free(&out);
	return output_error("%s cannot be exported for %s: %s", e->tunnel->name, makes[make].name,
			    why);
}

static int make_unknown(const char *name)
{
	const char *names[MAKES + 1] = {0};

	for (size_t i = 0; i < MAKES; i++)
		names[i] = makes[i].name;
	const char *nearest = name ? text_nearest(name, names) : NULL;
	if (nearest)
		return output_error("export: there is no make %s: did you mean \"--for %s\"?", name,
				    nearest);
	return output_error("export: --for takes strongswan, libreswan, linux or gwd");
}

static int export_tunnel(const struct conf *conf, const char *name, size_t make)
{
	struct export e = {.conf = conf, .tunnel = conf_find_tunnel(conf, name)};

	if (!e.tunnel)
		return output_error("there is no tunnel %s in %s", name, conf->path);
	return export_as(&e, make);
}

int verb_export(const struct verb *verb, const char *arg, const struct options *opt)
{
	struct conf_report report = {0};
	size_t make = 0;
	char err[256];

	(void)verb;
	while (make < MAKES && (!opt->make || strcmp(opt->make, makes[make].name) != 0))
		make++;
	if (make == MAKES)
		return make_unknown(opt->make);
	if (secret_init(err, sizeof(err)))
		return output_error("%s", err);
	struct conf *conf = conf_load(opt->config, &report);
	if (!conf && report.text)
		output_note(report.text);
	int rc = conf ? export_tunnel(conf, arg, make) : EXIT_ERROR;
	conf_free(conf);
	conf_report_done(&report);
	return rc;
}
