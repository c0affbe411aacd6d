/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as lines, compared with the wanted ones; for the tests of plan. Needs cmocka.h before
 * it. */
#ifndef GWD_TESTS_UNIT_PLAN_LINES_H
#define GWD_TESTS_UNIT_PLAN_LINES_H

#include "daemon/plan.h"
#include "tests/unit/conf_two.h"

static inline struct objects make(const struct two *t)
{
	struct objects o;

	assert_int_equal(desire(&t->in, t->reqids, NULL, 0, &o), 0);
	return o;
}

/* What is seen when all of it is in place: charon tells names only, the digests are remembered. */
static inline struct objects nothing(void)
{
	return (struct objects){.charon_known = true};
}

static inline void assert_plan(const struct objects *want, const struct objects *have,
			       const char *lines)
{
	struct plan plan;
	struct text text = {0};
	char name[192], about[512];

	assert_int_equal(plan_make(want, have, &plan), 0);
	for (size_t i = 0; i < plan.actions.len; i++) {
		const struct plan_action *a = &plan.actions.at[i];
		plan_action_name(a, name, sizeof(name));
		plan_action_text(a, about, sizeof(about));
		text_add(&text, "%s %s %s%s%s\n", plan_op_name(a->op), object_kind_name(a->kind),
			 name, about[0] ? ": " : "", about);
	}
	assert_string_equal(text.text ? text.text : "", lines);
	text_free(&text);
	plan_done(&plan);
}

#endif
