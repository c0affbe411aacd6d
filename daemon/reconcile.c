// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The main path of gwd. Events, timers and reloads mark tunnels (or all); a few milliseconds later reconcile_run reads
 * back what stands (daemon/observe.c), computes what should (daemon/desire.c), and applies the difference (daemon/plan.c,
 * daemon/apply.c), until nothing differs or something failed. Then each tunnel is judged (daemon/judge.c).
 *
 * Level-triggered: an event is only a hint that something should be looked at, and a lost one is caught by the resync.
 */
#include "daemon/reconcile.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/apply.h"
#include "daemon/caller.h"
#include "daemon/charon.h"
#include "daemon/domain.h"
#include "daemon/move.h"
#include "daemon/names.h"
#include "daemon/observe.h"
#include "daemon/outcome.h"
#include "daemon/peer.h"
#include "daemon/prefer.h"
#include "daemon/resolve.h"
#include "daemon/sas.h"
#include "lib/log.h"

#define ROUNDS_MAX 4 /* two tunnels that swap endpoints take two, and one to see it */
#define REPAIRS_WINDOW_MS 10000
#define REPAIRS_WAIT_MS 1000
#define RETRY_MS 500 /* when the kernel could not be read */
#define SOME_MAX 64 /* marked tunnels from which dumps are cheaper than single gets */
#define RESOLVE_MS 500
#define TRIM_MS 2000 /* after a full look, whose dumps take many times what is kept */

/* What one run works on. */
struct round {
	const int *only; /* NULL: all */
	size_t n_only;
	struct objects want, have;
	struct plan plan;
	char **errors;
};

static void start_timer(struct event *ev, uint64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
			     .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	if (!evtimer_pending(ev, NULL))
		evtimer_add(ev, &tv);
}

void reconcile_mark(struct tunnel *t)
{
	struct gateway *gw = t->gw;
	int *slot;

	if (t->repairs >= RECONCILE_REPAIRS_MAX &&
	    gateway_now() - t->repairs_since < REPAIRS_WINDOW_MS) {
		t->retry_at = t->retry_at ? t->retry_at : gateway_now() + REPAIRS_WAIT_MS;
		peer_arm(t);
		return;
	}
	if (!t->dirty) {
		slot = vec_push(&gw->dirty);
		if (slot)
			*slot = t->index;
		else
			gw->dirty_all = true;
		t->dirty = slot != NULL;
	}
	start_timer(gw->debounce, GATEWAY_DEBOUNCE_MS);
}

void reconcile_mark_all(struct gateway *gw)
{
	gw->dirty_all = true;
	start_timer(gw->debounce, GATEWAY_DEBOUNCE_MS);
}

void reconcile_mark_guard(struct gateway *gw)
{
	gw->guard_dirty = true;
	reconcile_mark_all(gw);
}

void reconcile_mark_resolve(struct gateway *gw)
{
	start_timer(gw->resolve, RESOLVE_MS);
}

static void round_done(struct round *r)
{
	apply_errors_free(r->errors, r->plan.actions.len);
	plan_done(&r->plan);
	objects_done(&r->want);
	objects_done(&r->have);
	r->errors = NULL;
}

static int make_want(struct gateway *gw, struct round *r)
{
	struct desire_tunnel *d;
	int err;

	if (gw->torn_down)
		return 0;
	d = calloc(gw->conf->n_tunnels + 1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	gateway_fill_desire(gw, d);
	struct desire_input in = {
		.conf = gw->conf,
		.tunnels = d,
		.key = gw->key,
		.public_key = gw->public_key,
		.certs = &gw->certs,
	};

	err = desire(&in, gw->reqids, r->only, r->n_only, &r->want);
	free(d);
	return err;
}

static int make_plan(struct gateway *gw, struct round *r, char *err, size_t err_size)
{
	int e = r->only ? observe_some(gw, r->only, r->n_only, &r->have, err, err_size)
			: observe_all(gw, &r->have, err, err_size);

	if (e)
		return e;
	e = make_want(gw, r);
	if (!e)
		e = plan_make(&r->want, &r->have, &r->plan);
	r->errors = calloc(r->plan.actions.len + 1, sizeof(*r->errors));
	if (e || !r->errors)
		snprintf(err, err_size, "%s", strerror(e ? -e : ENOMEM));
	return e ? e : r->errors ? 0 : -ENOMEM;
}

static void flags_all_well(struct tunnel *t)
{
	bool ends = gateway_tunnel_ends_known(t);

	t->guard_ok = t->policies_ok = t->link_ok = t->addresses_ok = ends || caller_awaited(t);
	t->conn_loaded = t->gw->charon_known && !t->refused && !t->held &&
			 (ends || caller_expected(t));
	gateway_set_text(&t->conflict, NULL);
}

static void flag_clear(struct tunnel *t, enum object_kind kind)
{
	switch (kind) {
	case OBJECT_GUARD:
	case OBJECT_PAIR:
	case OBJECT_EXEMPT:
		t->guard_ok = false;
		break;
	case OBJECT_POLICY:
		t->policies_ok = false;
		break;
	case OBJECT_SECRET:
	case OBJECT_CONN:
		t->conn_loaded = false;
		break;
	case OBJECT_LINK:
		t->link_ok = false;
		break;
	case OBJECT_HOLD:
	case OBJECT_ADDR:
	case OBJECT_ROUTE:
		t->addresses_ok = false;
		break;
	case OBJECT_KINDS:
		break;
	}
}

static void for_scope(struct gateway *gw, const struct round *r, void (*fn)(struct tunnel *t))
{
	size_t n = r->only ? r->n_only : gw->conf->n_tunnels;

	for (size_t i = 0; i < n; i++)
		fn(&gw->tunnels[r->only ? r->only[i] : (int)i]);
}

/* What the plan still wants to change of a tunnel is what is not well with it. */
static void flags_from_plan(struct gateway *gw, const struct round *r)
{
	char name[128], text[256], line[400];

	for_scope(gw, r, flags_all_well);
	for (size_t i = 0; i < r->plan.actions.len; i++) {
		const struct plan_action *a = &r->plan.actions.at[i];

		if (a->tunnel < 0 && a->kind == OBJECT_GUARD)
			for (size_t k = 0; k < gw->conf->n_tunnels; k++)
				gw->tunnels[k].guard_ok = false;
		if (a->tunnel < 0 || a->op == PLAN_DELETE)
			continue;
		flag_clear(&gw->tunnels[a->tunnel], a->kind);
		if (a->op != PLAN_CONFLICT)
			continue;
		snprintf(line, sizeof(line), "%s %s: %s", object_kind_name(a->kind),
			 plan_action_name(a, name, sizeof(name)),
			 plan_action_text(a, text, sizeof(text)));
		gateway_set_text(&gw->tunnels[a->tunnel].conflict, line);
	}
}

/* How often a tunnel was put right, however much it took: a link that is made anew has hundreds of routes. */
static void repairs_count(struct gateway *gw, const struct round *r)
{
	uint64_t now = gateway_now();

	gw->rounds++;
	for (size_t i = 0; i < r->plan.actions.len; i++) {
		struct tunnel *t;

		if (r->plan.actions.at[i].tunnel < 0)
			continue;
		t = &gw->tunnels[r->plan.actions.at[i].tunnel];
		if (t->repairs_round == gw->rounds)
			continue;
		t->repairs_round = gw->rounds;
		if (now - t->repairs_since > REPAIRS_WINDOW_MS) {
			t->repairs_since = now;
			t->repairs = 0;
		}
		if (++t->repairs == RECONCILE_REPAIRS_MAX)
			log_warn(t->conf->name,
				 "somebody else keeps changing what is ours; looking once a second");
	}
}

/* One round. Returns 1 when another is worthwhile, 0 when nothing is left to do now, -errno when the kernel could not be read. */
static int run_round(struct gateway *gw, struct round *r, json_t **done, char *err, size_t err_size)
{
	size_t failed = 0;
	int e = make_plan(gw, r, err, err_size);

	if (e)
		return e;
	if (r->only && r->want.guard && !r->have.guard_intact) {
		/* the whole table is to be made again, so all its pairs must be known */
		reconcile_mark_all(gw);
		return 0;
	}
	flags_from_plan(gw, r);
	if (plan_changes(&r->plan)) {
		apply_plan(gw, &r->plan, &r->want, r->errors);
		for_scope(gw, r, outcome_clear);
		failed = outcome_take(gw, &r->plan, r->errors);
		outcome_log(gw, &r->plan, r->errors);
		repairs_count(gw, r);
	} else {
		for_scope(gw, r, outcome_clear);
		gw->failures = r->only ? gw->failures : 0;
	}
	if (done && !*done)
		*done = plan_json(&r->plan, gw->conf, r->errors);
	return !failed && plan_changes(&r->plan);
}

static int run_scope(struct gateway *gw, const int *only, size_t n, json_t **done)
{
	char err[256] = "";
	int more = 1;

	for (int i = 0; more > 0 && i < ROUNDS_MAX; i++) {
		struct round r = {.only = only, .n_only = n};

		more = run_round(gw, &r, done, err, sizeof(err));
		round_done(&r);
	}
	gateway_set_text(&gw->unread, more < 0 ? err : NULL);
	gw->unread_looks = more < 0 ? gw->unread_looks + 1 : 0;
	if (more < 0)
		log_warn(NULL, "%s; looking again soon", err);
	return more < 0 ? more : 0;
}

static int int_cmp(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Takes the marks; the caller frees *only. NULL with *n 0 means all. */
static int *take_marks(struct gateway *gw, size_t *n)
{
	bool all = gw->dirty_all || gw->dirty.len > SOME_MAX || gw->torn_down ||
		   !gw->guard_seen.present || !gw->guard_seen.intact;
	int *only = all ? NULL : gw->dirty.at;

	for (size_t i = 0; i < gw->dirty.len; i++)
		gw->tunnels[gw->dirty.at[i]].dirty = false;
	*n = all ? 0 : gw->dirty.len;
	if (all)
		free(gw->dirty.at);
	gw->dirty.at = NULL;
	gw->dirty.len = gw->dirty.room = 0;
	gw->dirty_all = false;
	if (only)
		qsort(only, *n, sizeof(*only), int_cmp);
	return only;
}

static void settle(struct tunnel *t)
{
	t->failures = t->failed ? t->failures + 1 : 0;
	caller_settled(t);
	prefer_sa(t);
	if (t->moved)
		move_settle(t);
	peer_want(t, false);
	reconcile_judge(t);
	peer_arm(t);
}

int reconcile_run(struct gateway *gw, json_t **done)
{
	struct round scope = {0};
	int err, *only;

	if (gw->unresolved_all)
		resolve_all(gw);
	if (!gw->dirty_all && !gw->dirty.len) {
		if (done)
			*done = plan_json(&scope.plan, gw->conf, NULL);
		return 0;
	}
	only = take_marks(gw, &scope.n_only);
	scope.only = only;
	err = run_scope(gw, scope.only, scope.n_only, done);
	if (err) {
		gw->dirty_all = true;
		start_timer(gw->debounce, RETRY_MS);
	}
	for_scope(gw, &scope, settle);
	if (!only)
		start_timer(gw->trim, TRIM_MS);
	free(only);
	return err;
}

int reconcile_preview(struct gateway *gw, json_t **plan, char *err, size_t err_size)
{
	struct round r = {0};
	int e;

	resolve_all(gw);
	gw->guard_dirty = true;
	e = make_plan(gw, &r, err, err_size);
	if (!e)
		*plan = plan_json(&r.plan, gw->conf, NULL);
	round_done(&r);
	return e;
}

static void on_debounce(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what;
	reconcile_run(user, NULL);
}

static void on_retry(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what;
	reconcile_mark_all(user);
}

static void on_resync(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;

	(void)fd, (void)what;
	gw->unresolved_all = true;
	gw->guard_dirty = true;
	if (charon_connected(gw))
		charon_query_loaded(gw);
	reconcile_mark_all(gw);
}

static void on_resolve(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;

	(void)fd, (void)what;
	gw->unresolved_all = true;
	names_hint_all(gw, false);
	start_timer(gw->debounce, GATEWAY_DEBOUNCE_MS);
}

static void on_paths(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;

	(void)fd, (void)what;
	if (gw->ready && !gw->torn_down)
		resolve_some(gw);
}

static void on_trim(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what, (void)user;
	malloc_trim(0);
}

int reconcile_init(struct gateway *gw)
{
	struct timeval resync = {.tv_sec = GATEWAY_RESYNC_MS / 1000};
	struct timeval paths = {.tv_sec = GATEWAY_PATHS_MS / 1000};

	gw->debounce = evtimer_new(gw->base, on_debounce, gw);
	gw->resolve = evtimer_new(gw->base, on_resolve, gw);
	gw->trim = evtimer_new(gw->base, on_trim, gw);
	gw->retry = evtimer_new(gw->base, on_retry, gw);
	gw->resync = event_new(gw->base, -1, EV_PERSIST, on_resync, gw);
	gw->paths = event_new(gw->base, -1, EV_PERSIST, on_paths, gw);
	if (!gw->debounce || !gw->resolve || !gw->trim || !gw->retry || !gw->resync || !gw->paths)
		return -ENOMEM;
	gw->unresolved_all = gw->dirty_all = gw->guard_dirty = true;
	return evtimer_add(gw->resync, &resync) || evtimer_add(gw->paths, &paths) ? -ENOMEM : 0;
}
