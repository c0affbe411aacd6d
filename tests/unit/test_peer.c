/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon/peer.c, daemon/tidy.c and daemon/reauth.c with charon's lists given by hand: when a list that lacks the IKE_SA is believed, what is
 * done about a child whose SAs the kernel lost, and that packets move before what they go by is ended. Requests are taken by the linker's
 * --wrap.
 */
#include "daemon/peer.h"

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
#include "daemon/reauth.h"
#include "daemon/reconcile.h"
#include "daemon/sas.h"
#include "ike/msg.h"
#include "lib/log.h"
#include "tests/unit/wrap_charon.h"

#define OUT_BEFORE 0xc0ffee01
#define OUT_AFTER 0xc0ffee02

static struct gateway *gw;
static struct conf conf;
static struct conf_tunnel conf_tunnel;
static struct tunnel tunnel;
static unsigned started, ended, logged, moves;
static uint32_t moved_to;
static char ended_child[16]; /* the last one */
static ike_reply_fn listed; /* the answer that a list-sas waits for */
static void *listed_user;

int __wrap_charon_submit(struct gateway *g, struct ike_msg *request, const char *stream,
			 ike_reply_fn reply, void *user);
int __wrap_charon_submit(struct gateway *g, struct ike_msg *request, const char *stream,
			 ike_reply_fn reply, void *user)
{
	const char *command = ike_msg_name(request), *child = ike_msg_get(request, "child-id");

	(void)g, (void)stream;
	if (!strcmp(command, "terminate")) {
		ended++;
		snprintf(ended_child, sizeof(ended_child), "%s", child ? child : "");
	}
	started += !strcmp(command, "initiate");
	if (!strcmp(command, "list-sas")) {
		assert_null(listed);
		listed = reply;
		listed_user = user;
	}
	ike_msg_free(request);
	return 0;
}

bool __wrap_sas_have(const struct tunnel *t, bool outbound);
bool __wrap_sas_have(const struct tunnel *t, bool outbound)
{
	(void)outbound;
	return t->sas.len;
}

bool __wrap_sas_move(struct tunnel *t, uint32_t spi);
bool __wrap_sas_move(struct tunnel *t, uint32_t spi)
{
	moves++;
	moved_to = spi;
	t->pin.spi = spi;
	return true;
}

static void count_line(enum log_level level, const char *name, const char *text)
{
	(void)level, (void)name, (void)text;
	logged++;
}

static int begin(void **unused)
{
	(void)unused;
	conf_tunnel = (struct conf_tunnel){.name = (char *)"a", .enabled = true};
	conf = (struct conf){.tunnels = &conf_tunnel, .n_tunnels = 1};
	gw = calloc(1, sizeof(*gw));
	assert_non_null(gw);
	gw->conf = &conf;
	gw->tunnels = &tunnel;
	gw->charon_known = true;
	tunnel = (struct tunnel){.gw = gw, .conf = &conf_tunnel, .leads = true};
	tunnel.conn_loaded = tunnel.guard_ok = tunnel.policies_ok = true;
	tunnel.ike_established = tunnel.child_installed = true;
	assert_true(addr_parse("198.51.100.1", &tunnel.local));
	assert_true(addr_parse("203.0.113.7", &tunnel.remote));
	now = 1000;
	started = ended = logged = moves = 0;
	listed = NULL;
	log_set_sink(count_line);
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	log_set_sink(NULL);
	vec_free(&tunnel.sas);
	free(gw);
	return 0;
}

/* An IKE_SA with a child, as list-sa tells it. */
static struct ike_msg *ike_sa(uint32_t id, uint32_t spi_out)
{
	struct ike_msg *m = ike_msg_new("list-sa");

	ike_msg_section(m, IKE_PREFIX "a");
	ike_msg_value(m, "uniqueid", "%u", id);
	ike_msg_value(m, "state", "ESTABLISHED");
	ike_msg_value(m, "initiator", "yes");
	ike_msg_section(m, "child-sas");
	ike_msg_section(m, "gre-1");
	ike_msg_value(m, "uniqueid", "%u", id);
	ike_msg_value(m, "state", "INSTALLED");
	ike_msg_value(m, "mode", "TRANSPORT");
	ike_msg_value(m, "spi-in", "%08x", spi_out + 0x100);
	ike_msg_value(m, "spi-out", "%08x", spi_out);
	ike_msg_section_end(m);
	ike_msg_section_end(m);
	ike_msg_section_end(m);
	return m;
}

/* What waits is answered with the first n of two IKE_SAs. */
static void answer(size_t n)
{
	struct ike_msg *items[2] = {ike_sa(1, OUT_BEFORE), ike_sa(2, OUT_AFTER)};
	ike_reply_fn reply = listed;

	assert_non_null(reply);
	listed = NULL;
	reply(listed_user, 0, NULL, items, n);
	ike_msg_free(items[0]);
	ike_msg_free(items[1]);
}

/* Looks when it is time to. */
static void look(const uint64_t *due, size_t n)
{
	assert_int_not_equal(*due, 0);
	now = *due > now ? *due : now;
	peer_tick(&tunnel);
	answer(n);
}

/* A rekey leaves it out of some lists. */
static void believed_late(void **unused)
{
	(void)unused;
	tunnel.tidy_at = now;
	for (int i = 0; i < 4; i++) {
		look(&tunnel.tidy_at, 0);
		assert_true(tunnel.ike_established);
	}
	look(&tunnel.tidy_at, 1);
	assert_int_equal(tunnel.unseen, 0);
	tunnel.tidy_at = now;
	for (int i = 0; i < 4; i++) {
		look(&tunnel.tidy_at, 0);
		assert_true(tunnel.ike_established);
		assert_in_range(tunnel.tidy_at - now, 1, 1000);
	}
	look(&tunnel.tidy_at, 0);
	assert_false(tunnel.ike_established);
}

/* The kernel lost the SAs, and a peer that is silent keeps charon from ending the child. */
static void lost_is_told_once(void **unused)
{
	(void)unused;
	tunnel.attempt_at = now;
	look(&tunnel.attempt_at, 1);
	assert_int_equal(ended + logged, 0);
	look(&tunnel.attempt_at, 1);
	assert_int_equal(ended, 1);
	assert_int_equal(logged, 1);
	for (unsigned i = 2; i < 20; i++) {
		look(&tunnel.attempt_at, 1);
		assert_int_equal(ended, i);
		assert_int_equal(logged, 1);
		assert_in_range(tunnel.attempt_at - now, 900, 1100);
	}
}

/* What our packets go by is not ended under them. */
static void moves_first(void **unused)
{
	(void)unused;
	tunnel.pin.spi = OUT_BEFORE;
	tunnel.reauth.last = 1;
	tunnel.reauth.hard = true;
	tunnel.reauth.at = now;
	look(&tunnel.reauth.at, 2);
	assert_int_equal(moves, 1);
	assert_int_equal(moved_to, OUT_AFTER);
	assert_int_equal(ended, 0);
	assert_int_equal(tunnel.reauth.at - now, SAS_MOVED_MS);
	look(&tunnel.reauth.at, 2);
	assert_int_equal(moves, 1);
	assert_int_equal(ended, 1);
	assert_int_equal(tunnel.reauth.at, 0);
}

/* That something is accepted no more is not forgotten when charon does not tell what there is. */
static void reauth_asks_again(void **unused)
{
	ike_reply_fn reply;

	(void)unused;
	tunnel.reauth.wanted = tunnel.reauth.hard = true;
	reauth_begin(&tunnel);
	reply = listed;
	listed = NULL;
	reply(listed_user, -ETIMEDOUT, NULL, NULL, 0);
	assert_true(tunnel.reauth.wanted);
	look(&tunnel.reauth.at, 0); /* it is left out, being at work */
	assert_true(tunnel.reauth.wanted);
	assert_int_equal(started, 0);
	tunnel.tidy_at = 0;
	tunnel.ike_id = 3;
	look(&tunnel.reauth.at, 1);
	assert_false(tunnel.reauth.wanted);
	assert_int_equal(started, 1);
	assert_int_equal(tunnel.reauth.last, 3);
	assert_int_not_equal(tunnel.reauth.at, 0);
}

/* What must end is ended when it is seen, though charon left it out at first. */
static void reauth_ends_unseen(void **unused)
{
	(void)unused;
	tunnel.reauth.last = tunnel.ike_id = 1;
	tunnel.reauth.hard = true;
	tunnel.reauth.at = now;
	look(&tunnel.reauth.at, 0);
	assert_int_equal(ended, 0);
	tunnel.tidy_at = 0;
	look(&tunnel.reauth.at, 1);
	assert_int_equal(ended, 1);
	assert_int_equal(tunnel.reauth.last, 0);
}

/* There is none: none is made anew. */
static void reauth_of_none(void **unused)
{
	(void)unused;
	tunnel.ike_established = tunnel.child_installed = false;
	tunnel.reauth.wanted = true;
	reauth_begin(&tunnel);
	answer(0);
	assert_false(tunnel.reauth.wanted);
	assert_int_equal(tunnel.reauth.at, 0);
	assert_int_equal(started, 0);
}

static void sa_add(uint32_t spi, bool outbound)
{
	struct tunnel_sa *sa = vec_push(&tunnel.sas);

	assert_non_null(sa);
	*sa = (struct tunnel_sa){.spi = spi, .outbound = outbound, .transport = true};
}

/* The kernel lost the SAs of the first of two; the second, which is too much, carries. */
static void lost_goes_first(void **unused)
{
	(void)unused;
	sa_add(OUT_AFTER, true);
	sa_add(OUT_AFTER + 0x100, false);
	tunnel.pin.spi = OUT_AFTER;
	for (int leads = 0; leads < 2; leads++) {
		tunnel.leads = leads;
		tunnel.surplus = tunnel.surplus_looks = ended = 0;
		tunnel.tidy_at = now;
		look(&tunnel.tidy_at, 2);
		assert_int_equal(ended, 0);
		look(&tunnel.tidy_at, 2);
		assert_int_equal(ended, 1);
		assert_string_equal(ended_child, "1");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(believed_late, begin, end),
		cmocka_unit_test_setup_teardown(lost_is_told_once, begin, end),
		cmocka_unit_test_setup_teardown(moves_first, begin, end),
		cmocka_unit_test_setup_teardown(reauth_asks_again, begin, end),
		cmocka_unit_test_setup_teardown(reauth_ends_unseen, begin, end),
		cmocka_unit_test_setup_teardown(reauth_of_none, begin, end),
		cmocka_unit_test_setup_teardown(lost_goes_first, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
