// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard's part of a plan: commands of nft, one transaction, and what is then known to stand there. Entry: apply_guard, called by
 * daemon/apply.c for neighbouring actions. Neighbour: guard/, which builds and runs the commands.
 */
#include <errno.h>
#include <string.h>

#include "daemon/applier.h"
#include "daemon/reconcile.h"

static void guard_note(struct applier *a, size_t from, size_t to, bool whole)
{
	struct guard_state *seen = &a->gw->guard_seen;

	/* Those of this transaction. When more may have come than fitted, what we know is not all. */
	if (guard_events_read(a->gw->guard_events) < 0)
		reconcile_mark_guard(a->gw);
	if (whole) {
		a->gw->guard_dirty = true;
		return;
	}
	for (size_t i = from; i < to; i++) {
		const struct plan_action *act = &a->plan->actions.at[i];

		if (applier_stopped(a, i))
			continue; /* it stands as before */
		if (!a->errors[i] && act->kind == OBJECT_PAIR)
			guard_state_note_pair(seen, act->want ? act->want : act->have,
					      act->op != PLAN_DELETE);
		if (!a->errors[i] && act->kind == OBJECT_EXEMPT)
			guard_state_note_exempt(seen, act->want ? act->want : act->have,
						act->op != PLAN_DELETE);
	}
}

static bool guard_commands(struct applier *a, size_t from, size_t to, struct text *commands)
{
	bool whole = false;

	for (size_t i = from; i < to; i++) {
		const struct plan_action *act = &a->plan->actions.at[i];

		if (applier_stopped(a, i))
			continue;
		if (act->kind == OBJECT_GUARD && act->op == PLAN_DELETE)
			guard_build_remove(commands);
		else if (act->kind == OBJECT_GUARD)
			guard_build_table(commands, a->want->pairs.at, a->want->pairs.len,
					  a->want->exempts.at, a->want->exempts.len);
		else if (act->kind == OBJECT_EXEMPT && act->op == PLAN_DELETE)
			guard_build_unexempt(commands, act->have);
		else if (act->kind == OBJECT_EXEMPT)
			guard_build_exempt(commands, act->want);
		else if (act->op == PLAN_DELETE)
			guard_build_delete(commands, act->have);
		else
			guard_build_add(commands, act->want);
		whole |= act->kind == OBJECT_GUARD;
	}
	return whole;
}

void apply_guard(struct applier *a, size_t from, size_t to)
{
	struct text commands = {0};
	char err[256] = "";
	bool whole = guard_commands(a, from, to, &commands);
	int r = commands.failed ? -ENOMEM : 0;

	/* What others did just before would pass for part of this transaction. */
	if (guard_events_read(a->gw->guard_events))
		reconcile_mark_guard(a->gw);
	if (!r && commands.len)
		r = guard_run(a->gw->guard, commands.text, err, sizeof(err));
	text_free(&commands);
	if (r) {
		a->gw->guard_dirty = true;
		a->all_stopped |= whole;
		for (size_t i = from; i < to; i++)
			if (!applier_stopped(a, i) || a->all_stopped)
				applier_failed(a, i, *err ? err : strerror(-r));
		return;
	}
	guard_note(a, from, to, whole);
}
