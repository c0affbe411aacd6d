/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl export, what is the same on every Linux: the guard as nftables rules and the GRE link by ip(8); and plain GRE, which is
 * these alone. Entry functions export_guard, export_link, export_linux. Neighbour: ctl/export.c. The link has what gwd gives its
 * own (doc/KERNEL.md, GRE links), the guard does what guard/ does for the one pair of addresses. Pure.
 */
#include "ctl/export.h"

#include <stdio.h>

void export_head(struct text *out, const struct export *e, const char *make)
{
	const struct conf_tunnel *t = e->tunnel;

	text_add(out, "#!/bin/sh\n# The other side of tunnel %s", t->name);
	if (conf_tunnel_id(e->conf, e->tunnel) && t->peer_id)
		text_add(out, " between %s and %s", conf_tunnel_id(e->conf, e->tunnel), t->peer_id);
	text_add(
		out,
		": for %s.\n"
		"# Put in what stands in capitals and run this there as root. What ip and nft do is gone after\n"
		"# a restart of the machine, unless it is put where that machine keeps such things.\n"
		"set -e\numask 077\n",
		make);
}

/*
 * With a key the rule with the raw expression stands in a chain of its own: nft 1.0.6 aborts when it lists one beside meta l4proto.
 * Bit 2 of the GRE header tells that there is a key (RFC 2890), which follows the first word unless there is a checksum.
 */
static const char *guard_keys(const struct conf_tunnel *t, char buf[32])
{
	if (t->gre_key_in == t->gre_key_out)
		snprintf(buf, 32, "%u", t->gre_key_in);
	else
		snprintf(buf, 32, "{ %u, %u }", t->gre_key_in, t->gre_key_out);
	return buf;
}

static void guard_chain(struct text *out, const struct export *e, bool in)
{
	const char *test = in ? "meta ipsec" : "rt ipsec", *dir = in ? "in" : "out";
	char keys[32];

	if (e->tunnel->has_gre_key)
		text_add(out, "\tchain key_%s {\n\t\t@th,2,1 1 @th,%d,32 %s %s missing drop\n\t}\n",
			 dir, e->tunnel->checksum ? 64 : 32, guard_keys(e->tunnel, keys), test);
	text_add(out,
		 "\tchain %sput {\n\t\ttype filter hook %sput priority filter;\n"
		 "\t\t%s %s %s meta l4proto 47 ",
		 dir, dir, e->family == AF_INET6 ? "ip6" : "ip", in ? "saddr" : "daddr", e->remote);
	if (e->tunnel->has_gre_key)
		text_add(out, "jump key_%s\n\t}\n", dir);
	else
		text_add(out, "%s missing drop\n\t}\n", test);
}

void export_guard(struct text *out, const struct export *e)
{
	text_add(out,
		 "\n# GRE with %s passes in ESP only, whatever the IKE daemon does.\n"
		 "nft -f - <<'END'\n"
		 "table inet %s\ndelete table inet %s\ntable inet %s {\n",
		 e->name, e->interface, e->interface, e->interface);
	guard_chain(out, e, false);
	guard_chain(out, e, true);
	text_add(out, "}\nEND\n");
}

bool export_other_host(const struct prefix *p, struct addr *out)
{
	size_t last = addr_size(p->addr.family) - 1;
	unsigned host_bits = (unsigned)addr_size(p->addr.family) * 8 - p->len;

	*out = p->addr;
	if (host_bits == 1)
		out->bytes[last] ^= 1;
	else if (host_bits == 2)
		out->bytes[last] ^= 3;
	return host_bits == 1 || host_bits == 2;
}

static void put_address(struct text *out, struct export *e, const struct prefix *ours)
{
	struct prefix theirs = *ours, network = prefix_network(ours);
	char text[PREFIX_TEXT_SIZE], us[ADDR_TEXT_SIZE];

	if (export_other_host(ours, &theirs.addr)) {
		text_add(out, "ip addr replace %s dev %s\n", prefix_format(&theirs, text),
			 e->interface);
		return;
	}
	text_add(out, "ip addr replace " EXPORT_ADDRESS "/%u dev %s # in %s, where %s is %s\n",
		 ours->len, e->interface, prefix_format(&network, text), e->name,
		 addr_format(&ours->addr, us));
	export_missing(e, EXPORT_ADDRESS, "the other side's address in the tunnel's network");
}

/* What is in here is out there. */
static void put_options(struct text *out, const struct conf_tunnel *t, bool six)
{
	text_add(out, six ? " encaplimit none hoplimit 64" : " ttl 64");
	if (!six)
		text_add(out, t->pmtudisc ? " pmtudisc" : " nopmtudisc");
	if (!six && t->ignore_df)
		text_add(out, " ignore-df");
	if (t->has_gre_key && t->gre_key_in == t->gre_key_out)
		text_add(out, " key %u", t->gre_key_in);
	else if (t->has_gre_key)
		text_add(out, " ikey %u okey %u", t->gre_key_out, t->gre_key_in);
	text_add(out, "%s%s", t->checksum ? " csum" : "", t->sequence ? " seq" : "");
	if (t->tos == 1)
		text_add(out, " %s inherit", six ? "tclass" : "tos");
	else if (t->tos)
		text_add(out, " %s 0x%02x", six ? "tclass" : "tos", t->tos);
}

/* In another network namespace or on another machine nothing is there; a second run changes what can be changed. */
void export_link(struct text *out, struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;
	bool six = e->family == AF_INET6;

	text_add(out, "\n# The link, and its addresses.\n");
	text_add(
		out,
		"ip link show dev %s >/dev/null 2>&1 ||\n\tip link add %s type %s local %s remote %s",
		e->interface, e->interface, six ? "ip6gre" : "gre", e->local, e->remote);
	put_options(out, t, six);
	text_add(out, "\nip link set %s mtu %u multicast on up\n", e->interface, e->mtu);
	for (size_t i = 0; i < t->n_addresses; i++)
		put_address(out, e, &t->addresses[i]);
	text_add(out,
		 "# What is behind %s: by a routing protocol on %s, or\n"
		 "#\tip route add NETWORK dev %s\n",
		 e->name, e->interface, e->interface);
}

bool export_linux(struct text *out, struct export *e, const char **why)
{
	if (e->tunnel->protect != CONF_PROTECT_NONE) {
		*why = "linux is plain GRE, and the tunnel is protected";
		return false;
	}
	export_head(out, e, "Linux, plain GRE: NOTHING IS ENCRYPTED");
	export_link(out, e);
	return true;
}
