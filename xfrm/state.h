/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's SAs of our reqids, read only but for the deletion of stale ones and the time by which the kernel chooses among
 * several; never their keys: messages that carry keys are wiped by lib/nl after parsing. XFRM_MSG_GETAE and NEWAE carry none.
 */
#ifndef GWD_XFRM_STATE_H
#define GWD_XFRM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/nl.h"

struct xfrm_sa {
	struct addr src, dst;
	uint32_t spi; /* host order; 0: larval */
	uint32_t reqid;
	bool transport; /* mode */
	bool encap; /* ESP in UDP */
	uint64_t add_time; /* seconds, CLOCK_REALTIME, the kernel's */
	uint64_t hard_s; /* it ends so many seconds after add_time; 0: never */
	uint64_t packets, bytes;
	unsigned iv_size, icv_size,
		block_size; /* bytes; of the algorithm, for the MTU; 0: unknown algorithm */
	char algorithm[64]; /* the kernel's name, as "rfc4106(gcm(aes))" */
};

bool xfrm_sa_parse(const struct nlmsghdr *nlh,
		   struct xfrm_sa *out); /* NEWSA; false: malformed or not ESP */

typedef int (*xfrm_sa_fn)(void *user, const struct xfrm_sa *sa);
/* All ESP SAs (ours are those whose reqid is in the range of xfrm/policy.h). */
int xfrm_sa_dump(struct nl *nl, xfrm_sa_fn fn, void (*restart)(void *), void *user);

/* Bytes and packets so far, by GETAE, without keys. -ESRCH when the SA is gone. */
int xfrm_sa_counters(struct nl *nl, const struct xfrm_sa *sa, uint64_t *packets, uint64_t *bytes);
void xfrm_sa_put_delete(struct nl_batch *b, const struct xfrm_sa *sa);

/*
 * Sets the SA's add_time, by NEWAE; its counters stay. Of several SAs that fit a template the kernel takes the one with the greatest
 * add_time (xfrm_state_look_at). What it took before it keeps until a state comes or goes or the policy is written anew (the
 * bundles' generation). -ESRCH when the SA is gone.
 */
int xfrm_sa_set_add_time(struct nl *nl, const struct xfrm_sa *sa, uint64_t add_time);

/*
 * The largest inner packet that fits path_mtu whole: floor_to(path - IP - (8 NAT-T) - 8 - IV - ICV, block) - 2 - GRE header
 * (kernel xfrm_state_mtu). 0 when nothing fits. Pure.
 */
uint32_t xfrm_mtu(uint32_t path_mtu, uint8_t family, bool encap, unsigned iv, unsigned icv,
		  unsigned block, unsigned gre_header);

/* IV, ICV and block size in bytes of strongSwan's ESP proposal text ("aes256gcm16-x25519"); false when not known. */
bool xfrm_proposal_overhead(const char *proposal, unsigned *iv, unsigned *icv, unsigned *block);

/* 0 when the kernel knows ESP over IPv4, else -errno (-EPROTONOSUPPORT, -EPERM). Changes nothing. */
int xfrm_sa_probe(struct nl *nl);

#endif
