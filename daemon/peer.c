// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Getting and keeping one SA pair per tunnel. Entries: peer_want after each look at the kernel, peer_event for charon's events,
 * and the tunnel's timer. Timers only decide when to look; list-sas tells what is, and decides what to do:
 *
 *	no IKE_SA           initiate
 *	connecting          wait; past a few seconds the peer does not answer
 *	established, no child   initiate the child on it
 *	child installed, but its SAs are gone from the kernel   delete the child, then as above
 *
 * The end with the lower identity initiates at once, the other waits (ike/conn.h), so that two gateways that start
 * together do not make two IKE_SAs (strongSwan keeps both for every value of `unique`).
 */
#include "daemon/peer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/caller.h"
#include "daemon/cause.h"
#include "daemon/charon.h"
#include "daemon/names.h"
#include "daemon/reauth.h"
#include "daemon/reconcile.h"
#include "daemon/renewal.h"
#include "daemon/sas.h"
#include "daemon/tidy.h"
#include "lib/log.h"

#define FOLLOWER_WAIT_MS 3000
#define LOOK_AGAIN_MS 3000 /* after an initiate, and while connecting */
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000
#define AFTER_TERMINATE_MS 300
#define STILL_THERE_MS 1000 /* they are, after terminating */
#define UNSEEN_LOOKS 5 /* AFTER_TERMINATE_MS apart; a rekey with Diffie-Hellman takes less */
#define WOKEN_MS 30000 /* how long a packet is a reason to try */
#define FOLLOWER_WOKEN_MS 250 /* both ends may have a packet */

static uint64_t with_jitter(uint64_t ms)
{
	return ms + randombytes_uniform((uint32_t)(ms / 4 + 1));
}

static uint64_t earlier(uint64_t due, uint64_t at)
{
	return at && at < due ? at : due;
}

void peer_arm(struct tunnel *t)
{
	uint64_t now = gateway_now(), due = pin_due(&t->pin, now), ms;
	struct timeval tv;

	if (!t->tick)
		return;
	due = earlier(due, t->retry_at);
	due = earlier(due, t->attempt_at);
	due = earlier(due, t->tidy_at);
	due = earlier(due, t->reauth.at);
	due = earlier(due, names_due(t));
	due = earlier(due, t->woken_until);
	if (due == UINT64_MAX) {
		evtimer_del(t->tick);
		return;
	}
	ms = due > now ? due - now : 1;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	evtimer_add(t->tick, &tv);
}

static bool wanted(const struct tunnel *t)
{
	if (caller_expected(t) && !t->ike_established)
		return false; /* it calls, we cannot */
	return gateway_tunnel_protected(t) && !t->held && t->conn_loaded &&
	       gateway_tunnel_ends_known(t) && t->guard_ok && t->policies_ok &&
	       charon_connected(t->gw) && t->gw->charon_known;
}

bool peer_pair_there(const struct tunnel *t)
{
	return t->ike_established && t->child_installed && sas_have(t, true) && sas_have(t, false);
}

/*
 * Whether it is for us to begin: always, never, or when a packet has asked for it. Where the kernel has SAs that charon does not know
 * (it was killed) no packet would ever ask.
 */
static bool initiates(const struct tunnel *t)
{
	switch (t->conf->start) {
	case CONF_START_ALWAYS:
		return true;
	case CONF_START_ON_TRAFFIC:
		return t->woken_until || sas_have(t, true);
	case CONF_START_PASSIVE:
		return false;
	}
	return true;
}

static uint64_t backoff(const struct tunnel *t)
{
	unsigned shift = t->tries < 6 ? t->tries : 6;
	uint64_t ms = (uint64_t)BACKOFF_MIN_MS << shift;

	return with_jitter(ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS);
}

static void settled(struct tunnel *t)
{
	t->attempt_at = 0;
	t->tries = 0;
	t->no_answer = false;
	t->lost = LOST_NONE;
	t->woken_until = 0;
	gateway_set_text(&t->cause, NULL);
}

void peer_wake(struct tunnel *t)
{
	if (t->conf->start != CONF_START_ON_TRAFFIC)
		return;
	if (!t->woken_until) {
		t->tries = 0;
		t->no_answer = false;
		gateway_set_text(&t->cause, NULL);
	}
	t->woken_until = gateway_now() + WOKEN_MS;
}

void peer_acquire(struct tunnel *t)
{
	if (t->conf->start != CONF_START_ON_TRAFFIC || t->held || peer_pair_there(t))
		return;
	peer_wake(t);
	if (!t->attempt_at)
		t->attempt_at = gateway_now() + (t->leads ? 1 : FOLLOWER_WOKEN_MS);
	reconcile_judge(t);
	peer_arm(t);
}

void peer_want(struct tunnel *t, bool at_once)
{
	uint64_t wait;

	if (!wanted(t)) {
		if (!caller_unclear(t))
			t->attempt_at = 0;
		else if (!t->attempt_at)
			t->attempt_at = gateway_now() + LOOK_AGAIN_MS;
		return;
	}
	if (peer_pair_there(t)) {
		settled(t);
		return;
	}
	if (at_once)
		peer_wake(t);
	if (!initiates(t)) {
		t->attempt_at = 0;
		return;
	}
	if (t->attempt_at && !at_once)
		return;
	/* Who calls makes its CHILD_SA too. */
	at_once &= !caller_expected(t);
	wait = t->tries				 ? backoff(t)
	       : t->leads && !caller_expected(t) ? 1
						 : with_jitter(FOLLOWER_WAIT_MS);
	t->attempt_at = gateway_now() + (at_once ? 1 : wait);
	peer_arm(t);
}

static bool view_take(struct view *v, const struct tunnel *t, struct ike_msg *const *items,
		      size_t n)
{
	struct ike_sa *sa = malloc(sizeof(*sa));

	for (size_t i = 0; sa && i < n; i++)
		if (ike_sa_parse(items[i], sa) &&
		    !strcmp(sa->name + strlen(IKE_PREFIX), t->conf->name)) {
			view_add(v, sa, caller_left(t, sa));
			v->lost_child = v->lost_child ? v->lost_child : tidy_lost_child(t, sa);
		}
	free(sa);
	return sa != NULL;
}

static void on_done(void *user, int err, const struct ike_msg *answer, struct ike_msg *const *items,
		    size_t n)
{
	(void)user, (void)err, (void)answer, (void)items, (void)n;
}

static void conn_name(const struct tunnel *t, char *name)
{
	snprintf(name, IKE_NAME_SIZE, IKE_PREFIX "%s", t->conf->name);
}

void peer_initiate(struct tunnel *t)
{
	char name[IKE_NAME_SIZE];

	conn_name(t, name);
	log_debug(t->conf->name, "initiating (attempt %u)", t->tries + 1);
	pin_initiated(&t->pin, gateway_now());
	charon_submit(t->gw, ike_req_initiate(name), NULL, on_done, NULL);
	t->tries++;
}

static void drop_children(struct tunnel *t, const struct view *v)
{
	for (size_t i = 0; i < v->n_children && i < IKE_CHILDREN_MAX; i++)
		charon_submit(t->gw, ike_req_terminate_child(v->child_ids[i]), NULL, on_done, NULL);
	if (t->lost == LOST_SEEN)
		log_info(t->conf->name,
			 "the kernel lost the SAs that charon holds; negotiating new ones");
	/* A peer that is silent keeps charon from ending them until its retransmissions are over. */
	t->attempt_at = gateway_now() +
			(t->lost == LOST_SEEN ? AFTER_TERMINATE_MS : STILL_THERE_MS);
	t->lost = LOST_TOLD;
}

/* What an attempt does about a missing pair. */
static void act_on(struct tunnel *t, const struct view *v)
{
	uint64_t now = gateway_now();

	if (v->n_children && t->lost == LOST_NONE) {
		t->lost = LOST_SEEN;
		t->attempt_at = now + AFTER_TERMINATE_MS;
	} else if (v->n_children) {
		drop_children(t, v);
	} else if (v->n_connecting && !v->n_established) {
		t->no_answer = t->tries > 0;
		t->attempt_at = now + LOOK_AGAIN_MS;
	} else {
		t->no_answer |= t->tries > 0 && !v->n_established;
		if (t->tries > 0 && !v->n_established && names_next(t))
			return;
		peer_initiate(t);
		t->attempt_at = now + (t->tries > 1 ? backoff(t) : LOOK_AGAIN_MS);
	}
}

/* An IKE_SA of which no event told the end is believed to be gone when list after list lacks it. */
static bool unseen(struct tunnel *t, const struct view *v)
{
	bool again = t->ike_established && !v->n_established && t->unseen + 1 < UNSEEN_LOOKS;

	t->unseen = again ? t->unseen + 1 : 0;
	if (again)
		t->tidy_at = gateway_now() + AFTER_TERMINATE_MS;
	return again;
}

/* A look's context outlives reloads: tunnels are found again by name. */
enum look_for {
	LOOK_REFRESH, /* what is there? */
	LOOK_ATTEMPT, /* and bring about what is missing */
	LOOK_TIDY, /* and clear away what is too much */
};

struct look {
	struct gateway *gw;
	enum look_for purpose;
	char name[];
};

static void on_look(void *user, int err, const struct ike_msg *answer, struct ike_msg *const *items,
		    size_t n)
{
	struct look *look = user;
	struct tunnel *t = gateway_tunnel_by_name(look->gw, look->name);
	struct view v = {0};
	enum look_for purpose = look->purpose;

	(void)answer;
	free(look);
	if (!t)
		return;
	t->asking = false;
	v.in_use = t->pin.spi;
	v.leads = t->leads;
	if (err || !view_take(&v, t, items, n))
		return;
	if (unseen(t, &v)) {
		peer_arm(t);
		return;
	}
	t->ike_established = v.n_established > 0;
	t->ike_id = v.keep;
	t->child_installed = v.n_children > 0;
	if (v.n_children)
		t->tunnel_mode = v.tunnel_mode;
	caller_look(t, items, n);
	if (purpose == LOOK_TIDY)
		tidy(t, &v);
	if (peer_pair_there(t))
		settled(t);
	else if (purpose == LOOK_ATTEMPT && wanted(t) && initiates(t))
		act_on(t, &v);
	else if (purpose != LOOK_ATTEMPT)
		peer_want(t, false);
	reconcile_judge(t);
	peer_arm(t);
}

static void look(struct tunnel *t, enum look_for purpose)
{
	char name[IKE_NAME_SIZE];
	struct look *l;

	if (t->asking || !charon_connected(t->gw))
		return;
	l = malloc(sizeof(*l) + strlen(t->conf->name) + 1);
	if (!l)
		return;
	l->gw = t->gw;
	l->purpose = purpose;
	memcpy(l->name, t->conf->name, strlen(t->conf->name) + 1);
	conn_name(t, name);
	t->asking = true;
	if (charon_submit(t->gw, ike_req_list_sas(name), "list-sa", on_look, l)) {
		t->asking = false;
		free(l);
	}
}

void peer_tick(struct tunnel *t)
{
	uint64_t now = gateway_now();

	if (pin_due(&t->pin, now) <= now)
		sas_pin_tick(t, now);
	if (t->retry_at && t->retry_at <= now) {
		t->retry_at = 0;
		t->repairs = 0;
		reconcile_mark(t);
	}
	if (t->attempt_at && t->attempt_at <= now) {
		t->attempt_at = now + LOOK_AGAIN_MS;
		if ((wanted(t) && initiates(t)) || caller_unclear(t))
			look(t, LOOK_ATTEMPT);
		else
			t->attempt_at = 0;
	}
	if (t->reauth.at && t->reauth.at <= now)
		reauth_tick(t);
	if (t->woken_until && t->woken_until <= now) {
		t->woken_until = t->attempt_at = 0;
		reconcile_judge(t);
	}
	if (t->tidy_at && t->tidy_at <= now) {
		t->tidy_at = now + TIDY_MS;
		look(t, LOOK_TIDY);
	}
	names_tick(t, now);
	peer_arm(t);
}

void peer_terminate(struct tunnel *t)
{
	char name[IKE_NAME_SIZE];

	conn_name(t, name);
	charon_submit(t->gw, ike_req_terminate(name, 0, false), NULL, on_done, NULL);
	reauth_over(t);
	t->tries = 0;
	/* What was wrong was of the SAs that end. */
	t->tunnel_mode = t->no_answer = false;
	gateway_set_text(&t->cause, NULL);
	/* The leader, whom the end of the IKE_SA tells, begins at once: both must not. */
	t->attempt_at = gateway_now() +
			(t->leads ? AFTER_TERMINATE_MS : with_jitter(FOLLOWER_WAIT_MS));
	peer_arm(t);
}

static void child_came(struct tunnel *t, const struct ike_event *ev)
{
	t->ike_established = true;
	t->child_installed = true;
	t->ike_id = ev->sa.uniqueid;
	t->tunnel_mode = ev->sa.n_children && !ev->sa.children[0].transport;
	tidy_soon(t);
	caller_learn(t, &ev->sa);
	if (t->held)
		peer_terminate(t); /* the peer was faster than the unloading */
	if (peer_pair_there(t))
		settled(t);
	reconcile_mark(t);
}

/* Another pair may still be there: the look tells, and is enough where a surplus IKE_SA went. */
static void something_went(struct tunnel *t, const struct ike_event *ev)
{
	bool ike = ev->kind == IKE_EVENT_IKE_DOWN;

	if (ike) {
		caller_gone(t, ev->sa.uniqueid);
		names_hint(t);
	}
	if (ev->sa.uniqueid != t->ike_id) {
		look(t, LOOK_REFRESH);
		return;
	}
	t->child_installed = false;
	if (ike)
		t->ike_established = false;
	peer_want(t, false);
	look(t, LOOK_REFRESH);
	reconcile_mark(t);
}

void peer_event(struct gateway *gw, const struct ike_event *ev)
{
	struct tunnel *t = gateway_tunnel_by_conn(gw, ev->sa.name);

	if (ev->kind == IKE_EVENT_LOG)
		cause_event(gw, t, ev);
	if (!t)
		return;
	renewal_event(t, ev, peer_pair_there(t));
	switch (ev->kind) {
	case IKE_EVENT_IKE_REKEY:
		reauth_ike_rekey(t, ev->sa.uniqueid);
		__attribute__((fallthrough));
	case IKE_EVENT_IKE_UP:
		t->ike_established = true;
		t->ike_id = ev->sa.uniqueid;
		t->no_answer = false;
		/* While it has a CHILD_SA elsewhere, that is where packets can be sent. */
		if (!peer_pair_there(t))
			caller_learn(t, &ev->sa);
		break;
	case IKE_EVENT_CHILD_UP:
		child_came(t, ev);
		reauth_child_up(t, ev->sa.uniqueid);
		break;
	case IKE_EVENT_CHILD_REKEY:
		tidy_soon(t);
		break;
	case IKE_EVENT_IKE_DOWN:
	case IKE_EVENT_CHILD_DOWN:
		something_went(t, ev);
		break;
	case IKE_EVENT_IKE_UPDATE:
		caller_learn(t, &ev->sa);
		break;
	case IKE_EVENT_LOG:
	case IKE_EVENT_OTHER:
		break;
	}
	peer_arm(t);
}

void peer_adopt(struct gateway *gw, const struct ike_sa *sa)
{
	struct tunnel *t = gateway_tunnel_by_conn(gw, sa->name);

	if (!t || !sa->established)
		return;
	t->ike_established = true;
	t->ike_id = sa->uniqueid;
	for (size_t i = 0; i < sa->n_children; i++) {
		if (!sa->children[i].installed)
			continue;
		t->child_installed = true;
		t->tunnel_mode = !sa->children[i].transport;
		caller_learn(t, sa);
	}
	tidy_soon(t);
	peer_arm(t);
}

void peer_forget_all(struct gateway *gw)
{
	for (size_t i = 0; i < gw->conf->n_tunnels; i++) {
		struct tunnel *t = &gw->tunnels[i];

		t->ike_established = t->child_installed = t->asking = false;
		t->conn_loaded = false;
		caller_gone(t, 0);
		t->attempt_at = t->tidy_at = 0;
		t->tries = 0;
		reauth_forget(t);
		gateway_set_text(&t->refused, NULL);
		peer_arm(t);
	}
}
