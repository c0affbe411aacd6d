/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard of fake_kernel.h's model: what the builders are told becomes commands of a transaction. */
#ifndef GWD_TESTS_UNIT_FAKE_GUARD_H
#define GWD_TESTS_UNIT_FAKE_GUARD_H

#include "guard/guard.h"
#include "tests/unit/fake_kernel.h"

#define FAKE_PENDING 64

/* Commands of the next transaction. */
static struct fake_command {
	enum object_kind kind;
	enum plan_op op;
	struct guard_pair pair;
	struct guard_exempt exempt;
	struct objects whole; /* borrowed: it is applied before what it is of goes */
} fake_pending[FAKE_PENDING];
static size_t fake_n_pending;
static unsigned fake_unreadable; /* so many readings fail */
static int fake_guard_news; /* what guard_events_read returns next */

static struct fake_command *fake_command(const struct text *out, enum object_kind kind,
					 enum plan_op op)
{
	struct fake_command *c;

	if (!out->len)
		fake_n_pending = 0; /* what was built before never ran */
	assert_true(fake_n_pending < FAKE_PENDING);
	c = &fake_pending[fake_n_pending++];
	*c = (struct fake_command){.kind = kind, .op = op};
	return c;
}

#define FAKE_BUILDER(name, type, member, of_kind, of_op)                \
	void __real_##name(struct text *out, const struct type *about); \
	void __wrap_##name(struct text *out, const struct type *about); \
	void __wrap_##name(struct text *out, const struct type *about)  \
	{                                                               \
		fake_command(out, of_kind, of_op)->member = *about;     \
		__real_##name(out, about);                              \
	}
FAKE_BUILDER(guard_build_add, guard_pair, pair, OBJECT_PAIR, PLAN_CREATE)
FAKE_BUILDER(guard_build_delete, guard_pair, pair, OBJECT_PAIR, PLAN_DELETE)
FAKE_BUILDER(guard_build_exempt, guard_exempt, exempt, OBJECT_EXEMPT, PLAN_CREATE)
FAKE_BUILDER(guard_build_unexempt, guard_exempt, exempt, OBJECT_EXEMPT, PLAN_DELETE)

void __real_guard_build_table(struct text *out, const struct guard_pair *pairs, size_t n,
			      const struct guard_exempt *exempts, size_t n_exempts);
void __wrap_guard_build_table(struct text *out, const struct guard_pair *pairs, size_t n,
			      const struct guard_exempt *exempts, size_t n_exempts);
void __wrap_guard_build_table(struct text *out, const struct guard_pair *pairs, size_t n,
			      const struct guard_exempt *exempts, size_t n_exempts)
{
	struct objects *o = &fake_command(out, OBJECT_GUARD, PLAN_CREATE)->whole;

	o->pairs.at = (struct guard_pair *)(uintptr_t)pairs;
	o->pairs.len = n;
	o->exempts.at = (struct guard_exempt *)(uintptr_t)exempts;
	o->exempts.len = n_exempts;
	__real_guard_build_table(out, pairs, n, exempts, n_exempts);
}

void __real_guard_build_remove(struct text *out);
void __wrap_guard_build_remove(struct text *out);
void __wrap_guard_build_remove(struct text *out)
{
	fake_command(out, OBJECT_GUARD, PLAN_DELETE);
	__real_guard_build_remove(out);
}

int __wrap_guard_run(struct guard *g, const char *commands, char *err, size_t err_size);
int __wrap_guard_run(struct guard *g, const char *commands, char *err, size_t err_size)
{
	(void)g, (void)commands, (void)err, (void)err_size;
	for (size_t i = 0; i < fake_n_pending; i++) {
		struct fake_command *c = &fake_pending[i];
		const void *about = c->kind == OBJECT_PAIR     ? (const void *)&c->pair
				    : c->kind == OBJECT_EXEMPT ? (const void *)&c->exempt
							       : (const void *)&c->whole;
		struct plan_action a = {.kind = c->kind, .op = c->op};

		*(c->op == PLAN_DELETE ? &a.have : &a.want) = about;
		/* nft takes an element that is there, and the deletion of one that is not */
		int rc = world_apply(&fake, &a);
		assert_true(rc == 0 || (c->kind != OBJECT_GUARD && rc == -ENOENT));
	}
	fake_n_pending = 0;
	fake_cover_check();
	return 0;
}

static int fake_pair_order(const void *a, const void *b)
{
	return guard_pair_cmp(a, b);
}

int __wrap_guard_read(struct guard *g, struct guard_state *out, char *err, size_t err_size);
int __wrap_guard_read(struct guard *g, struct guard_state *out, char *err, size_t err_size)
{
	(void)g;
	*out = (struct guard_state){0};
	if (fake_unreadable) {
		fake_unreadable--;
		snprintf(err, err_size, "the guard cannot be read");
		return -EIO;
	}
	if (!fake.guard)
		return 0;
	out->pairs = calloc(fake.pairs.n + 1, sizeof(*out->pairs));
	out->exempts = calloc(fake.exempts.n + 1, sizeof(*out->exempts));
	if (!out->pairs || !out->exempts) {
		guard_state_done(out);
		snprintf(err, err_size, "no memory for the guard");
		return -ENOMEM;
	}
	out->present = true;
	out->intact = fake.intact;
	for (size_t i = 0; i < fake.pairs.n; i++)
		out->pairs[out->n_pairs++] = fake.pairs.at[i];
	for (size_t i = 0; i < fake.exempts.n; i++)
		out->exempts[out->n_exempts++] = fake.exempts.at[i];
	qsort(out->pairs, out->n_pairs, sizeof(*out->pairs), fake_pair_order);
	return 0;
}

int __wrap_guard_events_read(struct nl *nl);
int __wrap_guard_events_read(struct nl *nl)
{
	int news = fake_guard_news;

	(void)nl;
	fake_guard_news = 0;
	return news;
}

#endif
