/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as the user meant it: what gwd.yaml(5) describes, after defaults and checks.
 * Immutable once loaded. Positions stay inside conf/: all findings are reported while loading.
 */
#ifndef GWD_CONF_CONF_H
#define GWD_CONF_CONF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/key.h"

#define CONF_PATH_DEFAULT "/etc/gwd/gwd.yaml"
#define CONF_ERRORS_MAX 20
#define CONF_FILES_MAX 4 /* of ca, and of crl */
#define CONF_PSKS_MAX 2 /* of one peer, while they are changed; the first is the one we use */

enum conf_auth {
	CONF_AUTH_PUBLIC_KEY, /* raw Ed25519 keys, RFC 8420 */
	CONF_AUTH_PSK,
	CONF_AUTH_CERTIFICATE, /* X.509 */
};

enum conf_protect {
	CONF_PROTECT_IPSEC,
	CONF_PROTECT_NONE, /* plain GRE, as the user wrote out */
};

/* Who begins to negotiate. */
enum conf_start {
	CONF_START_ALWAYS, /* we do, whenever there is no SA */
	CONF_START_ON_TRAFFIC, /* we do when a packet wants to be sent */
	CONF_START_PASSIVE, /* the peer does */
};

/* ESP done by the network card: its ciphers only. Policies of ours are no card's, so packet
 * offload, which takes both, is not offered. */
enum conf_offload {
	CONF_OFFLOAD_NO,
	CONF_OFFLOAD_CRYPTO, /* or no tunnel */
	CONF_OFFLOAD_AUTO, /* where the card can */
};

/* Packets are numbered by 32 bits (RFC 4303 section 2.2); an SA ends at 150 % of its time of
 * rekeying. */
#define CONF_PACKETS_MAX 2147483648u

enum conf_local_kind {
	CONF_LOCAL_AUTO, /* the source address of the route to the peer */
	CONF_LOCAL_ADDRESS,
	CONF_LOCAL_INTERFACE, /* the first address of the remote's family on it */
};

struct conf_local {
	enum conf_local_kind kind;
	struct addr addr;
	char ifname[IF_NAMESIZE];
};

enum conf_remote_kind {
	CONF_REMOTE_ADDRESS,
	CONF_REMOTE_NAME, /* a DNS name: gwd resolves it again and again */
	CONF_REMOTE_ANY, /* the peer calls; its address is that of its authenticated identity */
};

struct conf_remote {
	enum conf_remote_kind kind;
	struct addr addr; /* AF_UNSPEC unless an address was given */
	char *name; /* NULL unless a name was given */
};

struct conf_route {
	struct prefix to;
	uint32_t metric; /* 0: the kernel's own default (0 for IPv4, 1024 for IPv6) */
	uint32_t table; /* 0: that of the tunnel's VRF, without one 254, the main one */
	bool hold; /* an unreachable route beside it */
};

/* What "gwctl frr" tells FRR of the tunnel: OSPFv2 (RFC 2328) and OSPFv3 (RFC 5340). */
struct conf_ospf {
	bool enabled;
	bool bfd, passive;
	uint32_t area;
	uint32_t cost; /* 0: the routing daemon's own */
	uint32_t hello, dead; /* seconds */
	uint32_t key_id;
	char *key_file; /* NULL: no authentication */
};

/* Text members are NULL when not given and there is no default. */
struct conf_tunnel {
	char *name;
	char *description;
	bool enabled;
	char interface[IF_NAMESIZE]; /* the tunnel's name unless given */
	enum conf_protect protect;
	struct conf_local local; /* the gateway's unless given */
	struct conf_remote remote;
	uint8_t remote_family; /* of a name's addresses; AF_UNSPEC: either */

	struct prefix *addresses;
	size_t n_addresses;
	struct conf_route *routes;
	size_t n_routes;

	bool has_gre_key;
	uint32_t gre_key_in, gre_key_out; /* of what is taken, of what is sent; mostly equal */
	bool checksum, sequence;
	uint8_t ttl; /* 0: inherit */
	uint8_t tos; /* 1: inherit; else a multiple of 4: the kernel reads an odd one as inherit */
	bool pmtudisc, ignore_df; /* not both */
	char device[IF_NAMESIZE]; /* the transport is bound to it; "": not bound */
	char vrf[IF_NAMESIZE]; /* the interface is in it; "": in none */
	bool mpls;
	bool mss_clamp;
	uint32_t mtu; /* 0: auto, the formula */

	enum conf_auth auth;
	char *id; /* ours towards this peer; NULL: the gateway's (conf_tunnel_id) */
	char *peer_id;
	char peer_public_key[KEY_PUBLIC_TEXT_SIZE]; /* "" unless auth is public-key */
	char peer_other_key[KEY_PUBLIC_TEXT_SIZE]; /* a second one, while keys are changed, or "" */
	char **ca_files, **crl_files; /* NULL-terminated; NULL unless auth is certificate */
	char *ppk_id, *ppk_secret; /* RFC 8784; the secret as in psks; NULL: none */
	bool ppk_required;
	char **psks; /* paths or sealed texts (lib/seal.h), NULL-terminated; NULL unless auth is psk */

	char **ike_proposals; /* NULL-terminated; strongSwan's syntax */
	uint32_t ike_rekey_time; /* seconds */
	uint32_t ike_dpd_delay; /* seconds; 0: off */
	bool ike_encap; /* ESP in UDP also without a NAT */
	char **esp_proposals;
	uint32_t esp_rekey_time; /* seconds */
	uint32_t esp_replay_window; /* packets; 0: off */

	struct conf_ospf ospf;
	uint64_t esp_rekey_bytes; /* 0: not by volume */
	uint32_t esp_rekey_packets;
	enum conf_offload offload;
	bool allow_weak; /* weak algorithms, as the user wrote out */
	enum conf_start start;
};

struct conf {
	char *path;
	char *id; /* the gateway's IKE identity; NULL only when no tunnel is protected */
	struct conf_local local;
	char *key_file; /* NULL only when no tunnel is protected */
	char *cert_file, *cert_key_file; /* of the gateway; both or NULL */
	char **ca_files, **crl_files; /* for tunnels without their own; NULL-terminated, or NULL */
	char *charon_socket; /* the vici socket, a path */
	struct conf_tunnel *tunnels; /* sorted by name */
	size_t n_tunnels;
};

/*
 * All findings of one load: text is what a person reads (file:line:col, source line, caret,
 * hint), each ends in a newline.
 */
struct conf_report {
	char *text; /* NULL when there is nothing to say */
	unsigned errors;
	unsigned warnings;
};

/*
 * Reads path and every .yaml in tunnels.d beside it (in strcmp order), checks everything that can
 * be checked without the kernel or charon, including that key and psk files exist and only their
 * owner can read them. NULL when there was an error; the report is filled either way and is the
 * caller's (conf_report_done).
 */
struct conf *conf_load(const char *path, struct conf_report *report);

/*
 * The same for a text in memory, without tunnels.d and without a look at key and psk files; name
 * is what findings call it.
 */
struct conf *conf_load_text(const char *name, const char *text, size_t size,
			    struct conf_report *report);

/* NULL is fine. */
void conf_free(struct conf *c);
void conf_report_done(struct conf_report *report);

/* Our IKE identity in this tunnel: its own, else the gateway's. */
const char *conf_tunnel_id(const struct conf *c, const struct conf_tunnel *t);

/* The tunnel of this name, or NULL. */
const struct conf_tunnel *conf_find_tunnel(const struct conf *c, const char *name);

#endif
