/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gre/link.c, gre/link_text.c: what is built is what is read, mauled messages, texts. The same
 * links go through the kernel in test_gre_link_kernel.c.
 */
#include "gre/events.h"
#include "tests/unit/gre_links.h"

#include <endian.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/rtnetlink.h>
#include <limits.h>

static void test_link_round_trip(void **state)
{
	struct gre_link want, have;
	unsigned n;

	(void)state;
	for (n = 0; link_vary(n, &want); n++) {
		struct nl_batch *b = nl_batch_new();

		gre_link_put(b, &want, 0, true);
		assert_true(gre_link_parse(nl_batch_at(b, 0), &have));
		assert_true(gre_link_equal(&want, &have));
		assert_false(gre_link_must_replace(&want, &have));
		assert_int_equal(have.tunnel, -1);
		nl_batch_free(b);
	}
	assert_int_equal(n, 14);
}

static const struct nlattr *attr_in(const void *from, size_t size, uint16_t type)
{
	const struct nlattr *found = NULL;

	for (size_t at = 0; at < size;) {
		const struct nlattr *a = (const void *)((const char *)from + at);

		if (mnl_attr_get_type(a) == type)
			found = a;
		at += MNL_ALIGN(a->nla_len);
	}
	return found;
}

static const struct nlattr *attr_of(const struct nlmsghdr *nlh, uint16_t type)
{
	size_t skip = MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg);

	return attr_in((const char *)nlh + skip, nlh->nlmsg_len - skip, type);
}

static const struct nlattr *attr_gre(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *info = attr_of(nlh, IFLA_LINKINFO), *data;

	data = attr_in(mnl_attr_get_payload(info), mnl_attr_get_payload_len(info), IFLA_INFO_DATA);
	return attr_in(mnl_attr_get_payload(data), mnl_attr_get_payload_len(data), type);
}

static void test_link_wire(void **state)
{
	struct gre_link l = link4();
	struct nl_batch *b = nl_batch_new();
	const struct nlmsghdr *nlh;
	const struct ifinfomsg *ifi;

	(void)state;
	l.has_key = true;
	l.key_in = 7;
	l.key_out = 8;
	l.device = 5;
	l.master = 6;
	gre_link_put(b, &l, 99, true);
	nlh = nl_batch_at(b, 0);
	ifi = mnl_nlmsg_get_payload(nlh);
	assert_int_equal(nlh->nlmsg_type, RTM_NEWLINK);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	assert_int_equal(ifi->ifi_index, 0);
	assert_int_equal(ifi->ifi_change, IFF_UP | IFF_MULTICAST);
	assert_int_equal(ifi->ifi_flags, IFF_MULTICAST);
	assert_int_equal(mnl_attr_get_u32(attr_gre(nlh, IFLA_GRE_IKEY)), htobe32(7));
	assert_int_equal(mnl_attr_get_u32(attr_gre(nlh, IFLA_GRE_OKEY)), htobe32(8));
	assert_int_equal(mnl_attr_get_u32(attr_gre(nlh, IFLA_GRE_LINK)), 5);
	assert_int_equal(mnl_attr_get_u32(attr_of(nlh, IFLA_MASTER)), 6);
	assert_int_equal(mnl_attr_get_u16(attr_gre(nlh, IFLA_GRE_OFLAGS)), htobe16(0x2000));
	assert_int_equal(mnl_attr_get_u8(attr_gre(nlh, IFLA_GRE_PMTUDISC)), 0);
	assert_int_equal(mnl_attr_get_u8(attr_of(nlh, IFLA_LINKMODE)), 1);
	assert_int_equal(mnl_attr_get_u8(attr_of(nlh, IFLA_OPERSTATE)), IF_OPER_DORMANT);
	nl_batch_free(b);
}

/*
 * An update goes by ifindex, without a name, and touches the operational state only to leave
 * dormant mode.
 */
static void test_link_wire_update(void **state)
{
	struct gre_link l = link6();
	struct nl_batch *b = nl_batch_new();
	const struct nlmsghdr *nlh;
	const struct ifinfomsg *ifi;

	(void)state;
	l.up = true;
	gre_link_put(b, &l, 99, false);
	nlh = nl_batch_at(b, 0);
	ifi = mnl_nlmsg_get_payload(nlh);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(ifi->ifi_index, 99);
	assert_int_equal(ifi->ifi_flags, IFF_UP | IFF_MULTICAST);
	assert_null(attr_of(nlh, IFLA_IFNAME));
	assert_null(attr_of(nlh, IFLA_OPERSTATE));
	assert_int_equal(mnl_attr_get_u32(attr_gre(nlh, IFLA_GRE_FLAGS)),
			 IP6_TNL_F_IGN_ENCAP_LIMIT);
	assert_null(attr_gre(nlh, IFLA_GRE_PMTUDISC));
	l.dormant_mode = false;
	gre_link_put(b, &l, 99, false);
	assert_int_equal(mnl_attr_get_u8(attr_of(nl_batch_at(b, 1), IFLA_OPERSTATE)), IF_OPER_UP);
	nl_batch_free(b);
}

static void test_link_put_others(void **state)
{
	struct nl_batch *b = nl_batch_new();
	const struct ifinfomsg *ifi;

	(void)state;
	gre_link_put_operstate(b, 5, IF_OPER_UP);
	gre_link_put_up(b, 5, true);
	gre_link_put_up(b, 5, false);
	gre_link_put_group(b, 5, GRE_GROUP_DOOMED);
	gre_link_put_delete(b, 5);
	gre_link_put_delete_group(b, GRE_GROUP_DOOMED);
	assert_int_equal(nl_batch_len(b), 6);
	for (size_t i = 0; i < 5; i++) {
		ifi = mnl_nlmsg_get_payload(nl_batch_at(b, i));
		assert_int_equal(ifi->ifi_index, 5);
		assert_int_equal(ifi->ifi_change, i == 1 || i == 2 ? IFF_UP : 0);
		assert_int_equal(ifi->ifi_flags, i == 1 ? IFF_UP : 0);
	}
	assert_int_equal(mnl_attr_get_u8(attr_of(nl_batch_at(b, 0), IFLA_OPERSTATE)), IF_OPER_UP);
	assert_int_equal(mnl_attr_get_u32(attr_of(nl_batch_at(b, 3), IFLA_GROUP)),
			 GRE_GROUP_DOOMED);
	ifi = mnl_nlmsg_get_payload(nl_batch_at(b, 5));
	assert_int_equal(ifi->ifi_index, 0);
	assert_int_equal(mnl_attr_get_u32(attr_of(nl_batch_at(b, 5), IFLA_GROUP)),
			 GRE_GROUP_DOOMED);
	nl_batch_free(b);
}

/* Index 0 beside a group would mean every link of that group. */
static void test_link_no_index(void **state)
{
	struct gre_link l = link4();
	struct nl_batch *b = nl_batch_new();

	(void)state;
	gre_link_put(b, &l, 0, false);
	gre_link_put_group(b, 0, GRE_GROUP_DOOMED);
	gre_link_put_delete(b, 0);
	for (size_t i = 0; i < 3; i++) {
		const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nl_batch_at(b, i));

		assert_int_equal(ifi->ifi_index, INT_MAX);
	}
	nl_batch_free(b);
}

static void test_link_equal(void **state)
{
	struct gre_link want = link4(), have = want, six;

	(void)state;
	have.ifindex = 9;
	have.operstate = IF_OPER_UP;
	have.rx_bytes = have.tx_packets = 77;
	have.tunnel = -1;
	assert_true(gre_link_equal(&want, &have));
#define DIFFERS(change)                                                    \
	do {                                                               \
		struct gre_link other = have;                              \
		char text[256];                                            \
		other.change;                                              \
		assert_false(gre_link_equal(&want, &other));               \
		gre_link_format_change(&want, &other, text, sizeof(text)); \
		assert_string_not_equal(text, "");                         \
	} while (0)
	DIFFERS(group = 0);
	DIFFERS(is_gre = false);
	DIFFERS(local = addr_of("198.51.100.2"));
	DIFFERS(remote = addr_of("2001:db8::7"));
	DIFFERS(has_key = true);
	DIFFERS(device = 3);
	DIFFERS(master = 3);
	DIFFERS(mpls = true);
	DIFFERS(checksum = true);
	DIFFERS(sequence = true);
	DIFFERS(ttl = 0);
	DIFFERS(tos = 1);
	DIFFERS(pmtudisc = true);
	DIFFERS(ignore_df = true);
	DIFFERS(mtu = 1476);
	DIFFERS(up = true);
	DIFFERS(multicast = false);
	DIFFERS(dormant_mode = false);
	DIFFERS(extra = true);
	want.has_key = true;
	want.key_in = 7;
	want.key_out = 8;
	have = want;
	assert_true(gre_link_equal(&want, &have));
	DIFFERS(key_in = 9);
	DIFFERS(key_out = 9);
	six = have = link6();
	six.pmtudisc = six.ignore_df = true; /* ip6gre has neither */
	assert_true(gre_link_equal(&six, &have));
}

static void test_link_must_replace(void **state)
{
	struct gre_link want = link4(), have = link4();

	(void)state;
	have.remote = addr_of("203.0.113.8");
	have.mtu = 1;
	have.sequence = true;
	assert_false(gre_link_must_replace(&want, &have));
	have.remote = (struct addr){0};
	assert_true(gre_link_must_replace(&want, &have));
	have = link6();
	assert_true(gre_link_must_replace(&want, &have));
	have = link4();
	have.ignore_df = want.pmtudisc = true;
	assert_true(gre_link_must_replace(&want, &have));
	have = link4();
	have.is_gre = false;
	assert_true(gre_link_must_replace(&want, &have));
}

static void test_link_extra(void **state)
{
	static const uint16_t u32s[] = {IFLA_GRE_FWMARK};
	struct gre_link want = link6(), have;

	(void)state;
	want.has_key = true;
	for (size_t i = 0; i < COUNT(u32s) + 2; i++) {
		struct nl_batch *b = nl_batch_new();
		const struct nlmsghdr *nlh;
		void *value;

		gre_link_put(b, &want, 0, true);
		nlh = nl_batch_at(b, 0);
		assert_true(gre_link_parse(nlh, &have));
		assert_false(have.extra);
		value = mnl_attr_get_payload(attr_gre(nlh, i < COUNT(u32s)    ? u32s[i]
							   : i == COUNT(u32s) ? IFLA_GRE_FLAGS
									      : IFLA_GRE_IFLAGS));
		*(uint8_t *)value ^= 1; /* in the flags: the encapsulation limit; an unknown flag */
		assert_true(gre_link_parse(nlh, &have));
		assert_true(have.extra);
		assert_false(gre_link_equal(&want, &have));
		nl_batch_free(b);
	}
}

/* The kernel reports facts of its own above the low 16 bits of the ip6gre flags. */
static void test_link_kernel_flags(void **state)
{
	struct gre_link want = link6(), have;
	struct nl_batch *b = nl_batch_new();
	uint32_t flags = IP6_TNL_F_IGN_ENCAP_LIMIT | 0x30000;

	(void)state;
	gre_link_put(b, &want, 0, true);
	memcpy(mnl_attr_get_payload(attr_gre(nl_batch_at(b, 0), IFLA_GRE_FLAGS)), &flags, 4);
	assert_true(gre_link_parse(nl_batch_at(b, 0), &have));
	assert_true(gre_link_equal(&want, &have));
	nl_batch_free(b);
}

static bool maul_link(const struct nlmsghdr *nlh)
{
	struct gre_link l;
	struct gre_event ev;
	bool good = gre_link_parse(nlh, &l);
	char text[512];

	if (good)
		gre_link_format(&l, text, sizeof(text));
	gre_event_parse(nlh, &ev);
	return good;
}

static void test_link_malformed(void **state)
{
	struct gre_link want;

	(void)state;
	for (unsigned n = 0; link_vary(n, &want); n++) {
		struct nl_batch *b = nl_batch_new();

		gre_link_put(b, &want, 0, true);
		message_maul(nl_batch_at(b, 0), sizeof(struct ifinfomsg), maul_link);
		nl_batch_free(b);
	}
}

static void test_link_format(void **state)
{
	struct gre_link want = link4(), have = link4();
	char buf[256], small[20];

	(void)state;
	want.has_key = true;
	want.key_in = want.key_out = 7;
	assert_string_equal(gre_link_format(&want, buf, sizeof(buf)),
			    "local 198.51.100.1 remote 203.0.113.7 key 7 ttl 64 mtu 1442");
	want.checksum = want.sequence = want.pmtudisc = want.ignore_df = true;
	want.ttl = 0;
	want.tos = 1;
	want.remote = (struct addr){0};
	assert_string_equal(gre_link_format(&want, buf, sizeof(buf)),
			    "local 198.51.100.1 remote any key 7 checksum sequence ttl inherit "
			    "tos inherit pmtudisc ignore-df mtu 1442");
	assert_string_equal(gre_link_format(&want, small, sizeof(small)), "local 198.51.100.1 ");
	have.is_gre = false;
	assert_string_equal(gre_link_format(&have, buf, sizeof(buf)), "not a GRE link");
}

static void test_link_format_change(void **state)
{
	struct gre_link want = link4(), have = link4();
	char buf[256];

	(void)state;
	assert_string_equal(gre_link_format_change(&want, &have, buf, sizeof(buf)), "");
	have.mtu = 1476;
	have.ttl = 0;
	assert_string_equal(gre_link_format_change(&want, &have, buf, sizeof(buf)),
			    "ttl inherit -> 64, mtu 1476 -> 1442");
	have = link4();
	want.has_key = true;
	want.key_in = want.key_out = 7;
	want.tos = 0xb8;
	want.up = true;
	have.group = 0;
	assert_string_equal(gre_link_format_change(&want, &have, buf, sizeof(buf)),
			    "key none -> 7, tos 0x00 -> 0xb8, group 0x0 -> 0x677764, up off -> on");
	have.has_key = true;
	have.key_in = 9;
	have.key_out = 10;
	have.device = 4;
	want = link4();
	want.master = 7;
	strcpy(want.master_name, "blue");
	want.mpls = true;
	assert_string_equal(gre_link_format_change(&want, &have, buf, sizeof(buf)),
			    "key 9/10 -> none, device #4 -> none, vrf none -> blue, mpls off -> on, "
			    "group 0x0 -> 0x677764");
	want.key_in = 7;
	want.key_out = 8;
	want.has_key = true;
	want.device = 3;
	strcpy(want.device_name, "wan1");
	have = want;
	*have.device_name = *have.master_name = '\0';
	assert_string_equal(
		gre_link_format(&want, buf, sizeof(buf)),
		"local 198.51.100.1 remote 203.0.113.7 key 7/8 ttl 64 device wan1 vrf blue "
		"mpls mtu 1442");
	assert_string_equal(
		gre_link_format(&have, buf, sizeof(buf)),
		"local 198.51.100.1 remote 203.0.113.7 key 7/8 ttl 64 device #3 vrf #7 mpls "
		"mtu 1442");
}

static void test_header_size(void **state)
{
	(void)state;
	assert_int_equal(gre_header_size(false, false, false), 4);
	assert_int_equal(gre_header_size(true, false, false), 8);
	assert_int_equal(gre_header_size(false, true, true), 12);
	assert_int_equal(gre_header_size(true, true, true), 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_round_trip),	  cmocka_unit_test(test_link_wire),
		cmocka_unit_test(test_link_wire_update),  cmocka_unit_test(test_link_put_others),
		cmocka_unit_test(test_link_no_index),	  cmocka_unit_test(test_link_equal),
		cmocka_unit_test(test_link_must_replace), cmocka_unit_test(test_link_extra),
		cmocka_unit_test(test_link_kernel_flags), cmocka_unit_test(test_link_malformed),
		cmocka_unit_test(test_link_format),	  cmocka_unit_test(test_link_format_change),
		cmocka_unit_test(test_header_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
