/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MTU of a tunnel's link and the sum that explains it. Entry function: desire_mtu. Neighbours:
 * xfrm/state.h has the kernel's formula (xfrm_state_mtu), daemon/desire.c puts the result on the
 * link, status shows the sum. Pure. ESP overhead is that of RFC 4303 (header 8, trailer 2 and
 * padding), NAT-T that of RFC 3948, the GRE header that of RFC 2890.
 */
#include <stdlib.h>

#include "daemon/desire.h"
#include "xfrm/state.h"

#define PATH_MTU_DEFAULT 1500 /* Ethernet */
#define MTU_LEAST_IP6 1280 /* RFC 8200; the kernel's IPV6_MIN_MTU */
#define MTU_LEAST 68 /* RFC 791; the kernel refuses less (ETH_MIN_MTU) */
#define IP4_HEADER 20
#define IP6_HEADER 40
#define UDP_HEADER 8
#define ESP_HEADER 8
#define ESP_TRAILER 2
/* The largest of the algorithms that strongSwan offers (AES-CBC with SHA-512): too small an MTU
 * works, too large a one does not. */
#define IV_WORST 16
#define ICV_WORST 32
#define BLOCK_WORST 16

struct overhead {
	unsigned iv, icv, block; /* bytes */
	bool encap;
};

static struct overhead overhead_of(const struct conf_tunnel *t, const struct desire_tunnel *d)
{
	struct overhead o = {d->iv, d->icv, d->block, d->encap};

	if (d->overhead_known && d->block)
		return o;
	o.encap = d->overhead_known ? d->encap : t->ike_encap;
	if (t->esp_proposals && t->esp_proposals[0] &&
	    xfrm_proposal_overhead(t->esp_proposals[0], &o.iv, &o.icv, &o.block) && o.block)
		return o;
	return (struct overhead){IV_WORST, ICV_WORST, BLOCK_WORST, o.encap};
}

static bool carries_ip6(const struct conf_tunnel *t)
{
	for (size_t i = 0; i < t->n_addresses; i++)
		if (t->addresses[i].addr.family == AF_INET6)
			return true;
	for (size_t i = 0; i < t->n_routes; i++)
		if (t->routes[i].to.addr.family == AF_INET6)
			return true;
	return false;
}

/*
 * Below 1280 the kernel switches IPv6 off on a link and forgets its addresses and routes (addrconf_notify), so what carries
 * IPv6 over IPv4 stays at that (RFC 8200 section 5); the carrier's packets are fragmented then. Over IPv6 they are not, by nobody
 * (ip6_fragment, without ignore_df): there the MTU is what fits, and IPv6 has no place inside.
 */
static uint32_t clamp(const struct conf_tunnel *t, const struct desire_tunnel *d, uint32_t mtu,
		      struct text *sum)
{
	bool ip6 = carries_ip6(t), over_ip6 = d->remote.family == AF_INET6;
	uint32_t least = ip6 && !over_ip6 ? MTU_LEAST_IP6 : MTU_LEAST;

	if (sum && ip6 && over_ip6 && mtu >= least && mtu < MTU_LEAST_IP6)
		text_add(sum, " = %u, too little for IPv6 inside", mtu);
	if (mtu >= least)
		return mtu;
	if (sum)
		text_add(sum, " = %u, raised to %u: the least %s", mtu, least,
			 least == MTU_LEAST_IP6 ? "for IPv6, larger carriers go in fragments"
						: "a link can have");
	return least;
}

static uint32_t mtu_plain(uint32_t path, unsigned ip, unsigned gre, struct text *sum)
{
	if (sum)
		text_add(sum, " - %u GRE", gre);
	return path > ip + gre ? path - ip - gre : 0;
}

static uint32_t mtu_protected(uint32_t path, uint8_t family, unsigned ip, unsigned gre,
			      const struct overhead *o, struct text *sum)
{
	uint32_t mtu = xfrm_mtu(path, family, o->encap, o->iv, o->icv, o->block, gre);
	unsigned encap = o->encap ? UDP_HEADER : 0;
	uint32_t told = ip + encap + ESP_HEADER + o->iv + o->icv + ESP_TRAILER + gre;

	if (sum) {
		if (encap)
			text_add(sum, " - %u NAT-T", encap);
		text_add(sum, " - %d ESP - %u IV - %u ICV - %d trailer", ESP_HEADER, o->iv, o->icv,
			 ESP_TRAILER);
		if (mtu && path > told + mtu)
			text_add(sum, " - %u padding", path - told - mtu);
		text_add(sum, " - %u GRE", gre);
	}
	return mtu;
}

static const char *path_origin(const struct desire_tunnel *d)
{
	switch (d->path_from) {
	case GRE_MTU_LINK:
		break;
	case GRE_MTU_ROUTE:
		return " (the route's)";
	case GRE_MTU_LEARNED:
		return " (learned from the path)";
	}
	return "";
}

uint32_t desire_mtu(const struct conf_tunnel *t, const struct desire_tunnel *d, struct text *sum)
{
	if (t->mtu) {
		if (sum)
			text_add(sum, "as configured");
		return t->mtu;
	}
	bool protected = t->protect == CONF_PROTECT_IPSEC;
	uint32_t path = d->path_mtu ? d->path_mtu : PATH_MTU_DEFAULT;
	bool v6 = d->remote.family == AF_INET6;
	unsigned ip = v6 ? IP6_HEADER : IP4_HEADER;
	unsigned gre = gre_header_size(t->has_gre_key, t->checksum, t->sequence);
	if (sum)
		text_add(sum, "%u%s - %u %s", path, path_origin(d), ip, v6 ? "IPv6" : "IPv4");
	if (!protected)
		return clamp(t, d, mtu_plain(path, ip, gre, sum), sum);
	struct overhead o = overhead_of(t, d);
	return clamp(t, d, mtu_protected(path, d->remote.family, ip, gre, &o, sum), sum);
}

bool desire_ip6_fits(const struct conf_tunnel *t, const struct desire_tunnel *d)
{
	return !carries_ip6(t) || desire_mtu(t, d, NULL) >= MTU_LEAST_IP6;
}
