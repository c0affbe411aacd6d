/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ike/cause.c: charon's lines, as strongSwan 5.9.8 and 6.0.1 write them, and the sentences they
 * become. */
#include "ike/sa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void assert_cause(const char *line, const char *want)
{
	char got[256];

	if (!ike_cause_from_log(line, false, got, sizeof(got)))
		fail_msg("no cause in: %s", line);
	if (!strstr(got, want))
		fail_msg("%s\n  gave: %s\n  not:  %s", line, got, want);
	assert_null(strchr(got, '$'));
}

static void test_the_peer_refuses(void **state)
{
	char out[256];

	(void)state;
	assert_cause("received AUTHENTICATION_FAILED notify error",
		     "the peer rejects our key (AUTHENTICATION_FAILED): compare `gwctl pubkey` "
		     "here with its peer.public-key");
	assert_true(ike_cause_from_log("received AUTHENTICATION_FAILED notify error", true, out,
				       sizeof(out)));
	assert_non_null(strstr(out, "pre-shared key"));
	assert_null(strstr(out, "public-key"));
	assert_cause("received NO_PROPOSAL_CHOSEN notify error", "compare ike.proposals");
	assert_cause("received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
		     "compare esp.proposals");
	assert_cause("received TS_UNACCEPTABLE notify, no CHILD_SA built",
		     "the peer refuses GRE between these two addresses (TS_UNACCEPTABLE)");
	assert_cause("received INTERNAL_ADDRESS_FAILURE notify, no CHILD_SA built",
		     "(INTERNAL_ADDRESS_FAILURE)");
	assert_cause("received FAILED_CP_REQUIRED notify, no CHILD_SA built",
		     "(FAILED_CP_REQUIRED)");
	assert_cause("received SINGLE_PAIR_REQUIRED notify, no CHILD_SA built",
		     "the peer refuses the ESP SA (SINGLE_PAIR_REQUIRED)");
	assert_cause("received TEMPORARY_FAILURE notify, will retry later", "(TEMPORARY_FAILURE)");
	assert_cause("received INVALID_SYNTAX notify error", "the peer refuses (INVALID_SYNTAX)");
	assert_cause("received INVALID_SYNTAX notify error, destroying IKE_SA", "(INVALID_SYNTAX)");
	assert_cause("TUNNEL mode requested by responder is unacceptable",
		     "the peer answers with TUNNEL mode");
}

static void test_the_peer_is_silent(void **state)
{
	(void)state;
	assert_cause("retransmit 2 of request with message ID 0",
		     "the peer does not answer (try 2): is it up, and does UDP port 500");
	assert_cause("retransmit 1 of request with message ID 1",
		     "the peer stopped answering (try 1): is it up, and does UDP port 4500");
	assert_cause("giving up after 5 retransmits", "the peer does not answer (5 tries)");
	assert_cause("establishing IKE_SA failed, peer not responding", "the peer does not answer");
	assert_cause("peer not responding, trying again (2/3)", "the peer does not answer");
}

static void test_we_refuse(void **state)
{
	(void)state;
	assert_cause("no trusted ED25519 public key found for 'b.example'",
		     "the peer's key is not the one configured here for b.example");
	assert_cause("signature validation failed, looking for another key",
		     "the peer's key is not the one configured here");
	assert_cause("tried 1 shared key for 'hq' - 'b', but MAC mismatched", "not ours for b");
	assert_cause("tried 2 shared keys for 'hq' - 'b', but MAC mismatched", "not ours for b");
	assert_cause("no shared key found for 'hq' - 'b'", "no pre-shared key here for the peer b");
	assert_cause("no private key found for 'hq'", "no private key for our identity hq");
	assert_cause("no matching peer config found", "the peer's identity or address");
	assert_cause("received IDr b2, but require b1",
		     "the peer calls itself b2, and peer.id here is b1");
	assert_cause("constraint check failed: identity 'b' required ",
		     "the peer's identity is not b");
	assert_cause("constraint requires public key authentication, but pre-shared key was used",
		     "authenticates with pre-shared key, and here public key is required");
	assert_cause("constraint check failed: peer not authenticated by CA 'C=x'",
		     "what is required here: peer not authenticated by CA 'C=x'");
	assert_cause("constraint check failed: peer not authenticated with peer cert 'hq'",
		     "the peer's key is not the one configured here");
	assert_cause("selected peer config 'gwd-b' unacceptable: non-matching authentication done",
		     "the peer's key is not the one configured here");
	assert_cause("selected peer config 'gwd-b' unacceptable: constraint checking failed",
		     "what is required here: constraint checking failed");
	assert_cause("no IKE config found for 192.0.2.1...192.0.2.2, sending NO_PROPOSAL_CHOSEN",
		     "a peer at 192.0.2.2 calls 192.0.2.1");
	assert_cause("received proposals unacceptable", "no IKE algorithm that the peer offers");
	assert_cause("no acceptable proposal found", "no algorithm that the peer offers");
	assert_cause("DH group MODP_2048 unacceptable, requesting CURVE_25519",
		     "the peer proposes MODP_2048 for the key exchange, here it is CURVE_25519");
	assert_cause("key exchange method MODP_2048 unacceptable, requesting CURVE_25519",
		     "the peer proposes MODP_2048");
	assert_cause("traffic selectors 192.0.2.1/32 === 192.0.2.2/32 unacceptable",
		     "GRE between the two gateways: 192.0.2.1/32 === 192.0.2.2/32");
	assert_cause("no acceptable traffic selectors found", "GRE between the two gateways");
	assert_cause("not using transport mode, not host-to-host", "not two single addresses");
}

static void test_renewal_failed(void **state)
{
	(void)state;
	assert_true(
		ike_cause_renewal_failed("CHILD_SA rekeying failed, trying again in 27 seconds"));
	assert_true(ike_cause_renewal_failed("IKE_SA rekeying failed, trying again in 9 seconds"));
	assert_true(ike_cause_renewal_failed("failed to establish CHILD_SA, keeping IKE_SA"));
	assert_false(
		ike_cause_renewal_failed("received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built"));
	assert_false(ike_cause_renewal_failed("retransmit 1 of request with message ID 4"));
}

static void test_we_cannot(void **state)
{
	(void)state;
	assert_cause("unable to resolve b.example, initiate aborted",
		     "b.example does not resolve here");
	assert_cause("unable to resolve b.example, retrying in 60s",
		     "b.example does not resolve here");
	assert_cause("unable to install inbound and outbound IPsec SA (SAD) in kernel",
		     "the kernel here refuses the ESP SA");
	assert_cause("unable to install outbound IPsec SA (SAD) in kernel",
		     "the kernel here refuses the ESP SA");
	assert_cause("unable to install IPsec policies (SPD) in kernel", "the kernel here");
	assert_cause("unable to allocate SPIs from kernel", "the kernel here gives no SPI");
	assert_cause("allocating SPI failed: Protocol not supported (93)",
		     "the kernel here gives no SPI");
	assert_cause("installing trap failed, remote address unknown", "it is any");
	assert_cause("installing trap failed", "cannot install the trap");
	assert_cause("error writing to socket: Network is unreachable",
		     "charon here cannot send: Network is unreachable");
	assert_cause("unable to bind socket: Address already in use", "cannot bind");
}

static void test_explains_nothing(void **state)
{
	static const char *const lines[] = {
		"",
		"*",
		"received",
		"initiating IKE_SA gwd-x[1] to 192.0.2.1",
		"peer didn't accept DH group ECP_256, it requested CURVE_25519",
		"received NAT_DETECTION_SOURCE_IP notify",
		"received COOKIE notify",
		"IKE_SA gwd-x[1] established between 192.0.2.1[hq]...192.0.2.2[b]",
		"x no matching peer config found",
		"no matching peer config found x",
		"retransmit of request",
		"no shared key found for 'hq'",
	};
	char out[16] = "kept";

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_false(ike_cause_from_log(lines[i], false, out, sizeof(out)));
	assert_string_equal(out, "kept");
}

static void test_hostile(void **state)
{
	char line[5000], out[256], small[8];

	(void)state;
	assert_true(ike_cause_from_log("no shared key found for 'a' - '\x1b[2J$1'", false, out,
				       sizeof(out)));
	assert_non_null(strstr(out, "the peer ?[2J$1:"));
	snprintf(line, sizeof(line), "no private key found for '%4900s'", "x");
	assert_true(ike_cause_from_log(line, false, out, sizeof(out)));
	assert_true(ike_cause_from_log(line, false, small, sizeof(small)));
	assert_int_equal(strlen(small), 7);
	assert_false(ike_cause_from_log(line, false, small, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_peer_refuses), cmocka_unit_test(test_the_peer_is_silent),
		cmocka_unit_test(test_we_refuse),	 cmocka_unit_test(test_renewal_failed),
		cmocka_unit_test(test_we_cannot),	 cmocka_unit_test(test_explains_nothing),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
