/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's table as data (guard/layout.h) and as nft(8) commands. Entries: guard_build_table
 * for the whole, guard_build_add and guard_build_delete for one pair. Pure; guard/guard.c runs the
 * text, guard/parse.c reads the result back. GRE's header is that of RFC 2784 and RFC 2890.
 *
 * Where it looks. Output: a GRE device hands its packet to LOCAL_OUT (ip_tunnel_xmit, ip6_tnl_xmit
 * -> ip_local_out) with the xfrm bundle as its route, before ESP has replaced the packet and
 * before fragmentation; `rt ipsec` is that bundle. Input: `meta ipsec` is the packet's secpath.
 * IPv4 is reassembled before LOCAL_IN (ip_local_deliver), IPv6 after it, so of an IPv6 datagram
 * the first fragment is judged: one that shows too little to be judged is dropped (RFC 7112
 * section 5 allows it, and no sender makes such), and without the first the others are never
 * delivered.
 *
 * NAT. A foreign source NAT on postrouting rewrites GRE after the output hook has seen it under
 * IPsec; the kernel then looks for a policy of the new source (nf_nat_proto.c, nf_xfrm_me_harder),
 * finds none, and would send it in clear. So GRE that is under IPsec at output carries a bit of the
 * mark to the end of postrouting, and is dropped there when its bundle is gone. No conntrack is
 * asked for this; without NAT it costs a rule or two per packet.
 *
 * Quotes. GRE that came under IPsec and that no device takes (the link is gone, the SAs are not) is
 * answered by the kernel with an ICMP error in clear, destination unreachable, which quotes what was
 * protected. No such error leaves in clear, whosever GRE it is about: when it is made, a tunnel that goes
 * has no pair any more. "Fragmentation needed" and "packet too big" pass: a router sends them about GRE
 * it forwards, never about GRE that ended here.
 *
 * Strays. A link can be led to other addresses, or given another key, by anybody who may change links, and pairs and policies know nothing of
 * these. So what leaves by a link of ours (its group, but for the names of plain ones) gets the bit of the mark in its postrouting. It keeps
 * the mark as it becomes GRE (skb_scrub_packet, in one namespace), and GRE that comes to output with the bit and without IPsec is of ours,
 * wherever it goes. Packets that pass no postrouting (MPLS, packet sockets) are judged by pairs alone.
 *
 * Clamp. The MSS of a forwarded SYN is lowered to what fits the routes of both directions (`rt mtu`, net/netfilter/nft_rt.c,
 * get_tcpmss), whichever of the two our link is on; a greater one is never written (nft_exthdr_tcp_set_eval). Links are known
 * by their group, so a tunnel that comes, goes or changes its MTU changes no rule. Connections of this host need none of it:
 * their MSS comes from the route.
 *
 * How. Only the last expression of a rule looks into a set, and a set has one direction, so that
 * an element's own counter counts exactly the packets of its pair that were stopped there. The
 * protocol is matched in the base chain and the GRE header in another: nft 1.0.6 aborts when it
 * lists a raw transport expression in a rule that also says `meta l4proto 47`. The sets' `typeof
 * @th,32,32` is what gives a set a 32 bit key in network order that such an expression may be
 * looked up in.
 */
#include "guard/layout.h"

#include <string.h>
#include <sys/socket.h>

#include "guard/guard.h"

/* Linux takes no GRE with the routing bit (gre_parse_header): a key stands in one of two places. */
#define KEYED "@th,0,16 & 0xa000 == 0x2000 "
#define SUMMED_KEYED "@th,0,16 & 0xa000 == 0xa000 "
#define PAIR4 "ip saddr . ip daddr"
#define PAIR6 "ip6 saddr . ip6 daddr"

#define GRE_COVERED "meta l4proto 47 rt ipsec exists "
#define GRE_MARKED "meta l4proto 47 meta mark and " GUARD_MARK_BIT " == " GUARD_MARK_BIT " "

#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number
#define SYN_OF_GROUP(dir) \
	dir "group " TEXT_OF(GUARD_LINK_GROUP) " tcp flags & (syn | rst) == syn " dir "name !="

#define DROP(dir, which, match, set)                                      \
	{                                                                 \
		"clear_" dir, dir which, match, set "_" dir, "drop", NULL \
	}

const struct guard_set guard_sets[GUARD_SETS] = {
	{"pair4_out", AF_INET, false, true}, {"pair6_out", AF_INET6, false, true},
	{"key4_out", AF_INET, true, true},   {"key6_out", AF_INET6, true, true},
	{"pair4_in", AF_INET, false, false}, {"pair6_in", AF_INET6, false, false},
	{"key4_in", AF_INET, true, false},   {"key6_in", AF_INET6, true, false},
};

const char *const guard_exempt_sets[GUARD_EXEMPT_SETS] = {
	[GUARD_FROM_CLAMP] = GUARD_UNCLAMPED_SET,
	[GUARD_FROM_COVER] = GUARD_PLAIN_SET,
};

const struct guard_chain guard_chains[GUARD_CHAINS] = {
	{"clear_out", NULL},	 {"clear_in", NULL},  {"out", "output"}, {"in", "input"},
	{"late", "postrouting"}, {"quote4", NULL},    {"quote6", NULL},	 {"clamp", NULL},
	{"mss", "forward"},	 {"passenger", NULL},
};

const struct guard_rule guard_rules[] = {
	{"out", "out clear", "meta l4proto 47 rt ipsec missing", NULL, "jump", "clear_out"},
	{"out", "out stray", GRE_MARKED "rt ipsec missing counter", NULL, "drop", NULL},
	{"out", "out covered", GRE_COVERED "meta mark set meta mark or " GUARD_MARK_BIT, NULL,
	 "mangle", NULL},
	{"out", "out icmp4", "meta nfproto ipv4 meta l4proto 1 rt ipsec missing", NULL, "jump",
	 "quote4"},
	{"out", "out icmp6", "meta l4proto 58 rt ipsec missing", NULL, "jump", "quote6"},
	/* RFC 792: the quoted header begins behind 8 bytes, its protocol is the 10th byte. */
	{"quote4", "quote4", "@th,0,16 != 0x0304 @th,0,8 { 3, 11, 12 } @th,136,8 47", NULL, "drop",
	 NULL},
	/* RFC 4443: 1, 3 and 4 are errors, 2 is "packet too big"; 60 is a tunnel encapsulation limit (RFC 2473). */
	{"quote6", "quote6", "@th,0,8 { 1, 3, 4 } @th,112,8 47", NULL, "drop", NULL},
	{"quote6", "quote6 limit", "@th,0,8 { 1, 3, 4 } @th,112,8 60 @th,384,8 47", NULL, "drop",
	 NULL},
	{"late", "late uncovered", GRE_MARKED "rt ipsec missing counter", NULL, "drop", NULL},
	{"late", "late covered", GRE_MARKED "meta mark set meta mark and " GUARD_MARK_REST, NULL,
	 "mangle", NULL},
	/* Behind both: what goes into a link of ours may be GRE itself. */
	{"late", "late passenger",
	 "oifgroup " TEXT_OF(GUARD_LINK_GROUP) " oifname !=", GUARD_PLAIN_SET, "jump", "passenger"},
	{"passenger", "passenger", "meta mark set meta mark or " GUARD_MARK_BIT, NULL, "mangle",
	 NULL},
	DROP("out", "4", PAIR4, "pair4"),
	DROP("out", "6", PAIR6, "pair6"),
	DROP("out", "4 key", KEYED PAIR4 " . @th,32,32", "key4"),
	DROP("out", "4 sum key", SUMMED_KEYED PAIR4 " . @th,64,32", "key4"),
	DROP("out", "6 key", KEYED PAIR6 " . @th,32,32", "key6"),
	DROP("out", "6 sum key", SUMMED_KEYED PAIR6 " . @th,64,32", "key6"),
	/* What passes the first three is a header chain that cannot be followed to a protocol. */
	{"in", "in other", "meta l4proto != 47", NULL, "accept", NULL},
	{"in", "in clear", "meta l4proto 47 meta ipsec missing", NULL, "jump", "clear_in"},
	{"in", "in gre", "meta l4proto 47", NULL, "accept", NULL},
	{"in", "in headless", "meta ipsec missing frag frag-off 0", NULL, "drop", NULL},
	DROP("in", "4", PAIR4, "pair4"),
	DROP("in", "6", PAIR6, "pair6"),
	DROP("in", "4 key", KEYED PAIR4 " . @th,32,32", "key4"),
	DROP("in", "4 sum key", SUMMED_KEYED PAIR4 " . @th,64,32", "key4"),
	DROP("in", "6 key", KEYED PAIR6 " . @th,32,32", "key6"),
	DROP("in", "6 sum key", SUMMED_KEYED PAIR6 " . @th,64,32", "key6"),
	/* Always true where the packet reaches to the end of either key's place. */
	{"clear_in", "in whole", "@th,64,32 & 0 == 0", NULL, "return", NULL},
	{"clear_in", "in6 short", "frag frag-off 0", NULL, "drop", NULL},
	{"clamp", "clamp", "tcp option maxseg size set rt mtu", NULL, "mangle", NULL},
	{"mss", "mss out", SYN_OF_GROUP("oif"), GUARD_UNCLAMPED_SET, "jump", "clamp"},
	{"mss", "mss in", SYN_OF_GROUP("iif"), GUARD_UNCLAMPED_SET, "jump", "clamp"},
};

_Static_assert(sizeof(guard_rules) / sizeof(*guard_rules) == GUARD_RULES, "the reader's count");

static void element_add(struct text *out, const struct guard_set *set, const struct guard_pair *p)
{
	char local[ADDR_TEXT_SIZE], remote[ADDR_TEXT_SIZE];

	addr_format(&p->local, local);
	addr_format(&p->remote, remote);
	text_add(out, "%s . %s", set->out ? local : remote, set->out ? remote : local);
	if (set->has_key)
		text_add(out, " . 0x%08x", p->key);
}

static bool pair_valid(const struct guard_pair *p)
{
	return addr_size(p->local.family) && p->local.family == p->remote.family;
}

static bool pair_belongs(const struct guard_pair *p, const struct guard_set *set)
{
	return p->local.family == set->family && p->has_key == set->has_key;
}

static void elements_add(struct text *out, const struct guard_set *set,
			 const struct guard_pair *pairs, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!pair_belongs(&pairs[i], set))
			continue;
		text_add(out, any ? ",\n" : "elements = {\n");
		element_add(out, set, &pairs[i]);
		any = true;
	}
	if (any)
		text_add(out, "\n}\n");
}

static void set_add(struct text *out, const struct guard_set *set, const struct guard_pair *pairs,
		    size_t n)
{
	const char *ip = set->family == AF_INET ? "ip" : "ip6";

	text_add(out, "set %s {\ntypeof %s saddr . %s daddr%s\ncounter\n", set->name, ip, ip,
		 set->has_key ? " . @th,32,32" : "");
	elements_add(out, set, pairs, n);
	text_add(out, "}\n");
}

static void rule_add(struct text *out, const struct guard_rule *rule)
{
	bool verdict = strcmp(rule->verdict, "mangle");

	text_add(out, "%s%s%s %s%s%s comment \"" GUARD_MARK "%s\"\n", rule->match,
		 rule->set ? " @" : "", rule->set ? rule->set : "", verdict ? rule->verdict : "",
		 rule->target ? " " : "", rule->target ? rule->target : "", rule->name);
}

static void chain_add(struct text *out, const struct guard_chain *chain)
{
	text_add(out, "chain %s {\n", chain->name);
	if (chain->hook)
		text_add(out, "type filter hook %s priority %d; policy accept;\n", chain->hook,
			 GUARD_PRIORITY);
	for (size_t i = 0; i < GUARD_RULES; i++)
		if (!strcmp(guard_rules[i].chain, chain->name))
			rule_add(out, &guard_rules[i]);
	text_add(out, "}\n");
}

static void element_commands_add(struct text *out, const char *verb, const struct guard_pair *p)
{
	if (!pair_valid(p)) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < GUARD_SETS; i++) {
		if (!pair_belongs(p, &guard_sets[i]))
			continue;
		text_add(out, "%s element inet " GUARD_TABLE " %s { ", verb, guard_sets[i].name);
		element_add(out, &guard_sets[i], p);
		text_add(out, " }\n");
	}
}

static bool exempt_valid(const struct guard_exempt *e)
{
	return e->link[0] && !strpbrk(e->link, "\"\\*");
}

static void exempt_set_add(struct text *out, enum guard_exempt_from from,
			   const struct guard_exempt *exempts, size_t n)
{
	bool any = false;

	text_add(out, "set %s {\ntype ifname\n", guard_exempt_sets[from]);
	for (size_t i = 0; i < n; i++) {
		if (exempts[i].from != from)
			continue;
		text_add(out, "%s\"%s\"", any ? ",\n" : "elements = {\n", exempts[i].link);
		any = true;
	}
	text_add(out, any ? "\n}\n}\n" : "}\n");
}

static void exempt_command_add(struct text *out, const char *verb, const struct guard_exempt *e)
{
	if (exempt_valid(e))
		text_add(out, "%s element inet " GUARD_TABLE " %s { \"%s\" }\n", verb,
			 guard_exempt_sets[e->from], e->link);
	else
		out->failed = true;
}

void guard_build_table(struct text *out, const struct guard_pair *pairs, size_t n,
		       const struct guard_exempt *exempts, size_t n_exempts)
{
	for (size_t i = 0; i < n_exempts; i++)
		if (!exempt_valid(&exempts[i]))
			out->failed = true;
	for (size_t i = 0; i < n; i++)
		if (!pair_valid(&pairs[i]))
			out->failed = true;
	guard_build_remove(out);
	text_add(out, "table inet " GUARD_TABLE " {\n");
	for (size_t i = 0; i < GUARD_SETS; i++)
		set_add(out, &guard_sets[i], pairs, n);
	for (int from = 0; from < GUARD_EXEMPT_SETS; from++)
		exempt_set_add(out, from, exempts, n_exempts);
	for (size_t i = 0; i < GUARD_CHAINS; i++)
		chain_add(out, &guard_chains[i]);
	text_add(out, "}\n");
}

void guard_build_add(struct text *out, const struct guard_pair *pair)
{
	element_commands_add(out, "add", pair);
}

void guard_build_delete(struct text *out, const struct guard_pair *pair)
{
	element_commands_add(out, "add", pair);
	element_commands_add(out, "delete", pair);
}

void guard_build_exempt(struct text *out, const struct guard_exempt *exempt)
{
	exempt_command_add(out, "add", exempt);
}

void guard_build_unexempt(struct text *out, const struct guard_exempt *exempt)
{
	exempt_command_add(out, "add", exempt);
	exempt_command_add(out, "delete", exempt);
}

void guard_build_remove(struct text *out)
{
	text_add(out, "add table inet " GUARD_TABLE "\ndelete table inet " GUARD_TABLE "\n");
}
