/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gre/route.c and the route part of gre/events.c: what is built is what is read, and the running kernel's answers. */
#include "gre/events.h"
#include "gre/link.h"
#include "gre/route.h"
#include "tests/unit/netlink_test.h"

#include <linux/rtnetlink.h>

#define LO 1

static struct gre_route route_of(const char *to, uint32_t table, uint32_t metric)
{
	struct gre_route r = {
		.tunnel = -1,
		.table = table,
		.metric = metric,
		.protocol = GRE_ROUTE_PROTOCOL,
	};

	assert_true(prefix_parse(to, &r.to));
	return r;
}

static const struct gre_route_row {
	const char *to, *text;
	uint32_t table, metric;
} rows[] = {
	{"10.1.0.0/16", "10.1.0.0/16", RT_TABLE_MAIN, 0},
	{"10.1.0.0/16", "10.1.0.0/16 metric 20", RT_TABLE_MAIN, 20},
	{"0.0.0.0/0", "0.0.0.0/0 table 1000", 1000, 0},
	{"192.0.2.7/32", "192.0.2.7/32 table 255 metric 4294967295", 255, UINT32_MAX},
	{"2001:db8:1::/48", "2001:db8:1::/48 metric 7", RT_TABLE_MAIN, 7},
	{"::/0", "::/0 table 70000 metric 1024", 70000, 1024},
};

static void test_route_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct gre_route want = route_of(rows[i].to, rows[i].table, rows[i].metric), have;
		struct nl_batch *b = nl_batch_new();
		char buf[128];

		gre_route_put(b, &want, 7);
		gre_route_put_delete(b, &want, 7);
		for (size_t m = 0; m < 2; m++) {
			assert_true(gre_route_parse(nl_batch_at(b, m), &have));
			assert_int_equal(have.ifindex, 7);
			assert_true(gre_route_equal(&want, &have));
		}
		assert_int_equal(nl_batch_at(b, 0)->nlmsg_type, RTM_NEWROUTE);
		assert_int_equal(nl_batch_at(b, 0)->nlmsg_flags,
				 NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
		assert_int_equal(nl_batch_at(b, 1)->nlmsg_type, RTM_DELROUTE);
		assert_string_equal(gre_route_format(&want, buf, sizeof(buf)), rows[i].text);
		nl_batch_free(b);
	}
}

static void test_route_order(void **state)
{
	struct gre_route a = route_of("10.1.0.0/16", 0, 0);
	struct gre_route b = route_of("10.1.2.3/16", RT_TABLE_MAIN, 0);

	(void)state;
	assert_int_equal(gre_route_cmp(&a, &b), 0); /* host bits; table 0 is main */
	b.metric = 1;
	assert_true(gre_route_cmp(&a, &b) < 0);
	a = route_of("2001:db8::/32", 254, 0);
	b = route_of("2001:db8::/32", 254, 1024);
	assert_int_equal(gre_route_cmp(&a, &b), 0);
	assert_true(gre_route_equal(&a, &b));
	b.table = 255;
	assert_true(gre_route_cmp(&a, &b) < 0);
	b = a;
	strcpy(b.link, "other");
	assert_int_equal(gre_route_cmp(&a, &b), 0);
	assert_false(gre_route_equal(&a, &b));
	b = a;
	b.protocol = RTPROT_STATIC;
	assert_false(gre_route_equal(&a, &b));
}

static bool maul_route(const struct nlmsghdr *nlh)
{
	struct gre_route r;
	struct gre_event ev;
	char text[128];
	bool good = gre_route_parse(nlh, &r);

	if (good)
		gre_route_format(&r, text, sizeof(text));
	gre_event_parse(nlh, &ev);
	return good;
}

static void test_route_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct gre_route want = route_of(rows[i].to, rows[i].table, rows[i].metric);
		struct nl_batch *b = nl_batch_new();

		gre_route_put(b, &want, 7);
		message_maul(nl_batch_at(b, 0), sizeof(struct rtmsg), maul_route);
		nl_batch_free(b);
	}
}

static void test_route_refused(void **state)
{
	struct gre_route want = route_of("10.1.0.0/16", 254, 0), have;
	struct nl_batch *b = nl_batch_new();
	struct rtmsg *rtm;

	(void)state;
	gre_route_put(b, &want, 7);
	rtm = mnl_nlmsg_get_payload(nl_batch_at(b, 0));
	rtm->rtm_dst_len = 33;
	assert_false(gre_route_parse(nl_batch_at(b, 0), &have));
	rtm->rtm_dst_len = 16;
	rtm->rtm_flags = RTM_F_CLONED;
	assert_false(gre_route_parse(nl_batch_at(b, 0), &have));
	rtm->rtm_flags = 0;
	rtm->rtm_type = RTN_BLACKHOLE;
	assert_false(gre_route_parse(nl_batch_at(b, 0), &have));
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_family = AF_INET6;
	assert_false(gre_route_parse(nl_batch_at(b, 0), &have));
	nl_batch_free(b);
}

static void test_route_event(void **state)
{
	struct gre_route ours = route_of("10.1.0.0/16", 254, 0);
	struct nl_batch *b = nl_batch_new();
	struct gre_event ev;
	struct rtmsg *rtm;

	(void)state;
	gre_route_put(b, &ours, 7);
	gre_route_put_delete(b, &ours, 7);
	assert_true(gre_event_parse(nl_batch_at(b, 0), &ev));
	assert_int_equal(ev.kind, GRE_EVENT_ROUTE);
	assert_int_equal(ev.ifindex, 7);
	assert_true(ev.ours && !ev.gone);
	assert_true(gre_event_parse(nl_batch_at(b, 1), &ev));
	assert_true(ev.ours && ev.gone);
	rtm = mnl_nlmsg_get_payload(nl_batch_at(b, 0));
	rtm->rtm_protocol = RTPROT_BGP;
	assert_true(gre_event_parse(nl_batch_at(b, 0), &ev));
	assert_true(!ev.ours && !ev.ifindex);
	rtm->rtm_protocol = RTPROT_KERNEL;
	assert_false(gre_event_parse(nl_batch_at(b, 0), &ev));
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_BLACKHOLE;
	assert_true(gre_event_parse(nl_batch_at(b, 0), &ev));
	rtm->rtm_flags = RTM_F_CLONED;
	assert_false(gre_event_parse(nl_batch_at(b, 0), &ev));
	nl_batch_free(b);
}

static struct nl *route_socket(void)
{
	struct nl_batch *b;
	struct nl *nl;

	own_network();
	b = nl_batch_new();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	gre_link_put_up(b, LO, true);
	assert_int_equal(batch_outcome(nl, b), 0);
	return nl;
}

static int change(struct nl *nl, const struct gre_route *r, bool add)
{
	struct nl_batch *b = nl_batch_new();

	if (add)
		gre_route_put(b, r, LO);
	else
		gre_route_put_delete(b, r, LO);
	return batch_outcome(nl, b);
}

struct seen {
	unsigned n, wanted;
};

static int seen_route(void *user, const struct gre_route *r)
{
	struct seen *s = user;

	assert_int_equal(r->protocol, GRE_ROUTE_PROTOCOL);
	assert_int_equal(r->ifindex, LO);
	s->n++;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct gre_route want = route_of(rows[i].to, rows[i].table, rows[i].metric);

		s->wanted += gre_route_equal(&want, r);
	}
	return 0;
}

static int refuse_route(void *user, const struct gre_route *r)
{
	(void)user;
	(void)r;
	return -E2BIG;
}

static void test_kernel_routes(void **state)
{
	struct nl *nl = route_socket();
	struct seen s = {0};
	struct gre_route r;

	(void)state;
	assert_int_equal(gre_route_dump(nl, LO, seen_route, NULL, &s), 0);
	assert_int_equal(s.n, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		r = route_of(rows[i].to, rows[i].table, rows[i].metric);
		assert_int_equal(change(nl, &r, true), 0);
		assert_int_equal(change(nl, &r, true), -EEXIST);
	}
	assert_int_equal(gre_route_dump(nl, LO, seen_route, NULL, &s), 0);
	assert_int_equal(s.n, COUNT(rows));
	assert_int_equal(s.wanted, COUNT(rows));
	s = (struct seen){0};
	assert_int_equal(gre_route_dump(nl, 0, seen_route, NULL, &s), 0);
	assert_int_equal(s.wanted, COUNT(rows));
	assert_int_equal(gre_route_dump(nl, 0, refuse_route, NULL, NULL), -E2BIG);
	for (size_t i = 0; i < COUNT(rows); i++) {
		r = route_of(rows[i].to, rows[i].table, rows[i].metric);
		assert_int_equal(change(nl, &r, false), 0);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		r = route_of(rows[i].to, rows[i].table, rows[i].metric);
		assert_int_equal(change(nl, &r, false), -ESRCH);
	}
	nl_close(nl);
}

/* IPv6 turns metric 0 into 1024; what is then read back is still what was wanted, and goes by the same words. */
static void test_kernel_metric_ip6(void **state)
{
	struct nl *nl = route_socket();
	struct gre_route want = route_of("2001:db8:9::/48", 254, 0);
	struct gre_route near = route_of("2001:db8:9::/48", 254, 5);
	struct seen s = {0};

	(void)state;
	assert_int_equal(change(nl, &want, true), 0);
	assert_int_equal(change(nl, &near, true), 0);
	assert_int_equal(change(nl, &want, false), 0); /* not the one with metric 5 */
	assert_int_equal(change(nl, &near, false), 0);
	assert_int_equal(gre_route_dump(nl, 0, seen_route, NULL, &s), 0);
	assert_int_equal(s.n, 0);
	nl_close(nl);
}

static int seen_hold(void *user, const struct gre_route *r)
{
	if (r->unreachable) {
		assert_int_equal(r->ifindex, 0);
		assert_int_equal(r->metric, GRE_ROUTE_METRIC_HOLD);
		++*(unsigned *)user;
	}
	return 0;
}

/* A hold stands beside the route it is for; each comes and goes without the other. */
static void test_kernel_hold(void **state)
{
	static const char *const to[] = {"10.9.0.0/16", "2001:db8:9::/48"};
	struct nl *nl = route_socket();

	(void)state;
	for (size_t i = 0; i < COUNT(to); i++) {
		struct gre_route route = route_of(to[i], 254, 0), hold = route;
		unsigned n = 0;

		hold.metric = GRE_ROUTE_METRIC_HOLD;
		hold.unreachable = true;
		assert_int_equal(change(nl, &hold, true), 0);
		assert_int_equal(change(nl, &hold, true), -EEXIST);
		assert_int_equal(change(nl, &route, true), 0);
		assert_int_equal(gre_route_dump(nl, 0, seen_hold, NULL, &n), 0);
		assert_int_equal(n, 1);
		assert_int_equal(change(nl, &route, false), 0);
		assert_int_equal(gre_route_dump(nl, 0, seen_hold, NULL, &n), 0);
		assert_int_equal(n, 2);
		assert_int_equal(change(nl, &route, true), 0);
		assert_int_equal(change(nl, &hold, false), 0);
		assert_int_equal(change(nl, &hold, false), -ESRCH);
		assert_int_equal(gre_route_dump(nl, 0, seen_hold, NULL, &n), 0);
		assert_int_equal(n, 2);
		assert_int_equal(change(nl, &route, false), 0);
	}
	nl_close(nl);
}

/* Host bits do not reach the kernel, and a route of somebody else is neither overwritten nor deleted. */
static void test_kernel_foreign(void **state)
{
	struct nl *nl = route_socket();
	struct gre_route ours = route_of("10.9.8.7/16", 254, 0);
	struct nl_batch *b = nl_batch_new();
	struct rtmsg *rtm;

	(void)state;
	gre_route_put(b, &ours, LO);
	rtm = mnl_nlmsg_get_payload(nl_batch_at(b, 0));
	rtm->rtm_protocol = RTPROT_STATIC;
	assert_int_equal(batch_outcome(nl, b), 0);
	assert_int_equal(change(nl, &ours, true), -EEXIST);
	assert_int_equal(change(nl, &ours, false), -ESRCH);
	nl_close(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_round_trip),  cmocka_unit_test(test_route_order),
		cmocka_unit_test(test_route_malformed),	  cmocka_unit_test(test_route_refused),
		cmocka_unit_test(test_route_event),	  cmocka_unit_test(test_kernel_routes),
		cmocka_unit_test(test_kernel_metric_ip6), cmocka_unit_test(test_kernel_foreign),
		cmocka_unit_test(test_kernel_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
