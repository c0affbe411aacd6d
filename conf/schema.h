/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyword table of gwd.yaml(5): which key is valid at which place, what its value is, where
 * it is stored and in which range. It drives parsing, the hints and the check of
 * dist/gwd.schema.json.
 */
#ifndef GWD_CONF_SCHEMA_H
#define GWD_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_place {
	SCHEMA_TOP,
	SCHEMA_PART, /* the top of a file in tunnels.d */
	SCHEMA_GATEWAY,
	SCHEMA_CHARON,
	SCHEMA_TUNNEL,
	SCHEMA_DEFAULTS,
	SCHEMA_PEER,
	SCHEMA_PPK,
	SCHEMA_IKE,
	SCHEMA_ESP,
	SCHEMA_ROUTE,
	SCHEMA_OSPF,
	SCHEMA_OSPF_AUTHENTICATION,
	SCHEMA_GRE_KEYS, /* gre-key as a map */
	SCHEMA_PLACES,
};

/* One per key and meaning; remembers where a value was given. */
enum schema_slot {
	SLOT_GATEWAY,
	SLOT_TUNNELS,
	SLOT_DEFAULTS,
	SLOT_CHARON,
	SLOT_ID,
	SLOT_KEY,
	SLOT_SOCKET,
	SLOT_LOCAL,
	SLOT_DESCRIPTION,
	SLOT_ENABLED,
	SLOT_INTERFACE,
	SLOT_PROTECT,
	SLOT_REMOTE,
	SLOT_REMOTE_FAMILY,
	SLOT_ADDRESSES,
	SLOT_ROUTES,
	SLOT_GRE_KEY,
	SLOT_KEY_IN,
	SLOT_KEY_OUT,
	SLOT_CHECKSUM,
	SLOT_SEQUENCE,
	SLOT_TOS,
	SLOT_PMTUDISC,
	SLOT_IGNORE_DF,
	SLOT_DEVICE,
	SLOT_VRF,
	SLOT_MPLS,
	SLOT_TTL,
	SLOT_MTU,
	SLOT_MSS_CLAMP,
	SLOT_AUTH,
	SLOT_PEER,
	SLOT_PEER_ID,
	SLOT_PUBLIC_KEY,
	SLOT_PSK,
	SLOT_CERTIFICATE,
	SLOT_CERTIFICATE_KEY,
	SLOT_CA,
	SLOT_CRL,
	SLOT_PPK,
	SLOT_PPK_ID,
	SLOT_PPK_SECRET,
	SLOT_PPK_REQUIRED,
	SLOT_IKE,
	SLOT_IKE_PROPOSALS,
	SLOT_IKE_REKEY,
	SLOT_DPD,
	SLOT_ENCAP,
	SLOT_ESP,
	SLOT_ESP_PROPOSALS,
	SLOT_ESP_REKEY,
	SLOT_REPLAY,
	SLOT_ESP_BYTES,
	SLOT_ESP_PACKETS,
	SLOT_OFFLOAD,
	SLOT_ALLOW_WEAK,
	SLOT_START,
	SLOT_TO,
	SLOT_METRIC,
	SLOT_TABLE,
	SLOT_OSPF,
	SLOT_OSPF_ENABLED,
	SLOT_OSPF_AREA,
	SLOT_OSPF_COST,
	SLOT_OSPF_HELLO,
	SLOT_OSPF_DEAD,
	SLOT_OSPF_BFD,
	SLOT_OSPF_PASSIVE,
	SLOT_OSPF_AUTHENTICATION,
	SLOT_OSPF_KEY_ID,
	SLOT_OSPF_KEY_FILE,
	SLOT_HOLD,
	SLOTS,
};

enum schema_type {
	SCHEMA_MAP, /* keys of the place inner, stored in the same structure */
	SCHEMA_TUNNEL_MAP,
	SCHEMA_DEFAULTS_MAP,
	SCHEMA_TEXT,
	SCHEMA_IDENTITY,
	SCHEMA_PATH,
	SCHEMA_BOOL,
	SCHEMA_NUMBER,
	SCHEMA_DURATION,
	SCHEMA_VOLUME, /* bytes; its range is in KiB */
	SCHEMA_MTU,
	SCHEMA_TTL,
	SCHEMA_TOS,
	SCHEMA_GRE_KEY, /* a number, or a map of the place inner */
	SCHEMA_LOCAL,
	SCHEMA_REMOTE,
	SCHEMA_FAMILY_WORD,
	SCHEMA_INTERFACE,
	SCHEMA_DEVICE, /* an interface that is not ours */
	SCHEMA_PROTECT_WORD,
	SCHEMA_AUTH_WORD,
	SCHEMA_START_WORD,
	SCHEMA_OFFLOAD_WORD,
	SCHEMA_DESTINATION,
	SCHEMA_AREA,
	SCHEMA_ADDRESS_LIST,
	SCHEMA_ROUTE_LIST,
	SCHEMA_IKE_PROPOSAL_LIST,
	SCHEMA_ESP_PROPOSAL_LIST,
	SCHEMA_PUBLIC_KEY_LIST,
	SCHEMA_SECRET_LIST,
	SCHEMA_SECRET,
	SCHEMA_PATH_LIST,
	SCHEMA_TYPES,
};

struct schema_key {
	const char *name;
	unsigned places; /* bits: 1 << enum schema_place */
	enum schema_slot slot;
	enum schema_type type;
	enum schema_place inner; /* of SCHEMA_MAP and SCHEMA_GRE_KEY */
	size_t offset; /* into struct conf, conf_tunnel or conf_route, by place */
	uint32_t min, max; /* numbers, durations in seconds, volumes in KiB */
	uint32_t warn_below; /* the same; 0: never */
};

/* The whole table, n_keys long. */
extern const struct schema_key schema_keys[];
extern const size_t schema_n_keys;

/* The key of this name valid at place, or NULL. */
const struct schema_key *schema_find(enum schema_place place, const char *name);

/* The nearest name among the keys of place, or NULL. */
const char *schema_nearest(enum schema_place place, const char *written);

/* A place other than this one where the name is a key, or SCHEMA_PLACES. */
enum schema_place schema_elsewhere(enum schema_place place, const char *name);

/* What a person calls the place: "the top level", "peer", … */
const char *schema_place_name(enum schema_place place);

#endif
