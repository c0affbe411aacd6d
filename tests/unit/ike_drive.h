/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives a session for tests as the daemon's loop does, but with a clock of its own: polls its two
 * descriptors and dispatches until a condition holds, five seconds at most. Keeps what the
 * callbacks told.
 */
#ifndef GWD_TESTS_IKE_DRIVE_H
#define GWD_TESTS_IKE_DRIVE_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ike/sa.h"
#include "ike/session.h"

struct drive {
	struct ike_session *s;
	uint64_t now; /* the session's clock, ms */

	enum ike_session_state state; /* as told */
	int state_err;
	unsigned states; /* how often told */
	bool watch_kept; /* it was still there when ABSENT was told */
	bool connect_on_absent;

	unsigned replies;
	int err; /* of the last reply */
	bool ok; /* success=yes */
	char errmsg[256];
	size_t n_items;
	struct ike_sa sa; /* the last of the items */
	bool again; /* ask for the version once more from the callback */

	unsigned events, lost, events_after_lost;
	unsigned kinds[IKE_EVENT_OTHER + 1];
	char cause[256];
};

static inline void drive_state(void *user, enum ike_session_state state, int err)
{
	struct drive *d = user;

	d->state = state;
	d->state_err = err;
	d->states++;
	if (state == IKE_SESSION_ABSENT && ike_session_watch_fd(d->s) >= 0)
		d->watch_kept = true;
	if (state == IKE_SESSION_ABSENT && d->connect_on_absent)
		ike_session_connect(d->s);
}

static inline void drive_event(void *user, const struct ike_msg *m)
{
	struct drive *d = user;
	struct ike_event ev;
	char cause[256];

	d->events += m != NULL;
	d->lost += m == NULL;
	d->events_after_lost += m && d->lost;
	if (!m || !ike_event_parse(m, &ev))
		return;
	d->kinds[ev.kind]++;
	if (ev.kind == IKE_EVENT_LOG && ike_cause_from_log(ev.text, false, cause, sizeof(cause)))
		snprintf(d->cause, sizeof(d->cause), "%s", cause);
}

static inline void drive_reply(void *user, int err, const struct ike_msg *answer,
			       struct ike_msg *const *items, size_t n)
{
	struct drive *d = user;

	d->replies++;
	d->err = err;
	d->ok = answer && ike_answer_ok(answer, d->errmsg, sizeof(d->errmsg));
	d->n_items = n;
	if (n)
		ike_sa_parse(items[n - 1], &d->sa);
	if (d->again) {
		d->again = false;
		ike_session_submit(d->s, ike_req_simple("version"), NULL, drive_reply, d, d->now);
	}
}

static inline uint64_t drive_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* One turn of the loop. */
static inline void drive_turn(struct drive *d, int wait_ms)
{
	struct pollfd fds[2] = {
		{.fd = ike_session_fd(d->s), .events = POLLIN},
		{.fd = ike_session_watch_fd(d->s), .events = POLLIN},
	};

	poll(fds, 2, wait_ms);
	if (fds[1].revents)
		ike_session_watch_ready(d->s);
	if (fds[0].revents)
		ike_session_dispatch(d->s, d->now);
}

#define drive_until_ms(d, ms, condition)                      \
	({                                                    \
		uint64_t until = drive_clock() + (ms);        \
		while (!(condition) && drive_clock() < until) \
			drive_turn(d, 20);                    \
		(condition);                                  \
	})
#define drive_until(d, condition) drive_until_ms(d, 5000, condition)

static inline int drive_submit(struct drive *d, struct ike_msg *request, const char *stream)
{
	return ike_session_submit(d->s, request, stream, drive_reply, d, d->now);
}

/* Submits and waits for the answer. */
static inline bool drive_ask(struct drive *d, struct ike_msg *request, const char *stream)
{
	unsigned before = d->replies;

	return drive_submit(d, request, stream) == 0 && drive_until(d, d->replies > before) &&
	       d->err == 0;
}

static inline bool drive_connect(struct drive *d)
{
	ike_session_connect(d->s);
	return drive_until(d, d->state == IKE_SESSION_CONNECTED);
}

#endif
