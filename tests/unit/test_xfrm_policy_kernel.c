/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfrm/policy.c and xfrm/events.c in the running kernel, where it has XFRM. */
#include "tests/unit/xfrm_policies.h"
#include "xfrm/events.h"

#include <linux/xfrm.h>

#define MANY 150

static struct nl *xfrm_socket(void)
{
	struct nl *nl;
	int err;

	own_network();
	err = nl_open(&nl, NETLINK_XFRM);
	if (err == -EPROTONOSUPPORT)
		skip();
	assert_int_equal(err, 0);
	return nl;
}

static int apply(struct nl *nl, const struct xfrm_policy *p, bool create)
{
	struct nl_batch *b = nl_batch_new();

	xfrm_policy_put(b, p, create);
	return batch_outcome(nl, b);
}

static int delete (struct nl *nl, const struct xfrm_policy *p)
{
	struct nl_batch *b = nl_batch_new();

	xfrm_policy_put_delete(b, p);
	return batch_outcome(nl, b);
}

struct seen {
	unsigned n, ours;
};

static int seen_policy(void *user, const struct xfrm_policy *p)
{
	struct seen *s = user;

	s->n++;
	s->ours += xfrm_policy_ours(p);
	return 0;
}

static int refuse_policy(void *user, const struct xfrm_policy *p)
{
	(void)user;
	(void)p;
	return -E2BIG;
}

/*
 * Every variation through the kernel: made once, found by selector, changed in place with its
 * index kept, deleted.
 */
static void test_kernel_policies(void **state)
{
	struct nl *nl = xfrm_socket();
	struct xfrm_policy want, have;

	(void)state;
	for (unsigned n = 0; policy_vary(n, &want); n++) {
		assert_int_equal(xfrm_policy_get(nl, &want, &have), -ENOENT);
		assert_int_equal(apply(nl, &want, true), 0);
		assert_int_equal(apply(nl, &want, true), -EEXIST);
		assert_int_equal(xfrm_policy_get(nl, &want, &have), 0);
		assert_true(xfrm_policy_equal(&want, &have));
		assert_int_equal(have.index, 0x80000000u | 0x12abcd << 3 | (unsigned)want.dir);
		want.spi ^= 0x1234;
		assert_int_equal(apply(nl, &want, false), 0);
		assert_int_equal(xfrm_policy_get(nl, &want, &have), 0);
		assert_true(xfrm_policy_equal(&want, &have));
		assert_int_equal(have.index, 0x80000000u | 0x12abcd << 3 | (unsigned)want.dir);
		assert_int_equal(delete (nl, &have), 0);
		assert_int_equal(delete (nl, &have), -ENOENT);
		assert_int_equal(delete (nl, &want), -ENOENT);
	}
	nl_close(nl);
}

/*
 * A foreign policy at our selector, whatever its priority, is a conflict that can be seen, and its
 * index protects it.
 */
static void test_kernel_foreign(void **state)
{
	struct nl *nl = xfrm_socket();
	struct xfrm_policy foreign = policy4(XFRM_DIR_OUT), ours = foreign, have;

	(void)state;
	foreign.priority = 366975;
	foreign.reqid = 1;
	assert_int_equal(apply(nl, &foreign, true), 0);
	assert_int_equal(apply(nl, &ours, true), -EEXIST);
	assert_int_equal(xfrm_policy_get(nl, &ours, &have), 0);
	assert_int_equal(have.priority, 366975);
	assert_int_equal(have.reqid, 1);
	assert_false(xfrm_policy_ours(&have));
	ours.index = 0x80000000u | 0x12abcd << 3 | XFRM_DIR_OUT;
	assert_int_equal(delete (nl, &ours), -ENOENT);
	assert_int_equal(delete (nl, &have), 0);
	nl_close(nl);
}

/* Keyed and unkeyed policies between the same two gateways are different ones. */
static void test_kernel_many(void **state)
{
	struct nl *nl = xfrm_socket();
	struct nl_batch *b = nl_batch_new();
	struct xfrm_policy p = policy4(XFRM_DIR_OUT);
	struct seen s = {0};

	(void)state;
	xfrm_policy_put(b, &p, true);
	p.has_key = true;
	for (p.key = 1; p.key < MANY; p.key++) {
		p.reqid++;
		xfrm_policy_put(b, &p, true);
	}
	assert_int_equal(batch_outcome(nl, b), 0);
	assert_int_equal(xfrm_policy_dump(nl, seen_policy, NULL, &s), 0);
	assert_int_equal(s.n, MANY);
	assert_int_equal(s.ours, MANY);
	assert_int_equal(xfrm_policy_dump(nl, refuse_policy, NULL, NULL), -E2BIG);
	nl_close(nl);
}

static unsigned event_count;
static struct xfrm_event events[8];

static void event_note(void *user, const struct xfrm_event *ev)
{
	(void)user;
	assert_true(event_count < COUNT(events));
	events[event_count++] = *ev;
}

static void test_kernel_events(void **state)
{
	struct nl *nl = xfrm_socket(), *ear;
	struct xfrm_policy p = policy4(XFRM_DIR_OUT), have;
	struct nl_batch *b = nl_batch_new();

	(void)state;
	assert_int_equal(xfrm_events_open(&ear), 0);
	assert_int_equal(apply(nl, &p, true), 0);
	p.spi = 0xc0de0001;
	assert_int_equal(apply(nl, &p, false), 0);
	assert_int_equal(xfrm_policy_get(nl, &p, &have), 0);
	assert_int_equal(delete (nl, &have), 0);
	nl_batch_put(b, XFRM_MSG_FLUSHPOLICY, 0);
	assert_int_equal(apply(nl, &p, true), 0);
	assert_int_equal(batch_outcome(nl, b), 0);
	event_count = 0;
	assert_int_equal(xfrm_events_read(ear, event_note, NULL), 0);
	assert_int_equal(event_count, 5);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(events[i].kind, XFRM_EVENT_POLICY);
		assert_int_equal(events[i].gone, i == 2);
		assert_int_equal(xfrm_policy_cmp(&events[i].policy, &p), 0);
		assert_int_equal(events[i].policy.reqid, REQID);
	}
	assert_int_equal(events[1].policy.spi, 0xc0de0001);
	assert_int_equal(events[4].kind, XFRM_EVENT_POLICY_FLUSH);
	nl_close(ear);
	nl_close(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_policies),
		cmocka_unit_test(test_kernel_foreign),
		cmocka_unit_test(test_kernel_many),
		cmocka_unit_test(test_kernel_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
