/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/caller.c: of tunnels that need one pair of addresses, who keeps it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/caller.h"

#define N 4

struct world {
	struct conf conf;
	struct conf_tunnel of[N];
	struct tunnel tunnels[N];
	struct gateway gw;
};

static char *names[N] = {"b1", "b2", "b3", "b4"};

/* Four peers that call and work, all from 203.0.113.1, with the keys 1 to 4. */
static void make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->conf = (struct conf){.tunnels = w->of, .n_tunnels = N};
	w->gw.conf = &w->conf;
	w->gw.tunnels = w->tunnels;
	for (int i = 0; i < N; i++) {
		struct tunnel *t = &w->tunnels[i];

		w->of[i].name = names[i];
		w->of[i].enabled = true;
		w->of[i].remote.kind = CONF_REMOTE_ANY;
		w->of[i].has_gre_key = true;
		w->of[i].gre_key_in = w->of[i].gre_key_out = (uint32_t)i + 1;
		t->gw = &w->gw;
		t->index = i;
		t->conf = &w->of[i];
		t->ike_established = t->child_installed = true;
		addr_parse("198.51.100.1", &t->local);
		addr_parse("203.0.113.1", &t->remote);
	}
}

static void done(struct world *w)
{
	for (int i = 0; i < N; i++)
		free(w->tunnels[i].call_refused);
}

static void assert_letters(const struct world *w, const char *want)
{
	char got[N + 1] = "";

	for (int i = 0; i < N; i++)
		got[i] = w->tunnels[i].remote.family ? 'k' : w->tunnels[i].call_refused ? 'r' : 'g';
	assert_string_equal(got, want);
}

/* One letter for each: k keeps, r is refused, g gives way. A second time changes nothing. */
static void assert_parted(struct world *w, const char *want)
{
	caller_part(&w->gw);
	assert_letters(w, want);
	caller_part(&w->gw);
	assert_letters(w, want);
	done(w);
}

static void keys_tell_apart(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	assert_parted(&w, "kkkk");
	make(&w);
	w.of[2].gre_key_in = w.of[2].gre_key_out = 1;
	assert_parted(&w, "kkrk");
	/* A key of one direction is enough to be in the other's way. */
	make(&w);
	w.of[3].gre_key_out = 2;
	assert_parted(&w, "kkkr");
	/* Without a key a policy covers all GRE between the two. */
	make(&w);
	w.of[0].has_gre_key = false;
	assert_parted(&w, "krrr");
	make(&w);
	w.of[3].has_gre_key = false;
	assert_parted(&w, "kkkr");
}

static void ends_tell_apart(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	for (int i = 0; i < N; i++)
		w.of[i].has_gre_key = false;
	addr_parse("203.0.113.2", &w.tunnels[1].remote);
	addr_parse("198.51.100.2", &w.tunnels[2].local);
	assert_parted(&w, "kkkr");
	make(&w);
	for (int i = 0; i < N; i++)
		w.of[i].has_gre_key = false;
	w.of[0].enabled = false;
	w.tunnels[1].remote = (struct addr){0};
	assert_parted(&w, "kgkr");
}

static void who_keeps(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	for (int i = 0; i < N; i++)
		w.of[i].has_gre_key = false;
	/* Who works before who is silent. */
	w.tunnels[0].child_installed = false;
	assert_parted(&w, "gkrr");
	/* Who has its address by configuration before all. */
	make(&w);
	for (int i = 0; i < N; i++)
		w.of[i].has_gre_key = false;
	w.of[3].remote.kind = CONF_REMOTE_ADDRESS;
	w.tunnels[3].child_installed = false;
	assert_parted(&w, "rrrk");
}

static void words(void **unused)
{
	struct world w;

	(void)unused;
	make(&w);
	w.of[1].has_gre_key = false;
	w.of[3].gre_key_in = w.of[3].gre_key_out = 3;
	caller_part(&w.gw);
	assert_string_equal(w.tunnels[1].call_refused,
			    "b2 comes from the same address as b1 (one NAT): give each a gre-key");
	assert_string_equal(
		w.tunnels[3].call_refused,
		"b4 comes from the same address as b3 (one NAT): give each another gre-key");
	done(&w);
}

static void left_behind(void **unused)
{
	struct world w;
	struct ike_sa sa = {.uniqueid = 7, .remote_port = 4500};

	(void)unused;
	make(&w);
	w.tunnels[0].caller_id = 9;
	w.tunnels[0].caller_port = 4500;
	sa.remote = w.tunnels[0].remote;
	assert_false(caller_left(&w.tunnels[0], &sa));
	sa.remote_port = 40001;
	assert_true(caller_left(&w.tunnels[0], &sa));
	sa.remote_port = 4500;
	addr_parse("192.0.2.9", &sa.remote);
	assert_true(caller_left(&w.tunnels[0], &sa));
	sa.uniqueid = 9;
	assert_false(caller_left(&w.tunnels[0], &sa));
	sa.uniqueid = 7;
	w.of[0].remote.kind = CONF_REMOTE_ADDRESS;
	assert_false(caller_left(&w.tunnels[0], &sa));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_tell_apart), cmocka_unit_test(ends_tell_apart),
		cmocka_unit_test(who_keeps),	   cmocka_unit_test(words),
		cmocka_unit_test(left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
