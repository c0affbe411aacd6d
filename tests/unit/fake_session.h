/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A charon that does what it is told, behind ike/session.h by the linker's --wrap, without a
 * thread: answers come when the session is dispatched. It keeps names only, as charon tells no
 * more. Entry: fake_charon_reset.
 */
#ifndef GWD_TESTS_UNIT_FAKE_SESSION_H
#define GWD_TESTS_UNIT_FAKE_SESSION_H

#include <sys/eventfd.h>

#include "ike/conn.h"
#include "ike/session.h"
#include "tests/unit/alloc_fail.h"

#define CHARON_NAMES 16
#define CHARON_QUEUE 128

struct charon_names {
	char at[CHARON_NAMES][IKE_NAME_SIZE];
	size_t n;
};

static struct {
	struct charon_names conns, shared, keys;
	bool absent; /* nobody listens */
	const char *silent_to; /* this command, which is past its deadline then; NULL: to none */
} charon;

struct ike_session {
	ike_state_fn on_state;
	void *user;
	enum ike_session_state state;
	bool told;
	struct {
		ike_reply_fn reply;
		void *user;
		struct ike_msg *request;
	} queue[CHARON_QUEUE];
	size_t n;
};

static void fake_charon_reset(void)
{
	memset(&charon, 0, sizeof(charon));
}

static void names_drop(struct charon_names *names, const char *name)
{
	for (size_t i = 0; name && i < names->n; i++)
		if (!strcmp(names->at[i], name))
			memcpy(names->at[i], names->at[--names->n], IKE_NAME_SIZE);
}

static void names_add(struct charon_names *names, const char *name)
{
	names_drop(names, name);
	assert_true(names->n < CHARON_NAMES);
	snprintf(names->at[names->n++], IKE_NAME_SIZE, "%s", name);
}

static void names_put(struct ike_msg *m, const char *list, const struct charon_names *names)
{
	ike_msg_list(m, list);
	for (size_t i = 0; i < names->n; i++)
		ike_msg_list_value(m, names->at[i]);
	ike_msg_list_end(m);
}

static void conns_load(const struct ike_msg *m)
{
	size_t pos = 0, from, end;
	const char *name;

	while (ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end))
		names_add(&charon.conns, name);
}

static void command_run(const struct ike_msg *m, struct ike_msg *answer)
{
	const char *command = ike_msg_name(m);

	if (!strcmp(command, "load-conn"))
		conns_load(m);
	else if (!strcmp(command, "unload-conn"))
		names_drop(&charon.conns, ike_msg_get(m, "name"));
	else if (!strcmp(command, "load-shared"))
		names_add(&charon.shared, ike_msg_get(m, "id"));
	else if (!strcmp(command, "unload-shared"))
		names_drop(&charon.shared, ike_msg_get(m, "id"));
	else if (!strcmp(command, "load-key"))
		names_add(&charon.keys, "0123");
	else if (!strcmp(command, "unload-key"))
		names_drop(&charon.keys, ike_msg_get(m, "id"));
	else if (!strcmp(command, "get-conns"))
		names_put(answer, "conns", &charon.conns);
	else if (!strcmp(command, "get-shared"))
		names_put(answer, "keys", &charon.shared);
	else if (!strcmp(command, "get-keys"))
		names_put(answer, "keys", &charon.keys);
	if (!strcmp(command, "load-key"))
		ike_msg_value(answer, "id", "0123");
	ike_msg_value(answer, "version", "5.9.8");
	ike_msg_value(answer, "success", "yes");
}

int __wrap_ike_session_new(struct ike_session **out, const char *path, ike_state_fn on_state,
			   ike_event_msg_fn on_event, void *user);
int __wrap_ike_session_new(struct ike_session **out, const char *path, ike_state_fn on_state,
			   ike_event_msg_fn on_event, void *user)
{
	struct ike_session *s = calloc(1, sizeof(*s));

	(void)path, (void)on_event;
	if (!s)
		return -ENOMEM;
	s->on_state = on_state;
	s->user = user;
	s->told = true;
	*out = s;
	return 0;
}

void __wrap_ike_session_free(struct ike_session *s);
void __wrap_ike_session_free(struct ike_session *s)
{
	for (size_t i = 0; s && i < s->n; i++) {
		s->queue[i].reply(s->queue[i].user, -ECANCELED, NULL, NULL, 0);
		ike_msg_free(s->queue[i].request);
	}
	free(s);
}

int __wrap_ike_session_fd(const struct ike_session *s);
int __wrap_ike_session_fd(const struct ike_session *s)
{
	static int fd = -1; /* never ready */

	(void)s;
	if (fd < 0)
		fd = eventfd(0, EFD_CLOEXEC);
	return fd;
}

int __wrap_ike_session_watch_fd(const struct ike_session *s);
int __wrap_ike_session_watch_fd(const struct ike_session *s)
{
	(void)s;
	return -1;
}

enum ike_session_state __wrap_ike_session_state(const struct ike_session *s);
enum ike_session_state __wrap_ike_session_state(const struct ike_session *s)
{
	return s->state;
}

uint64_t __wrap_ike_session_deadline(const struct ike_session *s);
uint64_t __wrap_ike_session_deadline(const struct ike_session *s)
{
	(void)s;
	return UINT64_MAX;
}

void __wrap_ike_session_connect(struct ike_session *s);
void __wrap_ike_session_connect(struct ike_session *s)
{
	s->state = charon.absent ? IKE_SESSION_ABSENT : IKE_SESSION_CONNECTED;
	s->told = false;
}

int __wrap_ike_session_submit(struct ike_session *s, struct ike_msg *request, const char *stream,
			      ike_reply_fn reply, void *user, uint64_t now_ms);
int __wrap_ike_session_submit(struct ike_session *s, struct ike_msg *request, const char *stream,
			      ike_reply_fn reply, void *user, uint64_t now_ms)
{
	void *spare = malloc(1); /* what the real one allocates */
	int err = !spare || !request || ike_msg_failed(request) ? -ENOMEM
		  : s->state != IKE_SESSION_CONNECTED		? -ENOTCONN
								: 0;

	(void)stream, (void)now_ms;
	free(spare);
	if (err) {
		ike_msg_free(request);
		return err;
	}
	assert_true(ike_msg_valid(request));
	assert_true(s->n < CHARON_QUEUE);
	s->queue[s->n].reply = reply;
	s->queue[s->n].user = user;
	s->queue[s->n++].request = request;
	return 0;
}

/* Also what the answers bring about. */
void __wrap_ike_session_dispatch(struct ike_session *s, uint64_t now_ms);
void __wrap_ike_session_dispatch(struct ike_session *s, uint64_t now_ms)
{
	bool armed = alloc_armed;

	(void)now_ms;
	if (!s->told) {
		s->told = true;
		s->on_state(s->user, s->state, s->state == IKE_SESSION_ABSENT ? -ENOENT : 0);
	}
	for (size_t i = 0; i < s->n; i++) {
		alloc_armed = false;
		struct ike_msg *answer = ike_msg_new("");
		bool silent = charon.silent_to &&
			      !strcmp(ike_msg_name(s->queue[i].request), charon.silent_to);
		if (!silent)
			command_run(s->queue[i].request, answer);
		ike_msg_free(s->queue[i].request);
		alloc_armed = armed;
		s->queue[i].reply(s->queue[i].user, silent ? -ETIMEDOUT : 0, silent ? NULL : answer,
				  NULL, 0);
		alloc_armed = false;
		ike_msg_free(answer);
		alloc_armed = armed;
	}
	s->n = 0;
}

#endif
