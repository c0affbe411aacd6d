// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What came of a plan: which of its actions failed, for whom, and when they are tried again. Entry: outcome_take, called by
 * daemon/reconcile.c after daemon/apply.c. A tunnel's back-off is in its own retry_at, which daemon/peer.c arms; what belongs to no
 * tunnel has a timer for all.
 */
#include "daemon/outcome.h"

#include <stdio.h>

#include "lib/log.h"

#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 30000

static void failure_note(struct tunnel *t, const struct plan_action *a, const char *error)
{
	char name[128], line[512];
	uint64_t wait = RETRY_MIN_MS << (t->failures < 6 ? t->failures : 6);

	snprintf(line, sizeof(line), "%s %s: %s: %s", object_kind_name(a->kind),
		 plan_action_name(a, name, sizeof(name)), plan_op_name(a->op), error);
	if (!t->failed)
		gateway_set_text(&t->failed, line);
	t->retry_at = gateway_now() + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
}

void outcome_clear(struct tunnel *t)
{
	gateway_set_text(&t->failed, NULL);
	t->retry_at = 0;
}

/* No tunnel's back-off covers what belongs to none, such as the link of one that is not configured any more. */
static void ownerless_failed(struct gateway *gw, const struct plan_action *a, const char *error)
{
	uint64_t wait = RETRY_MIN_MS << (gw->failures < 6 ? gw->failures : 6);
	struct timeval tv;

	log_warn(NULL, "%s: %s", object_kind_name(a->kind), error);
	if (evtimer_pending(gw->retry, NULL))
		return;
	gw->failures++;
	wait = wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS;
	tv.tv_sec = (time_t)(wait / 1000);
	tv.tv_usec = (suseconds_t)(wait % 1000) * 1000;
	evtimer_add(gw->retry, &tv);
}

/*
 * What should go, and did not because of a failure, may be of ends that the tunnel has no more: its own retry looks at those it
 * has, so let it be a full look.
 */
static void leftovers_note(struct gateway *gw, const struct plan *plan)
{
	for (size_t i = 0; i < plan->actions.len; i++)
		gw->dirty_all |= plan->actions.at[i].op == PLAN_DELETE;
}

size_t outcome_take(struct gateway *gw, const struct plan *p, char *const *errors)
{
	size_t n = 0;

	for (size_t i = 0; i < p->actions.len; i++) {
		const struct plan_action *a = &p->actions.at[i];

		if (!errors[i])
			continue;
		n++;
		if (a->kind == OBJECT_GUARD)
			for (size_t k = 0; k < gw->conf->n_tunnels; k++)
				failure_note(&gw->tunnels[k], a, errors[i]);
		else if (a->tunnel >= 0)
			failure_note(&gw->tunnels[a->tunnel], a, errors[i]);
		else
			ownerless_failed(gw, a, errors[i]);
	}
	if (n)
		leftovers_note(gw, p);
	return n;
}

void outcome_log(struct gateway *gw, const struct plan *p, char *const *errors)
{
	char name[128], text[256];

	for (size_t i = 0; i < p->actions.len; i++) {
		const struct plan_action *a = &p->actions.at[i];
		const char *tunnel = a->tunnel >= 0 ? gw->conf->tunnels[a->tunnel].name : NULL;

		log_write(errors[i] ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, tunnel, "%s %s %s: %s%s%s",
			  plan_op_name(a->op), object_kind_name(a->kind),
			  plan_action_name(a, name, sizeof(name)),
			  plan_action_text(a, text, sizeof(text)), errors[i] ? ": " : "",
			  errors[i] ? errors[i] : "");
	}
}
