/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard/guard.c when the kernel's answers cannot be read: every read and every sending of libnftables fails once. What it
 * says of the table is true or an error, and what is done next is done well. In a network namespace of its own; skipped without the
 * right to make one.
 */
#include "guard/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#define CALLS_MAX 200

static unsigned calls, fail_at; /* since fault_set; 0: none */
static int fail_by;
static char err[256];

static bool fails(void)
{
	if (++calls != fail_at)
		return false;
	errno = fail_by;
	return true;
}

/* In place of libc's, for libmnl and libnftables. */
ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	return fails() ? -1 : syscall(SYS_recvmsg, fd, msg, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return fails() ? -1 : syscall(SYS_sendmsg, fd, msg, flags);
}

ssize_t sendto(int fd, const void *buf, size_t size, int flags, const struct sockaddr *to,
	       socklen_t to_size)
{
	return fails() ? -1 : syscall(SYS_sendto, fd, buf, size, flags, to, to_size);
}

static void fault_set(unsigned at, int by)
{
	calls = 0;
	fail_at = at;
	fail_by = by;
}

static struct guard_pair pair(const char *remote)
{
	struct guard_pair p = {0};

	assert_true(addr_parse("192.0.2.1", &p.local));
	assert_true(addr_parse(remote, &p.remote));
	return p;
}

static int run(struct guard *g, struct text *t)
{
	int r = guard_run(g, t->text, err, sizeof(err));

	text_free(t);
	return r;
}

static void table(struct text *t, size_t n)
{
	const struct guard_pair pairs[] = {pair("192.0.2.2"), pair("192.0.2.3")};

	guard_build_table(t, pairs, n, NULL, 0);
}

static void do_add(struct guard *g)
{
	const struct guard_pair p = pair("192.0.2.3");
	struct text t = {0};

	guard_build_add(&t, &p);
	run(g, &t);
}

static void do_delete(struct guard *g)
{
	const struct guard_pair p = pair("192.0.2.2");
	struct text t = {0};

	guard_build_delete(&t, &p);
	run(g, &t);
}

static void do_table(struct guard *g)
{
	struct text t = {0};

	table(&t, 2);
	run(g, &t);
}

static void do_read(struct guard *g)
{
	struct guard_state s;

	if (!guard_read(g, &s, err, sizeof(err))) {
		assert_true(s.present && s.intact);
		assert_int_equal(s.n_pairs, 1);
	}
	guard_state_done(&s);
}

static void assert_well(struct guard *g)
{
	const struct guard_pair p = pair("192.0.2.9");
	struct text t = {0};
	struct guard_state s;

	if (guard_read(g, &s, err, sizeof(err)))
		fail_msg("call %u: %s", fail_at, err);
	assert_true(s.present && s.intact);
	guard_state_done(&s);
	guard_build_add(&t, &p);
	if (run(g, &t))
		fail_msg("call %u: %s", fail_at, err);
	assert_int_equal(guard_read(g, &s, err, sizeof(err)), 0);
	assert_int_equal(guard_pair_cmp(&s.pairs[s.n_pairs - 1], &p), 0);
	guard_state_done(&s);
}

/* Returns false when there were fewer calls than at. */
static bool failed_once(struct guard *g, void (*act)(struct guard *), unsigned at, int by)
{
	struct text t = {0};
	bool hit;

	table(&t, 1);
	assert_int_equal(run(g, &t), 0);
	fault_set(at, by);
	act(g);
	hit = calls >= at;
	fault_set(0, 0);
	assert_well(g);
	return hit;
}

static void test_each_call(void **state)
{
	static void (*const acts[])(struct guard *) = {do_add, do_delete, do_table, do_read};
	static const int codes[] = {ENOBUFS, EAGAIN};
	struct guard *g;
	unsigned n;

	(void)state;
	if (unshare(CLONE_NEWNET))
		skip();
	assert_int_equal(guard_open(&g), 0);
	for (size_t a = 0; a < sizeof(acts) / sizeof(*acts); a++) {
		for (size_t c = 0; c < sizeof(codes) / sizeof(*codes); c++) {
			for (n = 1; n < CALLS_MAX && failed_once(g, acts[a], n, codes[c]); n++)
				;
			assert_in_range(n, 10, CALLS_MAX - 1);
		}
	}
	guard_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
