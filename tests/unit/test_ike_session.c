/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ike/session.c and ike/vici_*.c against a server that misbehaves: nothing may block, crash,
 * leak or be told twice. */
#include "ike/session.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/ike_fake_drive.h"

static struct ike_msg *request(void)
{
	return ike_req_simple("version");
}

static void test_new_refuses(void **state)
{
	struct ike_session *s;
	char longer[200];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(ike_session_new(&s, longer, NULL, NULL, NULL), -ENAMETOOLONG);
	assert_int_equal(ike_session_new(&s, "", NULL, NULL, NULL), -EINVAL);
	ike_session_free(NULL);
}

static void test_the_environment_is_kept(void **state)
{
	struct ike_session *s;

	(void)state;
	setenv("STRONGSWAN_CONF", "/nowhere/mine.conf", 1);
	assert_int_equal(ike_session_new(&s, path, NULL, NULL, NULL), 0);
	assert_string_equal(getenv("STRONGSWAN_CONF"), "/nowhere/mine.conf");
	unsetenv("STRONGSWAN_CONF");
	ike_session_free(s);
}

static void test_absent(void **state)
{
	struct drive d;

	(void)state;
	drive_start(&d);
	assert_int_equal(drive_submit(&d, request(), NULL), -ENOTCONN);
	ike_session_connect(d.s);
	assert_int_equal(d.states, 0); /* only from dispatch */
	assert_true(drive_until(&d, d.states == 1));
	assert_int_equal(d.state, IKE_SESSION_ABSENT);
	assert_int_equal(d.state_err, -ENOENT);
	assert_int_equal(ike_session_watch_fd(d.s), -1);
	ike_session_connect(d.s);
	assert_true(drive_until(&d, d.states == 2));
	ike_session_free(d.s);
}

static void test_nobody_listens(void **state)
{
	struct drive d;

	(void)state;
	assert_true(fake_start(&fake, path, FAKE_ANSWER));
	char kept[128];
	snprintf(kept, sizeof(kept), "%s.old", path);
	assert_int_equal(rename(path, kept), 0); /* what a killed charon leaves */
	fake_stop(&fake);
	assert_int_equal(rename(kept, path), 0);
	drive_start(&d);
	ike_session_connect(d.s);
	assert_true(drive_until(&d, d.states == 1));
	assert_int_equal(d.state_err, -ECONNREFUSED);
	ike_session_free(d.s);
	unlink(path);
}

static void test_answers(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_ANSWER);
	assert_int_equal(d.states, 2); /* connecting, connected */
	assert_true(ike_session_watch_fd(d.s) >= 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_int_equal(ike_session_outstanding(d.s), 2000);
	assert_true(drive_until(&d, d.replies == 2000));
	assert_true(d.ok);
	assert_int_equal(ike_session_outstanding(d.s), 0);
	assert_true(ike_session_deadline(d.s) == UINT64_MAX);
	d.again = true;
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_true(drive_until(&d, d.replies == 2002));
	end(&d);
}

static void test_submitted_while_connecting(void **state)
{
	struct drive d;

	(void)state;
	assert_true(fake_start(&fake, path, FAKE_ANSWER));
	drive_start(&d);
	ike_session_connect(d.s);
	assert_int_equal(ike_session_state(d.s), IKE_SESSION_CONNECTING);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_true(drive_until(&d, d.replies == 1));
	assert_true(d.ok);
	assert_int_equal(d.state, IKE_SESSION_CONNECTED);
	end(&d);
}

static void test_submit_refuses(void **state)
{
	struct ike_msg *m = ike_msg_new("load-conn");
	char *big = calloc(1, 65000);
	struct drive d;

	(void)state;
	begin(&d, FAKE_ANSWER);
	assert_int_equal(drive_submit(&d, NULL, NULL), -ENOMEM);
	ike_msg_section(m, "open");
	assert_int_equal(drive_submit(&d, m, NULL), -EINVAL);
	m = ike_msg_new("load-conn");
	for (int i = 0; i < 9; i++)
		ike_msg_bytes(m, "key", big, 65000);
	assert_int_equal(drive_submit(&d, m, NULL), -EMSGSIZE);
	m = ike_msg_new("load-conn");
	ike_msg_bytes(m, "key", big, 65000);
	ike_msg_section(m, NULL);
	assert_int_equal(drive_submit(&d, m, NULL), -EINVAL);
	assert_int_equal(drive_submit(&d, request(), "a-stream-name-that-is-far-too-long"),
			 -EINVAL);
	assert_int_equal(d.replies, 0);
	assert_int_equal(ike_session_outstanding(d.s), 0);
	free(big);
	end(&d);
}

static void test_never_answers(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_SILENT);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	d.now += 4000;
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_true(drive_until(&d, atomic_load(&fake.commands) == 1));
	assert_true(ike_session_deadline(d.s) == 1000000 + IKE_DEADLINE_MS);
	ike_session_dispatch(d.s, 1000000 + IKE_DEADLINE_MS - 1);
	assert_int_equal(d.replies, 0);
	ike_session_dispatch(d.s, 1000000 + IKE_DEADLINE_MS);
	assert_int_equal(d.replies, 1);
	assert_int_equal(d.err, -ETIMEDOUT);
	assert_int_equal(d.state, IKE_SESSION_STALLED);
	assert_int_equal(d.state_err, -ETIMEDOUT);
	d.now = 1004000 + IKE_DEADLINE_MS;
	ike_session_dispatch(d.s, d.now);
	assert_int_equal(d.replies, 2);
	assert_int_equal(d.err, -ETIMEDOUT);
	assert_true(ike_session_deadline(d.s) == UINT64_MAX);

	/* The late answer is nobody's; the second request was never sent. */
	fake_release(&fake);
	assert_true(drive_until(&d, d.state == IKE_SESSION_CONNECTED));
	assert_int_equal(d.replies, 2);
	assert_true(drive_ask(&d, request(), NULL));
	assert_int_equal(atomic_load(&fake.commands), 2);
	end(&d);
}

/* A long queue whose head is answered all the time is not overdue. */
static void test_progress_moves_the_deadline(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_SILENT);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_true(drive_until(&d, atomic_load(&fake.commands) == 1));
	d.now += IKE_DEADLINE_MS - 1;
	atomic_store(&fake.once, true);
	fake_release(&fake);
	assert_true(drive_until(&d, d.replies == 1));
	assert_true(d.ok);
	assert_true(ike_session_deadline(d.s) == d.now + IKE_DEADLINE_MS);
	atomic_store(&fake.once, false);
	assert_true(drive_until(&d, atomic_load(&fake.commands) == 2));
	fake_release(&fake);
	assert_true(drive_until(&d, d.replies == 2));
	end(&d);
}

static void test_registration_is_not_confirmed(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_NO_CONFIRM);
	ike_session_connect(d.s);
	assert_true(drive_until(&d, d.states == 1));
	assert_int_equal(d.state, IKE_SESSION_CONNECTING);
	assert_true(ike_session_deadline(d.s) == d.now + IKE_DEADLINE_MS);
	d.now += IKE_DEADLINE_MS;
	ike_session_dispatch(d.s, d.now);
	assert_int_equal(d.state, IKE_SESSION_STALLED);
	assert_true(ike_session_deadline(d.s) == UINT64_MAX);
	usleep(20000); /* for the registration to be there */
	fake_release(&fake);
	assert_true(drive_until(&d, d.state == IKE_SESSION_CONNECTED));
	assert_true(drive_ask(&d, request(), NULL));
	end(&d);
}

/* Both requests fail, the session is absent, and connects again. */
static void assert_breaks(enum fake_mode mode, int want)
{
	struct drive d;

	begin(&d, mode);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_true(drive_until(&d, d.state == IKE_SESSION_ABSENT));
	assert_int_equal(d.replies, 2);
	assert_int_equal(d.err, -ECONNRESET);
	assert_int_equal(d.state_err, want);
	assert_false(d.watch_kept);
	assert_int_equal(ike_session_watch_fd(d.s), -1);
	assert_int_equal(drive_submit(&d, request(), NULL), -ENOTCONN);
	atomic_store(&fake.mode, FAKE_ANSWER);
	assert_true(drive_connect(&d));
	assert_true(drive_ask(&d, request(), NULL));
	assert_true(d.ok);
	assert_int_equal(d.replies, 3);
	end(&d);
}

static void test_closes_in_the_middle(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_breaks(FAKE_CLOSE, -ECONNRESET);
		assert_breaks(FAKE_HALF, -ECONNRESET);
	}
}

static void test_garbage(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_breaks(FAKE_GARBAGE, -EBADMSG);
		assert_breaks(FAKE_HUGE, -EBADMSG);
		assert_breaks(FAKE_EMPTY, -EBADMSG);
		assert_breaks(FAKE_BAD_BODY, -EBADMSG);
		assert_breaks(FAKE_OPEN_BODY, -EBADMSG);
	}
}

static void test_unknown_command(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_UNKNOWN);
	assert_false(drive_ask(&d, request(), NULL));
	assert_int_equal(d.err, -ENOENT);
	assert_int_equal(d.state, IKE_SESSION_CONNECTED);
	end(&d);
}

static void test_idle_eof(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_ANSWER);
	fake_drop(&fake);
	assert_true(drive_until(&d, d.state == IKE_SESSION_ABSENT));
	assert_int_equal(d.state_err, -ECONNRESET);
	assert_true(drive_connect(&d));
	assert_true(drive_ask(&d, request(), NULL));
	end(&d);
}

static void test_connects_again_from_the_callback(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_ANSWER);
	d.connect_on_absent = true;
	for (int i = 0; i < 20; i++) {
		unsigned before = d.states;

		fake_drop(&fake);
		assert_true(drive_until(&d, d.states >= before + 3));
		assert_true(drive_until(&d, d.state == IKE_SESSION_CONNECTED));
		assert_true(drive_ask(&d, request(), NULL));
	}
	d.connect_on_absent = false;
	end(&d);
}

/* The EOF is seen while libvici still waits for its answer, on a connection that never ends. */
static void test_thread_is_interrupted(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_CLOSE_WATCH);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_true(drive_until(&d, d.state == IKE_SESSION_ABSENT));
	assert_int_equal(d.replies, 1);
	assert_int_equal(d.err, -ECONNRESET);
	atomic_store(&fake.mode, FAKE_ANSWER);
	assert_true(drive_connect(&d));
	assert_true(drive_ask(&d, request(), NULL));
	assert_int_equal(d.replies, 2);
	end(&d);
}

static void test_free_while_blocked(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_SILENT);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	assert_true(drive_until(&d, atomic_load(&fake.commands) == 1));
	uint64_t before = drive_clock();
	ike_session_free(d.s);
	assert_true(drive_clock() - before < 2000);
	assert_int_equal(d.replies, 2);
	assert_int_equal(d.err, -ECANCELED);
	fake_stop(&fake);
	usleep(100000);
}

static void test_free_right_away(void **state)
{
	struct drive d;

	(void)state;
	assert_true(fake_start(&fake, path, FAKE_ANSWER));
	for (int i = 0; i < 20; i++) {
		drive_start(&d);
		ike_session_connect(d.s);
		drive_submit(&d, request(), NULL);
		if (i % 2)
			drive_turn(&d, 1);
		ike_session_free(d.s);
	}
	fake_stop(&fake);
}

static void test_events_overflow(void **state)
{
	struct drive d;

	(void)state;
	assert_true(fake_start(&fake, path, FAKE_FLOOD));
	fake.flood = 70000;
	drive_start(&d);
	assert_true(drive_connect(&d));
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	/* Nobody dispatches while they come. */
	for (int i = 0; i < 1500 && !atomic_load(&fake.drained); i++)
		usleep(20000);
	assert_true(atomic_load(&fake.drained));
	usleep(200000); /* for the last that libvici has read */
	assert_true(drive_until(&d, d.replies == 1));
	assert_true(d.ok);
	assert_int_equal(d.events, 65536);
	assert_int_equal(d.lost, 1);
	assert_int_equal(d.events_after_lost, 0);
	assert_int_equal(d.kinds[IKE_EVENT_LOG], 65536);

	/* What comes later is kept again. */
	fake.flood = 10;
	assert_true(drive_ask(&d, request(), NULL));
	assert_int_equal(d.events, 65546);
	assert_int_equal(d.lost, 1);
	end(&d);
}

static void test_dispatch_is_bounded(void **state)
{
	struct drive d;

	(void)state;
	assert_true(fake_start(&fake, path, FAKE_FLOOD));
	fake.flood = 2000;
	drive_start(&d);
	assert_true(drive_connect(&d));
	assert_int_equal(drive_submit(&d, request(), NULL), 0);
	for (int i = 0; i < 500 && !atomic_load(&fake.drained); i++)
		usleep(20000);
	ike_session_dispatch(d.s, d.now);
	assert_int_equal(d.events, 512);
	assert_true(drive_until(&d, d.replies == 1));
	assert_int_equal(d.events, 2000);
	assert_int_equal(d.lost, 0);
	end(&d);
}

static uint64_t cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* libvici takes an EOF for "no data yet" after a while of running: its thread must not spin on
 * it. */
static void test_nothing_spins(void **state)
{
	struct drive d;

	(void)state;
	begin(&d, FAKE_ANSWER);
	for (int i = 0; i < 50; i++) {
		for (int j = 0; j < 10; j++)
			assert_true(drive_ask(&d, request(), NULL));
		atomic_store(&fake.mode, i % 2 ? FAKE_SILENT : FAKE_ANSWER);
		assert_int_equal(drive_submit(&d, request(), NULL), 0);
		fake_drop(&fake);
		assert_true(drive_until(&d, d.state == IKE_SESSION_ABSENT));
		atomic_store(&fake.mode, FAKE_ANSWER);
		assert_true(drive_connect(&d));
	}
	usleep(50000);
	uint64_t before = cpu_ms();
	usleep(500000);
	assert_true(cpu_ms() - before < 250);
	end(&d);
}

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 200; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_descriptors_are_closed(void **state)
{
	int before = descriptors();

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_breaks(FAKE_CLOSE, -ECONNRESET);
	for (int i = 0; i < 100 && descriptors() != before; i++)
		usleep(20000); /* threads that were left to themselves */
	assert_int_equal(descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_refuses),
		cmocka_unit_test(test_the_environment_is_kept),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_submitted_while_connecting),
		cmocka_unit_test(test_submit_refuses),
		cmocka_unit_test(test_never_answers),
		cmocka_unit_test(test_progress_moves_the_deadline),
		cmocka_unit_test(test_registration_is_not_confirmed),
		cmocka_unit_test(test_closes_in_the_middle),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_unknown_command),
		cmocka_unit_test(test_idle_eof),
		cmocka_unit_test(test_connects_again_from_the_callback),
		cmocka_unit_test(test_thread_is_interrupted),
		cmocka_unit_test(test_free_while_blocked),
		cmocka_unit_test(test_free_right_away),
		cmocka_unit_test(test_events_overflow),
		cmocka_unit_test(test_dispatch_is_bounded),
		cmocka_unit_test(test_nothing_spins),
		cmocka_unit_test(test_descriptors_are_closed),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
