/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon/reauth.c, the pure part: which changes of what authenticates ask for a new IKE_SA, and under which turn.
 */
#include "daemon/reauth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct secret one = {3, (unsigned char *)"one"}, two = {3, (unsigned char *)"two"};

static enum reauth_need keys(const char *a, const char *a2, const char *b, const char *b2)
{
	struct conf_tunnel old = {.auth = CONF_AUTH_PUBLIC_KEY}, new = old;
	struct tunnel_secrets none = {0};

	snprintf(old.peer_public_key, sizeof(old.peer_public_key), "%s", a);
	snprintf(old.peer_other_key, sizeof(old.peer_other_key), "%s", a2);
	snprintf(new.peer_public_key, sizeof(new.peer_public_key), "%s", b);
	snprintf(new.peer_other_key, sizeof(new.peer_other_key), "%s", b2);
	return reauth_compare(&old, &none, &new, &none);
}

static void public_keys(void **unused)
{
	(void)unused;
	assert_int_equal(keys("A", "", "A", ""), REAUTH_NONE);
	assert_int_equal(keys("A", "", "A", "B"), REAUTH_NONE);
	assert_int_equal(keys("A", "B", "B", "A"), REAUTH_NONE);
	assert_int_equal(keys("A", "B", "B", ""), REAUTH_HARD);
	assert_int_equal(keys("A", "B", "A", ""), REAUTH_HARD);
	assert_int_equal(keys("A", "", "B", ""), REAUTH_HARD);
}

static enum reauth_need psks(struct secret *a, struct secret *a2, struct secret *b,
			     struct secret *b2)
{
	struct conf_tunnel t = {.auth = CONF_AUTH_PSK};
	struct tunnel_secrets old = {.psk = a, .other_psk = a2}, new = {.psk = b, .other_psk = b2};

	return reauth_compare(&t, &old, &t, &new);
}

static void pre_shared_keys(void **unused)
{
	(void)unused;
	assert_int_equal(psks(&one, NULL, &one, &two), REAUTH_NONE);
	assert_int_equal(psks(&one, &two, &two, &one), REAUTH_NONE);
	assert_int_equal(psks(&two, &one, &two, NULL), REAUTH_HARD);
	assert_int_equal(psks(&one, NULL, &two, NULL), REAUTH_HARD);
}

static enum reauth_need ppks(struct secret *a, bool a_required, struct secret *b, bool b_required)
{
	struct conf_tunnel old = {.auth = CONF_AUTH_PSK, .ppk_id = (char *)"id"}, new = old;
	struct tunnel_secrets sa = {.psk = &one, .ppk = a}, sb = {.psk = &one, .ppk = b};

	old.ppk_required = a_required;
	new.ppk_required = b_required;
	return reauth_compare(&old, &sa, &new, &sb);
}

static void post_quantum_keys(void **unused)
{
	(void)unused;
	assert_int_equal(ppks(NULL, true, NULL, true), REAUTH_NONE);
	assert_int_equal(ppks(&one, true, &one, true), REAUTH_NONE);
	assert_int_equal(ppks(NULL, true, &one, false), REAUTH_SOFT);
	assert_int_equal(ppks(NULL, true, &one, true), REAUTH_HARD);
	assert_int_equal(ppks(&one, false, &one, true), REAUTH_HARD);
	assert_int_equal(ppks(&one, true, &one, false), REAUTH_NONE);
	assert_int_equal(ppks(&one, true, &two, true), REAUTH_HARD);
	assert_int_equal(ppks(&one, true, NULL, true), REAUTH_SOFT);
}

/* The turn of a tunnel of which this gwd knows nothing yet, or knew one. */
static uint8_t turn_of(uint8_t before)
{
	struct conf_tunnel t = {.name = (char *)"a", .auth = CONF_AUTH_PSK};
	struct tunnel_secrets was = {.psk = &one}, is = {.psk = &two};
	struct conf conf = {.tunnels = &t, .n_tunnels = 1};
	struct tunnel tunnel = {.reauth.turn = before};
	struct gateway *gw = calloc(1, sizeof(*gw));
	struct generation old = {.conf = &conf, .auths = &was};

	assert_non_null(gw);
	gw->conf = &conf;
	gw->auths = &is;
	gw->tunnels = &tunnel;
	reauth_note(gw, &old);
	free(gw);
	assert_true(tunnel.reauth.wanted && tunnel.reauth.hard);
	assert_int_not_equal(tunnel.reauth.turn, 0);
	return tunnel.reauth.turn;
}

/* Two lives of gwd that count alike would come upon the IKE_SAs of the first. */
static void turns(void **unused)
{
	uint8_t first = turn_of(0);
	bool differs = false;

	(void)unused;
	for (int i = 0; i < 64; i++)
		differs |= turn_of(0) != first;
	assert_true(differs);
	assert_int_equal(turn_of(1), 2);
	assert_int_equal(turn_of(254), 255);
	assert_int_equal(turn_of(255), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_keys),
		cmocka_unit_test(pre_shared_keys),
		cmocka_unit_test(post_quantum_keys),
		cmocka_unit_test(turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
