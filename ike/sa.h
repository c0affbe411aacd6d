/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What charon tells of its SAs: list-sas answers and events, as plain structs; and what its log
 * lines mean for a tunnel. Pure. Names and meanings are those of the vici plugin's README.
 */
#ifndef GWD_IKE_SA_H
#define GWD_IKE_SA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/conn.h"
#include "ike/msg.h"
#include "lib/addr.h"

#define IKE_CHILDREN_MAX 8 /* more CHILD_SAs of one IKE_SA than this are not looked at */

struct ike_child {
	uint32_t uniqueid, reqid;
	char state[16]; /* INSTALLED, REKEYED, DELETED, … */
	bool installed; /* it carries traffic, also while it is being rekeyed */
	bool transport, encap;
	uint32_t spi_in, spi_out; /* host order */
	char proposal[96]; /* as "aes256gcm16-x25519" */
	uint32_t rekey_s, life_s; /* 0: unknown */
	uint32_t age_s;
};

struct ike_sa {
	char name[IKE_NAME_SIZE];
	uint32_t uniqueid;
	char state[16]; /* CONNECTING, ESTABLISHED, … */
	bool established; /* also while it is being rekeyed */
	bool initiator, nat_local, nat_remote;
	bool ppk; /* a post-quantum key is mixed in (RFC 8784) */
	struct addr local, remote;
	uint16_t local_port, remote_port;
	char local_id[256], remote_id[256];
	char proposal[128];
	uint32_t age_s, rekey_s;
	struct ike_child children[IKE_CHILDREN_MAX];
	size_t n_children;
};

/*
 * From one list-sa event (one IKE_SA), or an ike-updown / child-updown event's section. False:
 * malformed, or a name that is too long to be one of ours. *out is overwritten either way. Texts
 * are printable ASCII.
 */
bool ike_sa_parse(const struct ike_msg *m, struct ike_sa *out);

enum ike_event_kind {
	IKE_EVENT_IKE_UP,
	IKE_EVENT_IKE_DOWN,
	IKE_EVENT_CHILD_UP,
	IKE_EVENT_CHILD_DOWN,
	IKE_EVENT_IKE_REKEY, /* sa: the new one */
	IKE_EVENT_CHILD_REKEY, /* sa.children[0]: the new one */
	IKE_EVENT_IKE_UPDATE, /* the peer's address or port changed */
	IKE_EVENT_LOG, /* sa.name ("" while charon does not know the connection), sa.uniqueid, text */
	IKE_EVENT_OTHER,
};

struct ike_event {
	enum ike_event_kind kind;
	struct ike_sa sa; /* name is always set but for OTHER and logs of no IKE_SA */
	uint32_t old_spi_in, old_spi_out; /* CHILD_REKEY */
	char text[256]; /* LOG */
};

/* By the message's name. False: malformed. An event of another kind is IKE_EVENT_OTHER, and
 * true. */
bool ike_event_parse(const struct ike_msg *m, struct ike_event *out);

/*
 * A log line that explains why a tunnel does not come up, as a sentence naming cause and side, with
 * the notify's name kept: for instance "received AUTHENTICATION_FAILED notify error" -> "the peer
 * rejects our key (AUTHENTICATION_FAILED): compare `gwctl pubkey` here with its peer.public-key".
 * Returns false when the line explains nothing. auth tells which remedy to name. Texts are those of
 * strongSwan 5.9.8 and 6.0, levels 0 and 1.
 */
bool ike_cause_from_log(const char *line, enum ike_auth auth, char *out, size_t size);

/* The line follows from one before it, which says more: a cause found a moment ago is the better one. */
bool ike_cause_is_vague(const char *line);

/* A log line that says that an SA which is there could not be renewed, by us or by the peer; what came before it says why. */
bool ike_cause_renewal_failed(const char *line);

#endif
