/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules across tunnels: entry function check_across, called by conf/load.c. Every rule is a sort
 * and one walk over neighbours, since a configuration may hold 10 000 tunnels. Of two in conflict
 * the one that stands later in the files gets the finding, which points at the other. Pure.
 */
#include "conf/check.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "conf/value.h"

#define IP6_METRIC_DEFAULT 1024 /* IP6_RT_PRIO_USER: what the kernel takes for 0 */
#define NESTING_MAX 130 /* networks within networks: one per prefix length, and one */

/*
 * One thing of a tunnel that must differ from those of others. index counts the tunnel's
 * addresses or routes.
 */
struct entry {
	struct draft *draft;
	size_t index;
	struct spot at;
	struct prefix network; /* of an address */
	bool reported;
};

struct entries {
	VEC(struct entry) v;
};

typedef int (*entry_cmp)(const void *left, const void *right);

static int spot_cmp(struct spot a, struct spot b)
{
	if (a.file != b.file)
		return a.file < b.file ? -1 : 1;
	return a.offset < b.offset ? -1 : a.offset > b.offset;
}

static int then_spot(int order, const struct entry *a, const struct entry *b)
{
	return order ? order : spot_cmp(a->at, b->at);
}

static void entry_add(struct drafts *ds, struct entries *es, struct draft *d, size_t index,
		      struct spot at)
{
	struct entry *entry = vec_push(&es->v);

	if (entry)
		*entry = (struct entry){.draft = d, .index = index, .at = at};
	else
		ds->found->failed = true;
}

static const struct conf_tunnel *tunnel_of(const struct entry *entry)
{
	return &entry->draft->tunnel;
}

/* what completes "TUNNEL has … already". */
static void conflict(struct drafts *ds, const struct entry *a, const struct entry *b,
		     const char *what, const char *hint)
{
	const struct entry *later = spot_cmp(a->at, b->at) > 0 ? a : b;
	const struct entry *first = later == a ? b : a;
	struct finding *finding = findings_add(ds->found, FINDING_ERROR, later->at,
					       "%s has %s already", tunnel_of(first)->name, what);

	if (hint)
		finding_hint(finding, "%s", hint);
	finding_other(finding, first->at);
}

/*
 * Reports every entry equal to the first of its run. Equal is what cmp tells apart by the spot
 * alone.
 */
static void equal_report(struct drafts *ds, struct entries *es, entry_cmp cmp, const char *what,
			 const char *hint)
{
	size_t first = 0;

	vec_sort(&es->v, cmp);
	for (size_t i = 1; i < es->v.len; i++) {
		const struct entry *a = &es->v.at[first], *b = &es->v.at[i];
		struct entry a_here = *a;
		a_here.at = b->at;
		if (cmp(&a_here, b)) {
			first = i;
			continue;
		}
		conflict(ds, a, b, what, hint);
		es->v.at[i].reported = true;
	}
}

static int draft_cmp(const void *left, const void *right)
{
	const struct draft *a = left, *b = right;
	int order = strcmp(a->tunnel.name, b->tunnel.name);

	return order ? order : spot_cmp(a->name_at, b->name_at);
}

/* Whether the tunnel can be in conflict with others. */
static bool counts(const struct draft *d)
{
	return d->tunnel.enabled && !d->left_out;
}

static void across_names(struct drafts *ds)
{
	const struct draft *list = ds->list.at;
	size_t first = 0;

	vec_sort(&ds->list, draft_cmp);
	for (size_t i = 1; i < ds->list.len; i++) {
		if (strcmp(list[first].tunnel.name, list[i].tunnel.name)) {
			first = i;
			continue;
		}
		struct finding *finding = findings_add(ds->found, FINDING_ERROR, list[i].name_at,
						       "tunnel %s is given twice",
						       list[i].tunnel.name);
		finding_hint(finding, "first given");
		finding_other(finding, list[first].name_at);
		ds->list.at[i].left_out = true;
	}
}

static int interface_cmp(const void *left, const void *right)
{
	return then_spot(strcmp(tunnel_of(left)->interface, tunnel_of(right)->interface), left,
			 right);
}

static void across_interfaces(struct drafts *ds)
{
	struct entries es = {0};

	for (size_t i = 0; i < ds->list.len; i++) {
		struct draft *d = &ds->list.at[i];
		bool given = given_here(&d->given, SLOT_INTERFACE);
		if (counts(d) && d->tunnel.interface[0])
			entry_add(ds, &es, d, 0, given ? d->given.at[SLOT_INTERFACE] : d->name_at);
	}
	equal_report(ds, &es, interface_cmp, "this interface", NULL);
	vec_free(&es.v);
}

/*
 * charon tells connections apart by both identities, of the peer and of ours (IDi and IDr, RFC 7296 section 3.5), when
 * the addresses are the same.
 */
static int peer_cmp(const void *left, const void *right)
{
	const struct conf_tunnel *a = tunnel_of(left), *b = tunnel_of(right);
	int order = strcasecmp(a->peer_id, b->peer_id);

	if (!order)
		order = strcasecmp(a->id ? a->id : "", b->id ? b->id : "");
	return then_spot(order, left, right);
}

static bool same_texts(char *const *a, char *const *b)
{
	size_t i = 0;

	while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
		i++;
	return !a[i] && !b[i];
}

/*
 * charon looks a pre-shared key up by the identities of both sides, and a key is loaded for the peer's alone (see ike/conn.h):
 * of two for one peer it might take the wrong one.
 */
static void peers_psk_report(struct drafts *ds, const struct entries *es)
{
	for (size_t i = 1; i < es->v.len; i++) {
		const struct entry *a = &es->v.at[i - 1], *b = &es->v.at[i];
		const struct conf_tunnel *x = tunnel_of(a), *y = tunnel_of(b);
		if (b->reported || strcasecmp(x->peer_id, y->peer_id) || !x->psks || !y->psks ||
		    same_texts(x->psks, y->psks))
			continue;
		struct entry first = {.draft = a->draft, .at = a->draft->given.at[SLOT_PSK]};
		struct entry other = {.draft = b->draft, .at = b->draft->given.at[SLOT_PSK]};
		conflict(
			ds, &first, &other, "another key for this peer",
			"give both the same psk, or let the peer have an id for each; the other is");
	}
}

static void across_peers(struct drafts *ds)
{
	struct entries es = {0};

	for (size_t i = 0; i < ds->list.len; i++) {
		struct draft *d = &ds->list.at[i];
		if (counts(d) && d->tunnel.peer_id && d->tunnel.protect == CONF_PROTECT_IPSEC)
			entry_add(ds, &es, d, 0, d->given.at[SLOT_PEER_ID]);
	}
	equal_report(ds, &es, peer_cmp, "a peer with this identity",
		     "give one of them another id: here, which the peer expects; the other is");
	peers_psk_report(ds, &es);
	vec_free(&es.v);
}

static int ppk_cmp(const void *left, const void *right)
{
	return then_spot(strcasecmp(tunnel_of(left)->ppk_id, tunnel_of(right)->ppk_id), left,
			 right);
}

/* charon finds the secret by its name alone, whoever the peer is. */
static void across_ppks(struct drafts *ds)
{
	struct entries es = {0};

	for (size_t i = 0; i < ds->list.len; i++) {
		struct draft *d = &ds->list.at[i];
		if (counts(d) && d->tunnel.ppk_id)
			entry_add(ds, &es, d, 0, d->given.at[SLOT_PPK_ID]);
	}
	equal_report(ds, &es, ppk_cmp, "a ppk with this id",
		     "one ppk serves one tunnel; the other is");
	vec_free(&es.v);
}

static int local_cmp(const struct conf_local *a, const struct conf_local *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int order = addr_cmp(&a->addr, &b->addr);
	return order ? order : strcmp(a->ifname, b->ifname);
}

static int remote_cmp(const struct conf_remote *a, const struct conf_remote *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->name ? strcasecmp(a->name, b->name) : addr_cmp(&a->addr, &b->addr);
}

static int ends_cmp(const void *left, const void *right)
{
	const struct conf_tunnel *a = tunnel_of(left), *b = tunnel_of(right);
	int order = remote_cmp(&a->remote, &b->remote);

	return then_spot(order ? order : local_cmp(&a->local, &b->local), left, right);
}

/* A tunnel with unlike keys has an entry for each: index 0 is what it takes, 1 what it sends. */
static uint32_t key_of(const struct entry *entry)
{
	const struct conf_tunnel *t = tunnel_of(entry);

	return entry->index ? t->gre_key_out : t->gre_key_in;
}

static int ends_and_key_cmp(const void *left, const void *right)
{
	const struct entry *l = left, *r = right;
	const struct conf_tunnel *a = tunnel_of(l), *b = tunnel_of(r);
	int order = remote_cmp(&a->remote, &b->remote);

	if (!order)
		order = local_cmp(&a->local, &b->local);
	if (!order)
		order = (int)a->has_gre_key - (int)b->has_gre_key;
	if (!order)
		order = key_of(l) < key_of(r) ? -1 : key_of(l) > key_of(r);
	return then_spot(order, l, r);
}

/*
 * A policy or guard entry without a key covers all GRE of its pair of addresses, also the other
 * tunnel's: where one tunnel of a pair is protected, all need a key. Two without one are equal,
 * which was said.
 */
static void pair_report(struct drafts *ds, const struct entry *pair, size_t n)
{
	size_t keyless = 0, plain = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		plain += tunnel_of(&pair[i])->protect == CONF_PROTECT_NONE;
		if (!tunnel_of(&pair[i])->has_gre_key) {
			keyless++;
			at = i;
		}
	}
	if (n < 2 || plain == n || keyless != 1)
		return;
	const struct entry *other = &pair[at == 0];
	struct finding *finding =
		findings_add(ds->found, FINDING_ERROR, pair[at].at,
			     "%s runs between the same addresses as %s and has no gre-key",
			     tunnel_of(&pair[at])->name, tunnel_of(other)->name);
	finding_hint(finding, "add gre-key: NUMBER here and on the peer; the other is");
	finding_other(finding, other->at);
}

/* Both keys: the guard stops clear GRE with either, both ways. */
static void ends_add(struct drafts *ds, struct entries *es, struct draft *d)
{
	entry_add(ds, es, d, 0, d->given.at[SLOT_REMOTE]);
	if (d->tunnel.gre_key_in != d->tunnel.gre_key_out)
		entry_add(ds, es, d, 1, d->given.at[SLOT_REMOTE]);
}

static void across_ends(struct drafts *ds)
{
	struct entries es = {0};
	size_t first = 0;

	for (size_t i = 0; i < ds->list.len; i++) {
		struct draft *d = &ds->list.at[i];
		if (counts(d) && (d->tunnel.remote.name || d->tunnel.remote.addr.family))
			ends_add(ds, &es, d);
	}
	equal_report(ds, &es, ends_and_key_cmp, "the same local, remote and gre-key",
		     "give each another gre-key, here and on the peer; the other is");
	vec_sort(&es.v, ends_cmp);
	for (size_t i = 1; i <= es.v.len; i++) {
		struct entry here = es.v.at[first];
		if (i < es.v.len) {
			here.at = es.v.at[i].at;
			if (ends_cmp(&here, &es.v.at[i]) == 0)
				continue;
		}
		pair_report(ds, &es.v.at[first], i - first);
		first = i;
	}
	vec_free(&es.v);
}

/* Each VRF has addresses and routes of its own. */
static int vrf_cmp(const struct entry *a, const struct entry *b)
{
	return strcmp(tunnel_of(a)->vrf, tunnel_of(b)->vrf);
}

static int address_cmp(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = vrf_cmp(a, b);

	return then_spot(order ? order
			       : addr_cmp(&tunnel_of(a)->addresses[a->index].addr,
					  &tunnel_of(b)->addresses[b->index].addr),
			 a, b);
}

static int network_cmp(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = vrf_cmp(a, b);

	return then_spot(order ? order : prefix_cmp(&a->network, &b->network), a, b);
}

/* Sorted, a network comes right after those it lies within: those are the stack. */
static void overlap_report(struct drafts *ds, const struct entries *es)
{
	const struct entry *stack[NESTING_MAX];
	size_t depth = 0;

	for (size_t i = 0; i < es->v.len; i++) {
		const struct entry *entry = &es->v.at[i];
		const struct entry *other = NULL;
		if (entry->reported)
			continue;
		while (depth && (vrf_cmp(stack[depth - 1], entry) ||
				 !prefix_overlap(&stack[depth - 1]->network, &entry->network)))
			depth--;
		for (size_t j = depth; j-- > 0 && !other;)
			other = stack[j]->draft != entry->draft ? stack[j] : NULL;
		if (other)
			conflict(ds, other, entry, "an overlapping network",
				 "each tunnel has a network of its own here; the other is");
		else if (depth < NESTING_MAX &&
			 !(depth && prefix_cmp(&stack[depth - 1]->network, &entry->network) == 0))
			stack[depth++] = entry;
	}
}

/* Link-local networks are every link's own (RFC 4291 section 2.5.6). */
static void across_addresses(struct drafts *ds)
{
	struct entries es = {0};

	for (size_t i = 0; i < ds->list.len; i++) {
		struct draft *d = &ds->list.at[i];
		for (size_t j = 0; counts(d) && j < d->tunnel.n_addresses; j++) {
			if (!value_link_local(&d->tunnel.addresses[j].addr))
				entry_add(ds, &es, d, j, d->address_at[j]);
		}
	}
	equal_report(ds, &es, address_cmp, "this address", NULL);
	for (size_t i = 0; i < es.v.len; i++) {
		struct entry *entry = &es.v.at[i];
		entry->network = prefix_network(&tunnel_of(entry)->addresses[entry->index]);
	}
	vec_sort(&es.v, network_cmp);
	overlap_report(ds, &es);
	vec_free(&es.v);
}

static uint32_t metric_of(const struct conf_route *route)
{
	if (route->metric || route->to.addr.family == AF_INET)
		return route->metric;
	return IP6_METRIC_DEFAULT;
}

static uint32_t table_of(const struct entry *entry)
{
	const struct conf_tunnel *t = tunnel_of(entry);
	uint32_t table = t->routes[entry->index].table;

	return table || *t->vrf ? table : RT_TABLE_MAIN;
}

static int route_cmp(const void *left, const void *right)
{
	const struct entry *l = left, *r = right;
	const struct conf_route *a = &tunnel_of(l)->routes[l->index];
	const struct conf_route *b = &tunnel_of(r)->routes[r->index];
	uint32_t a_metric = metric_of(a), b_metric = metric_of(b);
	int order = prefix_cmp(&a->to, &b->to);

	if (!order)
		order = table_of(l) < table_of(r) ? -1 : table_of(l) > table_of(r);
	if (!order && !table_of(l))
		order = vrf_cmp(l, r);
	if (!order)
		order = a_metric < b_metric ? -1 : a_metric > b_metric;
	return then_spot(order, l, r);
}

/* The kernel keeps one route per destination, table and metric. */
static void across_routes(struct drafts *ds)
{
	struct entries es = {0};

	for (size_t i = 0; i < ds->list.len; i++) {
		struct draft *d = &ds->list.at[i];
		for (size_t j = 0; counts(d) && j < d->tunnel.n_routes; j++)
			entry_add(ds, &es, d, j, d->route_at[j]);
	}
	equal_report(ds, &es, route_cmp, "this route", "give them different metrics; the other is");
	vec_free(&es.v);
}

void check_across(struct drafts *drafts)
{
	across_names(drafts);
	across_interfaces(drafts);
	across_peers(drafts);
	across_ppks(drafts);
	across_ends(drafts);
	across_addresses(drafts);
	across_routes(drafts);
}
