/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/nl*.c: attribute tables, batches, and a route socket in a namespace of its own. */
#include "tests/unit/netlink_test.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#define MANY 200
#define BRIDGES 100

static struct nlmsghdr *message(void *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	mnl_nlmsg_put_extra_header(nlh, 4);
	return nlh;
}

static void test_attrs_table(void **state)
{
	static const struct nl_attr_spec spec[] = {{1, 4}, {2, 0}, {5, 1}};
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = message(buf);
	const struct nlattr *slot[6];

	(void)state;
	mnl_attr_put_u32(nlh, 1, 7);
	mnl_attr_put(nlh, 2, 0, "");
	mnl_attr_put_u32(nlh, 3, 8);
	mnl_attr_put_u16(nlh, 5, 9);
	mnl_attr_put_u32(nlh, 900, 10);
	assert_true(nl_attrs_parse(nlh, 4, spec, COUNT(spec), slot, 5));
	assert_int_equal(mnl_attr_get_u32(slot[1]), 7);
	assert_int_equal(mnl_attr_get_payload_len(slot[2]), 0);
	assert_null(slot[3]); /* in no table */
	assert_null(slot[4]);
	assert_int_equal(mnl_attr_get_u16(slot[5]), 9);
	assert_true(nl_attrs_parse(nlh, 4, spec, COUNT(spec), slot, 1));
	assert_non_null(slot[1]);
}

static void test_attrs_short(void **state)
{
	static const struct nl_attr_spec spec[] = {{1, 4}};
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = message(buf);
	const struct nlattr *slot[2];

	(void)state;
	assert_true(nl_attrs_parse(nlh, 4, spec, 1, slot, 1));
	assert_null(slot[1]);
	assert_false(nl_attrs_parse(nlh, 8, spec, 1, slot, 1));
	mnl_attr_put_u16(nlh, 1, 7);
	assert_false(nl_attrs_parse(nlh, 4, spec, 1, slot, 1));
}

static void test_attrs_broken_length(void **state)
{
	static const struct nl_attr_spec spec[] = {{1, 0}};
	static const uint16_t lengths[] = {0, 3, 9, 64, UINT16_MAX};
	const struct nlattr *slot[2];

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		_Alignas(8) char buf[256];
		struct nlmsghdr *nlh = message(buf);
		struct nlattr *attr = mnl_nlmsg_get_payload_tail(nlh);

		mnl_attr_put_u32(nlh, 1, 7);
		attr->nla_len = lengths[i];
		assert_false(nl_attrs_parse(nlh, 4, spec, 1, slot, 1));
	}
}

static void test_attrs_nested(void **state)
{
	static const struct nl_attr_spec outer[] = {{1, 0}}, inner[] = {{2, 4}};
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = message(buf);
	const struct nlattr *slot[2], *in[3];
	struct nlattr *nest = mnl_attr_nest_start(nlh, 1);

	(void)state;
	mnl_attr_put_u32(nlh, 2, 77);
	mnl_attr_nest_end(nlh, nest);
	assert_true(nl_attrs_parse(nlh, 4, outer, 1, slot, 1));
	assert_true(nl_attrs_parse_nested(slot[1], inner, 1, in, 2));
	assert_int_equal(mnl_attr_get_u32(in[2]), 77);
	((struct nlattr *)mnl_attr_get_payload(nest))->nla_len = 12;
	assert_false(nl_attrs_parse_nested(slot[1], inner, 1, in, 2));
}

static void test_message_length(void **state)
{
	static const uint32_t lengths[] = {0,	       15,	   25,	      0x7fffffff,
					   0x80000000, 0xffff0018, UINT32_MAX};
	_Alignas(8) char buf[24] = {0};
	struct nlmsghdr *nlh = message(buf);

	(void)state;
	nlh->nlmsg_len = 16;
	assert_true(nl_message_ok(nlh, 16));
	assert_true(nl_message_ok(nlh, 24));
	assert_false(nl_message_ok(nlh, 15));
	assert_false(nl_message_ok(nlh, -4)); /* behind a length that is not aligned */
	for (size_t i = 0; i < COUNT(lengths); i++) {
		nlh->nlmsg_len = lengths[i];
		assert_false(nl_message_ok(nlh, sizeof(buf)));
	}
}

static void test_attr_text(void **state)
{
	static const struct {
		const char *bytes;
		uint16_t len;
		size_t room;
		const char *text;
	} rows[] = {
		{"gre1", 5, 16, "gre1"}, {"gre1", 4, 16, "gre1"}, {"gre1xx", 6, 5, "gre1"},
		{"a\0b", 3, 16, "a"},	 {"", 0, 16, ""},	  {"abc", 3, 1, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		_Alignas(8) char buf[64];
		struct nlmsghdr *nlh = message(buf);
		struct nlattr *attr = mnl_nlmsg_get_payload_tail(nlh);
		char out[16] = "untouched";

		mnl_attr_put(nlh, 1, rows[i].len, rows[i].bytes);
		nl_attr_text(attr, out, rows[i].room);
		assert_string_equal(out, rows[i].text);
	}
	char none[4] = "x";
	nl_attr_text(NULL, none, sizeof(none));
	assert_string_equal(none, "");
}

static void test_batch_grows(void **state)
{
	struct nl_batch *b = nl_batch_new();

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		mnl_attr_put_u32(nl_batch_put(b, (uint16_t)(100 + i), NLM_F_EXCL), 1, i);
	assert_int_equal(nl_batch_len(b), 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		const struct nlmsghdr *nlh = nl_batch_at(b, i);

		assert_int_equal(nlh->nlmsg_type, 100 + i);
		assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL);
		assert_int_equal(nlh->nlmsg_len, MNL_NLMSG_HDRLEN + 8);
		assert_int_equal(mnl_attr_get_u32(mnl_nlmsg_get_payload(nlh)), i);
	}
	assert_null(nl_batch_at(b, 1000));
	nl_batch_free(b);
}

static void link_message(struct nl_batch *b, uint16_t type, const char *name)
{
	struct nlmsghdr *nlh = nl_batch_put(b, type,
					    type == RTM_NEWLINK ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct nlattr *info;

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (type != RTM_NEWLINK)
		return;
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(nlh, info);
}

/* Good and bad messages over several datagrams: each gets its own result, in order. */
static void test_batch_results(void **state)
{
	static struct outcome o;
	struct nl_batch *b;
	struct nl *nl;
	char name[IFNAMSIZ];

	(void)state;
	own_network();
	b = nl_batch_new();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	o.n = 0;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "no%d", i);
		link_message(b, RTM_DELLINK, i % 3 ? name : "lo");
	}
	assert_int_equal(nl_batch_send(nl, b, outcome_note, &o), 0);
	assert_int_equal(o.n, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(o.err[i], i % 3 ? -ENODEV : -EOPNOTSUPP);
		assert_string_not_equal(o.text[i], "");
	}
	nl_batch_free(b);
	nl_close(nl);
}

static void test_batch_empty(void **state)
{
	struct nl_batch *b = nl_batch_new();
	static struct outcome o;
	struct nl *nl;

	(void)state;
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	o.n = 0;
	assert_int_equal(nl_batch_send(nl, b, outcome_note, &o), 0);
	assert_int_equal(o.n, 0);
	nl_batch_free(b);
	nl_close(nl);
}

/* The kernel explains in words why it refuses: here that strict checking allows no flags in a request. */
static void test_request_text(void **state)
{
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	char text[128], cut[8];
	struct nl *nl;

	(void)state;
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	nlh->nlmsg_type = RTM_GETLINK;
	ifi->ifi_index = 1;
	ifi->ifi_flags = IFF_UP;
	assert_int_equal(nl_request(nl, nlh, text, sizeof(text)), -EINVAL);
	assert_string_equal(text, "Invalid values in header for get link request");
	assert_int_equal(nl_request(nl, nlh, cut, sizeof(cut)), -EINVAL);
	assert_string_equal(cut, "Invalid");
	assert_int_equal(nl_request(nl, nlh, NULL, 0), -EINVAL);
	nl_close(nl);
}

/* Closes the socket and skips where the kernel has no bridges. */
static void bridges_make(struct nl *nl, struct nl *other, int n)
{
	struct nl_batch *b = nl_batch_new();
	char name[IFNAMSIZ];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "br%d", i);
		link_message(b, RTM_NEWLINK, name);
	}
	if (!batch_outcome(nl, b))
		return;
	nl_close(nl);
	nl_close(other);
	skip();
}

struct seen {
	unsigned links, restarts;
	int answer;
};

static int seen_link(const struct nlmsghdr *nlh, void *user)
{
	struct seen *s = user;

	assert_int_equal(nlh->nlmsg_type, RTM_NEWLINK);
	s->links++;
	return s->answer;
}

static void seen_restart(void *user)
{
	struct seen *s = user;

	s->links = 0;
	s->restarts++;
}

static int links_query(struct nl *nl, struct seen *s, uint16_t flags, int ifindex)
{
	_Alignas(8) char buf[64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = flags;
	ifi->ifi_index = ifindex;
	return nl_query(nl, nlh, seen_link, seen_restart, s);
}

/* A walk that was ended early leaves the socket fit for the next one. */
static void test_query(void **state)
{
	struct seen s = {.answer = MNL_CB_OK};
	struct nl *nl;

	(void)state;
	own_network();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	bridges_make(nl, NULL, BRIDGES);
	assert_int_equal(links_query(nl, &s, NLM_F_DUMP, 0), 0);
	assert_true(s.links > BRIDGES); /* and lo */
	s = (struct seen){.answer = MNL_CB_STOP};
	assert_int_equal(links_query(nl, &s, NLM_F_DUMP, 0), 0);
	assert_int_equal(s.links, 1);
	s = (struct seen){.answer = MNL_CB_ERROR};
	assert_int_equal(links_query(nl, &s, NLM_F_DUMP, 0), -ECANCELED);
	assert_int_equal(s.links, 1);
	s = (struct seen){.answer = MNL_CB_OK};
	assert_int_equal(links_query(nl, &s, 0, 1), 0);
	assert_int_equal(s.links, 1);
	assert_int_equal(links_query(nl, &s, 0, 99999), -ENODEV);
	assert_int_equal(links_query(nl, &s, NLM_F_DUMP, 1), -EINVAL); /* strict checking is on */
	assert_int_equal(s.restarts, 0);
	nl_close(nl);
}

struct meddler {
	struct nl *other;
	unsigned links, restarts, times;
};

/* Makes a link while the dump is under way, which then is marked as interrupted. */
static int meddler_link(const struct nlmsghdr *nlh, void *user)
{
	struct meddler *m = user;
	char name[IFNAMSIZ];

	(void)nlh;
	if (m->links++ == 0 && m->times) {
		struct nl_batch *b = nl_batch_new();

		m->times--;
		snprintf(name, sizeof(name), "late%u", m->times);
		link_message(b, RTM_NEWLINK, name);
		assert_int_equal(batch_outcome(m->other, b), 0);
	}
	return MNL_CB_OK;
}

static void meddler_restart(void *user)
{
	struct meddler *m = user;

	m->links = 0;
	m->restarts++;
}

static int meddled_query(struct nl *nl, struct meddler *m)
{
	_Alignas(8) char buf[64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_DUMP;
	return nl_query(nl, nlh, meddler_link, meddler_restart, m);
}

static int count_event(const struct nlmsghdr *nlh, void *user)
{
	*(unsigned *)user += nlh->nlmsg_type == RTM_NEWLINK;
	return MNL_CB_OK;
}

static void test_query_interrupted(void **state)
{
	struct meddler m = {0};
	unsigned quiet;
	struct nl *nl;

	(void)state;
	own_network();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	assert_int_equal(nl_open(&m.other, NETLINK_ROUTE), 0);
	bridges_make(nl, m.other, BRIDGES);
	assert_int_equal(meddled_query(nl, &m), 0);
	assert_int_equal(m.restarts, 0);
	quiet = m.links;
	m.links = 0;
	m.times = 2;
	assert_int_equal(meddled_query(nl, &m), 0);
	assert_int_equal(m.restarts, 2);
	assert_int_equal(m.links, quiet + 2);
	m = (struct meddler){.other = m.other, .times = 1000};
	assert_int_equal(meddled_query(nl, &m), -EINTR);
	assert_int_equal(m.restarts, 5);
	assert_int_equal(m.links, 0); /* nothing of the last attempt is kept */
	nl_close(m.other);
	nl_close(nl);
}

static void test_receive(void **state)
{
	static const unsigned groups[] = {RTNLGRP_LINK};
	unsigned events = 0;
	struct nl *nl, *ear;

	(void)state;
	own_network();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	assert_int_equal(nl_open(&ear, NETLINK_ROUTE), 0);
	assert_int_equal(nl_listen(ear, 4 << 20, groups, 1), 0);
	assert_int_equal(nl_receive(ear, count_event, &events, 10), 0);
	bridges_make(nl, ear, 20);
	assert_int_equal(nl_receive(ear, count_event, &events, 5), 1);
	assert_int_equal(events, 5);
	assert_int_equal(nl_receive(ear, count_event, &events, 1000), 0);
	assert_true(events >= 20);
	nl_close(ear);
	nl_close(nl);
}

static void test_receive_overrun(void **state)
{
	static const unsigned groups[] = {RTNLGRP_LINK};
	unsigned events = 0;
	struct nl *nl, *ear;

	(void)state;
	own_network();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	assert_int_equal(nl_open(&ear, NETLINK_ROUTE), 0);
	assert_int_equal(nl_listen(ear, 4096, groups, 1), 0);
	bridges_make(nl, ear, BRIDGES);
	assert_int_equal(nl_receive(ear, count_event, &events, 1000), -ENOBUFS);
	nl_close(ear);
	nl_close(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attrs_table),
		cmocka_unit_test(test_attrs_short),
		cmocka_unit_test(test_attrs_broken_length),
		cmocka_unit_test(test_attrs_nested),
		cmocka_unit_test(test_attr_text),
		cmocka_unit_test(test_message_length),
		cmocka_unit_test(test_batch_grows),
		cmocka_unit_test(test_batch_results),
		cmocka_unit_test(test_batch_empty),
		cmocka_unit_test(test_request_text),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_query_interrupted),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_receive_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
