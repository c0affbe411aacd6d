/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model charon in the place of ike/session.c (model.wrap): it knows what was loaded, makes SAs when it is asked to and the
 * peer answers, tells of them, can be gone, stand still, refuse, and come back with nothing. Its SAs are in the model kernel.
 */
#ifndef GWD_TESTS_FUZZ_MODEL_CHARON_H
#define GWD_TESTS_FUZZ_MODEL_CHARON_H

#include "daemon/gateway.h"
#include "tests/fuzz/model_kernel.h"

#define CHARON_FD 2000
#define CHARON_WATCH_FD 2001
#define CHARON_ROOM 24

struct charon_sa {
	char conn[IKE_NAME_SIZE];
	uint32_t id, spi_in, spi_out; /* spi_in 0: without a child */
	struct addr local, remote;
	uint32_t reqid;
	bool tunnel_mode;
};

struct request {
	struct ike_msg *msg;
	ike_reply_fn reply;
	void *user;
	uint64_t at;
};

static struct {
	struct gateway *gw;
	bool alive, still, peer_answers, tunnel_mode;
	unsigned refuses; /* so many of the next loads */
	WORLD_LIST(struct charon_sa) sas;
	struct {
		char at[CHARON_ROOM][IKE_NAME_SIZE];
		size_t n;
	} conns, shared, keys;
	uint32_t last_id;
	/* the session */
	bool open, lost;
	enum ike_session_state state;
	ike_state_fn on_state;
	ike_event_msg_fn on_event;
	void *user;
	struct request queue[512];
	size_t n_queue;
	struct ike_msg *events[64];
	size_t n_events;
} charon;

static void name_set(size_t *n, char at[][IKE_NAME_SIZE], const char *name, bool there)
{
	size_t i = 0;

	while (i < *n && strcmp(at[i], name))
		i++;
	if (there && i == *n && *n < CHARON_ROOM)
		snprintf(at[(*n)++], IKE_NAME_SIZE, "%s", name);
	else if (!there && i < *n)
		memmove(at[i], at[--*n], IKE_NAME_SIZE);
}

#define NAME_SET(list, name, there) name_set(&charon.list.n, charon.list.at, name, there)

static bool conn_loaded(const char *name)
{
	for (size_t i = 0; i < charon.conns.n; i++)
		if (!strcmp(charon.conns.at[i], name))
			return true;
	return false;
}

/* What list-sa and the events have of an IKE_SA. */
static void sa_put(struct ike_msg *m, const struct charon_sa *sa)
{
	char text[ADDR_TEXT_SIZE];

	ike_msg_section(m, sa->conn);
	ike_msg_value(m, "uniqueid", "%u", sa->id);
	ike_msg_value(m, "state", "ESTABLISHED");
	ike_msg_value(m, "local-host", "%s", addr_format(&sa->local, text));
	ike_msg_value(m, "remote-host", "%s", addr_format(&sa->remote, text));
	ike_msg_value(m, "remote-port", "500");
	ike_msg_value(m, "initiator", "yes");
	ike_msg_section(m, "child-sas");
	if (sa->spi_in) {
		ike_msg_section(m, "gre-1");
		ike_msg_value(m, "uniqueid", "%u", sa->id);
		ike_msg_value(m, "reqid", "%u", sa->reqid);
		ike_msg_value(m, "state", "INSTALLED");
		ike_msg_value(m, "mode", sa->tunnel_mode ? "TUNNEL" : "TRANSPORT");
		ike_msg_value(m, "spi-in", "%08x", sa->spi_in);
		ike_msg_value(m, "spi-out", "%08x", sa->spi_out);
		ike_msg_section_end(m);
	}
	ike_msg_section_end(m);
	ike_msg_section_end(m);
}

static void charon_tell(const char *event, const struct charon_sa *sa, bool up)
{
	struct ike_msg *m;

	if (charon.state != IKE_SESSION_CONNECTED || charon.n_events == 64)
		return;
	m = ike_msg_new(event);
	if (up)
		ike_msg_value(m, "up", "yes");
	sa_put(m, sa);
	charon.events[charon.n_events++] = m;
}

static void kernel_sa_add(const struct charon_sa *c, bool out)
{
	struct xfrm_sa sa = {.src = out ? c->local : c->remote,
			     .dst = out ? c->remote : c->local,
			     .spi = out ? c->spi_out : c->spi_in,
			     .reqid = c->reqid,
			     .transport = !c->tunnel_mode,
			     .add_time = (uint64_t)__wrap_time(NULL),
			     .hard_s = 3960,
			     .iv_size = 8,
			     .icv_size = 16,
			     .block_size = 4};

	if (kernel.sas.n == WORLD_ROOM)
		return;
	kernel.sas.at[kernel.sas.n++] = sa;
	tell_sa(&sa, XFRM_EVENT_SA_NEW);
}

/* A pair of SAs of this connection, with the peer there. */
static void charon_establish(const char *conn, const struct addr *remote)
{
	const struct tunnel *t = gateway_tunnel_by_conn(charon.gw, conn);
	struct charon_sa *sa = &charon.sas.at[charon.sas.n];
	bool six = remote->family == AF_INET6;

	if (!t || !conn_loaded(conn) || charon.sas.n == WORLD_ROOM || !kernel.local[six].family)
		return;
	*sa = (struct charon_sa){.id = ++charon.last_id,
				 .local = kernel.local[six],
				 .remote = *remote,
				 .reqid = t->reqid,
				 .tunnel_mode = charon.tunnel_mode};
	snprintf(sa->conn, sizeof(sa->conn), "%s", conn);
	sa->spi_in = 0xc0000000 + 2 * sa->id;
	sa->spi_out = sa->spi_in + 1;
	charon.sas.n++;
	kernel_sa_add(sa, false);
	kernel_sa_add(sa, true);
	charon_tell("ike-updown", sa, true);
	charon_tell("child-updown", sa, true);
}

static void kernel_sa_remove(uint32_t spi)
{
	for (size_t i = kernel.sas.n; i-- > 0;)
		if (kernel.sas.at[i].spi == spi)
			sa_drop(i);
}

static void charon_end(size_t i, bool child_only)
{
	struct charon_sa sa = charon.sas.at[i];

	kernel_sa_remove(sa.spi_in);
	kernel_sa_remove(sa.spi_out);
	charon.sas.at[i].spi_in = charon.sas.at[i].spi_out = 0;
	charon_tell("child-updown", &sa, false);
	if (child_only)
		return;
	WORLD_DROP(&charon.sas, i);
	charon_tell("ike-updown", &sa, false);
}

/* Commands */

static void do_initiate(const struct ike_msg *m)
{
	const char *name = ike_msg_get(m, "ike");
	const struct tunnel *t = name ? gateway_tunnel_by_conn(charon.gw, name) : NULL;

	if (t && t->remote.family && charon.peer_answers)
		charon_establish(name, &t->remote);
}

static void do_terminate(const struct ike_msg *m)
{
	const char *name = ike_msg_get(m, "ike"), *id = ike_msg_get(m, "ike-id");
	const char *child = ike_msg_get(m, "child-id");

	for (size_t i = charon.sas.n; i-- > 0;) {
		const struct charon_sa *sa = &charon.sas.at[i];

		if (child && sa->id == strtoul(child, NULL, 10))
			charon_end(i, true);
		else if ((name && !strcmp(sa->conn, name)) ||
			 (id && sa->id == strtoul(id, NULL, 10)))
			charon_end(i, false);
	}
}

static void do_load_conns(const struct ike_msg *m)
{
	size_t pos = 0, from, to;
	const char *name;

	while (ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &to))
		NAME_SET(conns, name, true);
}

static bool is(const struct ike_msg *m, const char *command)
{
	return !strcmp(ike_msg_name(m), command);
}

/* Its effect; false when it is refused. */
static bool charon_do(const struct ike_msg *m)
{
	const char *id = ike_msg_get(m, "id"), *name = ike_msg_get(m, "name");

	if (!strncmp(ike_msg_name(m), "load-", 5) && charon.refuses) {
		charon.refuses--;
		return false;
	}
	if (is(m, "load-conn"))
		do_load_conns(m);
	else if (is(m, "load-shared") && id)
		NAME_SET(shared, id, true);
	else if (is(m, "load-key"))
		NAME_SET(keys, "key-1", true);
	else if (is(m, "unload-conn") && name)
		NAME_SET(conns, name, false);
	else if (is(m, "unload-shared") && id)
		NAME_SET(shared, id, false);
	else if (is(m, "unload-key") && id)
		NAME_SET(keys, id, false);
	else if (is(m, "initiate"))
		do_initiate(m);
	else if (is(m, "terminate"))
		do_terminate(m);
	return true;
}

static void names_put(struct ike_msg *m, const char *list, char at[][IKE_NAME_SIZE], size_t n)
{
	ike_msg_list(m, list);
	for (size_t i = 0; i < n; i++)
		ike_msg_list_value(m, at[i]);
	ike_msg_list_end(m);
}

static struct ike_msg *charon_answer(const struct ike_msg *m, bool well)
{
	struct ike_msg *a = ike_msg_new("");

	if (is(m, "get-conns"))
		names_put(a, "conns", charon.conns.at, charon.conns.n);
	else if (is(m, "get-shared"))
		names_put(a, "keys", charon.shared.at, charon.shared.n);
	else if (is(m, "get-keys"))
		names_put(a, "keys", charon.keys.at, charon.keys.n);
	else if (is(m, "version"))
		ike_msg_value(a, "version", "5.9.8");
	else if (is(m, "load-key"))
		ike_msg_value(a, "id", "key-1");
	ike_msg_value(a, "success", well ? "yes" : "no");
	return a;
}

static void charon_reply(struct request *r)
{
	struct ike_msg *items[WORLD_ROOM], *answer;
	const char *name = ike_msg_get(r->msg, "ike");
	size_t n = 0;
	bool well = charon_do(r->msg);

	answer = charon_answer(r->msg, well);
	for (size_t i = 0; is(r->msg, "list-sas") && i < charon.sas.n; i++) {
		if (name && strcmp(name, charon.sas.at[i].conn))
			continue;
		items[n] = ike_msg_new("list-sa");
		sa_put(items[n++], &charon.sas.at[i]);
	}
	r->reply(r->user, 0, answer, items, n);
	for (size_t i = 0; i < n; i++)
		ike_msg_free(items[i]);
	ike_msg_free(answer);
}

/* The session */

static struct request queue_pop(void)
{
	struct request r = charon.queue[0];

	memmove(charon.queue, charon.queue + 1, --charon.n_queue * sizeof(r));
	return r;
}

static void queue_fail(int err)
{
	while (charon.n_queue) {
		struct request r = queue_pop();

		r.reply(r.user, err, NULL, NULL, 0);
		ike_msg_free(r.msg);
	}
}

static void events_drop(void)
{
	while (charon.n_events)
		ike_msg_free(charon.events[--charon.n_events]);
}

static void state_set(enum ike_session_state state, int err)
{
	charon.state = state;
	charon.on_state(charon.user, state, err);
}

static bool charon_overdue(void)
{
	return charon.n_queue && model_ms >= charon.queue[0].at + IKE_DEADLINE_MS;
}

static bool charon_readable(void)
{
	if (!charon.open)
		return false;
	if (charon.lost || charon.state == IKE_SESSION_CONNECTING)
		return true;
	if (charon.state == IKE_SESSION_ABSENT || charon.still)
		return false;
	return charon.n_queue || charon.n_events;
}

/* One thing after the other, as they came. */
static void charon_next(void)
{
	if (charon.lost) {
		charon.lost = false;
		queue_fail(-ECONNRESET);
		events_drop();
		state_set(IKE_SESSION_ABSENT, -ECONNRESET);
	} else if (charon.state == IKE_SESSION_CONNECTING) {
		state_set(charon.alive ? IKE_SESSION_CONNECTED : IKE_SESSION_ABSENT,
			  charon.alive ? 0 : -ENOENT);
	} else if (charon.still) {
		struct request r = queue_pop();

		if (charon.state != IKE_SESSION_STALLED)
			state_set(IKE_SESSION_STALLED, -ETIMEDOUT);
		r.reply(r.user, -ETIMEDOUT, NULL, NULL, 0);
		ike_msg_free(r.msg);
	} else if (charon.n_events) {
		struct ike_msg *m = charon.events[0];

		memmove(charon.events, charon.events + 1, --charon.n_events * sizeof(m));
		charon.on_event(charon.user, m);
		ike_msg_free(m);
	} else if (charon.n_queue) {
		struct request r = queue_pop();

		if (charon.state == IKE_SESSION_STALLED)
			state_set(IKE_SESSION_CONNECTED, 0);
		charon_reply(&r);
		ike_msg_free(r.msg);
	}
}

WRAP(int, ike_session_new, struct ike_session **out, const char *path, ike_state_fn on_state,
     ike_event_msg_fn on_event, void *user)
{
	(void)path;
	charon.open = true;
	charon.lost = false;
	charon.state = IKE_SESSION_ABSENT;
	charon.on_state = on_state;
	charon.on_event = on_event;
	charon.user = user;
	*out = (struct ike_session *)&charon;
	return 0;
}

WRAP(void, ike_session_free, struct ike_session *s)
{
	if (!s)
		return;
	queue_fail(-ECANCELED);
	events_drop();
	charon.open = false;
}

WRAP(int, ike_session_fd, const struct ike_session *s)
{
	(void)s;
	return CHARON_FD;
}

WRAP(int, ike_session_watch_fd, const struct ike_session *s)
{
	(void)s;
	return charon.state == IKE_SESSION_ABSENT ? -1 : CHARON_WATCH_FD;
}

WRAP(void, ike_session_watch_ready, struct ike_session *s)
{
	(void)s;
}

WRAP(void, ike_session_connect, struct ike_session *s)
{
	(void)s;
	if (charon.state == IKE_SESSION_ABSENT)
		charon.state = IKE_SESSION_CONNECTING;
}

WRAP(enum ike_session_state, ike_session_state, const struct ike_session *s)
{
	return s ? charon.state : IKE_SESSION_ABSENT;
}

WRAP(int, ike_session_submit, struct ike_session *s, struct ike_msg *m, const char *stream,
     ike_reply_fn reply, void *user, uint64_t now)
{
	(void)s, (void)stream;
	if (charon.state == IKE_SESSION_ABSENT || charon.n_queue == 512 || !m) {
		ike_msg_free(m);
		return !m ? -ENOMEM : charon.n_queue == 512 ? -EBUSY : -ENOTCONN;
	}
	require(ike_msg_valid(m) && !ike_msg_failed(m));
	charon.queue[charon.n_queue++] = (struct request){m, reply, user, now};
	return 0;
}

WRAP(void, ike_session_dispatch, struct ike_session *s, uint64_t now)
{
	(void)s, (void)now;
	for (unsigned i = 0; i < 300 && (charon_readable() || charon_overdue()); i++)
		charon_next();
}

WRAP(uint64_t, ike_session_deadline, const struct ike_session *s)
{
	(void)s;
	return charon.n_queue ? charon.queue[0].at + IKE_DEADLINE_MS : UINT64_MAX;
}

/* What the model's descriptors are at. */
static bool model_readable(evutil_socket_t *fd)
{
	if (kernel.n_gre || kernel.overrun)
		*fd = KERNEL_FD_GRE;
	else if (kernel.n_xfrm)
		*fd = KERNEL_FD_XFRM;
	else if (kernel.guard_told)
		*fd = KERNEL_FD_GUARD;
	else if (charon_readable())
		*fd = CHARON_FD;
	else
		return false;
	return model_event_of(*fd) != NULL;
}

#endif
