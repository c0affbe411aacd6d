/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/pin.c: which outbound SA is in use, and when packets move to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/pin.h"

#define OUT true
#define IN false
#define T0 1000000 /* ms */

/* 1 is in use, with the inbound SA of that pair long known. */
static struct pin using_one(void)
{
	struct pin p = {0};

	assert_false(pin_sa_new(&p, IN, 0x101, T0 - 3600000));
	assert_true(pin_sa_new(&p, OUT, 1, T0 - 3600000));
	assert_int_equal(p.spi, 1);
	return p;
}

static void first_sa_is_used_at_once(void **unused)
{
	struct pin p = {0};

	(void)unused;
	assert_true(pin_due(&p, T0) == UINT64_MAX);
	assert_true(pin_sa_new(&p, OUT, 1, T0));
	assert_int_equal(p.spi, 1);
	assert_false(pin_sa_new(&p, IN, 0x101, T0 + 1));
	assert_true(pin_due(&p, T0) == UINT64_MAX);
	assert_false(pin_tick(&p, 5, T0 + 2));
}

static void repeated_news_change_nothing(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	assert_false(pin_sa_new(&p, OUT, 1, T0));
	assert_false(pin_sa_new(&p, OUT, 0, T0));
	assert_false(pin_sa_new(&p, OUT, 2, T0));
	assert_false(pin_sa_new(&p, OUT, 2, T0 + 300));
	assert_int_equal(p.deadline, T0 + PIN_DELAY_MS);
	assert_int_equal(p.spi, 1);
}

static void the_rekeying_end_moves_at_once(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	/* A soft expiry here makes this end the rekeying one, for a while. */
	pin_sa_soft(&p, IN, 0x101, T0);
	assert_true(pin_sa_new(&p, OUT, 2, T0 + PIN_SOFT_MS));
	assert_int_equal(p.spi, 2);
	/* That was for one rekey. */
	assert_false(pin_sa_new(&p, OUT, 3, T0 + PIN_SOFT_MS));
	p = using_one();
	pin_sa_soft(&p, OUT, 1, T0);
	assert_true(pin_sa_new(&p, OUT, 2, T0 + PIN_SOFT_MS));
	p = using_one();
	pin_sa_soft(&p, IN, 0x101, T0);
	assert_false(pin_sa_new(&p, OUT, 2, T0 + PIN_SOFT_MS + 1));
	assert_int_equal(p.spi, 1);
	assert_int_equal(p.next, 2);
}

/* charon keeps a replaced inbound SA for seconds: its expiry starts no rekey. */
static void expiry_of_a_replaced_sa(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	pin_sa_new(&p, IN, 0x102, T0);
	pin_sa_new(&p, OUT, 2, T0);
	assert_true(pin_sa_gone(&p, OUT, 1));
	pin_sa_soft(&p, IN, 0x101, T0 + 100);
	pin_sa_soft(&p, OUT, 1, T0 + 100);
	pin_sa_soft(&p, OUT, 0, T0 + 100);
	assert_false(pin_sa_new(&p, OUT, 3, T0 + 200));
	assert_int_equal(p.spi, 2);
}

static void responder_waits_for_the_first_packet(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	assert_false(pin_sa_new(&p, IN, 0x102, T0 - 2));
	assert_false(pin_sa_new(&p, OUT, 2, T0));
	assert_int_equal(p.next_in, 0x102);
	assert_int_equal(pin_due(&p, T0), T0 + PIN_POLL_MS);
	assert_false(pin_tick(&p, 0, T0 + PIN_POLL_MS));
	assert_int_equal(p.spi, 1);
	assert_true(pin_tick(&p, 1, T0 + 2 * PIN_POLL_MS));
	assert_int_equal(p.spi, 2);
	assert_true(pin_due(&p, T0) == UINT64_MAX);
}

static void inbound_may_come_second(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	/* The old pair's inbound SA has packets, which must not count. */
	assert_int_equal(p.next_in, 0);
	assert_false(pin_sa_new(&p, IN, 0x101, T0 - 1800000));
	assert_false(pin_sa_new(&p, OUT, 2, T0));
	assert_int_equal(p.next_in, 0);
	assert_int_equal(pin_due(&p, T0), T0 + PIN_DELAY_MS);
	assert_false(pin_tick(&p, 4711, T0 + 1));
	assert_false(pin_sa_new(&p, IN, 0x102, T0 + 2));
	assert_int_equal(pin_due(&p, T0 + 2), T0 + 2 + PIN_POLL_MS);
	assert_true(pin_tick(&p, 1, T0 + 12));
	assert_int_equal(p.spi, 2);
}

static void silence_ends_with_the_delay(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	assert_false(pin_sa_new(&p, IN, 0x102, T0));
	assert_false(pin_sa_new(&p, OUT, 2, T0));
	assert_int_equal(pin_due(&p, T0 + PIN_DELAY_MS - 3), T0 + PIN_DELAY_MS);
	assert_false(pin_tick(&p, 0, T0 + PIN_DELAY_MS - 1));
	assert_true(pin_tick(&p, 0, T0 + PIN_DELAY_MS));
	assert_int_equal(p.spi, 2);
}

static void deletion_of_the_old_one_moves_at_once(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	assert_false(pin_sa_new(&p, OUT, 2, T0));
	assert_false(pin_sa_gone(&p, IN, 1));
	assert_true(pin_sa_gone(&p, OUT, 1));
	assert_int_equal(p.spi, 2);
	assert_int_equal(p.next, 0);
	/* Nothing waits: no SA is named, and the next one is pinned at once. */
	assert_true(pin_sa_gone(&p, OUT, 2));
	assert_int_equal(p.spi, 0);
	assert_false(pin_sa_gone(&p, OUT, 2));
	assert_true(pin_sa_new(&p, OUT, 3, T0 + 9));
	assert_int_equal(p.spi, 3);
}

static void deletion_of_the_waiting_one(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	pin_sa_new(&p, IN, 0x102, T0);
	pin_sa_new(&p, OUT, 2, T0);
	assert_false(pin_sa_gone(&p, IN, 0x102));
	assert_int_equal(p.next_in, 0);
	assert_false(pin_tick(&p, 9, T0 + 1));
	assert_false(pin_sa_gone(&p, OUT, 2));
	assert_int_equal(p.spi, 1);
	assert_int_equal(p.next, 0);
	assert_true(pin_due(&p, T0) == UINT64_MAX);
	assert_false(pin_tick(&p, 9, T0 + PIN_DELAY_MS));
	assert_int_equal(p.spi, 1);
}

static void third_sa_keeps_the_first_deadline(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	pin_sa_new(&p, OUT, 2, T0);
	assert_false(pin_sa_new(&p, OUT, 3, T0 + 400));
	assert_int_equal(p.next, 3);
	assert_true(pin_tick(&p, 0, T0 + PIN_DELAY_MS));
	assert_int_equal(p.spi, 3);
	/* The one that was passed over goes: no matter. */
	assert_false(pin_sa_gone(&p, OUT, 2));
	assert_int_equal(p.spi, 3);
}

/* After kill -9 of charon the kernel keeps SAs that the peer has deleted: INITIAL_CONTACT, RFC
 * 7296 2.4. */
static void orphans_of_a_killed_charon_are_left_behind(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	assert_false(pin_sa_new(&p, OUT, 2, T0));
	assert_true(pin_tick(&p, 0, T0 + PIN_DELAY_MS));
	assert_int_equal(p.spi, 2);
	/* The orphan's own end, hours later. */
	assert_false(pin_sa_gone(&p, OUT, 1));
	/* The end that asks for the new one moves at once, and the next rekey is as any. */
	p = using_one();
	pin_initiated(&p, T0 - 1000);
	assert_true(pin_sa_new(&p, OUT, 2, T0));
	assert_int_equal(p.spi, 2);
	assert_false(pin_sa_new(&p, OUT, 3, T0 + 5));
	assert_int_equal(p.spi, 2);
	/* Asked in vain: what comes much later was asked for by the peer. */
	p = using_one();
	pin_initiated(&p, T0);
	assert_false(pin_sa_new(&p, OUT, 2, T0 + PIN_ASKED_MS + 1));
	assert_int_equal(p.spi, 1);
}

/* Each end keeps the pair it asked for until the surplus one is deleted. */
static void simultaneous_rekey(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	pin_sa_soft(&p, IN, 0x101, T0 - 100);
	assert_true(pin_sa_new(&p, OUT, 2, T0));
	assert_false(pin_sa_new(&p, OUT, 3, T0 + 5));
	assert_false(pin_sa_gone(&p, OUT, 3));
	assert_int_equal(p.spi, 2);
	assert_false(pin_sa_new(&p, OUT, 3, T0 + 5));
	assert_true(pin_sa_gone(&p, OUT, 2));
	assert_int_equal(p.spi, 3);
}

static void adopt_keeps_what_is_used(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	assert_false(pin_adopt(&p, 7, 0x101, (const uint32_t[]){1, 7}, 2));
	assert_int_equal(p.spi, 1);
	assert_int_equal(p.next, 0);
	pin_sa_new(&p, OUT, 2, T0);
	assert_false(pin_adopt(&p, 1, 0x101, (const uint32_t[]){2, 1}, 2));
	assert_int_equal(p.next, 2);
	assert_int_equal(p.deadline, T0 + PIN_DELAY_MS);
	/* The waiting one went unnoticed. */
	assert_false(pin_adopt(&p, 1, 0x101, (const uint32_t[]){1}, 1));
	assert_int_equal(p.next, 0);
}

static void adopt_after_a_restart(void **unused)
{
	struct pin p = {0};

	(void)unused;
	assert_true(pin_adopt(&p, 7, 0x101, (const uint32_t[]){7, 9}, 2));
	assert_int_equal(p.spi, 7);
	p = (struct pin){0};
	assert_true(pin_adopt(&p, 8, 0x101, (const uint32_t[]){9, 7}, 2));
	assert_int_equal(p.spi, 9);
	assert_true(pin_adopt(&p, 9, 0x101, NULL, 0));
	assert_int_equal(p.spi, 0);
	assert_false(pin_adopt(&p, 0, 0x101, NULL, 0));
}

static void adopt_lets_a_missed_newer_one_wait(void **unused)
{
	struct pin p = using_one();

	(void)unused;
	assert_false(pin_adopt(&p, 1, 0x101, (const uint32_t[]){2, 1}, 2));
	assert_int_equal(p.spi, 1);
	assert_int_equal(p.next, 2);
	assert_int_equal(pin_due(&p, T0), T0);
	assert_false(pin_tick(&p, 0, T0));
	assert_int_equal(pin_due(&p, T0), T0 + PIN_DELAY_MS);
	assert_true(pin_tick(&p, 0, T0 + PIN_DELAY_MS));
	assert_int_equal(p.spi, 2);
	/* Its notification, late, on the end that rekeys. */
	p = using_one();
	pin_sa_soft(&p, IN, 0x101, T0);
	pin_adopt(&p, 1, 0x101, (const uint32_t[]){2, 1}, 2);
	assert_true(pin_sa_new(&p, OUT, 2, T0));
	assert_int_equal(p.spi, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_sa_is_used_at_once),
		cmocka_unit_test(repeated_news_change_nothing),
		cmocka_unit_test(the_rekeying_end_moves_at_once),
		cmocka_unit_test(expiry_of_a_replaced_sa),
		cmocka_unit_test(responder_waits_for_the_first_packet),
		cmocka_unit_test(inbound_may_come_second),
		cmocka_unit_test(silence_ends_with_the_delay),
		cmocka_unit_test(deletion_of_the_old_one_moves_at_once),
		cmocka_unit_test(deletion_of_the_waiting_one),
		cmocka_unit_test(third_sa_keeps_the_first_deadline),
		cmocka_unit_test(orphans_of_a_killed_charon_are_left_behind),
		cmocka_unit_test(simultaneous_rekey),
		cmocka_unit_test(adopt_keeps_what_is_used),
		cmocka_unit_test(adopt_after_a_restart),
		cmocka_unit_test(adopt_lets_a_missed_newer_one_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
