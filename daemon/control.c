// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket (doc/CONTROL.md). Entry: control_init. One request per connection; who may ask what is decided from
 * the peer's credentials (SO_PEERCRED, unix(7)) before the verb runs. All sizes, counts and times are capped, since
 * whoever may open the socket may also send rubbish, or nothing, or never read. Who gets a connection when there are too
 * many decides daemon/crowd.c; verbs live in daemon/verbs.c, the lines they answer with are made by daemon/answer.c.
 */
#include "daemon/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/answer.h"
#include "daemon/crowd.h"
#include "daemon/listen.h"
#include "daemon/verbs.h"
#include "lib/protocol.h"

#define READ_SECONDS 10 /* from the connection to the whole request */
#define RUN_SECONDS 60 /* from the request to its answer; no verb takes that long */
#define WRITE_SECONDS 30 /* from the answer to its last byte */
#define ACCEPTS_MAX 32 /* at once, then the main loop has its turn */
#define ACCEPT_PAUSE_MS 100 /* when there is no descriptor or memory for another */
#define UNREAD_MAX \
	(16U << 20) /* bytes of answers that wait for their readers: then only root gets more */

struct control_client {
	struct control *control;
	struct bufferevent *bev;
	struct event *deadline; /* of what it does now; whole, not begun anew by each byte */
	uint64_t id;
	uid_t uid;
	size_t greeting; /* bytes of it, all unsent at first */
	bool asked;
	bool queued; /* asked, and its turn is to come */
	bool answered;
	char *wait_tunnel; /* control_wait: for whom, NULL when not waiting */
	bool wait_up;
	struct event *wait_timer;
};

struct control {
	struct gateway *gw;
	struct event *listener;
	struct event *pause; /* the listener goes on after it */
	struct event *turn; /* of those who are queued */
	struct control_client *clients[CROWD_MAX]; /* oldest first */
	size_t n_clients;
	uint64_t last_id;
	char path[108];
};

struct gateway *control_gateway(struct control_client *c)
{
	return c->control->gw;
}

uint64_t control_id(const struct control_client *c)
{
	return c->id;
}

struct control_client *control_find(struct gateway *gw, uint64_t id)
{
	const struct control *ctl = gw->control;

	for (size_t i = 0; ctl && i < ctl->n_clients; i++)
		if (ctl->clients[i]->id == id)
			return ctl->clients[i];
	return NULL;
}

/* Not in the list any more, or not yet; what was not made is NULL. */
static void client_release(struct control_client *c)
{
	if (c->bev)
		bufferevent_free(c->bev);
	if (c->deadline)
		event_free(c->deadline);
	if (c->wait_timer)
		event_free(c->wait_timer);
	free(c->wait_tunnel);
	free(c);
}

static void client_free(struct control_client *c)
{
	struct control *ctl = c->control;
	size_t i = 0;

	while (ctl->clients[i] != c)
		i++;
	memmove(&ctl->clients[i], &ctl->clients[i + 1],
		(--ctl->n_clients - i) * sizeof(struct control_client *));
	client_release(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what;
	client_free(user);
}

static void client_deadline(struct control_client *c, time_t seconds)
{
	evtimer_add(c->deadline, &(struct timeval){.tv_sec = seconds});
}

/* Without memory even for this the client is left, once its callbacks are over. */
static void send_text(struct control_client *c, const char *text)
{
	if (evbuffer_add(bufferevent_get_output(c->bev), text, strlen(text)))
		bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR, BEV_TRIG_DEFER_CALLBACKS);
}

/* fallback: when there is no memory for the object. */
static void send_json(struct control_client *c, json_t *object, const char *fallback)
{
	char *line = answer_line(object);

	send_text(c, line ? line : fallback);
	free(line);
}

void control_answer(struct control_client *c, int status, json_t *result, const char *error)
{
	json_t *answer = answer_make(status, result, error);

	c->answered = true;
	bufferevent_disable(c->bev, EV_READ);
	client_deadline(c, WRITE_SECONDS);
	send_json(c, answer, ANSWER_NO_MEMORY);
}

static void wait_over(struct control_client *c)
{
	char *name = c->wait_tunnel;

	c->wait_tunnel = NULL;
	verbs_answer_tunnel(c, name, c->wait_up);
	free(name);
}

static void on_wait_timer(evutil_socket_t fd, short what, void *user)
{
	struct control_client *c = user;

	(void)fd, (void)what;
	if (c->wait_tunnel)
		wait_over(c);
}

void control_wait(struct control_client *c, const char *tunnel, bool for_up, uint64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
			     .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	c->wait_tunnel = strdup(tunnel);
	c->wait_up = for_up;
	c->wait_timer = evtimer_new(c->control->gw->base, on_wait_timer, c);
	if (!c->wait_tunnel || !c->wait_timer || evtimer_add(c->wait_timer, &tv)) {
		free(c->wait_tunnel);
		c->wait_tunnel = NULL;
		control_answer(c, 1, NULL, "out of memory");
		return;
	}
	if (for_up)
		send_json(c,
			  json_pack("{s:s+}", "progress", tunnel,
				    ": waiting for the tunnel to come up"),
			  "{\"progress\":\"waiting\"}\n");
}

void control_tunnel_changed(const struct tunnel *t)
{
	const struct control *ctl = t->gw->control;

	for (size_t i = 0; ctl && i < ctl->n_clients; i++) {
		struct control_client *c = ctl->clients[i];

		if (c->wait_tunnel && !strcmp(c->wait_tunnel, t->conf->name) &&
		    verbs_wait_is_over(t, c->wait_up))
			wait_over(c);
	}
}

/* An answer for 10 000 tunnels is 15 MB, and who asked for it need not read it. */
static bool too_much_unread(const struct control *ctl)
{
	size_t unread = 0;

	for (size_t i = 0; i < ctl->n_clients; i++)
		unread += evbuffer_get_length(bufferevent_get_output(ctl->clients[i]->bev));
	return unread >= UNREAD_MAX;
}

static void request_run(struct control_client *c, const char *line, size_t len)
{
	json_error_t where;
	json_t *request;
	char text[256];

	answer_begin();
	request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(request)) {
		snprintf(text, sizeof(text), "the request is no JSON object: %s", where.text);
		control_answer(c, 1, NULL, text);
	} else if (c->uid != 0 && too_much_unread(c->control)) {
		control_answer(c, 1, NULL,
			       "gwd waits for others to read their answers: try again later");
	} else {
		verbs_run(c, request, c->uid == 0);
	}
	json_decref(request);
}

static void request_take(struct control_client *c)
{
	size_t len;
	char *line = evbuffer_readln(bufferevent_get_input(c->bev), &len, EVBUFFER_EOL_LF);

	c->queued = false;
	if (line)
		request_run(c, line, len);
	else
		control_answer(c, 1, NULL, "out of memory");
	free(line);
}

/* Timers run once in a turn of the main loop, and after what its sockets brought. */
static int turn_next(struct control *ctl)
{
	return evtimer_add(ctl->turn, &(struct timeval){.tv_sec = 0});
}

/* One member's request in a turn of the main loop: a status of thousands of tunnels takes its time, and neither root nor the kernel's
 * notifications shall wait for more than one of them. */
static void on_turn(evutil_socket_t fd, short what, void *user)
{
	struct control *ctl = user;
	struct control_client *first = NULL;
	size_t queued = 0;

	(void)fd, (void)what;
	for (size_t i = 0; i < ctl->n_clients; i++)
		if (ctl->clients[i]->queued && !queued++)
			first = ctl->clients[i];
	if (queued > 1)
		turn_next(ctl);
	if (first)
		request_take(first);
}

static void on_read(struct bufferevent *bev, void *user)
{
	struct control_client *c = user;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (c->asked || c->answered)
		return;
	if (evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF).pos < 0) {
		if (evbuffer_get_length(in) >= PROTOCOL_REQUEST_MAX)
			control_answer(c, 1, NULL, "the request is longer than 64 KiB");
		return;
	}
	c->asked = true;
	client_deadline(c, RUN_SECONDS);
	bufferevent_disable(bev, EV_READ);
	c->queued = c->uid != 0 && !turn_next(c->control);
	if (!c->queued)
		request_take(c);
}

static void on_drained(struct bufferevent *bev, void *user)
{
	struct control_client *c = user;

	if (c->answered && !evbuffer_get_length(bufferevent_get_output(bev)))
		client_free(c);
}

static void on_client_event(struct bufferevent *bev, short what, void *user)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		client_free(user);
}

static bool client_credentials(int fd, uid_t *uid)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		return false;
	*uid = cred.uid;
	return true;
}

/* Who is sent away is told why, as far as it fits; the greeting is what a client expects first. */
static void refuse(int fd, bool greet)
{
	static const char greeting[] = "{\"gwd\":\"" GWD_VERSION "\",\"protocol\":%d}\n";
	char text[256];
	int len = greet ? snprintf(text, sizeof(text), greeting, PROTOCOL_NUMBER) : 0;

	len += snprintf(
		text + len, sizeof(text) - (size_t)len,
		"{\"exit\":1,\"error\":\"too many connections at once: try again later\"}\n");
	(void)!send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void client_evict(struct control_client *c)
{
	size_t unsent = evbuffer_get_length(bufferevent_get_output(c->bev));

	/* behind half a greeting the sentence would be in the wrong place */
	if (!unsent || unsent == c->greeting)
		refuse(bufferevent_getfd(c->bev), unsent != 0);
	client_free(c);
}

/* Is there room for one more of this user, or is it made? */
static bool control_has_room(const struct control *ctl, uid_t uid)
{
	struct crowd_seat seats[CROWD_MAX];
	size_t victim = 0;

	for (size_t i = 0; i < ctl->n_clients; i++)
		seats[i] = (struct crowd_seat){ctl->clients[i]->uid,
					       ctl->clients[i]->asked || ctl->clients[i]->answered};
	switch (crowd_admit(seats, ctl->n_clients, uid, &victim)) {
	case CROWD_INSTEAD:
		client_evict(ctl->clients[victim]);
		return true;
	case CROWD_WELCOME:
		return true;
	case CROWD_REFUSED:
		break;
	}
	return false;
}

static struct control_client *client_new(struct control *ctl, int fd, uid_t uid)
{
	struct control_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->control = ctl;
	c->uid = uid;
	c->deadline = evtimer_new(ctl->gw->base, on_deadline, c);
	if (c->deadline)
		c->bev = bufferevent_socket_new(ctl->gw->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->bev)
		return c;
	client_release(c);
	return NULL;
}

static void client_start(struct control *ctl, int fd)
{
	struct control_client *c = NULL;
	uid_t uid;

	if (client_credentials(fd, &uid)) {
		if (control_has_room(ctl, uid))
			c = client_new(ctl, fd, uid);
		else
			refuse(fd, true);
	}
	if (!c) {
		close(fd);
		return;
	}
	c->id = ++ctl->last_id;
	ctl->clients[ctl->n_clients++] = c;
	client_deadline(c, READ_SECONDS);
	bufferevent_setcb(c->bev, on_read, on_drained, on_client_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, PROTOCOL_REQUEST_MAX);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	send_json(c, json_pack("{s:s,s:i}", "gwd", GWD_VERSION, "protocol", PROTOCOL_NUMBER),
		  ANSWER_NO_MEMORY);
	c->greeting = evbuffer_get_length(bufferevent_get_output(c->bev));
}

static void on_pause_over(evutil_socket_t fd, short what, void *user)
{
	struct control *ctl = user;

	(void)fd, (void)what;
	event_add(ctl->listener, NULL);
}

/* A bounded number at a time: who connects in a loop shall not keep the main loop here. */
static void on_accept(evutil_socket_t listener, short what, void *user)
{
	struct control *ctl = user;

	(void)what;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			client_start(ctl, fd);
			continue;
		}
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		/* EMFILE and its like would call this again at once, for ever */
		event_del(ctl->listener);
		evtimer_add(ctl->pause, &(struct timeval){.tv_usec = ACCEPT_PAUSE_MS * 1000});
		return;
	}
}

static void listener_free(const struct control *ctl, int fd)
{
	if (ctl->listener)
		event_free(ctl->listener);
	if (ctl->pause)
		event_free(ctl->pause);
	if (ctl->turn)
		event_free(ctl->turn);
	close(fd);
}

int control_init(struct gateway *gw, char *err, size_t err_size)
{
	struct control *ctl = calloc(1, sizeof(*ctl));
	int fd;

	if (!ctl)
		return -ENOMEM;
	answer_init();
	ctl->gw = gw;
	if ((size_t)snprintf(ctl->path, sizeof(ctl->path), "%s/" PROTOCOL_SOCKET, gw->run_dir) >=
	    sizeof(ctl->path)) {
		snprintf(err, err_size, "the run directory's path is too long: %s", gw->run_dir);
		free(ctl);
		return -ENAMETOOLONG;
	}
	fd = listen_open(gw->run_dir, ctl->path, err, err_size);
	if (fd < 0) {
		free(ctl);
		return fd;
	}
	ctl->listener = event_new(gw->base, fd, EV_READ | EV_PERSIST, on_accept, ctl);
	ctl->pause = evtimer_new(gw->base, on_pause_over, ctl);
	ctl->turn = evtimer_new(gw->base, on_turn, ctl);
	if (!ctl->listener || !ctl->pause || !ctl->turn || event_add(ctl->listener, NULL)) {
		listener_free(ctl, fd);
		free(ctl);
		return -ENOMEM;
	}
	gw->control = ctl;
	return 0;
}

void control_done(struct gateway *gw)
{
	struct control *ctl = gw->control;

	if (!ctl)
		return;
	while (ctl->n_clients)
		client_free(ctl->clients[0]);
	listener_free(ctl, event_get_fd(ctl->listener));
	unlink(ctl->path);
	free(ctl);
	gw->control = NULL;
}
