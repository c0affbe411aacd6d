/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration with all that hangs on it: secrets, run-time state per tunnel, indices. Built beside the one in force, so that a
 * load that fails changes nothing; taken into force by a swap.
 */
#ifndef GWD_DAEMON_GENERATION_H
#define GWD_DAEMON_GENERATION_H

#include "daemon/gateway.h"

struct generation {
	struct conf *conf;
	struct secret *key;
	struct tunnel_secrets *auths;
	struct certs certs;
	char public_key[KEY_PUBLIC_TEXT_SIZE];
	struct tunnel *tunnels;
	uint32_t *reqids;
	struct reqid_index *by_reqid;
	struct name_index *by_ifname;
};

/* Takes conf. Reads the secrets. -errno, and a sentence in err. */
int generation_new(struct gateway *gw, struct conf *conf, struct generation *out, char *err,
		   size_t err_size);
void generation_done(struct generation *g);

/* Exchanges g with what is in force. */
void generation_swap(struct gateway *gw, struct generation *g);

/* Frees the generation in force and what else the gateway has noted; not its sockets and timers, which others opened. */
void generation_end(struct gateway *gw);

/* Run-time facts of tunnels that both have, by name. move: from old, which loses them (a reload); else only what a preview needs, copied. */
void generation_carry(struct generation *to, struct generation *from, bool move);

#endif
