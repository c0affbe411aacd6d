/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway upon a fake kernel, guard and charon, and a client of its control socket, for tests in which memory runs
 * out. For one source file of a program, whose calls the Makefile wraps. Entry: gateway_up.
 */
#ifndef GWD_TESTS_UNIT_ALLOC_GATEWAY_H
#define GWD_TESTS_UNIT_ALLOC_GATEWAY_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/alloc_fail.h"

#include "daemon/charon.h"
#include "daemon/control.h"
#include "daemon/generation.h"
#include "daemon/names.h"
#include "daemon/reconcile.h"
#include "daemon/reload.h"
#include "daemon/status.h"
#include "lib/log.h"
#include "lib/protocol.h"
#include "tests/unit/conf_rich.h"
#include "tests/unit/fake_guard.h"
#include "tests/unit/fake_session.h"

#define ROUNDS 8

static struct rich rich;
static struct gateway gw;

static const char before[] = "gateway: {id: hq.example.net, local: 198.51.100.1, key: @/gwd.key}\n"
			     "charon: {socket: @/charon.vici}\n"
			     "tunnels:\n"
			     "  a:\n"
			     "    remote: 203.0.113.7\n"
			     "    peer: {id: a.example.net, public-key: " RICH_PEER "}\n"
			     "    addresses: [10.255.0.1/30]\n"
			     "    start: passive\n"
			     "    routes: [10.1.0.0/16]\n"
			     "  b:\n"
			     "    remote: 203.0.113.8\n"
			     "    peer: {id: b.example.net}\n"
			     "    psk: @/psk\n"
			     "    gre-key: 7\n"
			     "    start: passive\n"
			     "    addresses: [10.255.0.5/30]\n";
static void log_drop(enum log_level level, const char *tunnel, const char *text)
{
	if (getenv("LOG"))
		fprintf(stderr, "# %d %s: %s\n", level, tunnel ? tunnel : "-", text);
}

static void conf_write(const char *text)
{
	assert_true(rich_write(rich.conf, text, rich.folder, NULL));
}

/* What charon answers, and what follows from that. */
static void charon_turn(void)
{
	for (int i = 0; i < ROUNDS && gw.session; i++) {
		ike_session_dispatch(gw.session, gateway_now());
		reconcile_run(&gw, NULL);
	}
}

static void gateway_up(void)
{
	char *report = NULL;

	gw = (struct gateway){.conf_path = rich.conf,
			      .run_dir = rich.folder,
			      .base = event_base_new(),
			      .rtnl = FAKE_RTNL,
			      .xfrm = FAKE_XFRM};
	fake_kernel_reset();
	fake_charon_reset();
	assert_int_equal(reconcile_init(&gw), 0);
	assert_int_equal(names_init(&gw), 0);
	if (reload_conf(&gw, &report))
		fail_msg("%s", report);
	free(report);
	assert_int_equal(charon_init(&gw), 0);
}

static void gateway_down(void)
{
	struct event *const events[] = {gw.debounce, gw.resync, gw.resolve,
					gw.paths,    gw.trim,	gw.retry};

	control_done(&gw);
	charon_done(&gw);
	names_done(&gw);
	generation_end(&gw);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		event_free(events[i]);
	event_base_free(gw.base);
}

static json_t *plan_left(void)
{
	json_t *plan = NULL;
	char err[256];

	assert_int_equal(reconcile_preview(&gw, &plan, err, sizeof(err)), 0);
	evtimer_del(gw.debounce);
	return plan;
}

/* The plan for the configuration in force must be empty: all that it says stands. */
static void assert_complete(void)
{
	json_t *plan = plan_left();

	if (json_integer_value(json_object_get(plan, "changes")))
		fail_msg("%s", json_dumps(plan, JSON_INDENT(1)));
	json_decref(plan);
	assert_int_equal(fake_bare, 0);
	for (size_t i = 0; i < gw.conf->n_tunnels; i++)
		assert_true(!gw.conf->tunnels[i].enabled || !gw.tunnels[i].local.family ||
			    !gw.tunnels[i].remote.family ||
			    world_link(&fake, gw.conf->tunnels[i].interface));
}

static void settle(void)
{
	assert_int_equal(reconcile_run(&gw, NULL), 0);
	charon_turn();
	assert_complete();
	evtimer_del(gw.debounce);
}

static inline int client_open(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/" PROTOCOL_SOCKET, rich.folder);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* What was read ends in a line, or at the end of the connection. */
static inline size_t client_read(int fd, char *buf, size_t size, bool *over)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	*over = n == 0;
	buf[len] = '\0';
	return len;
}

static inline void loop_turns(void)
{
	for (int i = 0; i < 4; i++) {
		event_base_loop(gw.base, EVLOOP_NONBLOCK);
		ike_session_dispatch(gw.session, gateway_now());
	}
}

static int setup(void **state)
{
	(void)state;
	log_set_sink(log_drop);
	signal(SIGPIPE, SIG_IGN);
	return rich_make(&rich) && !unlink(rich.part) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	rich_remove(&rich);
	return 0;
}

#endif
