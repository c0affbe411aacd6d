/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/nl*.c on a kernel whose socket fails: each call of sendto, recvfrom and poll in turn gives
 * EINTR, EAGAIN, ENOBUFS or ENOMEM (netlink(7), recv(2), send(2), poll(2)). Every message has its
 * result, none is done twice, a dump is whole or says that it is not, the socket works afterwards,
 * and lost events are told. The kernel is the real one, in a namespace of the test's own.
 */
#include "tests/unit/netlink_test.h"

#include <dlfcn.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "gre/route.h"

#define ROUTES 3000 /* a dump of several datagrams */
#define ADDED 150 /* more than one chunk of a batch */
#define CALLS_MAX 400

enum call {
	CALL_SEND,
	CALL_RECV,
	CALL_POLL,
	CALLS,
};

static const int errors[] = {EINTR, EAGAIN, ENOBUFS, ENOMEM};
static bool armed, fired;
static enum call fault_call;
static unsigned fault_at, seen;
static int fault_errno;

/* The n-th of these calls does nothing but fail. */
static bool fails(enum call call)
{
	if (!armed || call != fault_call || ++seen != fault_at)
		return false;
	fired = true;
	errno = fault_errno;
	return true;
}

#define REAL(name)                                                            \
	({                                                                    \
		static __typeof__(&(name)) real_;                             \
		if (!real_)                                                   \
			real_ = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name); \
		real_;                                                        \
	})

/* An executable's symbols win over a library's, for libmnl too. */
ssize_t sendto(int fd, const void *buf, size_t size, int flags, const struct sockaddr *to,
	       socklen_t to_size)
{
	return fails(CALL_SEND) ? -1 : REAL(sendto)(fd, buf, size, flags, to, to_size);
}

ssize_t recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *from,
		 socklen_t *from_size)
{
	return fails(CALL_RECV) ? -1 : REAL(recvfrom)(fd, buf, size, flags, from, from_size);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return fails(CALL_POLL) ? -1 : REAL(poll)(fds, n, timeout);
}

static void fault_start(enum call call, unsigned at, int err)
{
	fault_call = call;
	fault_at = at;
	fault_errno = err;
	seen = 0;
	fired = false;
	armed = true;
}

static bool fault_stop(void)
{
	armed = false;
	return fired;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct gre_route route_of(unsigned i)
{
	struct gre_route r = {.table = 100, .metric = 7, .protocol = GRE_ROUTE_PROTOCOL};

	r.unreachable = true;
	r.to.len = 32;
	r.to.addr.family = AF_INET;
	r.to.addr.bytes[0] = 10;
	r.to.addr.bytes[2] = (uint8_t)(i >> 8);
	r.to.addr.bytes[3] = (uint8_t)i;
	return r;
}

static struct nl_batch *routes_batch(unsigned from, unsigned n, bool add)
{
	struct nl_batch *b = nl_batch_new();

	for (unsigned i = from; i < from + n; i++) {
		struct gre_route r = route_of(i);

		if (add)
			gre_route_put(b, &r, 0);
		else
			gre_route_put_delete(b, &r, 0);
	}
	return b;
}

struct heard {
	unsigned n, restarts;
	bool of[ROUTES + ADDED];
};

static int hear(void *user, const struct gre_route *r)
{
	struct heard *h = user;
	unsigned i = (unsigned)r->to.addr.bytes[2] << 8 | r->to.addr.bytes[3];

	assert_true(i < ROUTES + ADDED);
	assert_false(h->of[i]); /* nothing twice */
	h->of[i] = true;
	h->n++;
	return 0;
}

static void unhear(void *user)
{
	struct heard *h = user;
	unsigned restarts = h->restarts + 1;

	*h = (struct heard){.restarts = restarts};
}

static int dump(struct nl *nl, struct heard *h)
{
	*h = (struct heard){0};
	return gre_route_dump(nl, 0, hear, unhear, h);
}

static void network_make(struct nl **nl, unsigned routes)
{
	own_network();
	assert_int_equal(nl_open(nl, NETLINK_ROUTE), 0);
	for (unsigned i = 0; i < routes; i += 500)
		assert_int_equal(batch_outcome(*nl, routes_batch(i, 500, true)), 0);
}

/* A whole dump, or an error; and the next dump over the same socket is whole. */
static bool try_dump(struct nl *nl, enum call call, unsigned at, int err)
{
	struct heard h;
	double from = seconds();
	int rc, again;

	fault_start(call, at, err);
	rc = dump(nl, &h);
	bool hit = fault_stop();
	if (rc == 0)
		assert_int_equal(h.n, ROUTES);
	if (err == EINTR || err == EAGAIN)
		assert_int_equal(rc, 0);
	else if (rc)
		assert_int_equal(rc, -err);
	again = dump(nl, &h);
	if (again || h.n != ROUTES)
		fail_msg("call %d, the %u-th, %s: then %d and %u routes", call, at, strerror(err),
			 again, h.n);
	assert_true(seconds() - from < 4.5); /* no deadline was waited for */
	return hit;
}

static void test_dump(void **state)
{
	struct nl *nl;
	unsigned hits = 0;

	(void)state;
	network_make(&nl, ROUTES);
	for (int call = CALL_SEND; call < CALLS; call++) {
		for (size_t e = 0; e < COUNT(errors); e++) {
			unsigned at = 1;

			while (at < CALLS_MAX && try_dump(nl, (enum call)call, at, errors[e]))
				at++;
			assert_true(at < CALLS_MAX);
			hits += at - 1;
		}
	}
	assert_true(hits > 20);
	nl_close(nl);
}

static unsigned routes_there(void)
{
	struct heard h;
	struct nl *nl;

	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	assert_int_equal(dump(nl, &h), 0);
	nl_close(nl);
	return h.n;
}

/* Each message's result is said once; well means done; and sending it all again completes it. */
static bool try_batch(struct nl *nl, enum call call, unsigned at, int err)
{
	static struct outcome o;
	struct nl_batch *b = routes_batch(0, ADDED, true);
	unsigned well = 0;
	int rc;

	o.n = 0;
	fault_start(call, at, err);
	rc = nl_batch_send(nl, b, outcome_note, &o);
	bool hit = fault_stop();
	nl_batch_free(b);
	assert_int_equal(o.n, ADDED);
	for (size_t i = 0; i < o.n; i++) {
		assert_true(o.err[i] == 0 || o.err[i] == -err);
		well += o.err[i] == 0;
	}
	if (err == EINTR || err == EAGAIN || !hit)
		assert_int_equal(well, ADDED);
	assert_true(rc || well == ADDED);
	assert_true(routes_there() >= well);
	b = routes_batch(0, ADDED, true);
	o.n = 0;
	assert_int_equal(nl_batch_send(nl, b, outcome_note, &o), 0);
	nl_batch_free(b);
	for (size_t i = 0; i < o.n; i++)
		assert_true(o.err[i] == 0 || o.err[i] == -EEXIST);
	assert_int_equal(routes_there(), ADDED);
	assert_int_equal(batch_outcome(nl, routes_batch(0, ADDED, false)), 0);
	return hit;
}

static void test_batch(void **state)
{
	struct nl *nl;

	(void)state;
	network_make(&nl, 0);
	for (int call = CALL_SEND; call < CALLS; call++) {
		for (size_t e = 0; e < COUNT(errors); e++) {
			unsigned at = 1;

			while (at < CALLS_MAX && try_batch(nl, (enum call)call, at, errors[e]))
				at++;
			assert_true(at < CALLS_MAX);
			assert_true(at > 1 || call == CALL_POLL);
		}
	}
	nl_close(nl);
}

static int count_event(const struct nlmsghdr *nlh, void *user)
{
	(void)nlh;
	++*(unsigned *)user;
	return MNL_CB_OK;
}

/* ENOBUFS is told, for all must be read again; EINTR and EAGAIN lose nothing. */
static void test_events(void **state)
{
	static const unsigned groups[] = {RTNLGRP_IPV4_ROUTE};
	struct nl *nl, *events;

	(void)state;
	network_make(&nl, 0);
	assert_int_equal(nl_open(&events, NETLINK_ROUTE), 0);
	assert_int_equal(nl_listen(events, 1 << 20, groups, 1), 0);
	for (size_t e = 0; e < COUNT(errors); e++) {
		for (unsigned at = 1; at <= 5; at++) {
			unsigned n = 0;
			int rc;

			assert_int_equal(batch_outcome(nl, routes_batch(0, 3, true)), 0);
			fault_start(CALL_RECV, at, errors[e]);
			rc = nl_receive(events, count_event, &n, 100);
			bool hit = fault_stop();
			assert_int_equal(hit, at <= 4);
			if (hit && errors[e] != EINTR && errors[e] != EAGAIN)
				assert_int_equal(rc, -errors[e]);
			else
				assert_true(rc >= 0);
			assert_int_equal(nl_receive(events, count_event, &n, 100), 0);
			assert_int_equal(n, 3);
			assert_int_equal(batch_outcome(nl, routes_batch(0, 3, false)), 0);
			nl_receive(events, count_event, &n, 100);
		}
	}
	nl_close(events);
	nl_close(nl);
}

/* The socket's queue overruns in earnest. */
static void test_overrun(void **state)
{
	static const unsigned groups[] = {RTNLGRP_IPV4_ROUTE};
	struct nl *nl, *events;
	unsigned n = 0;
	int rc = 1;

	(void)state;
	network_make(&nl, 0);
	assert_int_equal(nl_open(&events, NETLINK_ROUTE), 0);
	assert_int_equal(nl_listen(events, 4096, groups, 1), 0);
	assert_int_equal(batch_outcome(nl, routes_batch(0, ADDED, true)), 0);
	for (int i = 0; i < 10 && rc == 1; i++)
		rc = nl_receive(events, count_event, &n, 100);
	assert_int_equal(rc, -ENOBUFS);
	assert_true(n < ADDED);
	for (rc = 1; rc == 1;)
		rc = nl_receive(events, count_event, &n, 100);
	assert_int_equal(rc, 0);
	nl_close(events);
	nl_close(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
