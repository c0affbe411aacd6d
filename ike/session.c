/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vici session as its caller sees it: states, requests with deadlines, events, all from
 * ike_session_dispatch; entry function ike_session_new. Neighbours: ike/vici_thread.c, the thread
 * that blocks in libvici for us, and daemon/, which watches the two descriptors. Follows the vici
 * plugin's README: charon answers requests in their order.
 *
 * Only the caller's thread runs here. A generation is one connection: answers of an older one are
 * dropped. Since answers come in order, the oldest request is the only one that can be answered or
 * overdue next.
 */
#include "ike/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ike/vici_thread.h"

#define CALLBACKS_MAX 512 /* of one dispatch */
#define OUTSTANDING_MAX 65536
#define END_WAIT_MS 200

struct request {
	struct request *next;
	uint64_t id;
	uint64_t submitted; /* monotonic ms */
	int err; /* once it failed */
	ike_reply_fn reply;
	void *user;
};

/* The oldest first. */
struct request_list {
	struct request *first, **end;
	size_t len;
};

struct ike_session {
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	ike_state_fn on_state;
	ike_event_msg_fn on_event;
	void *user;
	int wake_fd, watch_fd;
	struct ike_thread *thread;

	enum ike_session_state state;
	int state_err;
	bool state_told; /* by on_state */
	uint64_t generation;
	uint64_t last_id;
	/* Monotonic ms; UINT64_MAX: not connecting, or not seen by a dispatch yet. */
	uint64_t connecting_since;
	uint64_t progress; /* monotonic ms of charon's last answer */

	struct request_list waiting, failed;
	struct ike_output *outputs; /* taken from the thread, not delivered yet */
	bool dispatching;
};

static void list_push(struct request_list *l, struct request *r)
{
	r->next = NULL;
	*l->end = r;
	l->end = &r->next;
	l->len++;
}

static struct request *list_pop(struct request_list *l)
{
	struct request *r = l->first;

	if (!r)
		return NULL;
	l->first = r->next;
	if (!l->first)
		l->end = &l->first;
	l->len--;
	return r;
}

static void session_wake(struct ike_session *s)
{
	eventfd_write(s->wake_fd, 1);
}

static void session_set_state(struct ike_session *s, enum ike_session_state state, int err)
{
	if (s->state == state && s->state_err == err && state != IKE_SESSION_ABSENT)
		return;
	s->state = state;
	s->state_err = err;
	s->state_told = false;
	session_wake(s);
}

static void session_fail_all(struct ike_session *s, int err)
{
	struct request *r;

	while ((r = list_pop(&s->waiting))) {
		r->err = err;
		list_push(&s->failed, r);
	}
}

/* The connection is gone; the watch descriptor stays open until on_state has told. */
static void session_down(struct ike_session *s, int err)
{
	if (s->state == IKE_SESSION_ABSENT)
		return;
	s->generation++;
	s->connecting_since = UINT64_MAX;
	ike_thread_disconnect(s->thread, s->generation);
	session_fail_all(s, -ECONNRESET);
	session_set_state(s, IKE_SESSION_ABSENT, err);
}

int ike_session_new(struct ike_session **out, const char *socket_path, ike_state_fn on_state,
		    ike_event_msg_fn on_event, void *user)
{
	struct ike_session *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->on_state = on_state;
	s->on_event = on_event;
	s->user = user;
	s->watch_fd = -1;
	s->state_told = true;
	s->connecting_since = UINT64_MAX;
	s->waiting.end = &s->waiting.first;
	s->failed.end = &s->failed.first;
	size_t n = (size_t)snprintf(s->path, sizeof(s->path), "%s", socket_path);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n == 0 || n >= sizeof(s->path))
		rc = n ? -ENAMETOOLONG : -EINVAL;
	else
		rc = s->wake_fd < 0 ? -errno : ike_thread_new(&s->thread, s->path, s->wake_fd);
	if (rc) {
		if (s->wake_fd >= 0)
			close(s->wake_fd);
		free(s);
		return rc;
	}
	signal(SIGPIPE, SIG_IGN); /* libvici's writes raise it when charon is gone */
	*out = s;
	return 0;
}

void ike_session_free(struct ike_session *s)
{
	struct request *r;

	if (!s)
		return;
	s->state = IKE_SESSION_ABSENT; /* a callback cannot submit any more */
	ike_thread_end(s->thread, END_WAIT_MS);
	session_fail_all(s, -ECANCELED);
	while ((r = list_pop(&s->failed))) {
		r->reply(r->user, -ECANCELED, NULL, NULL, 0);
		free(r);
	}
	ike_outputs_free(s->outputs);
	if (s->watch_fd >= 0)
		close(s->watch_fd);
	close(s->wake_fd);
	free(s);
}

int ike_session_fd(const struct ike_session *s)
{
	return s->wake_fd;
}

int ike_session_watch_fd(const struct ike_session *s)
{
	return s->watch_fd;
}

void ike_session_watch_ready(struct ike_session *s)
{
	char unexpected[4096];

	if (s->watch_fd < 0)
		return;
	/* charon writes nothing to a client that asks nothing: what comes is of no meaning. */
	ssize_t n = recv(s->watch_fd, unexpected, sizeof(unexpected), MSG_DONTWAIT);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	session_down(s, n < 0 ? -errno : -ECONNRESET);
}

/* The descriptor, or -errno. */
static int watch_open(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	int rc = -errno;
	close(fd);
	return rc;
}

/* A thread that libvici still holds since the last connection is left to itself. */
static int session_free_thread(struct ike_session *s)
{
	struct ike_thread *fresh;

	if (!ike_thread_busy(s->thread))
		return 0;
	int rc = ike_thread_new(&fresh, s->path, s->wake_fd);
	if (rc)
		return rc;
	ike_thread_end(s->thread, 0);
	s->thread = fresh;
	return 0;
}

void ike_session_connect(struct ike_session *s)
{
	if (s->state != IKE_SESSION_ABSENT)
		return;
	if (s->watch_fd >= 0)
		close(s->watch_fd);
	s->watch_fd = watch_open(s->path);
	int rc = s->watch_fd < 0 ? s->watch_fd : session_free_thread(s);
	if (rc) {
		if (s->watch_fd >= 0)
			close(s->watch_fd);
		s->watch_fd = -1;
		session_set_state(s, IKE_SESSION_ABSENT, rc);
		return;
	}
	s->connecting_since = UINT64_MAX;
	ike_thread_connect(s->thread, ++s->generation);
	session_set_state(s, IKE_SESSION_CONNECTING, 0);
}

enum ike_session_state ike_session_state(const struct ike_session *s)
{
	return s->state;
}

static int session_accept(struct ike_session *s, const struct ike_msg *request, const char *stream)
{
	if (!request)
		return -ENOMEM; /* what ike_msg_new says with NULL */
	if (s->state == IKE_SESSION_ABSENT)
		return -ENOTCONN;
	if (ike_msg_failed(request))
		return -ENOMEM;
	if (ike_msg_size(request) > IKE_MSG_MAX)
		return -EMSGSIZE;
	if (!ike_msg_valid(request) || (stream && strlen(stream) >= IKE_STREAM_NAME_SIZE))
		return -EINVAL;
	return s->waiting.len < OUTSTANDING_MAX ? 0 : -EBUSY;
}

int ike_session_submit(struct ike_session *s, struct ike_msg *request, const char *stream,
		       ike_reply_fn reply, void *user, uint64_t now_ms)
{
	int rc = session_accept(s, request, stream);
	struct request *r = rc ? NULL : calloc(1, sizeof(*r));

	if (!rc && (!r || !ike_thread_submit(s->thread, s->last_id + 1, request, stream)))
		rc = -ENOMEM;
	if (rc) {
		ike_msg_free(request);
		free(r);
		return rc;
	}
	r->id = ++s->last_id;
	r->submitted = now_ms;
	r->reply = reply;
	r->user = user;
	list_push(&s->waiting, r);
	return 0;
}

size_t ike_session_outstanding(const struct ike_session *s)
{
	return s->waiting.len + s->failed.len;
}

static uint64_t add_deadline(uint64_t since)
{
	return since > UINT64_MAX - IKE_DEADLINE_MS ? UINT64_MAX : since + IKE_DEADLINE_MS;
}

/* When the oldest request is overdue. One that waits behind others which are being answered is
 * not. */
static uint64_t request_deadline(const struct ike_session *s)
{
	const struct request *r = s->waiting.first;

	if (!r)
		return UINT64_MAX;
	return add_deadline(r->submitted > s->progress ? r->submitted : s->progress);
}

static uint64_t connect_deadline(const struct ike_session *s)
{
	if (s->state != IKE_SESSION_CONNECTING)
		return UINT64_MAX;
	return add_deadline(s->connecting_since);
}

uint64_t ike_session_deadline(const struct ike_session *s)
{
	uint64_t connect = connect_deadline(s), request = request_deadline(s);

	return connect < request ? connect : request;
}

static void deliver_state(struct ike_session *s)
{
	int gone = -1;

	/* Closed only behind the callback: the caller lets go of it first, and a new one gets another
	 * number. */
	if (s->state == IKE_SESSION_ABSENT) {
		gone = s->watch_fd;
		s->watch_fd = -1;
	}
	s->state_told = true;
	if (s->on_state)
		s->on_state(s->user, s->state, s->state_err);
	if (gone >= 0)
		close(gone);
}

static void deliver_reply(struct ike_session *s, struct ike_output *o)
{
	struct request *r = s->waiting.first;

	if (!r || r->id != o->id)
		return; /* late: it had its -ETIMEDOUT */
	list_pop(&s->waiting);
	r->reply(r->user, o->err, o->answer, o->items, o->n_items);
	free(r);
}

static void deliver_output(struct ike_session *s, struct ike_output *o, uint64_t now_ms)
{
	if (o->generation != s->generation || s->state == IKE_SESSION_ABSENT)
		return;
	switch (o->type) {
	case IKE_OUTPUT_EVENT:
		if (s->on_event)
			s->on_event(s->user, o->answer);
		return;
	case IKE_OUTPUT_BROKEN:
		session_down(s, o->err);
		return;
	case IKE_OUTPUT_CONNECTED:
		if (o->err) {
			session_down(s, o->err);
			return;
		}
		s->connecting_since = UINT64_MAX;
		session_set_state(s, IKE_SESSION_CONNECTED, 0);
		break;
	case IKE_OUTPUT_REPLY:
		if (s->state == IKE_SESSION_STALLED)
			session_set_state(s, IKE_SESSION_CONNECTED, 0);
		break;
	}
	s->progress = now_ms;
	if (o->type == IKE_OUTPUT_REPLY)
		deliver_reply(s, o);
}

/* One request, or the connect, whose time is over. */
static void deliver_overdue(struct ike_session *s, uint64_t now_ms)
{
	struct request *r = now_ms >= request_deadline(s) ? list_pop(&s->waiting) : NULL;

	session_set_state(s, IKE_SESSION_STALLED, -ETIMEDOUT);
	if (!r)
		return;
	ike_thread_cancel(s->thread, r->id);
	r->err = -ETIMEDOUT;
	list_push(&s->failed, r);
}

/* Does the next thing; false when there is none. */
static bool deliver_next(struct ike_session *s, uint64_t now_ms)
{
	struct request *r = list_pop(&s->failed);
	struct ike_output *o;

	if (r) {
		r->reply(r->user, r->err, NULL, NULL, 0);
		free(r);
		return true;
	}
	if (!s->state_told) {
		deliver_state(s);
		return true;
	}
	if (!s->outputs)
		s->outputs = ike_thread_take(s->thread);
	o = s->outputs;
	if (o) {
		s->outputs = o->next;
		deliver_output(s, o, now_ms);
		ike_output_free(o);
		return true;
	}
	if (now_ms < ike_session_deadline(s))
		return false;
	deliver_overdue(s, now_ms);
	return true;
}

void ike_session_dispatch(struct ike_session *s, uint64_t now_ms)
{
	eventfd_t count;
	unsigned n = 0;

	if (s->dispatching)
		return;
	s->dispatching = true;
	eventfd_read(s->wake_fd, &count);
	if (s->state == IKE_SESSION_CONNECTING && s->connecting_since == UINT64_MAX)
		s->connecting_since = now_ms;
	while (n < CALLBACKS_MAX && deliver_next(s, now_ms))
		n++;
	if (n == CALLBACKS_MAX)
		session_wake(s);
	s->dispatching = false;
}
