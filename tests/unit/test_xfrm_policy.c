/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xfrm/policy.c and the policy part of xfrm/events.c: round trips, foreign policies, mauled
 * messages. The same policies go through the kernel in test_xfrm_policy_kernel.c.
 */
#include "tests/unit/xfrm_policies.h"
#include "xfrm/events.h"

#include <endian.h>
#include <linux/xfrm.h>

static void test_policy_round_trip(void **state)
{
	struct xfrm_policy want, have;

	(void)state;
	for (unsigned n = 0; policy_vary(n, &want); n++) {
		struct nl_batch *b = nl_batch_new();

		xfrm_policy_put(b, &want, true);
		xfrm_policy_put(b, &want, false);
		assert_int_equal(nl_batch_at(b, 0)->nlmsg_type, XFRM_MSG_NEWPOLICY);
		assert_int_equal(nl_batch_at(b, 1)->nlmsg_type, XFRM_MSG_UPDPOLICY);
		for (size_t m = 0; m < 2; m++) {
			assert_true(xfrm_policy_parse(nl_batch_at(b, m), &have));
			assert_true(xfrm_policy_equal(&want, &have));
			assert_true(xfrm_policy_ours(&have));
			assert_int_equal(have.tunnel, -1);
			assert_int_equal(have.index,
					 0x80000000u | 0x12abcd << 3 | (unsigned)want.dir);
		}
		nl_batch_free(b);
	}
}

/* As bytes: in a batch it may be aligned to 4 only. */
static uint8_t *info_of(struct nl_batch *b, size_t i)
{
	return mnl_nlmsg_get_payload(nl_batch_at(b, i));
}

/*
 * The layout of xfrm_user.c: a key's halves as ports, all algorithms, no limits, no addresses in
 * the template.
 */
static void test_policy_wire(void **state)
{
	struct xfrm_policy want = policy4(XFRM_DIR_OUT);
	struct nl_batch *b = nl_batch_new();
	struct xfrm_userpolicy_info info;
	struct xfrm_user_tmpl tmpl;
	const char *body;

	(void)state;
	want.has_key = true;
	want.key = 0x00010002;
	want.spi = 0xc0de0001;
	xfrm_policy_put(b, &want, true);
	body = mnl_nlmsg_get_payload(nl_batch_at(b, 0));
	memcpy(&info, body, sizeof(info));
	memcpy(&tmpl, body + sizeof(info) + MNL_ATTR_HDRLEN, sizeof(tmpl));
	assert_int_equal(nl_batch_at(b, 0)->nlmsg_len,
			 MNL_NLMSG_HDRLEN + sizeof(info) + MNL_ATTR_HDRLEN + sizeof(tmpl));
	assert_int_equal(info.sel.proto, 47);
	assert_int_equal(info.sel.prefixlen_s, 32);
	assert_int_equal(info.sel.prefixlen_d, 32);
	assert_int_equal(info.sel.sport, htobe16(1));
	assert_int_equal(info.sel.dport, htobe16(2));
	assert_int_equal(info.sel.sport_mask, 0xffff);
	assert_int_equal(info.lft.hard_byte_limit, XFRM_INF);
	assert_int_equal(info.lft.hard_add_expires_seconds, 0);
	assert_int_equal(info.action, XFRM_POLICY_ALLOW);
	assert_int_equal(info.priority, 18279);
	assert_int_equal(tmpl.id.spi, htobe32(0xc0de0001));
	assert_int_equal(tmpl.id.proto, 50);
	assert_int_equal(tmpl.id.daddr.a4, 0);
	assert_int_equal(tmpl.mode, XFRM_MODE_TRANSPORT);
	assert_int_equal(tmpl.reqid, REQID);
	assert_int_equal(tmpl.optional, 0);
	assert_int_equal(tmpl.aalgos & tmpl.ealgos & tmpl.calgos, UINT32_MAX);
	nl_batch_free(b);
}

static void test_policy_delete_wire(void **state)
{
	struct xfrm_policy p = policy4(XFRM_DIR_IN);
	struct nl_batch *b = nl_batch_new();
	struct xfrm_userpolicy_id id;

	(void)state;
	p.index = 0x80000008;
	xfrm_policy_put_delete(b, &p);
	assert_int_equal(nl_batch_at(b, 0)->nlmsg_type, XFRM_MSG_DELPOLICY);
	memcpy(&id, mnl_nlmsg_get_payload(nl_batch_at(b, 0)), sizeof(id));
	assert_int_equal(id.index, 0x80000008);
	assert_int_equal(id.dir, XFRM_POLICY_IN);
	assert_int_equal(id.sel.proto, 47);
	nl_batch_free(b);
}

static void test_policy_compare(void **state)
{
	const struct xfrm_policy want = policy4(XFRM_DIR_OUT);
	struct xfrm_policy p = want;

	(void)state;
	p.index = 5;
	p.tunnel = -1;
	p.key = 9; /* without has_key it means nothing */
	assert_true(xfrm_policy_equal(&want, &p));
	p.priority++;
	assert_int_equal(xfrm_policy_cmp(&want, &p), 0);
	assert_false(xfrm_policy_equal(&want, &p));
	assert_false(xfrm_policy_ours(&p));
	p = want;
	p.reqid ^= 0x10000000;
	assert_false(xfrm_policy_equal(&want, &p));
	assert_false(xfrm_policy_ours(&p));
	p = want;
	p.spi = 1;
	assert_false(xfrm_policy_equal(&want, &p));
	p = want;
	p.required = false;
	assert_false(xfrm_policy_equal(&want, &p));
	p = want;
	p.has_key = true;
	assert_true(xfrm_policy_cmp(&want, &p) < 0);
	p = policy4(XFRM_DIR_IN);
	assert_true(xfrm_policy_cmp(&want, &p) > 0);
	p = want;
	p.dst = addr_of("203.0.113.8");
	assert_true(xfrm_policy_cmp(&want, &p) < 0);
}

/* What neither is ours nor stands in our way is not reported at all. */
static void test_policy_not_regarded(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} rows[] = {
		{offsetof(struct xfrm_userpolicy_info, sel.proto), 50},
		{offsetof(struct xfrm_userpolicy_info, sel.proto), 0},
		{offsetof(struct xfrm_userpolicy_info, sel.prefixlen_s), 24},
		{offsetof(struct xfrm_userpolicy_info, sel.prefixlen_d), 0},
		{offsetof(struct xfrm_userpolicy_info, sel.family), 0},
		{offsetof(struct xfrm_userpolicy_info, sel.family), AF_INET6},
		{offsetof(struct xfrm_userpolicy_info, sel.family) + 1, 1},
		{offsetof(struct xfrm_userpolicy_info, sel.ifindex), 3},
		{offsetof(struct xfrm_userpolicy_info, sel.user), 3},
		{offsetof(struct xfrm_userpolicy_info, sel.sport_mask), 0xff},
		{offsetof(struct xfrm_userpolicy_info, dir), XFRM_POLICY_FWD},
		{offsetof(struct xfrm_userpolicy_info, dir), XFRM_POLICY_OUT + XFRM_POLICY_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct xfrm_policy want = policy4(XFRM_DIR_OUT), have;
		struct nl_batch *b = nl_batch_new();

		xfrm_policy_put(b, &want, true);
		info_of(b, 0)[rows[i].offset] = rows[i].value;
		assert_false(xfrm_policy_parse(nl_batch_at(b, 0), &have));
		nl_batch_free(b);
	}
}

static void test_policy_not_regarded_attrs(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t value;
		bool regarded;
	} rows[] = {
		{XFRMA_MARK, 1, false}, {XFRMA_MARK, 0, true},	       {XFRMA_IF_ID, 7, false},
		{XFRMA_IF_ID, 0, true}, {XFRMA_POLICY_TYPE, 1, false}, {XFRMA_POLICY_TYPE, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct xfrm_policy want = policy4(XFRM_DIR_OUT), have;
		const uint32_t value[2] = {rows[i].value, rows[i].value};
		struct nl_batch *b = nl_batch_new();

		xfrm_policy_put(b, &want, true);
		mnl_attr_put((void *)(uintptr_t)nl_batch_at(b, 0), rows[i].type, sizeof(value),
			     value);
		assert_int_equal(xfrm_policy_parse(nl_batch_at(b, 0), &have), rows[i].regarded);
		nl_batch_free(b);
	}
}

/* A policy at our selector that does not demand what ours does is seen, and is not as required. */
static void test_policy_not_required(void **state)
{
	static const struct {
		size_t offset; /* in the template */
		uint8_t value;
	} rows[] = {
		{offsetof(struct xfrm_user_tmpl, optional), 1},
		{offsetof(struct xfrm_user_tmpl, mode), XFRM_MODE_TUNNEL},
		{offsetof(struct xfrm_user_tmpl, id.proto), 51},
	};
	struct xfrm_policy want = policy4(XFRM_DIR_OUT), have;
	struct nl_batch *b = nl_batch_new();
	struct nlmsghdr *nlh;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		xfrm_policy_put(b, &want, true);
		info_of(b,
			i)[sizeof(struct xfrm_userpolicy_info) + MNL_ATTR_HDRLEN + rows[i].offset] =
			rows[i].value;
		assert_true(xfrm_policy_parse(nl_batch_at(b, i), &have));
		assert_false(have.required);
	}
	xfrm_policy_put(b, &want, true);
	nlh = (void *)(uintptr_t)nl_batch_at(b, COUNT(rows));
	info_of(b, COUNT(rows))[offsetof(struct xfrm_userpolicy_info, action)] = XFRM_POLICY_BLOCK;
	assert_true(xfrm_policy_parse(nlh, &have));
	assert_false(have.required);
	nlh->nlmsg_len = MNL_NLMSG_HDRLEN + sizeof(struct xfrm_userpolicy_info); /* no template */
	info_of(b, COUNT(rows))[offsetof(struct xfrm_userpolicy_info, action)] = XFRM_POLICY_ALLOW;
	assert_true(xfrm_policy_parse(nlh, &have));
	assert_false(have.required);
	nl_batch_free(b);
}

/* Notifications as the kernel builds them in xfrm_notify_policy and build_polexpire. */
static struct nlmsghdr *notification(struct nl_batch *b, uint16_t type, const struct xfrm_policy *p,
				     bool hard)
{
	struct xfrm_userpolicy_id id = {.dir = p->dir};
	struct xfrm_user_polexpire expire = {.hard = hard};
	struct nlmsghdr *nlh;
	const uint8_t *attrs;

	xfrm_policy_put(b, p, true);
	memcpy(&expire.pol, info_of(b, nl_batch_len(b) - 1), sizeof(expire.pol));
	nlh = nl_batch_put(b, type, 0);
	if (type == XFRM_MSG_DELPOLICY) {
		memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(id)), &id, sizeof(id));
		mnl_attr_put(nlh, XFRMA_POLICY, sizeof(expire.pol), &expire.pol);
	} else {
		memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(expire)), &expire, sizeof(expire));
	}
	attrs = info_of(b, nl_batch_len(b) - 2) + sizeof(expire.pol);
	mnl_attr_put(nlh, XFRMA_TMPL, sizeof(struct xfrm_user_tmpl), attrs + MNL_ATTR_HDRLEN);
	return nlh;
}

static void test_policy_events(void **state)
{
	struct xfrm_policy want = policy6(XFRM_DIR_IN);
	struct nl_batch *b = nl_batch_new();
	struct xfrm_event ev;

	(void)state;
	assert_true(xfrm_event_parse(notification(b, XFRM_MSG_DELPOLICY, &want, false), &ev));
	assert_int_equal(ev.kind, XFRM_EVENT_POLICY);
	assert_true(ev.gone);
	assert_true(xfrm_policy_equal(&want, &ev.policy));
	assert_true(xfrm_event_parse(notification(b, XFRM_MSG_POLEXPIRE, &want, true), &ev));
	assert_true(ev.gone);
	assert_true(xfrm_policy_equal(&want, &ev.policy));
	assert_true(xfrm_event_parse(notification(b, XFRM_MSG_POLEXPIRE, &want, false), &ev));
	assert_false(ev.gone);
	assert_true(xfrm_event_parse(nl_batch_at(b, 0), &ev));
	assert_int_equal(ev.kind, XFRM_EVENT_POLICY);
	assert_false(ev.gone);
	assert_true(xfrm_event_parse(nl_batch_put(b, XFRM_MSG_FLUSHPOLICY, 0), &ev));
	assert_int_equal(ev.kind, XFRM_EVENT_POLICY_FLUSH);
	assert_false(xfrm_event_parse(nl_batch_put(b, XFRM_MSG_MAPPING, 0), &ev));
	nl_batch_free(b);
}

static bool maul_policy(const struct nlmsghdr *nlh)
{
	struct xfrm_policy p;
	struct xfrm_event ev;
	char text[256];
	bool good = xfrm_policy_parse(nlh, &p);

	if (good)
		xfrm_policy_format(&p, text, sizeof(text));
	assert_int_equal(xfrm_event_parse(nlh, &ev), good);
	return good;
}

static void test_policy_malformed(void **state)
{
	struct xfrm_policy want;

	(void)state;
	for (unsigned n = 0; policy_vary(n, &want); n++) {
		struct nl_batch *b = nl_batch_new();

		xfrm_policy_put(b, &want, true);
		message_maul(nl_batch_at(b, 0), sizeof(struct xfrm_userpolicy_info), maul_policy);
		nl_batch_free(b);
		b = nl_batch_new();
		message_maul(notification(b, XFRM_MSG_DELPOLICY, &want, false),
			     sizeof(struct xfrm_userpolicy_id) +
				     sizeof(struct xfrm_userpolicy_info),
			     maul_policy);
		nl_batch_free(b);
		b = nl_batch_new();
		message_maul(notification(b, XFRM_MSG_POLEXPIRE, &want, true),
			     sizeof(struct xfrm_user_polexpire), maul_policy);
		nl_batch_free(b);
	}
}

static void test_policy_format(void **state)
{
	struct xfrm_policy p = policy4(XFRM_DIR_OUT);
	char buf[256], small[8];

	(void)state;
	assert_string_equal(
		xfrm_policy_format(&p, buf, sizeof(buf)),
		"out 198.51.100.1 -> 203.0.113.7 proto 47 esp transport reqid 0x4012abcd");
	p.has_key = true;
	p.key = 7;
	p.spi = 0xc0ffee01;
	assert_string_equal(xfrm_policy_format(&p, buf, sizeof(buf)),
			    "out 198.51.100.1 -> 203.0.113.7 proto 47 key 7 esp transport "
			    "reqid 0x4012abcd spi c0ffee01");
	p = policy6(XFRM_DIR_IN);
	p.required = false;
	p.priority = 1000;
	p.reqid = 3;
	assert_string_equal(xfrm_policy_format(&p, buf, sizeof(buf)),
			    "in 2001:db8::1 -> 2001:db8:7::7 proto 47 not requiring esp transport "
			    "reqid 0x3 priority 1000");
	assert_string_equal(xfrm_policy_format(&p, small, sizeof(small)), "in 2001");
}

/* As the kernel's build_acquire makes it: the template behind the policy. */
static void test_acquire_event(void **state)
{
	struct xfrm_user_acquire acquire = {.id = {.proto = 50}};
	struct xfrm_user_tmpl tmpl = {.id = {.proto = 50}, .reqid = 0x4012abcd};
	struct nl_batch *b = nl_batch_new();
	struct nlmsghdr *nlh = nl_batch_put(b, XFRM_MSG_ACQUIRE, 0);
	struct xfrm_event ev;

	(void)state;
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(acquire)), &acquire, sizeof(acquire));
	assert_false(xfrm_event_parse(nlh, &ev));
	mnl_attr_put(nlh, XFRMA_TMPL, sizeof(tmpl), &tmpl);
	assert_true(xfrm_event_parse(nlh, &ev));
	assert_int_equal(ev.kind, XFRM_EVENT_ACQUIRE);
	assert_int_equal(ev.sa.reqid, 0x4012abcd);
	nl_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acquire_event),
		cmocka_unit_test(test_policy_round_trip),
		cmocka_unit_test(test_policy_wire),
		cmocka_unit_test(test_policy_delete_wire),
		cmocka_unit_test(test_policy_compare),
		cmocka_unit_test(test_policy_not_regarded),
		cmocka_unit_test(test_policy_not_regarded_attrs),
		cmocka_unit_test(test_policy_not_required),
		cmocka_unit_test(test_policy_events),
		cmocka_unit_test(test_policy_malformed),
		cmocka_unit_test(test_policy_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
