/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs of the control socket that change something, while memory runs out at each allocation in turn. Whatever fails: the
 * client has a whole answer, or is let go, no link stands without its cover, and the next look makes all that is wanted
 * so. The verbs that only tell are in test_alloc_gateway.
 */
#include "tests/unit/alloc_gateway.h"

/* No name in it: its lookup has a thread, whose blocks come and go at any time. */
static const char after[] = "gateway: {id: hq.example.net, local: 198.51.100.1, key: @/gwd.key}\n"
			    "charon: {socket: @/charon.vici}\n"
			    "tunnels:\n"
			    "  a:\n"
			    "    remote: 203.0.113.17\n"
			    "    peer: {id: a.example.net, public-key: " RICH_PEER "}\n"
			    "    addresses: [10.255.0.1/30, \"2001:db8:1::1/64\"]\n"
			    "    routes: [10.2.0.0/16]\n"
			    "  c:\n"
			    "    remote: 203.0.113.9\n"
			    "    peer: {id: c.example.net}\n"
			    "    psk: @/psk\n"
			    "    gre-key: 9\n"
			    "    addresses: [10.255.0.9/30]\n";

struct change {
	const char *request;
	void (*check)(bool hit);
	bool waits; /* for charon; no answer is due before */
};

static bool both_stand(void)
{
	return world_link(&fake, "a") && world_link(&fake, "b");
}

/* The configuration in force is one of the two as a whole. */
static void check_reload(bool hit)
{
	bool old = !strcmp(gw.conf->tunnels[1].name, "b");

	assert_true(hit || !old);
	assert_int_equal(!!world_link(&fake, "b"), old);
	assert_int_equal(!!world_link(&fake, "c"), !old);
}

static void check_up(bool hit)
{
	(void)hit;
	assert_true(both_stand());
	assert_false(gw.tunnels[0].held);
}

static void check_down(bool hit)
{
	assert_true(both_stand());
	assert_true(hit || gw.tunnels[0].held);
}

/* All or nothing, and in the end what gwd says of itself. */
static void check_teardown(bool hit)
{
	assert_true(hit || gw.torn_down);
	assert_int_equal(both_stand(), !gw.torn_down);
	assert_int_equal(!!world_link(&fake, "a"), !gw.torn_down);
}

static const struct change changes[] = {
	{"{\"verb\":\"reload\"}\n", check_reload, false},
	{"{\"verb\":\"up\",\"tunnel\":\"a\"}\n", check_up, true},
	{"{\"verb\":\"restart\",\"tunnel\":\"a\"}\n", check_up, true},
	{"{\"verb\":\"down\",\"tunnel\":\"a\"}\n", check_down, true},
	{"{\"verb\":\"teardown\"}\n", check_teardown, false},
};

static void assert_answered(const struct change *c, int fd, bool hit)
{
	static char buf[16384];
	bool over;
	size_t len = client_read(fd, buf, sizeof(buf), &over);

	if (len)
		assert_int_equal(buf[len - 1], '\n');
	else if (!c->waits && !(hit && over))
		fail_msg("%s: no answer", c->request);
}

static bool attempt_change(void *user, unsigned long n, enum alloc_mode mode)
{
	const struct change *c = user;
	char text[512];
	bool hit, over;
	int fd;

	conf_write(before);
	gateway_up();
	settle();
	assert_int_equal(control_init(&gw, text, sizeof(text)), 0);
	conf_write(after);
	fd = client_open();
	loop_turns();
	client_read(fd, text, sizeof(text), &over);
	assert_int_equal(write(fd, c->request, strlen(c->request)), strlen(c->request));
	alloc_start(n, mode);
	loop_turns();
	hit = alloc_stop();
	loop_turns();
	assert_int_equal(fake_bare, 0);
	assert_answered(c, fd, hit);
	close(fd);
	loop_turns();
	reconcile_mark_all(&gw);
	assert_int_equal(reconcile_run(&gw, NULL), 0);
	charon_turn();
	assert_int_equal(fake_bare, 0);
	c->check(hit);
	gateway_down();
	return hit;
}

static void test_changes(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* what they ask for is for root */
	charon.absent = false;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		assert_true(alloc_each(attempt_change, (void *)&changes[i]) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
