/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyword table of gwd.yaml(5) and the look-ups in it; conf/parse.c walks a document by it. A
 * key stands here when something implements it, and nowhere else: what is not here is an "unknown
 * key". Pure.
 */
#include "conf/schema.h"

#include <string.h>

#include "conf/conf.h"
#include "lib/text.h"

#define SCHEMA_KEYS_MAX 128

#define AT(place) (1u << SCHEMA_##place)
#define BOTH (AT(TUNNEL) | AT(DEFAULTS))
#define DAY 86400u
#define METRIC_MAX 4294967039u /* what comes behind it holds destinations (gre/route.h) */

#define GLOBAL(member) offsetof(struct conf, member)
#define TUNNEL(member) offsetof(struct conf_tunnel, member)
#define ROUTE(member) offsetof(struct conf_route, member)

/* clang-format off */
const struct schema_key schema_keys[] = {
	{"gateway", AT(TOP), SLOT_GATEWAY, SCHEMA_MAP, .inner = SCHEMA_GATEWAY},
	{"tunnels", AT(TOP) | AT(PART), SLOT_TUNNELS, SCHEMA_TUNNEL_MAP, .offset = 0},
	{"defaults", AT(TOP), SLOT_DEFAULTS, SCHEMA_DEFAULTS_MAP, .offset = 0},
	{"charon", AT(TOP), SLOT_CHARON, SCHEMA_MAP, .inner = SCHEMA_CHARON},

	{"id", AT(GATEWAY), SLOT_ID, SCHEMA_IDENTITY, .offset = GLOBAL(id)},
	{"local", AT(GATEWAY), SLOT_LOCAL, SCHEMA_LOCAL, .offset = GLOBAL(local)},
	{"key", AT(GATEWAY), SLOT_KEY, SCHEMA_PATH, .offset = GLOBAL(key_file)},
	{"certificate", AT(GATEWAY), SLOT_CERTIFICATE, SCHEMA_PATH, .offset = GLOBAL(cert_file)},
	{"certificate-key", AT(GATEWAY), SLOT_CERTIFICATE_KEY, SCHEMA_PATH,
	 .offset = GLOBAL(cert_key_file)},
	{"ca", AT(GATEWAY), SLOT_CA, SCHEMA_PATH_LIST, .offset = GLOBAL(ca_files)},
	{"crl", AT(GATEWAY), SLOT_CRL, SCHEMA_PATH_LIST, .offset = GLOBAL(crl_files)},
	{"socket", AT(CHARON), SLOT_SOCKET, SCHEMA_PATH, .offset = GLOBAL(charon_socket)},

	{"description", BOTH, SLOT_DESCRIPTION, SCHEMA_TEXT, .offset = TUNNEL(description)},
	{"enabled", BOTH, SLOT_ENABLED, SCHEMA_BOOL, .offset = TUNNEL(enabled)},
	{"local", BOTH, SLOT_LOCAL, SCHEMA_LOCAL, .offset = TUNNEL(local)},
	{"remote-family", BOTH, SLOT_REMOTE_FAMILY, SCHEMA_FAMILY_WORD,
	 .offset = TUNNEL(remote_family)},
	{"mtu", BOTH, SLOT_MTU, SCHEMA_MTU, .offset = TUNNEL(mtu), .min = 576, .max = 65535},
	{"mss-clamp", BOTH, SLOT_MSS_CLAMP, SCHEMA_BOOL, .offset = TUNNEL(mss_clamp)},
	{"ttl", BOTH, SLOT_TTL, SCHEMA_TTL, .offset = TUNNEL(ttl), .min = 1, .max = 255},
	{"checksum", BOTH, SLOT_CHECKSUM, SCHEMA_BOOL, .offset = TUNNEL(checksum)},
	{"sequence", BOTH, SLOT_SEQUENCE, SCHEMA_BOOL, .offset = TUNNEL(sequence)},
	{"tos", BOTH, SLOT_TOS, SCHEMA_TOS, .offset = TUNNEL(tos), .min = 0, .max = 255},
	{"pmtudisc", BOTH, SLOT_PMTUDISC, SCHEMA_BOOL, .offset = TUNNEL(pmtudisc)},
	{"ignore-df", BOTH, SLOT_IGNORE_DF, SCHEMA_BOOL, .offset = TUNNEL(ignore_df)},
	{"device", BOTH, SLOT_DEVICE, SCHEMA_DEVICE, .offset = TUNNEL(device)},
	{"vrf", BOTH, SLOT_VRF, SCHEMA_DEVICE, .offset = TUNNEL(vrf)},
	{"mpls", BOTH, SLOT_MPLS, SCHEMA_BOOL, .offset = TUNNEL(mpls)},
	{"protect", BOTH, SLOT_PROTECT, SCHEMA_PROTECT_WORD, .offset = TUNNEL(protect)},
	{"auth", BOTH, SLOT_AUTH, SCHEMA_AUTH_WORD, .offset = TUNNEL(auth)},
	{"psk", BOTH, SLOT_PSK, SCHEMA_SECRET_LIST, .offset = TUNNEL(psks)},
	{"ca", BOTH, SLOT_CA, SCHEMA_PATH_LIST, .offset = TUNNEL(ca_files)},
	{"crl", BOTH, SLOT_CRL, SCHEMA_PATH_LIST, .offset = TUNNEL(crl_files)},
	{"ppk", AT(TUNNEL), SLOT_PPK, SCHEMA_MAP, .inner = SCHEMA_PPK},
	{"allow-weak", BOTH, SLOT_ALLOW_WEAK, SCHEMA_BOOL, .offset = TUNNEL(allow_weak)},
	{"start", BOTH, SLOT_START, SCHEMA_START_WORD, .offset = TUNNEL(start)},
	{"routes", BOTH, SLOT_ROUTES, SCHEMA_ROUTE_LIST, .offset = TUNNEL(routes)},
	{"ike", BOTH, SLOT_IKE, SCHEMA_MAP, .inner = SCHEMA_IKE},
	{"esp", BOTH, SLOT_ESP, SCHEMA_MAP, .inner = SCHEMA_ESP},
	{"ospf", BOTH, SLOT_OSPF, SCHEMA_MAP, .inner = SCHEMA_OSPF},

	{"remote", AT(TUNNEL), SLOT_REMOTE, SCHEMA_REMOTE, .offset = TUNNEL(remote)},
	{"peer", AT(TUNNEL), SLOT_PEER, SCHEMA_MAP, .inner = SCHEMA_PEER},
	{"addresses", AT(TUNNEL), SLOT_ADDRESSES, SCHEMA_ADDRESS_LIST, .offset = TUNNEL(addresses)},
	{"gre-key", AT(TUNNEL), SLOT_GRE_KEY, SCHEMA_GRE_KEY, .offset = TUNNEL(gre_key_out),
	 .inner = SCHEMA_GRE_KEYS, .min = 0, .max = UINT32_MAX},
	{"interface", AT(TUNNEL), SLOT_INTERFACE, SCHEMA_INTERFACE, .offset = TUNNEL(interface)},

	{"id", AT(TUNNEL), SLOT_ID, SCHEMA_IDENTITY, .offset = TUNNEL(id)},

	{"in", AT(GRE_KEYS), SLOT_KEY_IN, SCHEMA_GRE_KEY, .offset = TUNNEL(gre_key_in),
	 .min = 0, .max = UINT32_MAX},
	{"out", AT(GRE_KEYS), SLOT_KEY_OUT, SCHEMA_GRE_KEY, .offset = TUNNEL(gre_key_out),
	 .min = 0, .max = UINT32_MAX},

	{"id", AT(PEER), SLOT_PEER_ID, SCHEMA_IDENTITY, .offset = TUNNEL(peer_id)},
	{"public-key", AT(PEER), SLOT_PUBLIC_KEY, SCHEMA_PUBLIC_KEY_LIST,
	 .offset = TUNNEL(peer_public_key)},

	{"id", AT(PPK), SLOT_PPK_ID, SCHEMA_IDENTITY, .offset = TUNNEL(ppk_id)},
	{"secret", AT(PPK), SLOT_PPK_SECRET, SCHEMA_SECRET, .offset = TUNNEL(ppk_secret)},
	{"required", AT(PPK), SLOT_PPK_REQUIRED, SCHEMA_BOOL, .offset = TUNNEL(ppk_required)},

	{"proposals", AT(IKE), SLOT_IKE_PROPOSALS, SCHEMA_IKE_PROPOSAL_LIST,
	 .offset = TUNNEL(ike_proposals)},
	{"rekey-time", AT(IKE), SLOT_IKE_REKEY, SCHEMA_DURATION, .offset = TUNNEL(ike_rekey_time),
	 .min = 10, .max = 7 * DAY, .warn_below = 300},
	{"dpd-delay", AT(IKE), SLOT_DPD, SCHEMA_DURATION, .offset = TUNNEL(ike_dpd_delay),
	 .min = 0, .max = 3600},
	{"encap", AT(IKE), SLOT_ENCAP, SCHEMA_BOOL, .offset = TUNNEL(ike_encap)},

	{"proposals", AT(ESP), SLOT_ESP_PROPOSALS, SCHEMA_ESP_PROPOSAL_LIST,
	 .offset = TUNNEL(esp_proposals)},
	{"rekey-time", AT(ESP), SLOT_ESP_REKEY, SCHEMA_DURATION, .offset = TUNNEL(esp_rekey_time),
	 .min = 2, .max = 7 * DAY, .warn_below = 60},
	{"replay-window", AT(ESP), SLOT_REPLAY, SCHEMA_NUMBER,
	 .offset = TUNNEL(esp_replay_window), .min = 0, .max = 4096},
	{"rekey-bytes", AT(ESP), SLOT_ESP_BYTES, SCHEMA_VOLUME, .offset = TUNNEL(esp_rekey_bytes),
	 .min = 64, .max = 1073741824, .warn_below = 256 << 10},
	{"rekey-packets", AT(ESP), SLOT_ESP_PACKETS, SCHEMA_NUMBER,
	 .offset = TUNNEL(esp_rekey_packets), .min = 1000, .max = 2147483648,
	 .warn_below = 1000000},
	{"hw-offload", AT(ESP), SLOT_OFFLOAD, SCHEMA_OFFLOAD_WORD, .offset = TUNNEL(offload)},

	{"to", AT(ROUTE), SLOT_TO, SCHEMA_DESTINATION, .offset = ROUTE(to)},
	{"metric", AT(ROUTE), SLOT_METRIC, SCHEMA_NUMBER, .offset = ROUTE(metric),
	 .min = 0, .max = METRIC_MAX},
	{"hold", AT(ROUTE), SLOT_HOLD, SCHEMA_BOOL, .offset = ROUTE(hold)},
	{"table", AT(ROUTE), SLOT_TABLE, SCHEMA_NUMBER, .offset = ROUTE(table),
	 .min = 1, .max = UINT32_MAX},

	{"enabled", AT(OSPF), SLOT_OSPF_ENABLED, SCHEMA_BOOL, .offset = TUNNEL(ospf.enabled)},
	{"area", AT(OSPF), SLOT_OSPF_AREA, SCHEMA_AREA, .offset = TUNNEL(ospf.area),
	 .min = 0, .max = UINT32_MAX},
	{"cost", AT(OSPF), SLOT_OSPF_COST, SCHEMA_NUMBER, .offset = TUNNEL(ospf.cost),
	 .min = 1, .max = 65535},
	{"hello-interval", AT(OSPF), SLOT_OSPF_HELLO, SCHEMA_DURATION, .offset = TUNNEL(ospf.hello),
	 .min = 1, .max = 65535},
	{"dead-interval", AT(OSPF), SLOT_OSPF_DEAD, SCHEMA_DURATION, .offset = TUNNEL(ospf.dead),
	 .min = 1, .max = 65535},
	{"bfd", AT(OSPF), SLOT_OSPF_BFD, SCHEMA_BOOL, .offset = TUNNEL(ospf.bfd)},
	{"passive", AT(OSPF), SLOT_OSPF_PASSIVE, SCHEMA_BOOL, .offset = TUNNEL(ospf.passive)},
	{"authentication", AT(OSPF), SLOT_OSPF_AUTHENTICATION, SCHEMA_MAP,
	 .inner = SCHEMA_OSPF_AUTHENTICATION},
	{"key-id", AT(OSPF_AUTHENTICATION), SLOT_OSPF_KEY_ID, SCHEMA_NUMBER,
	 .offset = TUNNEL(ospf.key_id), .min = 1, .max = 255},
	{"key-file", AT(OSPF_AUTHENTICATION), SLOT_OSPF_KEY_FILE, SCHEMA_PATH,
	 .offset = TUNNEL(ospf.key_file)},
};
/* clang-format on */

const size_t schema_n_keys = sizeof(schema_keys) / sizeof(schema_keys[0]);
_Static_assert(sizeof(schema_keys) / sizeof(schema_keys[0]) <= SCHEMA_KEYS_MAX, "raise it");

const struct schema_key *schema_find(enum schema_place place, const char *name)
{
	for (size_t i = 0; i < schema_n_keys; i++) {
		const struct schema_key *key = &schema_keys[i];
		if (key->places & (1u << place) && strcmp(key->name, name) == 0)
			return key;
	}
	return NULL;
}

const char *schema_nearest(enum schema_place place, const char *written)
{
	const char *names[SCHEMA_KEYS_MAX + 1] = {0};
	size_t n = 0;

	for (size_t i = 0; i < schema_n_keys; i++) {
		if (schema_keys[i].places & (1u << place))
			names[n++] = schema_keys[i].name;
	}
	return text_nearest(written, names);
}

enum schema_place schema_elsewhere(enum schema_place place, const char *name)
{
	for (enum schema_place other = SCHEMA_TOP; other < SCHEMA_PLACES; other++) {
		if (other != place && schema_find(other, name))
			return other;
	}
	return SCHEMA_PLACES;
}

const char *schema_place_name(enum schema_place place)
{
	static const char *const names[SCHEMA_PLACES] = {
		[SCHEMA_TOP] = "the top level of the main file",
		[SCHEMA_PART] = "the top level of a file in tunnels.d",
		[SCHEMA_GATEWAY] = "gateway",
		[SCHEMA_CHARON] = "charon",
		[SCHEMA_TUNNEL] = "a tunnel",
		[SCHEMA_DEFAULTS] = "defaults",
		[SCHEMA_PEER] = "a tunnel's peer",
		[SCHEMA_PPK] = "ppk",
		[SCHEMA_IKE] = "ike",
		[SCHEMA_ESP] = "esp",
		[SCHEMA_ROUTE] = "a route",
		[SCHEMA_OSPF] = "ospf",
		[SCHEMA_OSPF_AUTHENTICATION] = "ospf.authentication",
		[SCHEMA_GRE_KEYS] = "gre-key",
	};

	return names[place];
}
