/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gre/addr.c: what is built is what is read, mauled messages, and addresses and paths of the running kernel. */
#include "gre/addr.h"
#include "gre/events.h"
#include "gre/link.h"
#include "tests/unit/netlink_test.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#define LO 1

static struct gre_addr addr_of(const char *text)
{
	struct gre_addr a = {.tunnel = -1};

	assert_true(prefix_parse(text, &a.prefix));
	return a;
}

/* A message as the kernel sends it; IFA_PROTO only where not 0. */
static const struct nlmsghdr *kernel_message(struct nl_batch *b, const char *text, uint32_t flags,
					     uint8_t proto)
{
	struct gre_addr a = addr_of(text);
	size_t size = addr_size(a.prefix.addr.family);
	struct nlmsghdr *nlh = nl_batch_put(b, RTM_NEWADDR, 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = a.prefix.addr.family;
	ifa->ifa_prefixlen = a.prefix.len;
	ifa->ifa_index = 7;
	mnl_attr_put(nlh, IFA_ADDRESS, size, a.prefix.addr.bytes);
	if (size == 4)
		mnl_attr_put(nlh, IFA_LOCAL, size, a.prefix.addr.bytes);
	mnl_attr_put_u32(nlh, IFA_FLAGS, flags);
	if (proto)
		mnl_attr_put_u8(nlh, 11, proto);
	return nlh;
}

static void test_addr_round_trip(void **state)
{
	static const char *const texts[] = {"10.255.0.1/30", "10.0.0.0/31", "192.0.2.1/32",
					    "2001:db8::1/64", "2001:db8::1/128"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct gre_addr want = addr_of(texts[i]), have;
		struct nl_batch *b = nl_batch_new();
		char buf[64];

		gre_addr_put(b, &want, 7);
		gre_addr_put_delete(b, &want, 7);
		for (size_t m = 0; m < 2; m++) {
			assert_true(gre_addr_parse(nl_batch_at(b, m), &have));
			assert_int_equal(have.ifindex, 7);
			assert_int_equal(have.tunnel, -1);
			assert_int_equal(gre_addr_cmp(&want, &have), 0);
		}
		assert_int_equal(nl_batch_at(b, 0)->nlmsg_type, RTM_NEWADDR);
		assert_int_equal(nl_batch_at(b, 0)->nlmsg_flags,
				 NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
		assert_int_equal(nl_batch_at(b, 1)->nlmsg_type, RTM_DELADDR);
		assert_string_equal(gre_addr_format(&have, buf, sizeof(buf)), texts[i]);
		nl_batch_free(b);
	}
}

static void test_addr_by_kernel(void **state)
{
	static const struct {
		const char *text;
		uint32_t flags;
		uint8_t proto;
		bool by_kernel;
	} rows[] = {
		{"10.255.0.1/30", IFA_F_PERMANENT, 0, false},
		{"10.255.0.1/30", 0, 0, true}, /* with a lifetime: DHCP */
		{"127.0.0.1/8", IFA_F_PERMANENT, 1, true},
		{"2001:db8::1/64", IFA_F_PERMANENT | IFA_F_NODAD, 0, false},
		{"2001:db8::1/64", IFA_F_MANAGETEMPADDR, 2, true},
		{"fe80::1/64", IFA_F_PERMANENT, 0, true}, /* before Linux 5.18 */
		{"fe80::1/64", IFA_F_PERMANENT, 3, true},
		{"febf::1/64", IFA_F_PERMANENT, 0, true},
		{"fec0::1/64", IFA_F_PERMANENT, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nl_batch *b = nl_batch_new();
		struct gre_addr have;

		assert_true(gre_addr_parse(
			kernel_message(b, rows[i].text, rows[i].flags, rows[i].proto), &have));
		assert_int_equal(have.by_kernel, rows[i].by_kernel);
		nl_batch_free(b);
	}
}

static void test_addr_order(void **state)
{
	struct gre_addr a = addr_of("10.0.0.1/30"), b = addr_of("10.0.0.1/30");

	(void)state;
	strcpy(a.link, "a");
	strcpy(b.link, "b");
	assert_true(gre_addr_cmp(&a, &b) < 0);
	strcpy(b.link, "a");
	b.tunnel = b.ifindex = 5;
	b.by_kernel = true;
	assert_int_equal(gre_addr_cmp(&a, &b), 0);
	b.prefix.len = 24;
	assert_int_not_equal(gre_addr_cmp(&a, &b), 0);
}

static bool maul_addr(const struct nlmsghdr *nlh)
{
	struct gre_addr a;
	struct gre_event ev;
	char text[64];
	bool good = gre_addr_parse(nlh, &a);

	if (good)
		gre_addr_format(&a, text, sizeof(text));
	gre_event_parse(nlh, &ev);
	return good;
}

static void test_addr_malformed(void **state)
{
	struct nl_batch *b = nl_batch_new();

	(void)state;
	message_maul(kernel_message(b, "10.255.0.1/30", 0x80, 1), sizeof(struct ifaddrmsg),
		     maul_addr);
	message_maul(kernel_message(b, "2001:db8::1/64", 0x80, 0), sizeof(struct ifaddrmsg),
		     maul_addr);
	nl_batch_free(b);
}

static void test_addr_refused(void **state)
{
	struct nl_batch *b = nl_batch_new();
	struct nlmsghdr *nlh;
	struct ifaddrmsg *ifa;
	struct gre_addr a;

	(void)state;
	nlh = (void *)(uintptr_t)kernel_message(b, "10.0.0.1/30", 0x80, 0);
	ifa = mnl_nlmsg_get_payload(nlh);
	ifa->ifa_prefixlen = 33;
	assert_false(gre_addr_parse(nlh, &a));
	ifa->ifa_prefixlen = 32;
	assert_true(gre_addr_parse(nlh, &a));
	ifa->ifa_family = AF_INET6; /* with addresses of 4 bytes */
	assert_false(gre_addr_parse(nlh, &a));
	ifa->ifa_family = AF_UNIX;
	assert_false(gre_addr_parse(nlh, &a));
	nl_batch_free(b);
}

static int change(struct nl *nl, const char *text, bool add)
{
	struct gre_addr a = addr_of(text);
	struct nl_batch *b = nl_batch_new();

	if (add)
		gre_addr_put(b, &a, LO);
	else
		gre_addr_put_delete(b, &a, LO);
	return batch_outcome(nl, b);
}

static void lo_up(struct nl *nl)
{
	struct nl_batch *b = nl_batch_new();

	gre_link_put_up(b, LO, true);
	assert_int_equal(batch_outcome(nl, b), 0);
}

static struct nl *route_socket(void)
{
	struct nl *nl;

	own_network();
	assert_int_equal(nl_open(&nl, NETLINK_ROUTE), 0);
	lo_up(nl);
	return nl;
}

struct seen {
	unsigned ours, others;
};

static int seen_addr(void *user, const struct gre_addr *a)
{
	struct seen *s = user;

	char text[64];

	gre_addr_format(a, text, sizeof(text));
	assert_int_equal(a->ifindex, LO);
	if (!strcmp(text, "10.255.0.1/30") || !strcmp(text, "2001:db8::1/64"))
		s->ours += !a->by_kernel;
	else
		s->others++;
	return 0;
}

static int refuse_addr(void *user, const struct gre_addr *a)
{
	(void)user;
	(void)a;
	return -E2BIG;
}

static void test_kernel_addresses(void **state)
{
	struct nl *nl = route_socket();
	struct seen s = {0};

	(void)state;
	assert_int_equal(change(nl, "10.255.0.1/30", true), 0);
	assert_int_equal(change(nl, "10.255.0.1/30", true), -EEXIST);
	assert_int_equal(change(nl, "2001:db8::1/64", true), 0);
	assert_int_equal(gre_addr_dump(nl, LO, seen_addr, NULL, &s), 0);
	assert_int_equal(s.ours, 2);
	assert_int_equal(s.others, 2); /* 127.0.0.1 and ::1 */
	s = (struct seen){0};
	assert_int_equal(gre_addr_dump(nl, 0, seen_addr, NULL, &s), 0);
	assert_int_equal(s.ours, 2);
	assert_int_equal(gre_addr_dump(nl, 4711, seen_addr, NULL, &s), -ENODEV);
	assert_int_equal(gre_addr_dump(nl, 0, refuse_addr, NULL, NULL), -E2BIG);
	assert_int_equal(change(nl, "10.255.0.1/30", false), 0);
	assert_int_equal(change(nl, "2001:db8::1/64", false), 0);
	assert_int_equal(change(nl, "2001:db8::1/64", false), -EADDRNOTAVAIL);
	s = (struct seen){0};
	assert_int_equal(gre_addr_dump(nl, LO, seen_addr, NULL, &s), 0);
	assert_int_equal(s.ours, 0);
	nl_close(nl);
}

static void test_kernel_first(void **state)
{
	struct nl *nl = route_socket();
	struct addr a;
	char text[ADDR_TEXT_SIZE];

	(void)state;
	assert_int_equal(gre_addr_first(nl, "absent0", AF_INET, &a), -ENODEV);
	assert_int_equal(gre_addr_first(nl, "lo", AF_INET, &a),
			 -EADDRNOTAVAIL); /* 127.0.0.1 is no global one */
	assert_int_equal(change(nl, "192.0.2.1/24", true), 0);
	assert_int_equal(change(nl, "192.0.2.2/24", true), 0); /* secondary */
	assert_int_equal(change(nl, "2001:db8::1/64", true), 0);
	assert_int_equal(gre_addr_first(nl, "lo", AF_INET, &a), 0);
	assert_string_equal(addr_format(&a, text), "192.0.2.1");
	assert_int_equal(gre_addr_first(nl, "lo", AF_INET6, &a), 0);
	assert_string_equal(addr_format(&a, text), "2001:db8::1");
	nl_close(nl);
}

static void path_route(struct nl *nl, const char *to, uint8_t type, uint32_t mtu)
{
	struct gre_addr a = addr_of(to);
	struct nl_batch *b = nl_batch_new();
	struct nlmsghdr *nlh = nl_batch_put(b, RTM_NEWROUTE, NLM_F_CREATE);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	struct nlattr *metrics;

	rtm->rtm_family = a.prefix.addr.family;
	rtm->rtm_dst_len = a.prefix.len;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_type = type;
	rtm->rtm_scope = type == RTN_UNICAST ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	mnl_attr_put(nlh, RTA_DST, addr_size(a.prefix.addr.family), a.prefix.addr.bytes);
	if (type == RTN_UNICAST)
		mnl_attr_put_u32(nlh, RTA_OIF, LO);
	if (mtu) {
		metrics = mnl_attr_nest_start(nlh, RTA_METRICS);
		mnl_attr_put_u32(nlh, RTAX_MTU, mtu);
		mnl_attr_nest_end(nlh, metrics);
	}
	assert_int_equal(batch_outcome(nl, b), 0);
}

static int path(struct nl *nl, const char *to, char *local, struct gre_path_mtu *mtu)
{
	struct gre_addr remote = addr_of(to);
	struct gre_link_mtu known = {0};
	struct addr a = {0};
	unsigned ifindex = 0;
	int err = gre_path_get(nl, &remote.prefix.addr, 0, &a, mtu, &ifindex, &known);

	addr_format(&a, local);
	if (!err)
		assert_int_equal(ifindex, LO);
	return err;
}

static void test_kernel_path(void **state)
{
	struct gre_link_mtu known = {0};
	struct nl *nl = route_socket();
	struct addr none = {0}, a;
	unsigned ifindex;
	struct gre_path_mtu mtu;
	char local[ADDR_TEXT_SIZE];

	(void)state;
	assert_int_equal(path(nl, "203.0.113.7", local, &mtu), -ENETUNREACH);
	assert_int_equal(path(nl, "2001:db8:7::7", local, &mtu), -ENETUNREACH);
	assert_int_equal(change(nl, "192.0.2.1/32", true), 0);
	assert_int_equal(change(nl, "2001:db8::1/128", true), 0);
	path_route(nl, "203.0.113.0/24", RTN_UNICAST, 0);
	path_route(nl, "203.0.114.0/24", RTN_UNICAST, 1400);
	path_route(nl, "203.0.115.0/24", RTN_UNREACHABLE, 0);
	path_route(nl, "2001:db8:7::/48", RTN_UNICAST, 1380);
	path_route(nl, "2001:db8:8::/48", RTN_UNREACHABLE, 0);
	assert_int_equal(path(nl, "203.0.113.7", local, &mtu), 0);
	assert_string_equal(local, "192.0.2.1");
	assert_int_equal(mtu.bytes, 65536);
	assert_int_equal(mtu.from, GRE_MTU_LINK);
	assert_int_equal(path(nl, "203.0.114.7", local, &mtu), 0);
	assert_int_equal(mtu.bytes, 1400);
	assert_int_equal(mtu.from, GRE_MTU_ROUTE);
	assert_int_equal(path(nl, "203.0.115.7", local, &mtu), -EHOSTUNREACH);
	assert_int_equal(path(nl, "2001:db8:7::7", local, &mtu), 0);
	assert_string_equal(local, "2001:db8::1");
	assert_int_equal(mtu.bytes, 1380);
	assert_int_equal(mtu.from, GRE_MTU_ROUTE);
	assert_int_equal(path(nl, "2001:db8:8::7", local, &mtu), -EHOSTUNREACH);
	assert_int_equal(gre_path_get(nl, &none, 0, &a, &mtu, &ifindex, &known), -EAFNOSUPPORT);
	assert_int_equal(known.ifindex, 0);
	addr_parse("203.0.113.7", &a);
	assert_int_equal(gre_path_get(nl, &a, 0, &none, &mtu, &ifindex, &known), 0);
	assert_int_equal(known.ifindex, LO);
	assert_int_equal(known.mtu, 65536);
	known.mtu = 1234;
	assert_int_equal(gre_path_get(nl, &a, 0, &none, &mtu, &ifindex, &known), 0);
	assert_int_equal(mtu.bytes, 1234);
	nl_close(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_round_trip), cmocka_unit_test(test_addr_by_kernel),
		cmocka_unit_test(test_addr_order),	cmocka_unit_test(test_addr_malformed),
		cmocka_unit_test(test_addr_refused),	cmocka_unit_test(test_kernel_addresses),
		cmocka_unit_test(test_kernel_first),	cmocka_unit_test(test_kernel_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
