/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The closed list of what gwd owns: hold, guard, pair, exemption, policy, secret, connection, link, address, route. One struct for
 * what is wanted (by desire) and what was seen (by observe); plan compares two of them. All vectors are sorted by their kind's _cmp.
 */
#ifndef GWD_DAEMON_OBJECTS_H
#define GWD_DAEMON_OBJECTS_H

#include <stdbool.h>

#include "gre/addr.h"
#include "gre/link.h"
#include "gre/route.h"
#include "guard/guard.h"
#include "ike/conn.h"
#include "lib/cert.h"
#include "lib/secret.h"
#include "lib/vec.h"
#include "xfrm/policy.h"

enum object_kind { /* the order of creation */
		   OBJECT_HOLD, /* unreachable routes: before all else, and after it */
		   OBJECT_GUARD, /* the table as a whole */
		   OBJECT_PAIR, /* its elements */
		   OBJECT_EXEMPT, /* links whose TCP is not clamped */
		   OBJECT_POLICY,
		   OBJECT_SECRET,
		   OBJECT_CONN,
		   OBJECT_LINK,
		   OBJECT_ADDR,
		   OBJECT_ROUTE,
		   OBJECT_KINDS,
};

enum object_secret_kind {
	OBJECT_SECRET_KEY, /* the gateway's private key */
	OBJECT_SECRET_PSK,
	OBJECT_SECRET_PPK,
	OBJECT_SECRET_CRL, /* no secret, but loaded like one; it stays in charon until that ends */
};

#define OBJECT_CRL_PREFIX "crl-"

struct object_secret {
	char name[IKE_NAME_SIZE]; /* the shared secret's id with our prefix; the private key's public text */
	int tunnel; /* -1: the gateway's */
	enum object_secret_kind kind;
	unsigned char digest
		[SECRET_DIGEST_SIZE]; /* seen: all zero when it is in charon but not known to be ours of now */
	const struct secret *value; /* wanted only; borrowed */
	const struct cert *crl; /* wanted CRL only; borrowed */
	const char *local_id,
		*remote_id; /* wanted PSK only; borrowed; of a PPK remote_id is its id */
};

struct object_conn {
	struct ike_conn conn; /* seen: only the name is filled */
	unsigned char digest[SECRET_DIGEST_SIZE]; /* as for secrets */
	unsigned char terms[SECRET_DIGEST_SIZE]; /* wanted: of all but what authenticates */
};

struct objects {
	bool guard; /* wanted / present */
	bool guard_intact; /* seen; wanted: true */
	bool charon_known; /* seen: secrets and conns were read. False: the plan leaves both alone */
	VEC(struct gre_route) holds;
	VEC(struct guard_pair) pairs;
	VEC(struct guard_exempt) exempts;
	VEC(struct xfrm_policy)
	policies; /* seen: ours, and foreign ones whose selector is wanted */
	VEC(struct object_secret) secrets;
	VEC(struct object_conn) conns;
	VEC(struct gre_link)
	links; /* seen: of our group, and foreign ones that hold a wanted name */
	VEC(struct gre_addr) addrs; /* seen: on our links, by_kernel left out */
	VEC(struct gre_route) routes;
};

int object_secret_cmp(const struct object_secret *a, const struct object_secret *b);
int object_conn_cmp(const struct object_conn *a, const struct object_conn *b);
void objects_sort(struct objects *o);
void objects_done(struct objects *o);
const char *object_kind_name(enum object_kind k); /* "guard", "pair", … */

#endif
