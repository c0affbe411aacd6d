/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf -> wanted objects. Pure: what the world must be asked for first comes as input. */
#ifndef GWD_DAEMON_DESIRE_H
#define GWD_DAEMON_DESIRE_H

#include "conf/conf.h"
#include "daemon/certs.h"
#include "daemon/objects.h"
#include "lib/text.h"

/* What is known of one tunnel beside its configuration. */
struct desire_tunnel {
	struct addr
		local; /* resolved transport address; AF_UNSPEC: not known, then nothing but… nothing is wanted of it */
	struct addr
		remote; /* as it is now; AF_UNSPEC: not known, then nothing but its connection and secret is wanted */
	bool held; /* `gwctl down`: charon must not know the connection, or it would answer the peer */
	uint32_t path_mtu; /* bytes; 0: not known, 1500 is taken */
	enum gre_mtu_from path_from; /* told in the sum only */
	bool overhead_known; /* from the SA in use; else from the first ESP proposal, without NAT-T */
	bool encap;
	unsigned iv, icv, block; /* bytes */
	unsigned device; /* index of the interface that the transport is bound to; 0: none */
	unsigned vrf; /* index of the VRF that the link is in; 0: none */
	uint32_t vrf_table; /* its routing table */
	bool waits; /* for its device or VRF: policies and connection, but no link */
	const struct secret *psk; /* borrowed; NULL unless auth is psk */
	const struct secret *other_psk; /* borrowed; accepted too; NULL: none */
	const struct secret *ppk; /* borrowed; NULL: none */
	const struct tunnel_certs *certs; /* borrowed; NULL: none */
	uint8_t auth_turn; /* told to charon so that a new IKE_SA is made: daemon/reauth.h */
};

struct desire_input {
	const struct conf *conf;
	const struct desire_tunnel *tunnels; /* conf->n_tunnels */
	const struct secret *key; /* the gateway's private key; NULL when no tunnel needs it */
	const char *public_key; /* its public text */
	const struct certs *certs; /* NULL: none */
};

/* The reqid of a tunnel, from its name alone: 28 bits of a hash within the range of xfrm/policy.h, the same in every version;
 * names that collide (sorted order, the later one moves) get the next free one. reqids has conf->n_tunnels places. 0 or -ENOMEM. */
int desire_reqids(const struct conf *conf, uint32_t *reqids);

/* The unreachable route beside one of a tunnel's; false where there is none. vrf_table is that of the tunnel's VRF, 0: not there. */
bool desire_hold(const struct conf_tunnel *t, const struct conf_route *route, uint32_t vrf_table,
		 struct gre_route *out);

/* Fills out, sorted, each object's tunnel set to its index in conf. reqids from desire_reqids. only: a set of tunnel indices
 * (sorted) or NULL for all; what belongs to the gateway (guard table, private key) is always there. 0 or -ENOMEM. */
int desire(const struct desire_input *in, const uint32_t *reqids, const int *only, size_t n_only,
	   struct objects *out);

/* The MTU a tunnel should have, and how it comes about ("1500 - 20 IPv4 - 8 ESP - 8 IV - 16 ICV - 2 trailer - 4 GRE"; padding to
 * the block is told when it costs bytes); sum may be NULL. */
uint32_t desire_mtu(const struct conf_tunnel *t, const struct desire_tunnel *d, struct text *sum);

/* False where the link's MTU is below 1280 and the tunnel should carry IPv6 (RFC 8200 section 5): the kernel takes no IPv6 there. */
bool desire_ip6_fits(const struct conf_tunnel *t, const struct desire_tunnel *d);

#endif
