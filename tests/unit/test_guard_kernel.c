/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard against the running kernel, in a network namespace of its own: built, read back,
 * changed by us and by others, with the events each gives. Skipped without the right to make a
 * namespace.
 */
#include "guard/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/nl.h"

#define MANY 2000

static struct guard *guard, *other; /* other: somebody else with nft */
static struct nl *events;
static char err[256];

static int fail_at, fail_by; /* the how manieth recvfrom from now on, 0: none; errno */

/* In place of libc's, for lib/nl.c. */
ssize_t recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *from, socklen_t *len)
{
	if (fail_at && !--fail_at) {
		errno = fail_by;
		return -1;
	}
	return syscall(SYS_recvfrom, fd, buf, size, flags, from, len);
}

static struct guard_pair pair(const char *local, const char *remote, int64_t key)
{
	struct guard_pair p = {.has_key = key >= 0, .key = key >= 0 ? (uint32_t)key : 0};

	assert_true(addr_parse(local, &p.local));
	assert_true(addr_parse(remote, &p.remote));
	return p;
}

static void run(struct guard *g, const char *commands)
{
	if (guard_run(g, commands, err, sizeof(err)))
		fail_msg("%s", err);
}

static void run_text(struct text *t)
{
	assert_false(t->failed);
	run(guard, t->text);
	text_free(t);
	*t = (struct text){0};
}

static void table_up(const struct guard_pair *pairs, size_t n)
{
	struct text t = {0};

	guard_build_table(&t, pairs, n, NULL, 0);
	run_text(&t);
}

static struct guard_state state_read(void)
{
	struct guard_state s;

	if (guard_read(guard, &s, err, sizeof(err)))
		fail_msg("%s", err);
	return s;
}

static void assert_state(bool present, bool intact, size_t n_pairs)
{
	struct guard_state s = state_read();

	assert_int_equal(s.present, present);
	assert_int_equal(s.intact, intact);
	assert_int_equal(s.n_pairs, n_pairs);
	guard_state_done(&s);
}

static void assert_event(int want)
{
	struct pollfd p = {.fd = nl_fd(events), .events = POLLIN};

	/* The kernel queues them from a worker after the commit. */
	if (want)
		assert_int_equal(poll(&p, 1, 5000), 1);
	else
		poll(&p, 1, 100);
	assert_int_equal(guard_events_read(events), want);
}

static int setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		return 0;
	assert_int_equal(guard_open(&guard), 0);
	assert_int_equal(guard_open(&other), 0);
	assert_int_equal(guard_events_open(&events), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guard_close(guard);
	guard_close(other);
	nl_close(events);
	return 0;
}

/* Every test begins without the table and with no event waiting. */
static int begin(void **state)
{
	struct text t = {0};

	(void)state;
	if (!guard)
		return 0;
	guard_build_remove(&t);
	run_text(&t);
	struct pollfd p = {.fd = nl_fd(events), .events = POLLIN};

	while (poll(&p, 1, 100) > 0)
		guard_events_read(events);
	return 0;
}

#define NEED_KERNEL()           \
	do {                    \
		(void)state;    \
		if (!guard)     \
			skip(); \
	} while (0)

static void test_table(void **state)
{
	NEED_KERNEL();
	const struct guard_pair pairs[] = {
		pair("192.0.2.1", "192.0.2.2", -1),
		pair("192.0.2.1", "192.0.2.3", 0),
		pair("192.0.2.1", "192.0.2.3", 0xfffffffe),
		pair("2001:db8::1", "2001:db8::2", -1),
		pair("2001:db8::1", "2001:db8::2", 0x01020304),
	};

	assert_state(false, false, 0);
	table_up(pairs, 5);
	struct guard_state s = state_read();

	assert_true(s.intact);
	assert_int_equal(s.n_pairs, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(guard_pair_cmp(&s.pairs[i], &pairs[i]), 0);
		assert_false(s.pairs[i].out_missing || s.pairs[i].in_missing);
	}
	guard_state_done(&s);
	table_up(pairs, 2);
	assert_state(true, true, 2);
	table_up(NULL, 0);
	assert_state(true, true, 0);
}

static void test_add_delete(void **state)
{
	NEED_KERNEL();
	const struct guard_pair plain = pair("192.0.2.1", "192.0.2.2", -1);
	const struct guard_pair keyed = pair("2001:db8::1", "2001:db8::2", 9);
	struct text t = {0};

	table_up(&plain, 1);
	guard_build_add(&t, &keyed);
	guard_build_add(&t, &plain);
	run_text(&t);
	assert_state(true, true, 2);
	guard_build_delete(&t, &plain);
	run_text(&t);
	assert_state(true, true, 1);
	/* Absent already, and half of it absent. */
	guard_build_delete(&t, &plain);
	run_text(&t);
	run(other, "delete element inet gwd key6_out { 2001:db8::1 . 2001:db8::2 . 9 }");
	struct guard_state s = state_read();

	assert_int_equal(s.n_pairs, 1);
	assert_true(s.pairs[0].out_missing);
	assert_false(s.pairs[0].in_missing);
	guard_state_done(&s);
	guard_build_delete(&t, &keyed);
	run_text(&t);
	assert_state(true, true, 0);
}

/* The table of an earlier version is known for one, and made anew in one transaction. */
static void test_older(void **state)
{
	NEED_KERNEL();
	const struct guard_pair p = pair("192.0.2.1", "192.0.2.2", -1);
	struct text t = {0};

	guard_build_table(&t, &p, 1, NULL, 0);
	for (char *at = t.text; (at = strstr(at, "\"gwd 3 ")); at++)
		at[5] = '1';
	run_text(&t);
	assert_state(true, false, 1);
	table_up(&p, 1);
	assert_state(true, true, 1);
}

static void test_exempt(void **state)
{
	NEED_KERNEL();
	const struct guard_exempt e[] = {{.link = "a#;{}$x"},
					 {.link = "branch1"},
					 {.link = "branch1", .from = GUARD_FROM_COVER}};
	struct text t = {0};

	guard_build_table(&t, NULL, 0, e, 3);
	run_text(&t);
	struct guard_state s = state_read();

	assert_true(s.intact);
	assert_int_equal(s.n_exempts, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(guard_exempt_cmp(&s.exempts[i], &e[i]), 0);
	guard_state_done(&s);
	guard_build_unexempt(&t, &e[0]);
	guard_build_unexempt(&t, &e[0]);
	guard_build_exempt(&t, &e[1]);
	run_text(&t);
	s = state_read();
	assert_true(s.intact);
	assert_int_equal(s.n_exempts, 2);
	guard_state_done(&s);
}

/* An element added again keeps what it counted. */
static void test_add_keeps_counter(void **state)
{
	NEED_KERNEL();
	const struct guard_pair p = pair("192.0.2.1", "192.0.2.2", -1);
	struct text t = {0};

	table_up(NULL, 0);
	run(other,
	    "add element inet gwd pair4_out { 192.0.2.1 . 192.0.2.2 counter packets 3 bytes 9 }");
	guard_build_add(&t, &p);
	run_text(&t);
	struct guard_state s = state_read();

	assert_int_equal(s.n_pairs, 1);
	assert_int_equal(s.pairs[0].out_dropped, 3);
	assert_false(s.pairs[0].in_missing);
	guard_state_done(&s);
}

static void test_tampered(void **state)
{
	static const char *const commands[] = {
		"flush chain inet gwd out",
		"flush chain inet gwd clear_in",
		"insert rule inet gwd clear_in accept",
		"add rule inet gwd out accept comment \"gwd 3 out clear\"",
		"flush chain inet gwd clamp",
		"add chain inet gwd mine",
		"add chain inet gwd mine { type filter hook output priority 0; policy drop; }",
		"add chain inet gwd out { policy drop; }",
		"add set inet gwd mine { type mark; }",
		"add counter inet gwd mine",
		"add table inet gwd { flags dormant; }",
		"flush table inet gwd",
		"delete table inet gwd; add table inet gwd",
	};
	const struct guard_pair p = pair("192.0.2.1", "192.0.2.2", -1);

	NEED_KERNEL();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		table_up(&p, 1);
		assert_state(true, true, 1);
		run(other, commands[i]);
		struct guard_state s = state_read();

		assert_true(s.present);
		if (s.intact)
			fail_msg("still intact after %s", commands[i]);
		guard_state_done(&s);
	}
	table_up(&p, 1);
	assert_state(true, true, 1);
	run(other, "flush ruleset");
	assert_state(false, false, 0);
}

/* One transaction: the good command before the bad one is not kept. */
static void test_failure(void **state)
{
	NEED_KERNEL();
	table_up(NULL, 0);
	assert_int_equal(guard_run(guard,
				   "add element inet gwd pair4_out { 192.0.2.1 . 192.0.2.2 }\n"
				   "delete element inet gwd pair4_in { 192.0.2.1 . 192.0.2.2 }\n",
				   err, sizeof(err)),
			 -EIO);
	assert_non_null(strstr(err, "No such file or directory"));
	assert_null(strchr(err, '\n'));
	assert_state(true, true, 0);
	assert_int_equal(guard_run(guard, "no such command\n", err, 8), -EIO);
	assert_int_equal(strlen(err), 7);
	assert_int_equal(guard_run(guard, NULL, err, sizeof(err)), -EINVAL);
}

static void test_events(void **state)
{
	NEED_KERNEL();
	const struct guard_pair p = pair("192.0.2.1", "192.0.2.2", -1);
	struct text t = {0};

	assert_event(0);
	table_up(NULL, 0);
	assert_event(1);
	assert_event(0);
	guard_build_add(&t, &p);
	run_text(&t);
	assert_event(1);
	run(other, "add table inet gwd2 { chain gwd { }; }");
	run(other, "add table ip gwd { chain gwd { }; }");
	run(other, "delete table inet gwd2; delete table ip gwd");
	assert_event(0);
	run(other, "flush chain inet gwd out");
	assert_event(1);
	run(other, "delete element inet gwd pair4_in { 192.0.2.2 . 192.0.2.1 }");
	assert_event(1);
	run(other, "flush ruleset");
	assert_event(1);
	run(other, "flush ruleset");
	assert_event(0);
}

/* A read that fails behind one that succeeded: what was told is not told again. */
static void test_events_read_fails(void **state)
{
	static const int codes[] = {ENOMEM, EINTR, EIO};

	NEED_KERNEL();
	table_up(NULL, 0);
	assert_event(1);
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		run(other, "add chain inet gwd extra; delete chain inet gwd extra");
		fail_at = 2;
		fail_by = codes[i];
		assert_event(1);
		fail_at = 0;
		assert_event(0);
	}
}

/* More events than the socket holds are told, and the next read is well again. */
static void test_events_lost(void **state)
{
	static struct guard_pair pairs[MANY * 10];

	NEED_KERNEL();
	for (size_t i = 0; i < MANY * 10; i++) {
		pairs[i] = pair("192.0.2.1", "198.18.0.0", -1);
		pairs[i].remote.bytes[2] = i >> 8;
		pairs[i].remote.bytes[3] = i & 0xff;
	}
	table_up(pairs, MANY * 10);
	assert_event(-ENOBUFS);
	while (guard_events_read(events) == 1)
		;
	run(other, "flush chain inet gwd out");
	assert_event(1);
}

static void test_many(void **state)
{
	static struct guard_pair pairs[MANY];

	NEED_KERNEL();
	for (size_t i = 0; i < MANY; i++) {
		bool six = i & 1;

		pairs[i] = six ? pair("2001:db8::1", "2001:db8:1::", i & 2 ? (int64_t)i : -1)
			       : pair("192.0.2.1", "198.18.0.0", i & 2 ? (int64_t)i : -1);
		pairs[i].remote.bytes[six ? 14 : 2] = i >> 8;
		pairs[i].remote.bytes[six ? 15 : 3] = i & 0xff;
	}
	table_up(pairs, MANY);
	struct guard_state s = state_read();

	assert_true(s.intact);
	assert_int_equal(s.n_pairs, MANY);
	for (size_t i = 0; i < MANY; i++) {
		assert_false(s.pairs[i].out_missing || s.pairs[i].in_missing);
		assert_true(i == 0 || guard_pair_cmp(&s.pairs[i - 1], &s.pairs[i]) < 0);
	}
	guard_state_done(&s);
}

static unsigned descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* A daemon asks for years: no descriptor may stay behind (memory is the sanitizer's). */
static void test_again_and_again(void **state)
{
	const struct guard_pair p = pair("192.0.2.1", "192.0.2.2", -1);
	struct text t = {0};

	NEED_KERNEL();
	table_up(&p, 1);
	unsigned before = descriptors();

	for (int i = 0; i < 300; i++) {
		guard_build_add(&t, &p);
		run_text(&t);
		guard_run(guard, "no such command\n", err, sizeof(err));
		assert_state(true, true, 1);
	}
	for (int i = 0; i < 100; i++) {
		struct guard *g;

		assert_int_equal(guard_open(&g), 0);
		guard_close(g);
	}
	assert_int_equal(descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_table, begin),
		cmocka_unit_test_setup(test_add_delete, begin),
		cmocka_unit_test_setup(test_older, begin),
		cmocka_unit_test_setup(test_exempt, begin),
		cmocka_unit_test_setup(test_add_keeps_counter, begin),
		cmocka_unit_test_setup(test_tampered, begin),
		cmocka_unit_test_setup(test_failure, begin),
		cmocka_unit_test_setup(test_events, begin),
		cmocka_unit_test_setup(test_events_read_fails, begin),
		cmocka_unit_test_setup(test_events_lost, begin),
		cmocka_unit_test_setup(test_many, begin),
		cmocka_unit_test_setup(test_again_and_again, begin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
