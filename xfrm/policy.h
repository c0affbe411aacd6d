/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XFRM policies that require ESP transport mode for protocol 47 between two gateways (RFC 4301 4.4.1, kernel
 * xfrm_user.c): messages built and parsed, sent by lib/nl. Exact /32 and /128 selectors only: they are hashed.
 *
 * Ours are known by their priority and by a reqid in our range; the index is chosen too, so that one can be found again.
 */
#ifndef GWD_XFRM_POLICY_H
#define GWD_XFRM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/nl.h"

#define XFRM_PRIORITY 18279 /* 0x4767; better than charon's own for such a selector (366975) */
#define XFRM_REQID_BASE 0x40000000u
#define XFRM_REQID_MASK 0x0fffffffu /* the slot's bits */

enum xfrm_dir {
	XFRM_DIR_IN = 0, /* XFRM_POLICY_IN */
	XFRM_DIR_OUT = 1,
};

struct xfrm_policy {
	enum xfrm_dir dir;
	struct addr src, dst;
	bool has_key; /* the selector matches this GRE key only (sport/dport of the selector) */
	uint32_t key;
	int tunnel; /* the caller's tag, not compared */
	uint32_t priority, index;
	uint32_t reqid;
	uint32_t spi; /* host order; out: the SA that must be used; 0: any of the reqid */
	bool required; /* action allow, exactly one template: ESP, transport, this reqid, not optional. False: something else */
};

/* By dir, src, dst, key: the kernel's key for a policy of ours (no mark, no if_id). */
int xfrm_policy_cmp(const struct xfrm_policy *a, const struct xfrm_policy *b);
bool xfrm_policy_equal(const struct xfrm_policy *want,
		       const struct xfrm_policy *have); /* index not regarded */
/* Priority and reqid are of our range. */
bool xfrm_policy_ours(const struct xfrm_policy *p);

/* XFRM_MSG_NEWPOLICY (exclusive) or UPDPOLICY (atomic in-place change, keeps the index). */
void xfrm_policy_put(struct nl_batch *b, const struct xfrm_policy *want, bool create);
void xfrm_policy_put_delete(struct nl_batch *b, const struct xfrm_policy *p);

/* False for a malformed message and for policies that cannot be ours or in our way: other protocol than 47, dir fwd, mark,
 * if_id, not host-to-host, socket policies. */
bool xfrm_policy_parse(const struct nlmsghdr *nlh, struct xfrm_policy *out);

typedef int (*xfrm_policy_fn)(void *user, const struct xfrm_policy *p);
int xfrm_policy_dump(struct nl *nl, xfrm_policy_fn fn, void (*restart)(void *), void *user);
/* One by its selector and direction; -ENOENT. */
int xfrm_policy_get(struct nl *nl, const struct xfrm_policy *key, struct xfrm_policy *out);

/* "out 198.51.100.1 -> 203.0.113.7 proto 47 key 7 esp transport reqid 0x4012abcd spi c0ffee01" */
const char *xfrm_policy_format(const struct xfrm_policy *p, char *buf, size_t size);

#endif
