/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gateway whose memory runs out, at each allocation in turn: while it takes a configuration into
 * force, makes the kernel and charon what that says, and answers on its control socket. Whatever
 * fails, no link stands without its cover, the configuration in force is one of the two as a
 * whole, and the next look makes up for it. Upon the same charon, which can be late: what is said of a
 * secret that it takes at last.
 */
#include "tests/unit/alloc_gateway.h"

#include "daemon/peer.h"

static const char after[] = "gateway: {id: hq.example.net, local: 198.51.100.1, key: @/gwd.key}\n"
			    "charon: {socket: @/other.vici}\n"
			    "tunnels:\n"
			    "  a:\n"
			    "    remote: 203.0.113.17\n"
			    "    peer: {id: a.example.net, public-key: " RICH_PEER "}\n"
			    "    addresses: [10.255.0.1/30, \"2001:db8:1::1/64\"]\n"
			    "    routes: [10.2.0.0/16]\n"
			    "    mss-clamp: false\n"
			    "  c:\n"
			    "    remote: any\n"
			    "    peer: {id: c.example.net}\n"
			    "    psk: [@/psk, @/ppk]\n"
			    "    gre-key: 9\n"
			    "    addresses: [10.255.0.9/30]\n"
			    "  d:\n"
			    "    remote: d.example.net\n"
			    "    peer: {id: d.example.net, public-key: " RICH_PEER2 "}\n"
			    "    addresses: [10.255.0.13/30]\n";

/* Something will look again, soon and without being told. */
static bool looks_again(void)
{
	bool soon = evtimer_pending(gw.debounce, NULL) || evtimer_pending(gw.retry, NULL);

	for (size_t i = 0; i < gw.conf->n_tunnels; i++)
		soon |= gw.tunnels[i].retry_at && evtimer_pending(gw.tunnels[i].tick, NULL);
	return soon;
}

static size_t changes_left(void)
{
	json_t *plan = plan_left();
	size_t n = (size_t)json_integer_value(json_object_get(plan, "changes"));

	json_decref(plan);
	return n;
}

/* As the resync does. */
static void make_up(void)
{
	if (charon_connected(&gw))
		charon_query_loaded(&gw);
	reconcile_mark_all(&gw);
	assert_int_equal(reconcile_run(&gw, NULL), 0);
	charon_turn();
	assert_complete();
}

/* What is believed of the kernel must be so, or be looked at again. */
static void assert_beliefs(void)
{
	for (size_t i = 0; i < gw.holds.len; i++) {
		size_t k = 0;

		while (k < fake.holds.n && gre_route_cmp(&fake.holds.at[k], &gw.holds.at[i]))
			k++;
		assert_true(k < fake.holds.n);
	}
}

/* Everything new, without charon. */
static bool attempt_apply(void *user, unsigned long n, enum alloc_mode mode)
{
	bool hit, again;
	int err;

	charon.absent = true;
	gateway_up();
	evtimer_del(gw.debounce);
	alloc_start(n, mode);
	err = reconcile_run(&gw, NULL);
	hit = alloc_stop();
	(void)user;
	assert_int_equal(fake_bare, 0);
	assert_beliefs();
	if (!hit)
		assert_int_equal(err, 0);
	again = looks_again();
	if (!again && changes_left())
		fail_msg("mode %d: after failing allocation %lu nothing looks again (%d)", mode, n,
			 err);
	make_up();
	gateway_down();
	return hit;
}

static void test_apply(void **state)
{
	(void)state;
	conf_write(before);
	assert_true(alloc_each(attempt_apply, NULL) > 30);
}

/* Another configuration: it is in force as a whole, or the one before still is. */
static bool attempt_reload(void *user, unsigned long n, enum alloc_mode mode)
{
	static struct world was;
	const struct conf *conf;
	char *report = NULL;
	bool hit;
	int err;

	(void)user;
	charon.absent = false;
	conf_write(before);
	gateway_up();
	settle();
	conf_write(after);
	conf = gw.conf;
	was = fake;
	alloc_start(n, mode);
	err = reload_conf(&gw, &report);
	hit = alloc_stop();
	assert_memory_equal(&was, &fake, sizeof(was));
	if (err) {
		assert_true(hit);
		assert_ptr_equal(gw.conf, conf);
		assert_complete();
	} else {
		assert_ptr_not_equal(gw.conf, conf);
	}
	free(report);
	if (gw.session)
		charon_turn();
	assert_int_equal(reload_conf(&gw, &report), 0);
	free(report);
	settle();
	assert_int_equal(gw.conf->n_tunnels, 3);
	assert_null(world_link(&fake, "b"));
	gateway_down();
	return hit;
}

static void test_reload(void **state)
{
	(void)state;
	assert_true(alloc_each(attempt_reload, NULL) > 100);
}

/* Start and change with charon, its answers included. */
static bool attempt_turn(void *user, unsigned long n, enum alloc_mode mode)
{
	static size_t conns, shared;
	const bool *change = user;
	char *report = NULL;
	bool hit, again;

	charon.absent = false;
	conf_write(before);
	gateway_up();
	if (*change) {
		settle();
		conf_write(after);
		assert_int_equal(reload_conf(&gw, &report), 0);
		free(report);
	}
	evtimer_del(gw.debounce);
	alloc_start(n, mode);
	charon_turn();
	hit = alloc_stop();
	assert_int_equal(fake_bare, 0);
	assert_beliefs();
	again = looks_again();
	if (!again && changes_left())
		fail_msg("mode %d: after failing allocation %lu nothing looks again", mode, n);
	make_up();
	if (!n) {
		conns = charon.conns.n;
		shared = charon.shared.n;
	}
	assert_int_equal(charon.conns.n, conns);
	assert_int_equal(charon.shared.n, shared);
	gateway_down();
	return hit;
}

static void test_turn(void **state)
{
	static bool start = false, change = true;

	(void)state;
	assert_true(alloc_each(attempt_turn, &start) > 50);
	assert_true(alloc_each(attempt_turn, &change) > 50);
}

/* The control socket */

/* Of two answers all but the numbers. */
static void numbers_drop(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (!strchr("0123456789", *text))
			*to++ = *text;
	*to = '\0';
}

struct verb {
	const char *request;
	char whole[16384];
};

/* One whole answer: as without the failure, or that memory ran out, or the end of the connection. */
static void answer_check(struct verb *v, int fd, bool hit)
{
	static char buf[16384];
	bool over;
	size_t len = client_read(fd, buf, sizeof(buf), &over);

	if (hit && over && (!len || buf[len - 1] == '\n'))
		return;
	if (!len || buf[len - 1] != '\n')
		fail_msg("%s: no whole answer: %s", v->request, buf);
	if (hit && strstr(buf, "memory"))
		return;
	numbers_drop(buf);
	if (!*v->whole)
		snprintf(v->whole, sizeof(v->whole), "%s", buf);
	if (strcmp(buf, v->whole)) {
		fail_msg("%s: %s, not %s", v->request, buf, v->whole);
	}
}

static bool attempt_verb(void *user, unsigned long n, enum alloc_mode mode)
{
	struct verb *v = user;
	char greeting[512];
	bool hit, over;
	int fd = client_open();

	loop_turns();
	client_read(fd, greeting, sizeof(greeting), &over);
	assert_non_null(strstr(greeting, "protocol"));
	assert_int_equal(write(fd, v->request, strlen(v->request)), strlen(v->request));
	alloc_start(n, mode);
	loop_turns();
	hit = alloc_stop();
	loop_turns();
	answer_check(v, fd, hit);
	close(fd);
	loop_turns();
	evtimer_del(gw.debounce);
	return hit;
}

static void test_verbs(void **state)
{
	static struct verb verbs[] = {
		{.request = "{\"verb\":\"status\"}\n"},
		{.request = "{\"verb\":\"show\",\"tunnel\":\"a\"}\n"},
		{.request = "{\"verb\":\"show\",\"tunnel\":\"aa\"}\n"},
		{.request = "{\"verb\":\"plan\"}\n"},
		{.request = "{\"verb\":\"version\"}\n"},
		{.request = "{\"verb\":\"frobnicate\"}\n"},
		{.request = "[1, 2\n"},
	};
	char err[256];

	(void)state;
	charon.absent = false;
	conf_write(before);
	gateway_up();
	settle();
	assert_int_equal(control_init(&gw, err, sizeof(err)), 0);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		alloc_each(attempt_verb, &verbs[i]);
	assert_complete();
	gateway_down();
}

/* `gwctl plan` while gwd starts, before its first look: it knows nothing of its own tunnels yet, and must find it out all the same. */
static void test_plan_first(void **state)
{
	json_t *plan = NULL;
	char *report = NULL;

	(void)state;
	charon.absent = false;
	conf_write(before);
	gateway_up();
	assert_int_equal(reload_preview(&gw, NULL, &plan, &report), 0);
	json_decref(plan);
	free(report);
	settle();
	gateway_down();
}

static struct tunnel *tunnel_b(void)
{
	return gateway_tunnel_by_name(&gw, "b");
}

/* Its connection is there all the while. */
static void test_taken_late(void **unused)
{
	(void)unused;
	conf_write(before);
	gateway_up();
	charon_turn();
	assert_null(tunnel_b()->refused);
	assert_true(tunnel_b()->conn_loaded);

	names_drop(&charon.shared, IKE_PREFIX "b");
	charon.silent_to = "load-shared";
	charon_query_loaded(&gw);
	charon_turn();
	assert_string_equal(tunnel_b()->refused, charon_error_text(-ETIMEDOUT));

	charon.silent_to = NULL;
	tunnel_b()->retry_at = 1;
	peer_tick(tunnel_b());
	charon_turn();
	assert_null(tunnel_b()->refused);
	assert_true(tunnel_b()->conn_loaded);
	gateway_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply),	   cmocka_unit_test(test_reload),
		cmocka_unit_test(test_turn),	   cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_plan_first), cmocka_unit_test(test_taken_late),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
