/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan, before and after it was carried out: one line per action, then the sum. Entry functions
 * render_plan and render_done. Neighbour: ctl/render.c.
 */
#include "ctl/render.h"

#include <string.h>

#include "ctl/output.h"

enum kind {
	KIND_ADD,
	KIND_CHANGE,
	KIND_REMOVE,
	KIND_CONFLICT,
	KIND_COUNT,
};

static const struct {
	const char *op;
	enum kind kind;
} ops[] = {
	{"create", KIND_ADD},	 {"update", KIND_CHANGE},     {"replace", KIND_CHANGE},
	{"delete", KIND_REMOVE}, {"conflict", KIND_CONFLICT},
};

static const struct {
	const char *sign, *color, *to, *done;
} kinds[KIND_COUNT] = {
	[KIND_ADD] = {"+", RENDER_GREEN, "add", "added"},
	[KIND_CHANGE] = {"~", RENDER_YELLOW, "change", "changed"},
	[KIND_REMOVE] = {"-", RENDER_RED, "remove", "removed"},
	[KIND_CONFLICT] = {"!", RENDER_RED, NULL, NULL},
};

struct sums {
	size_t of[KIND_COUNT];
	size_t failed;
};

/* An op of a later gwd counts as a change. */
static enum kind action_kind(const json_t *action)
{
	const char *op = render_member(action, "op");

	for (size_t i = 0; op && i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(op, ops[i].op) == 0)
			return ops[i].kind;
	}
	return KIND_CHANGE;
}

static size_t column_width(const json_t *actions, const char *key)
{
	const json_t *action;
	size_t width = 0, i;

	json_array_foreach((json_t *)actions, i, action)
	{
		size_t len = json_string_length(json_object_get(action, key));
		width = len > width ? len : width;
	}
	return width;
}

static void add_column(struct text *out, const json_t *action, const char *key, size_t width)
{
	const char *value = render_member(action, key);
	size_t begin = out->len;

	output_add_safe(out, value ? value : "-", false);
	size_t taken = out->len - begin;
	text_add(out, "%*s  ", taken < width ? (int)(width - taken) : 0, "");
}

/* Blanks that pad a column without anything behind it. */
static void cut_blanks(struct text *out)
{
	while (out->len && out->text[out->len - 1] == ' ')
		out->text[--out->len] = '\0';
}

static void add_actions(struct text *out, const json_t *actions, bool color, struct sums *sums)
{
	size_t kind_width = column_width(actions, "kind");
	size_t name_width = column_width(actions, "name"), i;
	const json_t *action;

	json_array_foreach((json_t *)actions, i, action)
	{
		enum kind kind = action_kind(action);
		const char *text = render_member(action, "text");
		const char *error = render_member(action, "error");

		render_add_colored(out, kinds[kind].sign, color ? kinds[kind].color : NULL);
		text_add(out, " ");
		add_column(out, action, "kind", kind_width);
		add_column(out, action, "name", name_width);
		output_add_safe(out, text ? text : "", false);
		cut_blanks(out);
		text_add(out, "\n");
		if (error) {
			text_add(out, "  failed: ");
			output_add_safe(out, error, false);
			text_add(out, "\n");
			sums->failed++;
		} else {
			sums->of[kind]++;
		}
	}
}

static void add_sums(struct text *out, const struct sums *sums, bool done)
{
	text_add(out, done ? "Done: " : "Plan: ");
	for (int kind = KIND_ADD; kind < KIND_CONFLICT; kind++)
		text_add(out, "%s%zu %s%s", kind == KIND_ADD ? "" : ", ", sums->of[kind],
			 done ? "" : "to ", done ? kinds[kind].done : kinds[kind].to);
	size_t conflicts = sums->of[KIND_CONFLICT];
	if (conflicts)
		text_add(out, ", %zu conflict%s", conflicts, conflicts == 1 ? "" : "s");
	if (sums->failed)
		text_add(out, ", %zu failed", sums->failed);
	text_add(out, ".\n");
}

static void render_actions(struct text *out, const json_t *plan, bool color, bool done)
{
	const json_t *actions = json_object_get(plan, "actions");
	const char *diagnostics = render_member(plan, "diagnostics");
	struct sums sums = {0};

	if (diagnostics) {
		output_add_safe(out, diagnostics, true);
		output_end_line(out);
	}
	if (json_array_size(actions) == 0) {
		text_add(out, "nothing to do\n");
		return;
	}
	add_actions(out, actions, color, &sums);
	add_sums(out, &sums, done);
}

void render_plan(struct text *out, const json_t *plan, bool color)
{
	render_actions(out, plan, color, false);
}

void render_done(struct text *out, const json_t *plan, bool color)
{
	render_actions(out, plan, color, true);
}
