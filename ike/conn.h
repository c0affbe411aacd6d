/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tunnel's IKE connection and its one child as charon gets them by load-conn: IKEv2 (RFC 7296),
 * ESP transport mode, traffic selectors dynamic[47], policies left to us (policies=no), a fixed
 * reqid. And the secrets by load-key and load-shared. Pure: structs to vici messages and back.
 */
#ifndef GWD_IKE_CONN_H
#define GWD_IKE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/msg.h"
#include "lib/addr.h"
#include "lib/cert.h"
#include "lib/key.h"
#include "lib/secret.h"

#define IKE_PREFIX "gwd-" /* connections and shared secrets of ours, by name */
#define IKE_CHILD "gre" /* the child's name, in every connection */
/* A tunnel's second pre-shared key; no tunnel's name begins so, and it sorts before the first. */
#define IKE_PREFIX_OTHER "gwd-+"
#define IKE_PREFIX_PPK "gwd-=" /* likewise, its post-quantum key */
#define IKE_NAME_SIZE 80

enum ike_auth {
	IKE_AUTH_PUBLIC_KEY, /* raw Ed25519 keys, RFC 8420 */
	IKE_AUTH_PSK,
	IKE_AUTH_CERTIFICATE, /* X.509 */
};

#define IKE_CAS_MAX 4

/* When an ESP SA is rekeyed, how much before at random, and when it ends; all 0: never. */
struct ike_volume {
	uint64_t rekey, rand, life;
};

/* ESP by the network card (swanctl.conf(5), hw_offload). */
enum ike_offload {
	IKE_OFFLOAD_NO,
	IKE_OFFLOAD_CRYPTO,
	IKE_OFFLOAD_AUTO,
};

/* Everything charon is told of a tunnel. All pointers are borrowed. */
struct ike_conn {
	char name[IKE_NAME_SIZE]; /* with the prefix */
	int tunnel; /* the caller's tag */
	struct addr local, remote;
	const char *local_id, *remote_id;
	enum ike_auth auth;
	const char *local_public_key; /* base64 SubjectPublicKeyInfo; NULL for a PSK */
	const char *remote_public_key;
	const char *other_public_key; /* of the peer too, while its key is changed; or NULL */
	const struct cert_list *local_certs; /* ours first, then what leads to the CA; or NULL */
	const struct cert_list *cas[IKE_CAS_MAX + 1]; /* one of them must have issued the peer's */
	bool crl_strict; /* the peer's certificate must be found good in a CRL */
	const char *ppk_id; /* RFC 8784; NULL: none */
	bool ppk_required;
	bool key_in_each; /* a gateway with a certificate too says in each connection that the key counts */
	uint8_t turn; /* another one makes charon negotiate a new IKE_SA rather than use the one it has */
	char *const *ike_proposals; /* NULL-terminated */
	char *const *esp_proposals;
	uint32_t reqid;
	uint32_t replay_window; /* packets */
	uint32_t dpd_delay; /* seconds */
	bool encap; /* ESP in UDP (RFC 3948) also where no NAT is */
	uint32_t ike_rekey_time, ike_rand_time, ike_over_time; /* seconds */
	uint32_t esp_rekey_time, esp_rand_time, esp_life_time; /* seconds */
	struct ike_volume bytes, packets;
	enum ike_offload offload;
};

/* Of the two ends the one with the lower identity (strcmp) initiates, and rekeys: true when that
 * is us. */
bool ike_conn_leads(const char *local_id, const char *remote_id);

/*
 * Sets the rekey, rand, over and life times so that the leading end rekeys in [0.9 t, t] and the
 * other only well after, as a fallback; no collision in normal running (strongSwan 5.9.8 has faults
 * there, issues 1896 and 2477).
 */
void ike_conn_set_times(struct ike_conn *c, bool leads, uint32_t ike_rekey_time,
			uint32_t esp_rekey_time);

/*
 * The same scheme for what an SA has carried. Each end counts both directions, and sees nearly the
 * same of each, so that the leading end comes first here too. 0: never.
 */
void ike_conn_set_volumes(struct ike_conn *c, bool leads, uint64_t bytes, uint64_t packets);

#define IKE_LOAD_BYTES_MAX (128 * 1024) /* of one load-conn message */

/*
 * Appends the connection's section to a load-conn message; one message may hold many, up to
 * IKE_MSG_MAX. A gateway has one key: the first section brings it for all of the same local_id. Raw
 * keys cost charon time that grows with what it holds: begin no further section once a message has
 * IKE_LOAD_BYTES_MAX, so that its answer comes within IKE_DEADLINE_MS at 10 000 connections.
 * Identities go to charon as they are: it reads a leading '@' or '@#', and '*' and '%any' as
 * wildcards (RFC 7296 3.5; identification.c), so the caller checks them.
 */
void ike_conn_put(struct ike_msg *m, const struct ike_conn *c);
/* In the words of gwd.yaml(5): "public-key", "psk", "certificate". */
const char *ike_auth_name(enum ike_auth auth);
/* Digest of its section; all zero when out of memory. */
void ike_conn_digest(const struct ike_conn *c, unsigned char out[SECRET_DIGEST_SIZE]);
/* Digest of all but what authenticates the ends: a change of this takes new SAs, a change of only the rest need not. */
void ike_conn_digest_terms(const struct ike_conn *c, unsigned char out[SECRET_DIGEST_SIZE]);
/* One line for plans: "198.51.100.1 hq -> 203.0.113.7 branch1 public-key esp
 * aes256gcm16-x25519"; returns buf. */
const char *ike_conn_format(const struct ike_conn *c, char *buf, size_t size);

/*
 * Requests. The caller submits them (ike_session_submit takes NULL, and says -ENOMEM). NULL when
 * out of memory, or when an argument is too long for vici. SECURITY: see ike/vici_codec.h for what
 * libvici does with a secret.
 */
struct ike_msg *ike_req_load_key(const struct secret *pem);
/* Owned by remote_id alone: charon tries every key that matches either identity, so ours among
 * the owners would let any branch's key open any tunnel (5.9.8 mem_cred.c, psk_authenticator.c). */
struct ike_msg *ike_req_load_psk(const char *name, const struct secret *psk, const char *remote_id);
/* A post-quantum pre-shared key (RFC 8784), found by its id alone. */
struct ike_msg *ike_req_load_ppk(const char *name, const struct secret *ppk, const char *ppk_id);
struct ike_msg *ike_req_load_crl(const unsigned char *der, size_t size);
/* After it: charon prefers a CRL that it has used to one that was loaded (5.9.8, cert_cache.c, revocation_validator.c). */
struct ike_msg *ike_req_flush_crls(void);
struct ike_msg *ike_req_unload_psk(const char *name);
struct ike_msg *ike_req_unload_key(const char *id); /* as load-key answered */
struct ike_msg *ike_req_unload_conn(const char *name);
struct ike_msg *ike_req_initiate(const char *name); /* timeout=-1: answers when queued */
/* ike_id 0: every IKE_SA of the connection. timeout=-1. */
struct ike_msg *ike_req_terminate(const char *name, uint32_t ike_id, bool force);
struct ike_msg *ike_req_terminate_child(uint32_t child_id);
struct ike_msg *ike_req_list_sas(const char *name); /* NULL: all; noblock; stream "list-sa" */
/* get-conns, get-shared, get-keys, get-algorithms, version */
struct ike_msg *ike_req_simple(const char *command);

/* success=yes; else charon's errmsg (or a fixed text) in err. Not for list-sas, get-* and
 * version, whose answers have no success. */
bool ike_answer_ok(const struct ike_msg *answer, char *err, size_t err_size);
/* Walks the names in a list of the answer ("conns", "keys"): fn for each. */
void ike_answer_list(const struct ike_msg *answer, const char *list,
		     void (*fn)(void *user, const char *name), void *user);

#endif
