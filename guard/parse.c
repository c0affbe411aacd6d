/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the guard back: guard_parse takes the JSON of `list table inet gwd` (libnftables-json(5))
 * and tells whether the table is exactly the one of guard/layout.h, and which pairs stand in it.
 * Pure. Neighbours: guard/ruleset.c builds what is compared here, guard/guard.c fetches the JSON.
 *
 * Rules are compared by comment, order, looked-up set and verdict, not by every expression: nft
 * prints the same rule differently from version to version ("th sport & 40960" for @th,0,16).
 * Whatever is not ours in the table makes it not intact, as it might accept or change packets
 * first.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "guard/guard.h"
#include "guard/layout.h"

struct reading {
	struct guard_state *state;
	size_t room; /* of state->pairs */
	bool foreign;
	bool failed; /* memory, or an element that is none */
	bool no_memory; /* it was memory */
	unsigned sets, chains; /* seen, by bit */
	unsigned exempt_sets; /* seen, by bit */
	unsigned rules[GUARD_CHAINS]; /* seen so far, by chain */
};

static bool text_is(const json_t *object, const char *key, const char *want)
{
	const char *text = json_string_value(json_object_get(object, key));

	return want ? text && !strcmp(text, want) : !json_object_get(object, key);
}

static bool value_number(const json_t *value, uint64_t max, uint64_t *out)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*out = json_integer_value(value);
		return *out <= max;
	}
	if (!text || *text < '0' || *text > '9')
		return false;
	*out = strtoull(text, &end, 0);
	return !*end && *out <= max;
}

static bool concat_read(const json_t *concat, const struct guard_set *set, struct guard_pair *p)
{
	struct addr *first = set->out ? &p->local : &p->remote;
	struct addr *second = set->out ? &p->remote : &p->local;
	const char *saddr = json_string_value(json_array_get(concat, 0));
	const char *daddr = json_string_value(json_array_get(concat, 1));
	uint64_t key = 0;

	if (json_array_size(concat) != (set->has_key ? 3 : 2) || !saddr || !daddr)
		return false;
	if (!addr_parse(saddr, first) || !addr_parse(daddr, second))
		return false;
	if (first->family != set->family || second->family != set->family)
		return false;
	if (set->has_key && !value_number(json_array_get(concat, 2), UINT32_MAX, &key))
		return false;
	p->has_key = set->has_key;
	p->key = key;
	return true;
}

static bool pair_append(struct reading *r, const struct guard_pair *p)
{
	struct guard_state *s = r->state;

	if (s->n_pairs == r->room) {
		size_t room = r->room ? r->room * 2 : 64;
		struct guard_pair *grown = reallocarray(s->pairs, room, sizeof(*grown));

		if (!grown)
			return false;
		s->pairs = grown;
		r->room = room;
	}
	s->pairs[s->n_pairs++] = *p;
	return true;
}

/* {"elem": {"val": …, "counter": …}}, or the bare value when somebody made it uncounted. */
static void element_read(struct reading *r, const struct guard_set *set, const json_t *element)
{
	const json_t *wrapped = json_object_get(element, "elem");
	const json_t *value = wrapped ? json_object_get(wrapped, "val") : element;
	const json_t *counter = wrapped ? json_object_get(wrapped, "counter") : NULL;
	struct guard_pair p = {.tunnel = -1, .out_missing = !set->out, .in_missing = set->out};

	if (!concat_read(json_object_get(value, "concat"), set, &p)) {
		r->failed = true;
		return;
	}
	if (!value_number(json_object_get(counter, "packets"), UINT64_MAX,
			  set->out ? &p.out_dropped : &p.in_dropped))
		r->foreign = true;
	/* An element that ends by itself would leave the pair unguarded one day. */
	if (json_object_get(wrapped, "timeout"))
		r->foreign = true;
	if (!pair_append(r, &p))
		r->failed = r->no_memory = true;
}

/* nft before 1.1 gives the names of the types, later ones the typeof expression. */
static bool set_type_right(const json_t *type, const struct guard_set *set)
{
	const char *want = set->family == AF_INET ? "ipv4_addr" : "ipv6_addr";
	const char *saddr = json_string_value(json_array_get(type, 0));
	const char *daddr = json_string_value(json_array_get(type, 1));

	if (json_is_object(type))
		return json_object_get(type, "typeof");
	if (json_array_size(type) != (set->has_key ? 3 : 2))
		return false;
	return saddr && daddr && !strcmp(saddr, want) && !strcmp(daddr, want);
}

static void exempt_read(struct reading *r, enum guard_exempt_from from, const json_t *element)
{
	const json_t *wrapped = json_object_get(element, "elem");
	const char *link = json_string_value(wrapped ? json_object_get(wrapped, "val") : element);
	struct guard_state *s = r->state;
	struct guard_exempt *grown;

	if (!link || strlen(link) >= GUARD_LINK_SIZE || json_object_get(wrapped, "timeout")) {
		r->foreign = true;
		return;
	}
	grown = reallocarray(s->exempts, s->n_exempts + 1, sizeof(*grown));
	if (!grown) {
		r->failed = r->no_memory = true;
		return;
	}
	s->exempts = grown;
	grown[s->n_exempts] = (struct guard_exempt){.from = from, .tunnel = -1};
	strcpy(grown[s->n_exempts++].link, link);
}

static void exempt_set_read(struct reading *r, enum guard_exempt_from from, const json_t *set)
{
	const json_t *element;
	size_t index;

	if (!text_is(set, "type", "ifname") || json_object_get(set, "flags") ||
	    json_object_get(set, "timeout"))
		r->foreign = true;
	r->exempt_sets |= 1u << from;
	json_array_foreach(json_object_get(set, "elem"), index, element)
		exempt_read(r, from, element);
}

static void set_read(struct reading *r, const json_t *set)
{
	const json_t *elements = json_object_get(set, "elem");
	const json_t *element;
	size_t index, i = 0;

	for (int from = 0; from < GUARD_EXEMPT_SETS; from++)
		if (text_is(set, "name", guard_exempt_sets[from])) {
			exempt_set_read(r, from, set);
			return;
		}

	while (i < GUARD_SETS && !text_is(set, "name", guard_sets[i].name))
		i++;
	if (i == GUARD_SETS || !set_type_right(json_object_get(set, "type"), &guard_sets[i])) {
		r->foreign = true;
		return;
	}
	if (json_object_get(set, "flags") || json_object_get(set, "timeout"))
		r->foreign = true;
	r->sets |= 1u << i;
	json_array_foreach(elements, index, element) element_read(r, &guard_sets[i], element);
}

static void chain_read(struct reading *r, const json_t *chain)
{
	const json_t *priority = json_object_get(chain, "prio");
	size_t i = 0;

	while (i < GUARD_CHAINS && !text_is(chain, "name", guard_chains[i].name))
		i++;
	if (i == GUARD_CHAINS) {
		r->foreign = true;
		return;
	}
	const char *hook = guard_chains[i].hook;

	r->chains |= 1u << i;
	if (!text_is(chain, "hook", hook) || !text_is(chain, "type", hook ? "filter" : NULL) ||
	    !text_is(chain, "policy", hook ? "accept" : NULL))
		r->foreign = true;
	if (hook && (!json_is_integer(priority) || json_integer_value(priority) != GUARD_PRIORITY))
		r->foreign = true;
}

/* The index-th rule of a chain as it should be, or NULL when the chain has ended. */
static const struct guard_rule *rule_expected(const char *chain, unsigned index)
{
	for (size_t i = 0; i < GUARD_RULES; i++)
		if (!strcmp(guard_rules[i].chain, chain) && index-- == 0)
			return &guard_rules[i];
	return NULL;
}

static bool looks_up(const json_t *expressions, const char *set)
{
	const json_t *expression;
	size_t index;
	const char *right;

	json_array_foreach(expressions, index, expression)
	{
		right = json_string_value(
			json_object_get(json_object_get(expression, "match"), "right"));
		if (right && *right == '@')
			return set && !strcmp(right + 1, set);
	}
	return !set;
}

static bool rule_right(const json_t *rule, const struct guard_rule *want)
{
	const json_t *expressions = json_object_get(rule, "expr");
	const json_t *last = json_array_get(expressions, json_array_size(expressions) - 1);
	const json_t *verdict = json_object_get(last, want->verdict);
	const char *comment = json_string_value(json_object_get(rule, "comment"));

	if (!comment || strncmp(comment, GUARD_MARK, strlen(GUARD_MARK)) ||
	    strcmp(comment + strlen(GUARD_MARK), want->name))
		return false;
	if (!verdict || (want->target && !text_is(verdict, "target", want->target)))
		return false;
	return looks_up(expressions, want->set);
}

/* The two rules that count by themselves: GRE that NAT took out of IPsec, and that of links led elsewhere. */
static void counter_read(const json_t *rule, uint64_t *out)
{
	const json_t *expression;
	size_t index;

	json_array_foreach(json_object_get(rule, "expr"), index, expression)
	{
		const json_t *counter = json_object_get(expression, "counter");

		if (json_is_object(counter))
			value_number(json_object_get(counter, "packets"), UINT64_MAX, out);
	}
}

static void rule_read(struct reading *r, const json_t *rule)
{
	size_t i = 0;

	while (i < GUARD_CHAINS && !text_is(rule, "chain", guard_chains[i].name))
		i++;
	if (i == GUARD_CHAINS) {
		r->foreign = true;
		return;
	}
	const struct guard_rule *want = rule_expected(guard_chains[i].name, r->rules[i]);

	counter_read(rule,
		     text_is(rule, "chain", "late") ? &r->state->uncovered : &r->state->strayed);
	if (!want || !rule_right(rule, want))
		r->foreign = true;
	r->rules[i]++;
}

static void entry_read(struct reading *r, const json_t *entry)
{
	const json_t *object = json_object_iter_value(json_object_iter((json_t *)entry));

	if (json_object_get(entry, "metainfo"))
		return;
	if (json_object_get(entry, "table")) {
		if (!text_is(object, "family", "inet") || !text_is(object, "name", GUARD_TABLE))
			return;
		r->state->present = true;
		/* "dormant" takes the chains off their hooks, "owner" ties it to somebody's socket. */
		if (json_object_get(object, "flags"))
			r->foreign = true;
		return;
	}
	if (!text_is(object, "family", "inet") || !text_is(object, "table", GUARD_TABLE))
		return;
	if (json_object_get(entry, "set"))
		set_read(r, object);
	else if (json_object_get(entry, "chain"))
		chain_read(r, object);
	else if (json_object_get(entry, "rule"))
		rule_read(r, object);
	else
		r->foreign = true;
}

static bool complete(const struct reading *r)
{
	if (r->exempt_sets != (1u << GUARD_EXEMPT_SETS) - 1 || r->sets != (1u << GUARD_SETS) - 1 ||
	    r->chains != (1u << GUARD_CHAINS) - 1)
		return false;
	for (size_t i = 0; i < GUARD_CHAINS; i++)
		if (rule_expected(guard_chains[i].name, r->rules[i]))
			return false;
	return true;
}

static int pair_order(const void *a, const void *b)
{
	return guard_pair_cmp(a, b);
}

/* Makes one of a pair's two directions. */
static void pairs_merge(struct guard_state *s)
{
	size_t n = 0;

	if (s->n_pairs)
		qsort(s->pairs, s->n_pairs, sizeof(*s->pairs), pair_order);
	for (size_t i = 0; i < s->n_pairs; i++) {
		struct guard_pair *p = &s->pairs[i];

		if (!n || guard_pair_cmp(&s->pairs[n - 1], p)) {
			s->pairs[n++] = *p;
			continue;
		}
		s->pairs[n - 1].out_dropped += p->out_dropped;
		s->pairs[n - 1].in_dropped += p->in_dropped;
		s->pairs[n - 1].out_missing &= p->out_missing;
		s->pairs[n - 1].in_missing &= p->in_missing;
	}
	s->n_pairs = n;
}

static int exempt_order(const void *a, const void *b)
{
	return guard_exempt_cmp(a, b);
}

bool guard_parse(const char *json, struct guard_state *out)
{
	struct reading r = {.state = out};
	json_t *root;
	const json_t *list, *entry;
	size_t index;

	*out = (struct guard_state){0};
	errno = 0;
	root = json_loads(json, 0, NULL);
	/* libjansson 2.14 calls that a syntax error, but ends there, with malloc's errno. */
	r.no_memory = !root && errno == ENOMEM;
	list = json_object_get(root, "nftables");
	r.failed = !json_is_array(list);
	json_array_foreach(list, index, entry) entry_read(&r, entry);
	json_decref(root);
	if (r.failed) {
		guard_state_done(out);
		errno = r.no_memory ? ENOMEM : EINVAL;
		return false;
	}
	out->intact = out->present && !r.foreign && complete(&r);
	pairs_merge(out);
	if (out->n_exempts)
		qsort(out->exempts, out->n_exempts, sizeof(*out->exempts), exempt_order);
	return true;
}
