/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon/loading.c with charon's answers given by hand: what was made by terms that are in force no more is ended once charon has
 * taken the new ones, whatever happened on the way there, and nothing is ended without need. Requests are taken by the linker's --wrap.
 */
#include "daemon/loading.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/charon.h"
#include "ike/msg.h"
#include "lib/log.h"
#include "tests/unit/wrap_charon.h"

#define ASKED_MAX 8

static struct gateway *gw;
static struct conf conf;
static struct conf_tunnel conf_tunnels[2];
static struct tunnel tunnels[2];
static unsigned ended;

static struct {
	ike_reply_fn reply;
	void *user;
} asked[ASKED_MAX];
static size_t n_asked;

int __wrap_charon_submit(struct gateway *g, struct ike_msg *request, const char *stream,
			 ike_reply_fn reply, void *user);
int __wrap_charon_submit(struct gateway *g, struct ike_msg *request, const char *stream,
			 ike_reply_fn reply, void *user)
{
	const char *command = ike_msg_name(request);

	(void)g, (void)stream;
	ended += !strcmp(command, "terminate");
	if (!strcmp(command, "load-conn")) {
		assert_true(n_asked < ASKED_MAX);
		asked[n_asked].reply = reply;
		asked[n_asked++].user = user;
	}
	ike_msg_free(request);
	return 0;
}

void __wrap_reconcile_mark(struct tunnel *t);
void __wrap_reconcile_mark(struct tunnel *t)
{
	(void)t;
}

static void no_log(enum log_level level, const char *name, const char *text)
{
	(void)level, (void)name, (void)text;
}

static int begin(void **unused)
{
	static char *const names[] = {(char *)"a", (char *)"b"};

	(void)unused;
	gw = calloc(1, sizeof(*gw));
	assert_non_null(gw);
	conf = (struct conf){.tunnels = conf_tunnels, .n_tunnels = 2};
	gw->conf = &conf;
	gw->tunnels = tunnels;
	gw->charon_known = true;
	for (int i = 0; i < 2; i++) {
		conf_tunnels[i] = (struct conf_tunnel){.name = names[i], .enabled = true};
		tunnels[i] = (struct tunnel){.gw = gw, .index = i, .conf = &conf_tunnels[i]};
	}
	n_asked = 0;
	ended = 0;
	log_set_sink(no_log);
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	log_set_sink(NULL);
	loading_forget(gw);
	vec_free(&gw->terms);
	for (int i = 0; i < 2; i++) {
		gateway_set_text(&tunnels[i].refused, NULL);
		gateway_set_text(&tunnels[i].cause, NULL);
	}
	free(gw);
	return 0;
}

/* Loads the first n tunnels, the first one by these terms, all others by terms that stay. */
static void load(size_t n, unsigned char terms)
{
	struct object_conn conns[2] = {0};
	const struct object_conn *list[2] = {&conns[0], &conns[1]};

	for (size_t i = 0; i < n; i++) {
		snprintf(conns[i].conn.name, sizeof(conns[i].conn.name), IKE_PREFIX "%s",
			 conf_tunnels[i].name);
		conns[i].conn.local_id = "hq.example.net";
		conns[i].conn.remote_id = "branch.example.net";
		memset(conns[i].digest, i ? 1 : terms, sizeof(conns[i].digest));
		memset(conns[i].terms, i ? 1 : terms, sizeof(conns[i].terms));
	}
	assert_int_equal(charon_load_conns(gw, list, n), 0);
}

/* charon answers all that it was asked, or (code) does not. */
static void answer(const char *success, int code)
{
	struct ike_msg *m = ike_msg_new("");

	ike_msg_value(m, "success", "%s", success);
	for (size_t i = 0; i < n_asked; i++)
		asked[i].reply(asked[i].user, code, code ? NULL : m, NULL, 0);
	n_asked = 0;
	ike_msg_free(m);
}

static void loaded(size_t n, unsigned char terms)
{
	load(n, terms);
	answer("yes", 0);
}

static void other_terms(void **unused)
{
	(void)unused;
	loaded(1, 1);
	assert_int_equal(ended, 0);
	loaded(1, 1);
	assert_int_equal(ended, 0);
	loaded(1, 2);
	assert_int_equal(ended, 1);
	loaded(1, 2);
	assert_int_equal(ended, 1);
}

/* One of a message is refused, so that all of it are: they go one by one. */
static void after_a_refusal(void **unused)
{
	(void)unused;
	loaded(2, 1);
	load(2, 2);
	answer("no", 0);
	assert_int_equal(ended, 0);
	loaded(2, 2);
	assert_int_equal(ended, 1);
}

/* Refused alone, and put right: neither that of before is ended for nothing nor does it stay. */
static void refused_and_mended(void **unused)
{
	(void)unused;
	loaded(1, 1);
	load(1, 2);
	answer("no", 0);
	loaded(1, 1);
	assert_int_equal(ended, 0);
	load(1, 3);
	answer("no", 0);
	loaded(1, 2);
	assert_int_equal(ended, 1);
}

/* charon may have taken it all the same. */
static void not_answered(void **unused)
{
	(void)unused;
	loaded(1, 1);
	load(1, 2);
	answer("yes", -ETIMEDOUT);
	loaded(1, 2);
	assert_int_equal(ended, 1);
	load(1, 3);
	answer("yes", -ETIMEDOUT);
	loaded(1, 2);
	assert_int_equal(ended, 2);
	load(1, 2);
	answer("yes", -ETIMEDOUT);
	loaded(1, 2);
	assert_int_equal(ended, 2);
}

/* The session was lost, and what charon made was not. */
static void another_session(void **unused)
{
	(void)unused;
	loaded(1, 1);
	loading_forget(gw);
	loaded(1, 1);
	assert_int_equal(ended, 0);
	loading_forget(gw);
	loaded(1, 2);
	assert_int_equal(ended, 1);
}

/* daemon/move.c has ended what was. */
static void moved(void **unused)
{
	(void)unused;
	loaded(1, 1);
	tunnels[0].moved = true;
	load(1, 2);
	tunnels[0].moved = false;
	answer("yes", 0);
	assert_int_equal(ended, 0);
	loaded(1, 2);
	assert_int_equal(ended, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(other_terms, begin, end),
		cmocka_unit_test_setup_teardown(after_a_refusal, begin, end),
		cmocka_unit_test_setup_teardown(refused_and_mended, begin, end),
		cmocka_unit_test_setup_teardown(not_answered, begin, end),
		cmocka_unit_test_setup_teardown(another_session, begin, end),
		cmocka_unit_test_setup_teardown(moved, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
