/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon/reconcile.c upon a fake kernel and charon: a look that could not read says nothing against a tunnel at first, marks
 * outlive a reload, what others did to the guard is not taken for our own, much work is no fight, and another charon is another.
 */
#define WORLD_ROOM 128
#include "tests/unit/alloc_gateway.h"

#define TWO(rekey)                                                             \
	"gateway: {id: hq.example.net, local: 198.51.100.1, key: @/gwd.key}\n" \
	"charon: {socket: @/charon.vici}\n"                                    \
	"tunnels:\n"                                                           \
	"  a:\n"                                                               \
	"    remote: 203.0.113.7\n"                                            \
	"    peer: {id: a.example.net, public-key: " RICH_PEER "}\n"           \
	"    addresses: [10.255.0.1/30]\n"                                     \
	"  b:\n"                                                               \
	"    remote: 203.0.113.8\n"                                            \
	"    peer: {id: b.example.net, public-key: " RICH_PEER2 "}\n"          \
	"    addresses: [10.255.0.5/30]\n"                                     \
	"    esp: {rekey-time: " rekey "}\n"

static bool unread_told(const struct tunnel *t)
{
	return t->reason && strstr(t->reason, "cannot be read");
}

static void reload(const char *text)
{
	char *report = NULL;

	conf_write(text);
	if (reload_conf(&gw, &report))
		fail_msg("%s", report);
	free(report);
}

static void up(const char *text)
{
	conf_write(text);
	gateway_up();
	settle();
	gw.ready = true;
}

static void look_in_vain(void)
{
	fake_unreadable = 1;
	gw.guard_dirty = true;
	reconcile_mark_all(&gw);
	assert_int_not_equal(reconcile_run(&gw, NULL), 0);
	assert_true(evtimer_pending(gw.debounce, NULL));
}

static void one_look_in_vain(void **state)
{
	(void)state;
	up(before);
	look_in_vain();
	look_in_vain();
	assert_false(unread_told(&gw.tunnels[0]));
	look_in_vain();
	assert_true(unread_told(&gw.tunnels[0]) && unread_told(&gw.tunnels[1]));
	settle();
	assert_false(unread_told(&gw.tunnels[0]));
	look_in_vain();
	assert_false(unread_told(&gw.tunnels[0]));
	settle();
	gw.ready = false; /* nothing was ever seen */
	look_in_vain();
	assert_true(unread_told(&gw.tunnels[0]));
	gateway_down();
}

/* The event told of a, and the reload is about b. */
static void marks_stay(void **state)
{
	(void)state;
	up(TWO("1h"));
	fake.addrs.n = 0;
	reconcile_mark(&gw.tunnels[0]);
	reconcile_mark(&gw.tunnels[1]);
	reload(TWO("2h"));
	settle();
	assert_int_equal(fake.addrs.n, 2);
	gateway_down();
}

/* Somebody emptied the guard's chains, and then a pair is added. */
static void news_of_the_guard(void **state)
{
	(void)state;
	up(before);
	fake.intact = false;
	fake.pairs.n--;
	guard_state_note_pair(&gw.guard_seen, &gw.guard_seen.pairs[1], false);
	fake_guard_news = 1;
	reconcile_mark(&gw.tunnels[1]);
	assert_int_equal(reconcile_run(&gw, NULL), 0);
	assert_int_equal(reconcile_run(&gw, NULL), 0);
	assert_true(fake.intact);
	fake_bare = 0; /* not by us */
	settle();
	gateway_down();
}

/* A tunnel with many routes is made, and made again. */
static void much_is_no_fight(void **state)
{
	struct text text = {0};

	(void)state;
	text_add(&text, "%s    routes: [10.9.0.0/24", TWO("1h"));
	for (int i = 1; i < 28; i++)
		text_add(&text, ", 10.9.%d.0/24", i);
	text_add(&text, "]\n");
	up(TWO("1h"));
	reload(text.text);
	settle();
	assert_in_range(gw.tunnels[1].repairs, 1, 8);
	for (unsigned i = 0; i < RECONCILE_REPAIRS_MAX; i++) {
		fake.routes.n--;
		reconcile_mark(&gw.tunnels[1]);
		reconcile_run(&gw, NULL);
	}
	assert_in_range(gw.tunnels[1].repairs, RECONCILE_REPAIRS_MAX, RECONCILE_REPAIRS_MAX + 8);
	text_free(&text);
	gateway_down();
}

/* It counts its SAs anew. */
static void another_charon(void **state)
{
	struct charon_spare spare = {0};
	struct tunnel *t;

	(void)state;
	up(before);
	t = &gw.tunnels[0];
	t->reauth.last = 5000;
	t->ike_established = t->child_installed = true;
	assert_int_equal(charon_prepare(&gw, "other", &spare), 0);
	charon_replace(&gw, &spare);
	assert_int_equal(t->reauth.last, 0);
	assert_false(t->ike_established || t->child_installed);
	settle();
	assert_true(t->conn_loaded);
	gateway_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_look_in_vain),  cmocka_unit_test(marks_stay),
		cmocka_unit_test(news_of_the_guard), cmocka_unit_test(much_is_no_fight),
		cmocka_unit_test(another_charon),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
