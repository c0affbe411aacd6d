/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold of every plan, tried on random configurations over random worlds
 * (tests/unit/plan_world.h):
 *	1. planning again after applying it leaves nothing to change;
 *	2. the same after a crash behind any action, and after actions that failed;
 *	3. nothing of others is touched;
 *	4. between any two actions no GRE link of a protected tunnel loses its guard pair or
 *	   policies, and none is made or moved to endpoints that lack them;
 *	5. no name and no text of an action has a secret in it.
 * PROPERTY_CASES sets the number of cases, PROPERTY_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/plan_cases.h"

#define CASES_DEFAULT 100000
#define TEXT_EVERY 4 /* cases: words cost as much as the rest */

/* What must hold */

#define FAIL_CASE(...)                                            \
	do {                                                      \
		print_error("PROPERTY_SEED=%" PRIu64 ": ", seed); \
		print_error(__VA_ARGS__);                         \
		fail();                                           \
	} while (0)

static void check_text(const struct plan_action *a)
{
	char name[192], text[512];

	plan_action_name(a, name, sizeof(name));
	plan_action_text(a, text, sizeof(text));
	if (strstr(name, "hunter2") || strstr(text, "hunter2"))
		FAIL_CASE("a secret in \"%s\" \"%s\"\n", name, text);
	if (!name[0])
		FAIL_CASE("a %s without a name\n", object_kind_name(a->kind));
}

/* The user asked for it: plain GRE at these endpoints. */
static bool plain_as_wanted(const struct intent *in, const struct gre_link *l)
{
	for (size_t i = 0; i < in->want.links.len; i++) {
		const struct gre_link *want = &in->want.links.at[i];
		if (strcmp(want->name, l->name) == 0)
			return !in->protected[want->tunnel] && world_same_endpoints(want, l);
	}
	return false;
}

static void check_covered(const struct intent *in, struct world *before, struct world *after,
			  const struct plan_action *a)
{
	for (size_t i = 0; i < after->links.n; i++) {
		const struct gre_link *l = &after->links.at[i];
		const struct gre_link *was = world_link(before, l->name);
		bool stood = was && was->is_gre && world_same_endpoints(was, l);

		if (!world_link_ours(l) || plain_as_wanted(in, l) || world_covered(after, l))
			continue;
		if (!stood || world_covered(before, was))
			FAIL_CASE("link %s stands in clear after: %s %s\n", l->name,
				  plan_op_name(a->op), object_kind_name(a->kind));
	}
}

static size_t count_foreign(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->policies.n; i++)
		n += !xfrm_policy_ours(&w->policies.at[i]);
	for (size_t i = 0; i < w->links.n; i++)
		n += !world_link_ours(&w->links.at[i]);
	for (size_t i = 0; i < w->secrets.n; i++)
		n += !world_prefixed(w->secrets.at[i].name) && w->secrets.at[i].name[0] == 'o';
	for (size_t i = 0; i < w->conns.n; i++)
		n += !world_prefixed(w->conns.at[i].conn.name);
	return n;
}

struct run {
	const struct intent *in;
	struct world *w;
	bool charon;
	size_t stop_after; /* actions, then the crash */
	unsigned fail_percent; /* of the actions */
	bool stopped[TUNNELS]; /* as the applier does */
	bool all_stopped;
	bool by_group; /* the applier deletes links by their group */
	bool link_failed;
	bool failed;
};

static bool left_out(const struct run *r, const struct plan_action *a)
{
	if (a->op == PLAN_CONFLICT)
		return true;
	if (a->op == PLAN_DELETE)
		return r->link_failed && plan_action_uncovers(a);
	return r->all_stopped || (a->tunnel >= 0 && r->stopped[a->tunnel]);
}

static void step(struct run *r, const struct plan_action *a)
{
	struct world before = *r->w;
	bool out = left_out(r, a), broken = !out && chance(r->fail_percent);

	if (seed % TEXT_EVERY == 0)
		check_text(a);
	if (out || broken) {
		r->failed |= broken;
		r->link_failed |= a->kind == OBJECT_LINK && a->op != PLAN_CONFLICT;
		r->all_stopped |= broken && a->kind == OBJECT_GUARD;
		if (broken && a->tunnel >= 0)
			r->stopped[a->tunnel] = true;
		return;
	}
	bool link_goes = a->kind == OBJECT_LINK && a->op == PLAN_DELETE;
	if (link_goes && r->by_group)
		world_delete_doomed(r->w);
	int rc = world_apply(r->w, a);
	if (rc && !r->failed && !(link_goes && r->by_group && rc == -ENODEV))
		FAIL_CASE("%s %s failed: %s\n", plan_op_name(a->op), object_kind_name(a->kind),
			  strerror(-rc));
	check_covered(r->in, &before, r->w, a);
}

/* Plans and applies; returns how many changes there were. */
static size_t run_plan(struct run *r)
{
	struct objects have;
	struct plan plan;

	memset(r->stopped, 0, sizeof(r->stopped));
	r->failed = r->link_failed = r->all_stopped = false;
	world_observe(r->w, r->charon, &have);
	assert_int_equal(plan_make(&r->in->want, &have, &plan), 0);
	size_t n = plan_changes(&plan);
	for (size_t i = 0; i < plan.actions.len && i < r->stop_after; i++)
		step(r, &plan.actions.at[i]);
	plan_done(&plan);
	objects_done(&have);
	return n;
}

static bool in_conflict(const struct intent *in, struct world *w, int tunnel)
{
	for (size_t i = 0; i < in->want.links.len; i++) {
		const struct gre_link *want = &in->want.links.at[i];
		const struct gre_link *at = world_link(w, want->name);
		if (want->tunnel == tunnel && at && !world_link_ours(at))
			return true;
	}
	for (size_t i = 0; i < in->want.policies.len; i++) {
		const struct xfrm_policy *want = &in->want.policies.at[i];
		const struct xfrm_policy *at = world_policy(w, want);
		if (want->tunnel == tunnel && at && !xfrm_policy_ours(at))
			return true;
	}
	return false;
}

/* Every object of ours is wanted, and every wanted one of a tunnel without conflict is there. */
#define CHECK_KIND(kind, tag, ours, same)                                                     \
	do {                                                                                  \
		size_t found_ = 0, free_ = 0;                                                 \
		for (size_t h_ = 0; h_ < w->kind.n; h_++) {                                   \
			__typeof__(&w->kind.at[0]) have = &w->kind.at[h_];                    \
			bool wanted_ = !(ours);                                               \
			for (size_t w_ = 0; w_ < in->want.kind.len; w_++) {                   \
				__typeof__(have) want = &in->want.kind.at[w_];                \
				if (!(ours) || !(same))                                       \
					continue;                                             \
				wanted_ = true;                                               \
				found_ += !conflict[want->tag + 1];                           \
			}                                                                     \
			if (!wanted_)                                                         \
				FAIL_CASE("an unwanted one of " #kind " is left %s\n", when); \
		}                                                                             \
		for (size_t w_ = 0; w_ < in->want.kind.len; w_++)                             \
			free_ += !conflict[in->want.kind.at[w_].tag + 1];                     \
		if (found_ < free_)                                                           \
			FAIL_CASE("one of " #kind " is missing %s\n", when);                  \
	} while (0)

static bool digest_same(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, SECRET_DIGEST_SIZE) == 0;
}

/* A link under a conflict may stand as it was found; its endpoints are the wanted ones. */
static bool link_reached(const struct gre_link *want, const struct gre_link *have, bool conflict)
{
	return conflict ? strcmp(want->name, have->name) == 0 && world_same_endpoints(want, have)
			: gre_link_equal(want, have);
}

/* A private key that is no longer wanted stays: whose it is cannot be told. */
static bool secret_counts(const struct intent *in, const struct object_secret *have)
{
	for (size_t i = 0; have->kind == OBJECT_SECRET_KEY && i < in->want.secrets.len; i++)
		if (object_secret_cmp(&in->want.secrets.at[i], have) == 0)
			return true;
	return have->kind == OBJECT_SECRET_PSK && world_prefixed(have->name);
}

static void check_reached(const struct intent *in, struct world *w, bool charon, const char *when)
{
	bool conflict[TUNNELS + 1] = {false}; /* by tunnel + 1 */

	for (int t = 0; t < TUNNELS; t++)
		conflict[t + 1] = in_conflict(in, w, t);
	if (w->guard != in->want.guard || (w->guard && !w->intact))
		FAIL_CASE("the guard is not as wanted %s\n", when);
	CHECK_KIND(pairs, tunnel, true,
		   guard_pair_cmp(want, have) == 0 && !have->in_missing && !have->out_missing);
	CHECK_KIND(policies, tunnel, xfrm_policy_ours(have), xfrm_policy_equal(want, have));
	CHECK_KIND(links, tunnel, world_link_ours(have),
		   link_reached(want, have, conflict[want->tunnel + 1]));
	CHECK_KIND(addrs, tunnel, !have->by_kernel, gre_addr_cmp(want, have) == 0);
	CHECK_KIND(routes, tunnel, true, gre_route_equal(want, have));
	if (!charon)
		return;
	CHECK_KIND(conns, conn.tunnel, world_prefixed(have->conn.name),
		   object_conn_cmp(want, have) == 0 && digest_same(want->digest, have->digest));
	CHECK_KIND(secrets, tunnel, secret_counts(in, have),
		   object_secret_cmp(want, have) == 0 && digest_same(want->digest, have->digest));
}

static void check_converges(const struct intent *in, struct world *w, bool charon, const char *when)
{
	struct run r = {
		.in = in, .w = w, .charon = charon, .stop_after = SIZE_MAX, .by_group = chance(50)};

	run_plan(&r);
	size_t left = run_plan(&r);
	if (left)
		FAIL_CASE("%zu changes are left %s\n", left, when);
	check_reached(in, w, charon, when);
}

static void check_case(void)
{
	struct intent in;
	struct world start, w;

	intent_make(&in);
	world_make(&start);
	bool charon = chance(90);
	size_t foreign = count_foreign(&start);
	w = start;
	check_converges(&in, &w, charon, "after the plan");
	if (count_foreign(&w) != foreign)
		FAIL_CASE("something of others is gone\n");
	/* A crash behind one action, or actions that fail; then the world must still be brought
	 * right. */
	struct run r = {.in = &in, .w = &start, .charon = charon, .stop_after = SIZE_MAX};
	if (chance(50))
		r.stop_after = below(24);
	else
		r.fail_percent = 10;
	run_plan(&r);
	check_converges(&in, &start, charon, "after a crash or failures");
	if (count_foreign(&start) != foreign)
		FAIL_CASE("something of others is gone after a crash\n");
	objects_done(&in.want);
}

static uint64_t env_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_properties(void **unused)
{
	uint64_t cases = env_number("PROPERTY_CASES", CASES_DEFAULT);
	uint64_t first = env_number("PROPERTY_SEED", (uint64_t)time(NULL) << 20);

	(void)unused;
	universe_make();
	print_message("PROPERTY_SEED=%" PRIu64 ", %" PRIu64 " cases\n", first, cases);
	/* Each case has its own seed, so that a failure is repeated alone. */
	for (uint64_t i = 0; i < cases; i++) {
		state = seed = first + i;
		check_case();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_properties)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
