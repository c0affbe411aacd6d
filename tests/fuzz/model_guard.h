/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard of the model kernel: instead of nft's commands the builders note what is to be done, and guard_run does it as one
 * transaction, or does nothing. Neighbour: model_kernel.h. Replaces guard/ruleset.c and guard/guard.c by model.wrap.
 */
#ifndef GWD_TESTS_FUZZ_MODEL_GUARD_H
#define GWD_TESTS_FUZZ_MODEL_GUARD_H

#include "tests/fuzz/model_kernel.h"

enum note_op { NOTE_REMOVE, NOTE_TABLE, NOTE_ADD, NOTE_DELETE, NOTE_EXEMPT, NOTE_CLAMP };

static struct {
	struct {
		enum note_op op;
		struct guard_pair pair;
		struct guard_exempt exempt;
	} at[4 * WORLD_ROOM];
	size_t n;
} notes;

static void note(struct text *out, enum note_op op, const struct guard_pair *pair,
		 const struct guard_exempt *exempt)
{
	require(notes.n < 4 * WORLD_ROOM);
	notes.at[notes.n].op = op;
	if (pair)
		notes.at[notes.n].pair = *pair;
	if (exempt)
		notes.at[notes.n].exempt = *exempt;
	notes.n++;
	text_add(out, "noted\n");
}

WRAP(void, guard_build_add, struct text *out, const struct guard_pair *pair)
{
	note(out, NOTE_ADD, pair, NULL);
}

WRAP(void, guard_build_delete, struct text *out, const struct guard_pair *pair)
{
	note(out, NOTE_DELETE, pair, NULL);
}

WRAP(void, guard_build_exempt, struct text *out, const struct guard_exempt *exempt)
{
	note(out, NOTE_EXEMPT, NULL, exempt);
}

WRAP(void, guard_build_unexempt, struct text *out, const struct guard_exempt *exempt)
{
	note(out, NOTE_CLAMP, NULL, exempt);
}

WRAP(void, guard_build_remove, struct text *out)
{
	note(out, NOTE_REMOVE, NULL, NULL);
}

WRAP(void, guard_build_table, struct text *out, const struct guard_pair *pairs, size_t n,
     const struct guard_exempt *exempts, size_t n_exempts)
{
	note(out, NOTE_TABLE, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		note(out, NOTE_ADD, &pairs[i], NULL);
	for (size_t i = 0; i < n_exempts; i++)
		note(out, NOTE_EXEMPT, NULL, &exempts[i]);
}

WRAP(int, guard_open, struct guard **out)
{
	*out = (struct guard *)&notes;
	return 0;
}

WRAP(void, guard_close, struct guard *g)
{
	(void)g;
}

static void pair_add(struct world *w, const struct guard_pair *pair)
{
	struct guard_pair *at = world_pair(w, pair);

	if (!at) {
		at = &w->pairs.at[w->pairs.n++];
		*at = *pair;
	}
	at->out_missing = at->in_missing = false;
	at->tunnel = -1;
}

static void exempt_set(struct world *w, const struct guard_exempt *e, bool there)
{
	size_t i = 0;

	while (i < w->exempts.n && guard_exempt_cmp(&w->exempts.at[i], e))
		i++;
	if (there && i == w->exempts.n)
		w->exempts.at[w->exempts.n++] = *e;
	else if (!there && i < w->exempts.n)
		WORLD_DROP(&w->exempts, i);
}

/* False: nft would refuse it, as without the table. */
static bool note_do(struct world *w, size_t i)
{
	struct guard_pair *pair = &notes.at[i].pair, *at;

	switch (notes.at[i].op) {
	case NOTE_REMOVE:
		w->guard = w->intact = false;
		w->pairs.n = w->exempts.n = 0;
		return true;
	case NOTE_TABLE:
		w->guard = w->intact = true;
		w->pairs.n = w->exempts.n = 0;
		return true;
	case NOTE_ADD:
		if (w->guard)
			pair_add(w, pair);
		return w->guard;
	case NOTE_DELETE:
		at = world_pair(w, pair);
		if (at)
			WORLD_DROP(&w->pairs, at - w->pairs.at);
		return w->guard;
	case NOTE_EXEMPT:
	case NOTE_CLAMP:
		exempt_set(w, &notes.at[i].exempt, notes.at[i].op == NOTE_EXEMPT);
		return w->guard;
	}
	return false;
}

WRAP(int, guard_run, struct guard *g, const char *commands, char *err, size_t err_size)
{
	struct world before = kernel.w, after = kernel.w;
	bool well = room();
	int code = -EIO;

	(void)g, (void)commands;
	for (size_t i = 0; i < notes.n && well; i++)
		well = note_do(&after, i);
	notes.n = 0;
	if (kernel_refuses(&code) || !well) {
		snprintf(err, err_size, "the model refuses");
		return code;
	}
	kernel.w = after;
	tell_guard();
	model_changed(&before, &kernel.w);
	return 0;
}

static int pair_order(const void *a, const void *b)
{
	return guard_pair_cmp(a, b);
}

static int exempt_order(const void *a, const void *b)
{
	return guard_exempt_cmp(a, b);
}

static void *copy_of(const void *at, size_t n, size_t size)
{
	void *copy = malloc(n * size + 1);

	require(copy);
	return memcpy(copy, at, n * size);
}

WRAP(int, guard_read, struct guard *g, struct guard_state *out, char *err, size_t err_size)
{
	const struct world *w = &kernel.w;
	int code;

	(void)g;
	*out = (struct guard_state){0};
	if (kernel_fails(&code)) {
		snprintf(err, err_size, "the model fails");
		return code;
	}
	kernel.guard_untold = false;
	if (!w->guard)
		return 0;
	out->present = true;
	out->intact = w->intact;
	out->n_pairs = w->pairs.n;
	out->n_exempts = w->exempts.n;
	out->pairs = copy_of(w->pairs.at, w->pairs.n, sizeof(*w->pairs.at));
	out->exempts = copy_of(w->exempts.at, w->exempts.n, sizeof(*w->exempts.at));
	qsort(out->pairs, out->n_pairs, sizeof(*out->pairs), pair_order);
	qsort(out->exempts, out->n_exempts, sizeof(*out->exempts), exempt_order);
	return 0;
}

#endif
