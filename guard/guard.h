/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard: one nftables table, "inet gwd", that drops and counts GRE of protected pairs which is
 * not, or did not come, under IPsec. Second, independent layer below the XFRM policies; it
 * survives `ip xfrm policy flush`.
 *
 * Source NAT of the GRE itself takes it out of IPsec after the output hook; such packets are dropped late in postrouting
 * and counted for the whole table (guard/ruleset.c says how).
 *
 * GRE in clear of our links is also dropped where it leaves between other addresses, or with another key, than a pair has: somebody has
 * led the link elsewhere. What a link of ours sends is known by what goes into it, so GRE of others is not looked at.
 *
 * It also drops ICMP errors in clear that quote GRE, of any pair: what they quote may have come under IPsec.
 *
 * And it clamps the MSS (RFC 9293 section 3.7.1) of forwarded TCP connections that pass one of our links, known by their group:
 * no rule or element belongs to a tunnel, but for those that are exempt.
 *
 * Building the commands (guard/ruleset.c) and reading the ruleset's JSON (guard/parse.c) are pure;
 * libnftables is called in guard/guard.c only, notifications are read in guard/events.c.
 */
#ifndef GWD_GUARD_GUARD_H
#define GWD_GUARD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/text.h"

#define GUARD_TABLE "gwd"
#define GUARD_LINK_GROUP 0x677764 /* IFLA_GROUP of the links whose TCP connections are clamped */
#define GUARD_LINK_SIZE 16 /* a link's name with its end (IFNAMSIZ) */
#define GUARD_PAIR_TEXT_SIZE 112

/*
 * A protected pair, both addresses of one family. With a key only GRE of that key (RFC 2890
 * section 2.1), without one all GRE between the two, of any key.
 */
struct guard_pair {
	struct addr local, remote;
	bool has_key;
	uint32_t key; /* host order */
	int tunnel; /* the caller's tag, not compared; -1 in what guard_parse found */
	uint64_t out_dropped, in_dropped; /* packets in clear that were stopped; not compared */
	bool out_missing, in_missing; /* seen: only one of the two directions' elements is there */
};

/* Total order: family, local, remote, key; without a key comes first. */
int guard_pair_cmp(const struct guard_pair *a, const struct guard_pair *b);

/* "LOCAL -> REMOTE" or "LOCAL -> REMOTE key N" into buf (GUARD_PAIR_TEXT_SIZE), and returns it. */
const char *guard_pair_format(const struct guard_pair *p, char *buf, size_t size);

enum guard_exempt_from {
	GUARD_FROM_CLAMP, /* its TCP connections are left alone */
	GUARD_FROM_COVER, /* it is plain: its GRE may leave in clear */
};

/* A link of the group to which one thing does not apply that applies to all others. */
struct guard_exempt {
	char link[GUARD_LINK_SIZE];
	enum guard_exempt_from from;
	int tunnel; /* the caller's tag, not compared; -1 in what guard_parse found */
};

int guard_exempt_cmp(const struct guard_exempt *a,
		     const struct guard_exempt *b); /* by link, then from */

/* What stands in the kernel. */
struct guard_state {
	bool present; /* the table is there */
	bool intact; /* its chains, hooks, priorities, policies, sets and rules are exactly ours */
	struct guard_pair *pairs; /* sorted by guard_pair_cmp, each once */
	size_t n_pairs;
	struct guard_exempt *exempts; /* sorted by guard_exempt_cmp */
	size_t n_exempts;
	uint64_t uncovered; /* packets that NAT took out of IPsec, and that were stopped */
	uint64_t strayed; /* GRE in clear of links of ours towards no pair's addresses, stopped */
};

/* Frees what guard_parse or guard_read put in, and clears it. */
void guard_state_done(struct guard_state *s);

/* The state a transaction leaves, so that one element's change need not read all of them back. Without memory it stays as it was. */
void guard_state_note_pair(struct guard_state *s, const struct guard_pair *pair, bool add);
void guard_state_note_exempt(struct guard_state *s, const struct guard_exempt *exempt, bool add);

/*
 * Pure. Appends nft commands: the whole table from nothing, with these pairs and exemptions (any order,
 * repetitions allowed). It replaces the table that is there in the same transaction, so there is
 * no moment without a guard; its counters begin again at 0. A pair of mixed or no family sets
 * out->failed.
 */
void guard_build_table(struct text *out, const struct guard_pair *pairs, size_t n,
		       const struct guard_exempt *exempts, size_t n_exempts);

/*
 * Pure. Appends commands that add or delete one pair's two elements in the standing table. Adding
 * one that is there is no error and keeps its counters. Deleting one that is absent is no error
 * either, nor one of which only a direction is there: the elements are added and then deleted in
 * the one transaction, as nft 1.0.6 has no `destroy`. Errors as in guard_build_table.
 */
void guard_build_add(struct text *out, const struct guard_pair *pair);
void guard_build_delete(struct text *out, const struct guard_pair *pair);

/*
 * Pure. The same for an exemption. A link's name with a quote, a backslash or an asterisk, which nft could not be told,
 * sets out->failed.
 */
void guard_build_exempt(struct text *out, const struct guard_exempt *exempt);
void guard_build_unexempt(struct text *out, const struct guard_exempt *exempt);

/* Pure. Appends commands that delete the table; an absent one is no error. */
void guard_build_remove(struct text *out);

/*
 * Pure. From the JSON of `list table inet gwd` (libnftables-json(5), schema 1). False when it is
 * not understood or memory ran out (errno is ENOMEM then, else EINVAL); then *out is empty. Without our table in it present is false.
 * The caller ends *out with guard_state_done.
 */
bool guard_parse(const char *json, struct guard_state *out);

/*
 * A libnftables context: its netlink socket belongs to the network namespace the thread is in at
 * guard_open. libnftables ends the process (exit) when no netlink socket can be had for it.
 */
struct guard;
/* 0 or -errno. The caller ends it with guard_close, which takes NULL too. */
int guard_open(struct guard **out);
void guard_close(struct guard *g);

/*
 * Runs commands as one transaction: all of them or none. On failure -EIO (libnftables has no error
 * numbers) and the first line of nftables' own text in err; -EINVAL when commands is NULL. Blocks
 * while the kernel works; it waits for no other process.
 */
int guard_run(struct guard *g, const char *commands, char *err, size_t err_size);

/*
 * Reads the table; absent is no error (present false). A list that guard_parse does not understand
 * is none either: present, not intact, no pairs, as the table may then hold anything. -ENOMEM, -EIO as
 * above, or another -errno when the kernel could not be asked whether there is a table. *out is
 * empty on failure, and the caller ends it with guard_state_done.
 */
int guard_read(struct guard *g, struct guard_state *out, char *err, size_t err_size);

/*
 * Notifications of nf_tables (group NFNLGRP_NFTABLES). guard_events_open gives a socket whose
 * descriptor (nl_fd) becomes readable; the caller ends it with nl_close. 0 or -errno.
 *
 * guard_events_read drains it and returns 1 when anything of our table changed or went (our own
 * transactions too: the port of libnftables' socket is not known to its users), 0 when nothing of
 * ours did, -ENOBUFS when events were lost (read the table), or another -errno. After about 64 k
 * messages it returns with the rest unread; the descriptor stays readable. Counters cause no
 * events.
 */
struct nl;
int guard_events_open(struct nl **out);
int guard_events_read(struct nl *nl);

#endif
