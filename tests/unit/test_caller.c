/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/twins.c: of tunnels that need one pair of addresses, who keeps it. daemon/caller.c: what a peer that called left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/caller.h"
#include "daemon/twins.h"

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
	for (int i = 0; i < N; i++) {
		free(w->tunnels[i].call_refused);
		vec_free(&w->tunnels[i].sas);
	}
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
	twins_part(&w->gw);
	assert_letters(w, want);
	twins_part(&w->gw);
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
	twins_part(&w.gw);
	assert_string_equal(w.tunnels[1].call_refused,
			    "b2 comes from the same address as b1 (one NAT): give each a gre-key");
	assert_string_equal(
		w.tunnels[3].call_refused,
		"b4 comes from the same address as b3 (one NAT): give each another gre-key");
	done(&w);
}

/* Their addresses are configured: an interface here, an address there, which no check of the text can compare. */
static void make_fixed(struct world *w)
{
	make(w);
	for (int i = 0; i < N; i++) {
		struct tunnel *t = &w->tunnels[i];

		w->of[i].remote.kind = CONF_REMOTE_ADDRESS;
		w->of[i].remote.addr = t->remote;
		w->of[i].local.kind = CONF_LOCAL_ADDRESS;
		w->of[i].local.addr = t->local;
		t->ike_established = t->child_installed = false;
	}
}

/* Its SAs are in the kernel. */
static void give_sas(struct tunnel *t, bool elsewhere)
{
	for (int i = 0; i < 2; i++) {
		struct tunnel_sa *sa = vec_push(&t->sas);

		assert_non_null(sa);
		*sa = (struct tunnel_sa){.transport = true, .outbound = i, .elsewhere = elsewhere};
		sa->src = i ? t->local : t->remote;
		sa->dst = i ? t->remote : t->local;
	}
}

static void fixed_twins(void **unused)
{
	struct world w;

	(void)unused;
	make_fixed(&w);
	assert_parted(&w, "kkkk");
	make_fixed(&w);
	w.of[2].gre_key_in = w.of[2].gre_key_out = 1;
	assert_parted(&w, "kkrk");
	/* Who works before who is first, but not where it has just moved to. */
	make_fixed(&w);
	w.of[2].gre_key_in = w.of[2].gre_key_out = 1;
	give_sas(&w.tunnels[2], false);
	assert_parted(&w, "rkkk");
	make_fixed(&w);
	w.of[2].gre_key_in = w.of[2].gre_key_out = 1;
	give_sas(&w.tunnels[2], true);
	assert_parted(&w, "kkrk");
}

static void plain_twins(void **unused)
{
	struct world w;

	(void)unused;
	/* A plain one never has what a protected one needs. */
	make_fixed(&w);
	w.of[0].protect = CONF_PROTECT_NONE;
	w.of[0].has_gre_key = false;
	assert_parted(&w, "rkkk");
	/* Among plain ones a key on one of them is enough. */
	make_fixed(&w);
	for (int i = 0; i < N; i++)
		w.of[i].protect = CONF_PROTECT_NONE;
	w.of[0].has_gre_key = false;
	w.of[3].gre_key_in = w.of[3].gre_key_out = 3;
	assert_parted(&w, "kkkr");
}

/* The pair is free again: who stood back has it, and the words are gone. */
static void comes_back(void **unused)
{
	struct world w;

	(void)unused;
	make_fixed(&w);
	w.of[1].gre_key_in = w.of[1].gre_key_out = 1;
	twins_part(&w.gw);
	assert_letters(&w, "krkk");
	assert_string_equal(w.tunnels[1].call_refused,
			    "b2 would run between the same addresses as b1, 198.51.100.1 and "
			    "203.0.113.1: give each another gre-key, on both sides");
	w.of[0].enabled = false;
	twins_part(&w.gw);
	assert_letters(&w, "kkkk");
	assert_null(w.tunnels[1].call_refused);
	/* Who came forward meanwhile and works is not sent back. */
	give_sas(&w.tunnels[1], false);
	w.of[0].enabled = true;
	assert_parted(&w, "rkkk");
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

/* After a start without a link: the first list had no IKE_SA of it, but its SAs are there, so charon has one. */
static void asked_again(void **unused)
{
	struct world w;
	struct tunnel *t = &w.tunnels[0];

	(void)unused;
	make(&w);
	t->remote = (struct addr){0};
	t->conn_loaded = true;
	t->ike_established = t->child_installed = false;
	assert_false(caller_unclear(t));
	struct tunnel_sa *sa = vec_push(&t->sas);

	assert_non_null(sa);
	sa->elsewhere = sa->transport = true;
	assert_true(caller_unclear(t));
	t->ike_established = true;
	assert_false(caller_unclear(t));
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_tell_apart), cmocka_unit_test(ends_tell_apart),
		cmocka_unit_test(who_keeps),	   cmocka_unit_test(words),
		cmocka_unit_test(fixed_twins),	   cmocka_unit_test(plain_twins),
		cmocka_unit_test(comes_back),	   cmocka_unit_test(left_behind),
		cmocka_unit_test(asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
