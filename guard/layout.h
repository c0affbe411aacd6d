/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the table "inet gwd" consists of, as data: the builder (guard/ruleset.c) writes it, the
 * reader (guard/parse.c) compares with it. For guard/ only.
 */
#ifndef GWD_GUARD_LAYOUT_H
#define GWD_GUARD_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

/* In every rule's comment; a changed rule needs a new number, so that an older table is rebuilt. */
#define GUARD_MARK "gwd 3 "

/*
 * Late: at 400 nothing registered at nftables' named priorities (the last is srcnat, 100) or by
 * the kernel's helpers (300) changes addresses, mark or route of the packet any more.
 */
#define GUARD_PRIORITY 400

#define GUARD_SETS 8
#define GUARD_CHAINS 10
#define GUARD_RULES 33

/*
 * Of the packet's mark: on GRE under IPsec between output and the end of postrouting; on what leaves by a link of ours between
 * that link's postrouting and the output of the GRE it becomes.
 */
#define GUARD_MARK_BIT "0x80000000"
#define GUARD_MARK_REST "0x7fffffff"

/* The sets of exempt links' names, beside those of pairs; by enum guard_exempt_from. */
#define GUARD_EXEMPT_SETS 2
#define GUARD_UNCLAMPED_SET "unclamped"
#define GUARD_PLAIN_SET "plain"

struct guard_set {
	const char *name;
	uint8_t family;
	bool has_key;
	bool out; /* elements are local . remote, else remote . local */
};

struct guard_chain {
	const char *name;
	const char *hook; /* NULL: reached by a jump */
};

struct guard_rule {
	const char *chain;
	const char *name; /* the comment behind GUARD_MARK */
	const char *match;
	const char *set; /* that match is looked up in, or NULL */
	const char
		*verdict; /* the last expression's name in JSON; "mangle" is written within match */
	const char *target; /* of a jump, else NULL */
};

extern const struct guard_set guard_sets[GUARD_SETS];
extern const char *const guard_exempt_sets[GUARD_EXEMPT_SETS];
extern const struct guard_chain guard_chains[GUARD_CHAINS];
extern const struct guard_rule guard_rules[]; /* in each chain's order */

#endif
