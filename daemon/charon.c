// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gateway's side of the vici session. Entries: charon_init; the session's callbacks. On connect it asks what charon
 * has (version, get-conns, get-shared, get-keys, list-sas); from then on the plan can compare. What was loaded is known by a
 * digest kept here, since charon tells names only; a new session forgets all digests, so everything is loaded again,
 * which charon takes as "updated" without touching live SAs (vici_config.c, replace_ike_cfg).
 */
#include "daemon/charon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/credentials.h"
#include "daemon/loading.h"
#include "daemon/peer.h"
#include "daemon/reconcile.h"
#include "lib/log.h"

#define RECONNECT_MIN_MS 100
#define RECONNECT_MAX_MS 1000
#define FOREIGN_LOAD_MS 1000

static void timer_arm(struct gateway *gw, uint64_t due)
{
	uint64_t now = gateway_now();
	uint64_t ms = due > now ? due - now : 1;
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
			     .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	if (due == UINT64_MAX)
		evtimer_del(gw->session_timer);
	else
		evtimer_add(gw->session_timer, &tv);
}

static void timer_renew(struct gateway *gw)
{
	unsigned shift = gw->connect_tries < 4 ? gw->connect_tries : 4;
	uint64_t wait = RECONNECT_MIN_MS << shift;

	if (ike_session_state(gw->session) == IKE_SESSION_ABSENT)
		timer_arm(gw, gateway_now() + (wait < RECONNECT_MAX_MS ? wait : RECONNECT_MAX_MS));
	else
		timer_arm(gw, ike_session_deadline(gw->session));
}

bool charon_connected(const struct gateway *gw)
{
	enum ike_session_state s = ike_session_state(gw->session);

	return s == IKE_SESSION_CONNECTED || s == IKE_SESSION_STALLED;
}

enum health_charon charon_health(const struct gateway *gw)
{
	enum ike_session_state s = ike_session_state(gw->session);

	if (s == IKE_SESSION_STALLED)
		return HEALTH_CHARON_STALLED;
	if (s == IKE_SESSION_CONNECTED && gw->charon_answered)
		return HEALTH_CHARON_CONNECTED;
	return gw->charon_closed ? HEALTH_CHARON_CLOSED : HEALTH_CHARON_ABSENT;
}

int charon_submit(struct gateway *gw, struct ike_msg *request, const char *stream,
		  ike_reply_fn reply, void *user)
{
	int r = request ? ike_session_submit(gw->session, request, stream, reply, user,
					     gateway_now())
			: -ENOMEM;

	timer_renew(gw);
	return r;
}

const char *charon_error_text(int code)
{
	return code == -ENOENT	    ? "it does not know the command"
	       : code == -ETIMEDOUT ? "it does not answer"
				    : strerror(-code);
}

/* Who takes connections and ends each before an answer was never there: its "since" goes on, and the back-off grows. */
static void answered(struct gateway *gw)
{
	if (gw->charon_answered)
		return;
	log_info(NULL, "charon connected");
	gw->charon_answered = true;
	gw->charon_closed = false;
	gw->charon_since = gateway_now();
	gw->connect_tries = 0;
	gateway_set_text(&gw->charon_reason, NULL);
}

/* -ENOENT is an answer too, "I do not know that command". */
static void queries_done(struct gateway *gw, int err)
{
	if (!err || err == -ENOENT)
		answered(gw);
	if (gw->charon_queries && --gw->charon_queries)
		return;
	gw->charon_known = true;
	reconcile_mark_all(gw);
}

static void on_version(void *user, int err, const struct ike_msg *answer,
		       struct ike_msg *const *items, size_t n)
{
	struct gateway *gw = user;
	const char *version = err ? NULL : ike_msg_get(answer, "version");

	(void)items, (void)n;
	gateway_set_text(&gw->charon_version, version);
	queries_done(gw, err);
}

static void on_algorithms(void *user, int err, const struct ike_msg *answer,
			  struct ike_msg *const *items, size_t n)
{
	struct gateway *gw = user;

	(void)items, (void)n;
	ike_known_free(&gw->known);
	if (!err && ike_known_take(&gw->known, answer))
		log_warn(NULL, "no memory for the list of charon's algorithms");
	queries_done(gw, err);
}

static void on_conns(void *user, int err, const struct ike_msg *answer,
		     struct ike_msg *const *items, size_t n)
{
	struct gateway *gw = user;

	(void)items, (void)n;
	if (!err)
		loading_take_conns(gw, answer);
	queries_done(gw, err);
}

static void on_shared(void *user, int err, const struct ike_msg *answer,
		      struct ike_msg *const *items, size_t n)
{
	struct gateway *gw = user;

	(void)items, (void)n;
	if (!err)
		credentials_take_shared(gw, answer);
	queries_done(gw, err);
}

static void on_keys(void *user, int err, const struct ike_msg *answer, struct ike_msg *const *items,
		    size_t n)
{
	struct gateway *gw = user;

	(void)items, (void)n;
	if (!err)
		credentials_take_keys(gw, answer);
	queries_done(gw, err);
}

static void on_sas(void *user, int err, const struct ike_msg *answer, struct ike_msg *const *items,
		   size_t n)
{
	struct gateway *gw = user;
	struct ike_sa *sa = err ? NULL : malloc(sizeof(*sa));

	(void)answer;
	for (size_t i = 0; sa && i < n; i++)
		if (ike_sa_parse(items[i], sa))
			peer_adopt(gw, sa);
	free(sa);
	queries_done(gw, err);
}

static void query(struct gateway *gw, struct ike_msg *request, const char *stream,
		  ike_reply_fn reply)
{
	gw->charon_queries++;
	if (charon_submit(gw, request, stream, reply, gw))
		gw->charon_queries--;
}

void charon_query_loaded(struct gateway *gw)
{
	if (gw->charon_queries)
		return;
	query(gw, ike_req_simple("get-conns"), NULL, on_conns);
	query(gw, ike_req_simple("get-shared"), NULL, on_shared);
	query(gw, ike_req_simple("get-keys"), NULL, on_keys);
}

static void session_up(struct gateway *gw)
{
	gw->charon_asked = true;
	gw->charon_known = false;
	loading_forget(gw);
	gw->charon_queries = 0;
	charon_query_loaded(gw);
	query(gw, ike_req_simple("version"), NULL, on_version);
	query(gw, ike_req_simple("get-algorithms"), NULL, on_algorithms);
	query(gw, ike_req_list_sas(NULL), "list-sa", on_sas);
}

static void session_down(struct gateway *gw, int err)
{
	char text[160];
	bool was_there = gw->charon_stalled || !gw->connect_tries;

	gw->connect_tries++;
	gw->charon_stalled = gw->charon_asked = gw->charon_answered = false;
	snprintf(text, sizeof(text),
		 err == -ENOENT		? "no socket %s"
		 : err == -ECONNREFUSED ? "nobody listens on %s"
		 : err == -EACCES	? "no permission for %s"
		 : err == -EBADMSG	? "what listens on %s does not speak vici"
					: "the connection to %s was lost",
		 gw->conf->charon_socket);
	gateway_set_text(&gw->charon_reason, text);
	gw->charon_closed = err == -EACCES;
	gw->charon_known = false;
	gw->charon_queries = 0;
	loading_forget(gw);
	if (!was_there)
		return;
	log_warn(NULL, "charon is not reachable: %s; %strying again", text,
		 gw->charon_closed ? HEALTH_CLOSED_REMEDY "; " : "");
	peer_forget_all(gw);
	reconcile_mark_all(gw);
}

static void watch_renew(struct gateway *gw);

static void on_watch(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;

	(void)fd, (void)what;
	ike_session_watch_ready(gw->session);
	ike_session_dispatch(gw->session, gateway_now());
	watch_renew(gw);
	timer_renew(gw);
}

static void watch_renew(struct gateway *gw)
{
	int fd = ike_session_watch_fd(gw->session);

	if (gw->watch_event && event_get_fd(gw->watch_event) == fd)
		return;
	if (gw->watch_event)
		event_free(gw->watch_event);
	gw->watch_event = NULL;
	if (fd < 0)
		return;
	gw->watch_event = event_new(gw->base, fd, EV_READ | EV_PERSIST, on_watch, gw);
	if (gw->watch_event)
		event_add(gw->watch_event, NULL);
}

static void on_state(void *user, enum ike_session_state state, int err)
{
	struct gateway *gw = user;

	if (state == IKE_SESSION_CONNECTED && gw->charon_asked) {
		gw->charon_stalled = false;
		gw->charon_since = gateway_now();
		gateway_set_text(&gw->charon_reason, NULL);
		log_info(NULL, "charon answers again");
		reconcile_mark_all(gw);
	} else if (state == IKE_SESSION_CONNECTED) {
		gw->charon_stalled = false;
		session_up(gw);
	} else if (state == IKE_SESSION_STALLED) {
		gw->charon_stalled = true;
		gw->charon_since = gateway_now();
		gateway_set_text(&gw->charon_reason, "a request is past its deadline");
		log_warn(NULL, "charon does not answer: %s", gw->charon_reason);
		reconcile_mark_all(gw);
	} else if (state == IKE_SESSION_ABSENT) {
		if (gw->charon_stalled || !gw->connect_tries)
			gw->charon_since = gateway_now();
		session_down(gw, err);
	}
	watch_renew(gw);
}

/*
 * Somebody else loads or unloads, as `swanctl --load-all` does: charon's log tells of keys unloaded and connections loaded, but of
 * no connection unloaded (5.9.8, vici_cred.c, vici_config.c).
 */
static bool is_foreign_load(const struct ike_event *ev)
{
	static const char loaded[] = " vici connection: ";
	const char *name;

	if (ev->kind != IKE_EVENT_LOG)
		return false;
	if (strstr(ev->text, "unloaded private key") || strstr(ev->text, "unloaded shared key"))
		return true;
	name = strstr(ev->text, loaded);
	return name && strncmp(name + sizeof(loaded) - 1, IKE_PREFIX, strlen(IKE_PREFIX)) != 0;
}

static void on_foreign_load(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;

	(void)fd, (void)what;
	gw->foreign_load = false;
	if (charon_connected(gw))
		charon_query_loaded(gw);
}

/* What follows in the same run is waited for. */
static void foreign_load_note(struct gateway *gw)
{
	struct timeval tv = {.tv_sec = FOREIGN_LOAD_MS / 1000};

	if (!gw->foreign_load)
		gw->foreign_load = !event_base_once(gw->base, -1, EV_TIMEOUT, on_foreign_load, gw,
						    &tv);
}

static void on_event(void *user, const struct ike_msg *msg)
{
	struct gateway *gw = user;
	struct ike_event *ev = msg ? malloc(sizeof(*ev)) : NULL;

	if (!msg) {
		log_warn(NULL, "charon's events came too fast; asking for everything again");
		query(gw, ike_req_list_sas(NULL), "list-sa", on_sas);
		return;
	}
	if (ev && ike_event_parse(msg, ev)) {
		if (is_foreign_load(ev))
			foreign_load_note(gw);
		else
			peer_event(gw, ev);
	}
	free(ev);
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;

	(void)fd, (void)what;
	ike_session_dispatch(gw->session, gateway_now());
	watch_renew(gw);
	timer_renew(gw);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
	struct gateway *gw = user;

	(void)fd, (void)what;
	if (ike_session_state(gw->session) == IKE_SESSION_ABSENT) {
		gw->charon_asked = false;
		ike_session_connect(gw->session);
	}
	ike_session_dispatch(gw->session, gateway_now());
	watch_renew(gw);
	timer_renew(gw);
}

void charon_spare_free(struct charon_spare *spare)
{
	if (spare->event)
		event_free(spare->event);
	if (spare->timer)
		event_free(spare->timer);
	ike_session_free(spare->session);
	*spare = (struct charon_spare){0};
}

int charon_prepare(struct gateway *gw, const char *socket, struct charon_spare *out)
{
	int r = ike_session_new(&out->session, socket, on_state, on_event, gw);

	if (r)
		return r;
	out->event = event_new(gw->base, ike_session_fd(out->session), EV_READ | EV_PERSIST,
			       on_readable, gw);
	out->timer = evtimer_new(gw->base, on_timer, gw);
	if (out->event && out->timer && !event_add(out->event, NULL))
		return 0;
	charon_spare_free(out);
	return -ENOMEM;
}

void charon_replace(struct gateway *gw, struct charon_spare *spare)
{
	charon_done(gw);
	gw->charon_known = false;
	peer_forget_all(gw); /* another charon counts its SAs from 1 */
	gw->session = spare->session;
	gw->session_event = spare->event;
	gw->session_timer = spare->timer;
	*spare = (struct charon_spare){0};
	gw->charon_since = gateway_now();
	ike_session_connect(gw->session);
	ike_session_dispatch(gw->session, gateway_now());
	watch_renew(gw);
	timer_renew(gw);
}

int charon_init(struct gateway *gw)
{
	struct charon_spare spare = {0};
	int r = charon_prepare(gw, gw->conf->charon_socket, &spare);

	if (!r)
		charon_replace(gw, &spare);
	return r;
}

static void on_await_over(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what;
	*(bool *)user = true;
}

void charon_await(struct gateway *gw, unsigned ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
	bool over = false;
	struct event *timer = evtimer_new(gw->base, on_await_over, &over);

	if (!timer)
		return;
	evtimer_add(timer, &tv);
	while (!over && !gw->stopping && !gw->charon_known && !gw->connect_tries)
		event_base_loop(gw->base, EVLOOP_ONCE);
	event_free(timer);
}

void charon_done(struct gateway *gw)
{
	if (gw->watch_event)
		event_free(gw->watch_event);
	if (gw->session_event)
		event_free(gw->session_event);
	if (gw->session_timer)
		event_free(gw->session_timer);
	gw->watch_event = gw->session_event = gw->session_timer = NULL;
	ike_session_free(gw->session);
	gw->session = NULL;
	gw->charon_stalled = gw->charon_asked = gw->charon_answered = false;
	loading_forget(gw);
	vec_free(&gw->terms);
	ike_known_free(&gw->known);
}
