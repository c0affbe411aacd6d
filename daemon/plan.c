/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be done so that what is seen becomes what is wanted. Entry function: plan_make.
 * Neighbours: daemon/desire.c makes the one side, the observer the other, daemon/plan_text.c words
 * the result, the applier carries it out. Pure.
 *
 * Each kind is one walk over two sorted vectors; the walks hang on each other only by two small
 * tables: the fate of each seen link (its addresses and routes go with it, kernel net/core/dev.c)
 * and the tunnels that a foreign object stops. One counting sort then brings the actions into the
 * order of plan.h.
 */
#include "daemon/plan.h"

#include <errno.h>
#include <string.h>

enum link_fate {
	LINK_FOREIGN, /* not ours: never touched */
	LINK_STAYS, /* as it is */
	LINK_CHANGES, /* in place */
	LINK_REPLACED, /* deleted and created in one action */
	LINK_GOES, /* deleted first, not created again */
	LINK_RETURNS, /* deleted first, created again when its turn comes */
};

struct link_note {
	enum link_fate fate;
	bool keeps_v4, loses_v4; /* among its seen addresses */
};

typedef VEC(const struct gre_link *) link_list;

struct planner {
	const struct objects *want, *have;
	struct plan *plan;
	struct link_note *notes; /* one for each seen link */
	bool *stopped; /* by tunnel: nothing that stands on a conflict is created */
	size_t n_stopped;
	link_list movers; /* seen links that leave their endpoints, by endpoints */
	bool failed; /* out of memory */
};

/* Calls fn for each object of the two sorted vectors of a kind, with both when the keys are
 * equal. */
#define PLAN_WALK(p, kind, cmp, fn)                                                              \
	do {                                                                                     \
		size_t w_ = 0, h_ = 0;                                                           \
		size_t n_w_ = (p)->want->kind.len, n_h_ = (p)->have->kind.len;                   \
		__typeof__((p)->want->kind.at) want_ = (p)->want->kind.at;                       \
		__typeof__((p)->have->kind.at) have_ = (p)->have->kind.at;                       \
		while (w_ < n_w_ || h_ < n_h_) {                                                 \
			int order_ = w_ == n_w_;                                                 \
			if (h_ == n_h_)                                                          \
				order_ = -1;                                                     \
			else if (w_ < n_w_)                                                      \
				order_ = cmp(&want_[w_], &have_[h_]);                            \
			fn(p, order_ <= 0 ? &want_[w_] : NULL, order_ >= 0 ? &have_[h_] : NULL); \
			w_ += order_ <= 0;                                                       \
			h_ += order_ >= 0;                                                       \
		}                                                                                \
	} while (0)

static void add(struct planner *p, enum plan_op op, enum object_kind kind,
		const struct plan_action *about)
{
	struct plan_action *a = vec_push(&p->plan->actions);

	if (!a) {
		p->failed = true;
		return;
	}
	*a = *about;
	a->op = op;
	a->kind = kind;
}

#define ABOUT(tag, w, h) (&(struct plan_action){.tunnel = (tag), .want = (w), .have = (h)})

static void stop(struct planner *p, int tunnel)
{
	if (tunnel >= 0 && (size_t)tunnel < p->n_stopped)
		p->stopped[tunnel] = true;
}

static bool is_stopped(const struct planner *p, int tunnel)
{
	return tunnel >= 0 && (size_t)tunnel < p->n_stopped && p->stopped[tunnel];
}

static bool has_prefix(const char *name)
{
	return strncmp(name, IKE_PREFIX, sizeof(IKE_PREFIX) - 1) == 0;
}

/* guard and its pairs */

static void plan_pair(struct planner *p, const struct guard_pair *want,
		      const struct guard_pair *have)
{
	if (!have)
		add(p, PLAN_CREATE, OBJECT_PAIR, ABOUT(want->tunnel, want, NULL));
	else if (!want)
		add(p, PLAN_DELETE, OBJECT_PAIR, ABOUT(have->tunnel, NULL, have));
	else if (have->out_missing || have->in_missing)
		add(p, PLAN_UPDATE, OBJECT_PAIR, ABOUT(want->tunnel, want, have));
}

static void plan_exempt(struct planner *p, const struct guard_exempt *want,
			const struct guard_exempt *have)
{
	if (!have)
		add(p, PLAN_CREATE, OBJECT_EXEMPT, ABOUT(want->tunnel, want, NULL));
	else if (!want)
		add(p, PLAN_DELETE, OBJECT_EXEMPT, ABOUT(have->tunnel, NULL, have));
}

static void plan_elements(struct planner *p)
{
	PLAN_WALK(p, pairs, guard_pair_cmp, plan_pair);
	PLAN_WALK(p, exempts, guard_exempt_cmp, plan_exempt);
}

/* A table that is made anew, or goes, takes all its elements with it. */
static void plan_guard(struct planner *p)
{
	const struct objects *want = p->want, *have = p->have;

	if (want->guard && !have->guard)
		add(p, PLAN_CREATE, OBJECT_GUARD, ABOUT(-1, want, NULL));
	else if (want->guard && !have->guard_intact)
		add(p, PLAN_UPDATE, OBJECT_GUARD, ABOUT(-1, want, have));
	else if (have->guard && !want->guard)
		add(p, PLAN_DELETE, OBJECT_GUARD, ABOUT(-1, NULL, have));
	else if (want->guard)
		plan_elements(p);
}

/* A hold stands on nothing, and so no conflict stops it. */
static void plan_hold(struct planner *p, const struct gre_route *want, const struct gre_route *have)
{
	if (!have)
		add(p, PLAN_CREATE, OBJECT_HOLD, ABOUT(want->tunnel, want, NULL));
	else if (!want)
		add(p, PLAN_DELETE, OBJECT_HOLD, ABOUT(have->tunnel, NULL, have));
}

/* policies, secrets, connections */

static void plan_policy(struct planner *p, const struct xfrm_policy *want,
			const struct xfrm_policy *have)
{
	if (!have) {
		add(p, PLAN_CREATE, OBJECT_POLICY, ABOUT(want->tunnel, want, NULL));
	} else if (!want) {
		if (xfrm_policy_ours(have))
			add(p, PLAN_DELETE, OBJECT_POLICY, ABOUT(have->tunnel, NULL, have));
	} else if (!xfrm_policy_ours(have)) {
		add(p, PLAN_CONFLICT, OBJECT_POLICY, ABOUT(want->tunnel, want, have));
		stop(p, want->tunnel);
	} else if (!xfrm_policy_equal(want, have)) {
		add(p, PLAN_UPDATE, OBJECT_POLICY, ABOUT(want->tunnel, want, have));
	}
}

/* Of private keys only those are seen that this session loaded: whose the others are cannot be told from their ids. */
static void plan_secret(struct planner *p, const struct object_secret *want,
			const struct object_secret *have)
{
	if (!have) {
		add(p, PLAN_CREATE, OBJECT_SECRET, ABOUT(want->tunnel, want, NULL));
	} else if (!want) {
		if (have->kind != OBJECT_SECRET_CRL &&
		    (have->kind == OBJECT_SECRET_KEY || has_prefix(have->name)))
			add(p, PLAN_DELETE, OBJECT_SECRET, ABOUT(have->tunnel, NULL, have));
	} else if (memcmp(want->digest, have->digest, sizeof(want->digest)) != 0) {
		add(p, PLAN_UPDATE, OBJECT_SECRET, ABOUT(want->tunnel, want, have));
	}
}

static void plan_conn(struct planner *p, const struct object_conn *want,
		      const struct object_conn *have)
{
	if (!have) {
		add(p, PLAN_CREATE, OBJECT_CONN, ABOUT(want->conn.tunnel, want, NULL));
	} else if (!want) {
		if (has_prefix(have->conn.name))
			add(p, PLAN_DELETE, OBJECT_CONN, ABOUT(have->conn.tunnel, NULL, have));
	} else if (memcmp(want->digest, have->digest, sizeof(want->digest)) != 0) {
		add(p, PLAN_UPDATE, OBJECT_CONN, ABOUT(want->conn.tunnel, want, have));
	}
}

/* links */

/* What the kernel lets only one link have (ip_tunnel_find, ip6gre_tunnel_locate). */
static int endpoints_cmp(const struct gre_link *a, const struct gre_link *b)
{
	int d = addr_cmp(&a->local, &b->local);

	if (!d)
		d = addr_cmp(&a->remote, &b->remote);
	if (!d)
		d = (int)a->has_key - (int)b->has_key;
	if (!d && a->has_key && a->key_in != b->key_in)
		d = a->key_in < b->key_in ? -1 : 1;
	return d;
}

/* Other policies and pairs cover it then. */
static bool link_moves(const struct gre_link *want, const struct gre_link *have)
{
	return endpoints_cmp(want, have) != 0 || (want->has_key && want->key_out != have->key_out);
}

static int mover_order(const void *a, const void *b)
{
	return endpoints_cmp(*(const struct gre_link *const *)a,
			     *(const struct gre_link *const *)b);
}

static struct link_note *note_of(const struct planner *p, const struct gre_link *have)
{
	return &p->notes[have - p->have->links.at];
}

static bool link_ours(const struct gre_link *l)
{
	return l->is_gre && (l->group == GRE_GROUP || l->group == GRE_GROUP_DOOMED);
}

static enum link_fate fate_of(const struct planner *p, const struct gre_link *want,
			      const struct gre_link *have)
{
	if (!link_ours(have))
		return LINK_FOREIGN;
	if (!want)
		return LINK_GOES;
	bool moves = link_moves(want, have);
	/* It keeps its state, but not endpoints whose policies and pair are about to go. */
	if (is_stopped(p, want->tunnel))
		return moves || have->group == GRE_GROUP_DOOMED ? LINK_GOES : LINK_STAYS;
	/* The doomed group is deleted as a whole, by one message. */
	if (have->group == GRE_GROUP_DOOMED)
		return LINK_RETURNS;
	if (gre_link_must_replace(want, have))
		return LINK_REPLACED;
	return gre_link_equal(want, have) ? LINK_STAYS : LINK_CHANGES;
}

static void judge_link(struct planner *p, const struct gre_link *want, const struct gre_link *have)
{
	if (!have)
		return;
	struct link_note *note = note_of(p, have);
	note->fate = fate_of(p, want, have);
	if (!want)
		return;
	if (note->fate == LINK_FOREIGN)
		stop(p, want->tunnel);
	if (note->fate != LINK_CHANGES && note->fate != LINK_REPLACED)
		return;
	if (endpoints_cmp(want, have) == 0)
		return;
	const struct gre_link **slot = vec_push(&p->movers);
	if (slot)
		*slot = have;
	else
		p->failed = true;
}

/* A link that stands on endpoints another one is to get cannot be changed in place: two that
 * swap would wait for each other. */
static void clear_endpoints(struct planner *p)
{
	if (!p->movers.len)
		return;
	vec_sort(&p->movers, mover_order);
	for (size_t i = 0; i < p->want->links.len; i++) {
		const struct gre_link *want = &p->want->links.at[i];
		if (is_stopped(p, want->tunnel))
			continue;
		const struct gre_link **mover = bsearch(&want, p->movers.at, p->movers.len,
							sizeof(*p->movers.at), mover_order);
		if (mover)
			note_of(p, *mover)->fate = LINK_RETURNS;
	}
}

static void plan_link_seen(struct planner *p, const struct gre_link *want,
			   const struct gre_link *have)
{
	int tunnel = want ? want->tunnel : have->tunnel;

	switch (note_of(p, have)->fate) {
	case LINK_FOREIGN:
		if (want)
			add(p, PLAN_CONFLICT, OBJECT_LINK, ABOUT(tunnel, want, have));
		break;
	case LINK_STAYS:
		break;
	case LINK_CHANGES:
		add(p, PLAN_UPDATE, OBJECT_LINK, ABOUT(tunnel, want, have));
		break;
	case LINK_REPLACED:
		add(p, PLAN_REPLACE, OBJECT_LINK, ABOUT(tunnel, want, have));
		break;
	case LINK_GOES:
		add(p, PLAN_DELETE, OBJECT_LINK, ABOUT(tunnel, NULL, have));
		break;
	case LINK_RETURNS:
		add(p, PLAN_DELETE, OBJECT_LINK, ABOUT(tunnel, NULL, have));
		add(p, PLAN_CREATE, OBJECT_LINK, ABOUT(tunnel, want, NULL));
		break;
	}
}

static void plan_link(struct planner *p, const struct gre_link *want, const struct gre_link *have)
{
	if (have)
		plan_link_seen(p, want, have);
	else if (!is_stopped(p, want->tunnel))
		add(p, PLAN_CREATE, OBJECT_LINK, ABOUT(want->tunnel, want, NULL));
}

/* addresses and routes */

static struct link_note *note_by_name(const struct planner *p, const char *name)
{
	struct gre_link key = {0};
	size_t low = 0, high = p->have->links.len;

	memcpy(key.name, name, sizeof(key.name));
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int d = gre_link_cmp(&p->have->links.at[mid], &key);
		if (d == 0)
			return &p->notes[mid];
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static bool goes_with_link(const struct link_note *note)
{
	if (!note)
		return false;
	return note->fate == LINK_GOES || note->fate == LINK_RETURNS || note->fate == LINK_REPLACED;
}

static void plan_addr(struct planner *p, const struct gre_addr *want, const struct gre_addr *have)
{
	struct link_note *note = have ? note_by_name(p, have->link) : NULL;

	if (goes_with_link(note))
		have = NULL;
	if (have && note && have->prefix.addr.family == AF_INET) {
		bool stays = want || have->by_kernel;
		note->keeps_v4 |= stays;
		note->loses_v4 |= !stays;
	}
	if (want && !have && !is_stopped(p, want->tunnel))
		add(p, PLAN_CREATE, OBJECT_ADDR, ABOUT(want->tunnel, want, NULL));
	else if (have && !want && !have->by_kernel)
		add(p, PLAN_DELETE, OBJECT_ADDR, ABOUT(have->tunnel, NULL, have));
}

/* With a link's last IPv4 address its IPv4 routes go (fib_inetaddr_event in
 * net/ipv4/fib_frontend.c). IPv6 ones stay. */
static bool goes_with_address(const struct link_note *note, const struct gre_route *r)
{
	return note && r->to.addr.family == AF_INET && note->loses_v4 && !note->keeps_v4;
}

static void plan_route(struct planner *p, const struct gre_route *want,
		       const struct gre_route *have)
{
	const struct link_note *note = have ? note_by_name(p, have->link) : NULL;

	if (have && (goes_with_link(note) || goes_with_address(note, have)))
		have = NULL;
	bool right = want && have && gre_route_equal(want, have);
	if (have && !right)
		add(p, PLAN_DELETE, OBJECT_ROUTE, ABOUT(have->tunnel, NULL, have));
	if (want && !right && !is_stopped(p, want->tunnel))
		add(p, PLAN_CREATE, OBJECT_ROUTE, ABOUT(want->tunnel, want, NULL));
}

/* the whole */

#define RANKS (3 * OBJECT_KINDS)

static unsigned rank_of(const struct plan_action *a)
{
	unsigned down = OBJECT_KINDS - 1 - a->kind;

	if (a->op != PLAN_DELETE)
		return OBJECT_KINDS + a->kind;
	return a->kind >= OBJECT_LINK ? down : 2 * OBJECT_KINDS + down;
}

static int order_actions(struct plan *plan)
{
	size_t n = plan->actions.len, start[RANKS + 1] = {0};

	if (n < 2)
		return 0;
	struct plan_action *ordered = malloc(n * sizeof(*ordered));
	if (!ordered)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		start[rank_of(&plan->actions.at[i]) + 1]++;
	for (unsigned r = 0; r < RANKS; r++)
		start[r + 1] += start[r];
	for (size_t i = 0; i < n; i++)
		ordered[start[rank_of(&plan->actions.at[i])]++] = plan->actions.at[i];
	free(plan->actions.at);
	plan->actions.at = ordered;
	plan->actions.room = n;
	return 0;
}

static int planner_init(struct planner *p)
{
	int last = -1;

	for (size_t i = 0; i < p->want->policies.len; i++)
		last = p->want->policies.at[i].tunnel > last ? p->want->policies.at[i].tunnel
							     : last;
	for (size_t i = 0; i < p->want->links.len; i++)
		last = p->want->links.at[i].tunnel > last ? p->want->links.at[i].tunnel : last;
	p->n_stopped = (size_t)(last + 1);
	p->stopped = calloc(p->n_stopped + 1, sizeof(*p->stopped));
	p->notes = calloc(p->have->links.len + 1, sizeof(*p->notes));
	return p->stopped && p->notes ? 0 : -ENOMEM;
}

static void walk_all(struct planner *p)
{
	PLAN_WALK(p, holds, gre_route_cmp, plan_hold);
	plan_guard(p);
	PLAN_WALK(p, policies, xfrm_policy_cmp, plan_policy);
	if (p->have->charon_known) {
		PLAN_WALK(p, secrets, object_secret_cmp, plan_secret);
		PLAN_WALK(p, conns, object_conn_cmp, plan_conn);
	}
	PLAN_WALK(p, links, gre_link_cmp, judge_link);
	clear_endpoints(p);
	PLAN_WALK(p, links, gre_link_cmp, plan_link);
	PLAN_WALK(p, addrs, gre_addr_cmp, plan_addr);
	PLAN_WALK(p, routes, gre_route_cmp, plan_route);
}

int plan_make(const struct objects *want, const struct objects *have, struct plan *out)
{
	struct planner p = {.want = want, .have = have, .plan = out};

	*out = (struct plan){0};
	int rc = planner_init(&p);
	if (!rc) {
		walk_all(&p);
		rc = p.failed ? -ENOMEM : order_actions(out);
	}
	free(p.stopped);
	free(p.notes);
	vec_free(&p.movers);
	if (rc)
		plan_done(out);
	return rc;
}

void plan_done(struct plan *p)
{
	vec_free(&p->actions);
}

size_t plan_changes(const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->actions.len; i++)
		n += p->actions.at[i].op != PLAN_CONFLICT;
	return n;
}

bool plan_action_uncovers(const struct plan_action *a)
{
	return a->op == PLAN_DELETE &&
	       (a->kind == OBJECT_GUARD || a->kind == OBJECT_PAIR || a->kind == OBJECT_POLICY);
}
