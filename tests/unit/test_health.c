/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/health.c: each sentence, its state, and which cause wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/health.h"

/* A protected tunnel in which all is well. */
static struct health_input well(void)
{
	return (struct health_input){.enabled = true,
				     .protected = true,
				     .guard_ok = true,
				     .policies_ok = true,
				     .link_ok = true,
				     .addresses_ok = true,
				     .charon = HEALTH_CHARON_CONNECTED,
				     .conn_loaded = true,
				     .ike_established = true,
				     .sa_in = true,
				     .sa_out = true,
				     .remote = "203.0.113.7"};
}

static void expect(const struct health_input *in, enum health_state state, const char *reason)
{
	struct health h;
	bool up = state == HEALTH_UP || state == HEALTH_UNKNOWN || state == HEALTH_UNPROTECTED ||
		  state == HEALTH_IDLE;

	memset(&h, 0xff, sizeof(h));
	health_judge(in, &h);
	assert_string_equal(h.reason, reason);
	assert_string_equal(health_state_name(h.state), health_state_name(state));
	assert_int_equal(h.oper_up, up);
}

static void up(void **unused)
{
	struct health_input in = well();

	(void)unused;
	expect(&in, HEALTH_UP, "");
	in.conn_refused = in.cause = in.conflict = in.failed = in.sysctl = in.unresolved = "";
	expect(&in, HEALTH_UP, "");
	in.conn_refused = "unsupported proposal";
	expect(&in, HEALTH_UP,
	       "up until its SAs end: charon here refuses the connection: unsupported proposal");
}

static void intent(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.enabled = false;
	expect(&in, HEALTH_DISABLED, "disabled by `enabled: false` here");
	in = well();
	in.held = true;
	expect(&in, HEALTH_DOWN, "taken down here with `gwctl down`: `gwctl up` starts it again");
	in = well();
	in.unresolved = "no route to 203.0.113.7";
	expect(&in, HEALTH_DOWN, "no local address here: no route to 203.0.113.7");
	in = well();
	in.conflict = "link branch1: exists and is not ours";
	expect(&in, HEALTH_DOWN, "conflict here: link branch1: exists and is not ours");
	in = well();
	in.failed = "link branch1: create: Operation not supported";
	expect(&in, HEALTH_DOWN,
	       "failed here, and is tried again: link branch1: create: Operation not supported");
}

static void protection(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.sysctl = "net.ipv4.conf.all.disable_policy is 1";
	expect(&in, HEALTH_DOWN,
	       "net.ipv4.conf.all.disable_policy is 1 here, which switches IPsec policies off: set "
	       "it to 0");
	in = well();
	in.guard_ok = false;
	expect(&in, HEALTH_DOWN,
	       "the guard (nftables table inet gwd) is not in place here: being restored");
	in = well();
	in.policies_ok = false;
	expect(&in, HEALTH_DOWN, "the IPsec policies are not in place here: being restored");
}

static void peers_that_call(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.caller = "branch2.example.net";
	expect(&in, HEALTH_UP, "");
	in.ike_established = false;
	expect(&in, HEALTH_UNKNOWN,
	       "charon here has no IKE_SA for the SAs in the kernel: waiting for "
	       "branch2.example.net to call (remote: any)");
	in.sa_in = in.sa_out = false;
	in.remote = "203.0.113.7";
	expect(&in, HEALTH_DOWN,
	       "waiting for branch2.example.net to call (remote: any), last from 203.0.113.7");
	in.remote = NULL;
	expect(&in, HEALTH_DOWN, "waiting for branch2.example.net to call (remote: any)");
	in.cause = "the peer's key is not the configured one";
	expect(&in, HEALTH_DOWN,
	       "waiting for branch2.example.net to call (remote: any); the last time: the peer's "
	       "key is not the configured one");
	in.cause = NULL;
	in.ike_established = true;
	in.remote = "203.0.113.7";
	expect(&in, HEALTH_DOWN,
	       "the IKE_SA with 203.0.113.7 is there, its CHILD_SA is being negotiated");
}

static void link_and_addresses(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.link_ok = false;
	expect(&in, HEALTH_DOWN, "the GRE link is not as wanted here: being restored");
	in = well();
	in.addresses_ok = false;
	expect(&in, HEALTH_DOWN, "an address or route of the link is missing here: being restored");
}

static void unprotected(void **unused)
{
	struct health_input in = {.enabled = true,
				  .link_ok = true,
				  .addresses_ok = true,
				  .charon = HEALTH_CHARON_ABSENT};

	(void)unused;
	expect(&in, HEALTH_UNPROTECTED, "");
	in.sysctl = "net.ipv4.conf.all.disable_policy is 1";
	expect(&in, HEALTH_UNPROTECTED, "");
	in.link_ok = false;
	expect(&in, HEALTH_DOWN, "the GRE link is not as wanted here: being restored");
}

static void no_sa(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.sa_in = in.sa_out = in.ike_established = false;
	expect(&in, HEALTH_DOWN, "negotiating with 203.0.113.7");
	in.remote = NULL;
	expect(&in, HEALTH_DOWN, "negotiating with the peer");
	in.remote = "203.0.113.7";
	in.ike_established = true;
	expect(&in, HEALTH_DOWN,
	       "the IKE_SA with 203.0.113.7 is there, its CHILD_SA is being negotiated");
	in.conn_loaded = false;
	expect(&in, HEALTH_DOWN, "the connection is being loaded into charon here");
	in.no_answer = true;
	expect(&in, HEALTH_DOWN,
	       "no answer from 203.0.113.7: see that the peer runs and that UDP 500 and 4500 reach "
	       "it");
	in.cause = "the peer rejects our key";
	expect(&in, HEALTH_DOWN, "the peer rejects our key");
	in.conn_refused = "invalid value for: proposals";
	expect(&in, HEALTH_DOWN,
	       "charon here refuses the connection: invalid value for: proposals");
	in.charon = HEALTH_CHARON_STALLED;
	in.charon_reason = "no answer for 10 s";
	expect(&in, HEALTH_DOWN,
	       "charon does not answer here: no answer for 10 s; `systemctl restart gwd-charon` "
	       "starts it anew");
	in.charon = HEALTH_CHARON_ABSENT;
	in.charon_reason = "no socket /run/gwd/charon.vici";
	expect(&in, HEALTH_DOWN,
	       "charon is not running here: no socket /run/gwd/charon.vici; `systemctl restart "
	       "gwd-charon` starts it anew");
	in.charon = HEALTH_CHARON_CLOSED;
	in.charon_reason = "no permission for /run/charon.vici";
	expect(&in, HEALTH_DOWN,
	       "charon is closed to gwd here: no permission for /run/charon.vici; gwd(8), SYSTEMD, "
	       "tells how to give it to the group gwd-vici");
	in.charon = HEALTH_CHARON_ABSENT;
	in.charon_reason = NULL;
	expect(&in, HEALTH_DOWN,
	       "charon is not running here; `systemctl restart gwd-charon` starts it anew");
}

static void on_traffic(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.on_traffic = true;
	expect(&in, HEALTH_UP, "");
	in.sa_in = in.sa_out = in.ike_established = false;
	expect(&in, HEALTH_IDLE, "starts with the first packet");
	in.woken = true;
	expect(&in, HEALTH_IDLE, "starting: negotiating with 203.0.113.7");
	in.cause = "the peer rejects our key";
	expect(&in, HEALTH_DOWN, "the peer rejects our key");
	in.woken = false;
	expect(&in, HEALTH_IDLE,
	       "starts with the first packet; the last time it did not: the peer rejects our key");
	in.cause = NULL;
	in.no_answer = true;
	expect(&in, HEALTH_IDLE,
	       "starts with the first packet; the last time it did not: no answer");
	in.conn_refused = "bad";
	expect(&in, HEALTH_DOWN, "charon here refuses the connection: bad");
	in.held = true;
	expect(&in, HEALTH_DOWN, "taken down here with `gwctl down`: `gwctl up` starts it again");
}

static void passive(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.passive = true;
	expect(&in, HEALTH_UP, "");
	in.ike_established = false;
	expect(&in, HEALTH_UNKNOWN,
	       "charon here has no IKE_SA for the SAs in the kernel: the peer must call");
	in.sa_in = in.sa_out = false;
	expect(&in, HEALTH_DOWN, "waiting for the peer to call (start: passive)");
	in.peer = "branch1.example.net";
	expect(&in, HEALTH_DOWN, "waiting for branch1.example.net to call (start: passive)");
	in.cause = "the peer's key is not the one configured here";
	expect(&in, HEALTH_DOWN, "the peer's key is not the one configured here");
	in.cause = NULL;
	in.ike_established = true;
	expect(&in, HEALTH_DOWN,
	       "the IKE_SA with 203.0.113.7 is there, its CHILD_SA is being negotiated");
}

/* One direction alone carries nothing that is answered. */
static void half_a_pair(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.sa_in = false;
	expect(&in, HEALTH_DOWN,
	       "the IKE_SA with 203.0.113.7 is there, its CHILD_SA is being negotiated");
	in = well();
	in.sa_out = false;
	expect(&in, HEALTH_DOWN,
	       "the IKE_SA with 203.0.113.7 is there, its CHILD_SA is being negotiated");
}

static void sa_without_charon(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.charon = HEALTH_CHARON_ABSENT;
	in.charon_reason = "no socket /run/gwd/charon.vici";
	in.ike_established = in.conn_loaded = false;
	expect(&in, HEALTH_UNKNOWN,
	       "charon is not running here: no socket /run/gwd/charon.vici; the SAs in the kernel "
	       "still carry traffic");
	in.encap = true;
	expect(&in, HEALTH_UNKNOWN,
	       "charon is not running here: no socket /run/gwd/charon.vici; there is a NAT on the way: "
	       "packets still leave, but none comes in until it runs");
	in.charon = HEALTH_CHARON_STALLED;
	in.charon_reason = "";
	expect(&in, HEALTH_UNKNOWN,
	       "charon does not answer here; the SAs in the kernel still carry traffic");
	in.charon = HEALTH_CHARON_CONNECTED;
	expect(&in, HEALTH_UNKNOWN,
	       "charon here has no IKE_SA for the SAs in the kernel: negotiating anew");
}

static void sa_not_fit(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.tunnel_mode = true;
	expect(&in, HEALTH_DOWN,
	       "the peer negotiated tunnel mode: set its child to transport mode");
}

#define NAME_GONE "the name hub.example.net does not resolve here since yesterday: no such name"

static void name_faults(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.name_fault = NAME_GONE;
	expect(&in, HEALTH_UP, "up at the peer's last address: " NAME_GONE);
	in.sa_in = in.sa_out = false;
	in.no_answer = true;
	expect(&in, HEALTH_DOWN, "no tunnel to 203.0.113.7, and " NAME_GONE);
	in.path_fault = "no interface wan0 here (`local:`)";
	expect(&in, HEALTH_DOWN, "no interface wan0 here (`local:`)");
	in.remote = NULL;
	expect(&in, HEALTH_DOWN, "no address of the peer: " NAME_GONE);
	in = well();
	in.protected = false;
	in.name_fault = NAME_GONE;
	expect(&in, HEALTH_UNPROTECTED, "at the peer's last address: " NAME_GONE);
	in = well();
	in.path_fault = "no interface wan0 here (`local:`)";
	expect(&in, HEALTH_DOWN, "no interface wan0 here (`local:`)");
}

/* Everything wrong at once; each step mends what was told, and the next cause comes to light. */
static void first_cause_wins(void **unused)
{
	struct health_input in = {.held = true,
				  .protected = true,
				  .unresolved = "u",
				  .sysctl = "s",
				  .conflict = "c",
				  .failed = "f",
				  .charon = HEALTH_CHARON_ABSENT,
				  .charon_reason = "r",
				  .conn_refused = "n",
				  .tunnel_mode = true,
				  .cause = "p",
				  .no_answer = true};

	(void)unused;
	expect(&in, HEALTH_DISABLED, "disabled by `enabled: false` here");
	in.enabled = true;
	expect(&in, HEALTH_DOWN, "taken down here with `gwctl down`: `gwctl up` starts it again");
	in.held = false;
	expect(&in, HEALTH_DOWN, "no local address here: u");
	in.unresolved = NULL;
	expect(&in, HEALTH_DOWN, "conflict here: c");
	in.conflict = NULL;
	expect(&in, HEALTH_DOWN, "failed here, and is tried again: f");
	in.failed = NULL;
	expect(&in, HEALTH_DOWN, "s here, which switches IPsec policies off: set it to 0");
	in.sysctl = NULL;
	expect(&in, HEALTH_DOWN,
	       "the guard (nftables table inet gwd) is not in place here: being restored");
	in.guard_ok = true;
	expect(&in, HEALTH_DOWN, "the IPsec policies are not in place here: being restored");
	in.policies_ok = true;
	expect(&in, HEALTH_DOWN, "the GRE link is not as wanted here: being restored");
	in.link_ok = true;
	expect(&in, HEALTH_DOWN, "an address or route of the link is missing here: being restored");
	in.addresses_ok = true;
	expect(&in, HEALTH_DOWN,
	       "the peer negotiated tunnel mode: set its child to transport mode");
	in.tunnel_mode = false;
	expect(&in, HEALTH_DOWN,
	       "charon is not running here: r; `systemctl restart gwd-charon` starts it anew");
	in.charon = HEALTH_CHARON_CONNECTED;
	expect(&in, HEALTH_DOWN, "charon here refuses the connection: n");
	in.conn_refused = NULL;
	expect(&in, HEALTH_DOWN, "p");
}

static void what_is_not_renewed_is_up_and_told(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.renewal = "the peer accepts none of our ESP algorithms";
	expect(&in, HEALTH_UP,
	       "up until its SAs end, renewing them fails: the peer accepts none of our ESP algorithms");
	in.ike_established = false;
	expect(&in, HEALTH_UNKNOWN,
	       "charon here has no IKE_SA for the SAs in the kernel: negotiating anew");
}

static void a_narrow_path_is_told(void **unused)
{
	struct health_input in = well();

	(void)unused;
	in.narrow = 1222;
	expect(&in, HEALTH_UP,
	       "without IPv6 inside: the path leaves packets of 1222 bytes, and IPv6 needs 1280 (over "
	       "IPv6 nobody fragments them)");
	in.protected = false;
	expect(&in, HEALTH_UNPROTECTED,
	       "without IPv6 inside: the path leaves packets of 1222 bytes, and IPv6 needs 1280 (over "
	       "IPv6 nobody fragments them)");
}

static void a_long_cause_is_cut(void **unused)
{
	char cause[1000];
	struct health_input in = well();
	struct health h;

	(void)unused;
	memset(cause, 'x', sizeof(cause));
	cause[sizeof(cause) - 1] = '\0';
	in.sa_in = false;
	in.cause = cause;
	health_judge(&in, &h);
	assert_int_equal(strlen(h.reason), sizeof(h.reason) - 1);
	/* Not within a character. */
	memcpy(&cause[sizeof(h.reason) - 2], "\xc3\xa4", 2);
	health_judge(&in, &h);
	assert_int_equal(strlen(h.reason), sizeof(h.reason) - 2);
}

static void names(void **unused)
{
	(void)unused;
	assert_string_equal(health_state_name(HEALTH_UP), "up");
	assert_string_equal(health_state_name(HEALTH_DOWN), "down");
	assert_string_equal(health_state_name(HEALTH_UNKNOWN), "unknown");
	assert_string_equal(health_state_name(HEALTH_DISABLED), "disabled");
	assert_string_equal(health_state_name(HEALTH_UNPROTECTED), "unprotected");
	assert_true(health_as_wanted(HEALTH_UP));
	assert_true(health_as_wanted(HEALTH_DISABLED));
	assert_true(health_as_wanted(HEALTH_UNPROTECTED));
	assert_false(health_as_wanted(HEALTH_DOWN));
	assert_false(health_as_wanted(HEALTH_UNKNOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up),
		cmocka_unit_test(intent),
		cmocka_unit_test(protection),
		cmocka_unit_test(peers_that_call),
		cmocka_unit_test(link_and_addresses),
		cmocka_unit_test(unprotected),
		cmocka_unit_test(no_sa),
		cmocka_unit_test(on_traffic),
		cmocka_unit_test(passive),
		cmocka_unit_test(half_a_pair),
		cmocka_unit_test(sa_without_charon),
		cmocka_unit_test(sa_not_fit),
		cmocka_unit_test(name_faults),
		cmocka_unit_test(first_cause_wins),
		cmocka_unit_test(what_is_not_renewed_is_up_and_told),
		cmocka_unit_test(a_narrow_path_is_told),
		cmocka_unit_test(a_long_cause_is_cut),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
