/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that touches libvici. A dedicated thread owns the library's connection and blocks
 * in it; requests and answers cross by two queues and an eventfd. A second, plain connection to
 * charon's socket gives the EOF that libvici 5.9.8 does not. The caller's thread never waits.
 *
 * Not thread-safe for callers: one thread calls all of this, and callbacks come only from
 * ike_session_dispatch.
 */
#ifndef GWD_IKE_SESSION_H
#define GWD_IKE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "ike/msg.h"

#define IKE_DEADLINE_MS 10000 /* for an answer; after it charon "does not answer" */

enum ike_session_state {
	IKE_SESSION_ABSENT, /* no socket, or nobody listens: err says */
	IKE_SESSION_CONNECTING,
	IKE_SESSION_CONNECTED,
	IKE_SESSION_STALLED, /* connected, but a request is past its deadline */
};

struct ike_session;

/*
 * answer is NULL with err -ETIMEDOUT, -ECONNRESET, -ENOTCONN, ...; charon's refusal is an answer
 * with success=no. items holds the streamed events of list-* commands in order (n messages); all is
 * freed after the callback.
 */
typedef void (*ike_reply_fn)(void *user, int err, const struct ike_msg *answer,
			     struct ike_msg *const *items, size_t n_items);

/* A message of charon; NULL: events were lost (65536 waited, or memory was out), all must be
 * read again. */
typedef void (*ike_event_msg_fn)(void *user, const struct ike_msg *event);
/*
 * Told of every change of the state, and of every failed ike_session_connect (ABSENT). err: 0, or
 * why: -ENOENT, -ECONNREFUSED, -EACCES, -EAGAIN (charon's backlog is full), -ECONNRESET, -EBADMSG
 * (it speaks no vici), -ETIMEDOUT (STALLED).
 */
typedef void (*ike_state_fn)(void *user, enum ike_session_state state, int err);

/*
 * Starts the thread, and libvici's four at the first call (they block all signals; STRONGSWAN_CONF
 * is changed in the environment for a moment, so call it before other threads are there). Connects
 * when ike_session_connect is called. Events registered on each connect: ike-updown, ike-rekey,
 * ike-update, child-updown, child-rekey, log. SIGPIPE is set to be ignored. 0, -ENOMEM,
 * -ENAMETOOLONG, -EINVAL (no path), or what eventfd, dup or pthread_create say. Callbacks may call
 * all but ike_session_free.
 */
int ike_session_new(struct ike_session **out, const char *socket_path, ike_state_fn on_state,
		    ike_event_msg_fn on_event, void *user);
/* Ends the thread; one that libvici does not let go within 200 ms is left to itself. Outstanding
 * requests get -ECANCELED, here. */
void ike_session_free(struct ike_session *s);

/* Becomes readable when there is something to dispatch. Never changes. */
int ike_session_fd(const struct ike_session *s);
/* The plain connection, to be watched for reading from ike_session_connect on; -1 when there is
 * none. Changes at each connect. It is -1 while on_state tells ABSENT, and closed right behind, so
 * stop watching it there. */
int ike_session_watch_fd(const struct ike_session *s);
void ike_session_watch_ready(struct ike_session *s); /* the watch fd was readable: EOF */

/* Begins a connect when absent; the result comes by on_state. The caller does the back-off. */
void ike_session_connect(struct ike_session *s);
enum ike_session_state ike_session_state(const struct ike_session *s);

/*
 * Takes the request (also on failure). stream names the event of a streamed command ("list-sa") or
 * is NULL. now_ms is monotonic. While connecting, and while stalled, it waits; its time runs from
 * charon's last answer or from now, whichever is later. -ENOTCONN, -EMSGSIZE, -EINVAL (malformed),
 * -EBUSY (65536 outstanding), -ENOMEM (also for a NULL request).
 */
int ike_session_submit(struct ike_session *s, struct ike_msg *request, const char *stream,
		       ike_reply_fn reply, void *user, uint64_t now_ms);
size_t ike_session_outstanding(const struct ike_session *s);

/* Runs callbacks for what arrived, and for deadlines passed (at most a few hundred a call). */
void ike_session_dispatch(struct ike_session *s, uint64_t now_ms);
/* The next deadline, monotonic ms; UINT64_MAX for none. */
uint64_t ike_session_deadline(const struct ike_session *s);

#endif
