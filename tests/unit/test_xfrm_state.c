/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfrm/state.c, xfrm/overhead.c and the SA part of xfrm/events.c: messages as the kernel builds them, MTU tables, a real SA. */
#include "tests/unit/netlink_test.h"
#include "xfrm/events.h"
#include "xfrm/overhead.h"
#include "xfrm/state.h"

#include <endian.h>
#include <linux/udp.h>
#include <linux/xfrm.h>

#define REQID 0x4012abcd
#define SPI 0xc0ffee01

static struct addr addr_of(const char *text)
{
	struct addr a = {0};

	assert_true(addr_parse(text, &a));
	return a;
}

struct algorithm {
	const char *aead, *crypt, *auth; /* the kernel's names */
	unsigned icv_bits, key_bits, auth_key_bits;
	bool encap;
	unsigned iv, icv, block; /* what must be read */
};

static const struct algorithm algorithms[] = {
	{"rfc4106(gcm(aes))", NULL, NULL, 128, 160, 0, false, 8, 16, 4},
	{"rfc4106(gcm(aes))", NULL, NULL, 64, 288, 0, true, 8, 8, 4},
	{"rfc7539esp(chacha20,poly1305)", NULL, NULL, 128, 288, 0, false, 8, 16, 4},
	{"rfc4309(ccm(aes))", NULL, NULL, 96, 152, 0, false, 8, 12, 4},
	{NULL, "cbc(aes)", "hmac(sha256)", 128, 256, 256, true, 16, 16, 16},
	{NULL, "cbc(aes)", "hmac(sha1)", 96, 128, 160, false, 16, 12, 16},
	{NULL, "cbc(aes)", "hmac(sha512)", 256, 256, 512, false, 16, 32, 16},
	{NULL, "ecb(cipher_null)", "hmac(sha256)", 128, 0, 256, false, 0, 16, 4},
	{"rfc9999(new(aes))", NULL, NULL, 128, 160, 0, false, 0, 0, 0},
};

static struct xfrm_usersa_info info_of(uint8_t family)
{
	struct addr src = addr_of(family == AF_INET ? "198.51.100.1" : "2001:db8::1");
	struct addr dst = addr_of(family == AF_INET ? "203.0.113.7" : "2001:db8:7::7");
	struct xfrm_usersa_info info = {
		.id = {.spi = htobe32(SPI), .proto = 50},
		.family = family,
		.mode = XFRM_MODE_TRANSPORT,
		.reqid = REQID,
		.lft = {XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 3960, 0, 0},
		.curlft = {.bytes = 1000, .packets = 10, .add_time = 1700000000},
		.replay_window = 32,
	};

	memcpy(&info.saddr, src.bytes, addr_size(family));
	memcpy(&info.id.daddr, dst.bytes, addr_size(family));
	return info;
}

static void algorithm_put(struct nlmsghdr *nlh, uint16_t type, const char *name, unsigned key_bits,
			  unsigned icv_bits, size_t header)
{
	unsigned char bytes[256] = {0};

	strcpy((char *)bytes, name);
	memcpy(bytes + 64, &key_bits, 4);
	if (header > 68)
		memcpy(bytes + 68, &icv_bits, 4);
	memset(bytes + header, 0x5a, key_bits / 8);
	mnl_attr_put(nlh, type, header + key_bits / 8, bytes);
}

static void attrs_put(struct nlmsghdr *nlh, const struct algorithm *a)
{
	struct xfrm_encap_tmpl encap = {
		.encap_type = UDP_ENCAP_ESPINUDP,
		.encap_sport = htobe16(4500),
		.encap_dport = htobe16(4500),
	};

	if (a->aead)
		algorithm_put(nlh, XFRMA_ALG_AEAD, a->aead, a->key_bits, a->icv_bits, 72);
	if (a->auth)
		algorithm_put(nlh, XFRMA_ALG_AUTH_TRUNC, a->auth, a->auth_key_bits, a->icv_bits,
			      72);
	if (a->crypt)
		algorithm_put(nlh, XFRMA_ALG_CRYPT, a->crypt, a->key_bits, 0, 68);
	if (a->encap)
		mnl_attr_put(nlh, XFRMA_ENCAP, sizeof(encap), &encap);
}

static struct nlmsghdr *sa_put(struct nl_batch *b, uint16_t type,
			       const struct xfrm_usersa_info *info, const struct algorithm *a,
			       bool hard)
{
	struct nlmsghdr *nlh = nl_batch_put(b, type, 0);
	struct xfrm_usersa_id id = {.spi = info->id.spi, .family = info->family, .proto = 50};
	struct xfrm_user_expire expire = {.state = *info, .hard = hard};

	id.daddr = info->id.daddr;
	if (type == XFRM_MSG_DELSA) {
		memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(id)), &id, sizeof(id));
		mnl_attr_put(nlh, XFRMA_SA, sizeof(*info), info);
	} else if (type == XFRM_MSG_EXPIRE) {
		memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(expire)), &expire, sizeof(expire));
	} else {
		memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(*info)), info, sizeof(*info));
	}
	attrs_put(nlh, a);
	return nlh;
}

static void test_sa_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(algorithms); i++) {
		const struct algorithm *a = &algorithms[i / 2];
		struct xfrm_usersa_info info = info_of(i % 2 ? AF_INET6 : AF_INET);
		struct nl_batch *b = nl_batch_new();
		char text[ADDR_TEXT_SIZE];
		struct xfrm_sa sa;

		assert_true(xfrm_sa_parse(sa_put(b, XFRM_MSG_NEWSA, &info, a, false), &sa));
		assert_string_equal(addr_format(&sa.src, text),
				    i % 2 ? "2001:db8::1" : "198.51.100.1");
		assert_string_equal(addr_format(&sa.dst, text),
				    i % 2 ? "2001:db8:7::7" : "203.0.113.7");
		assert_int_equal(sa.spi, SPI);
		assert_int_equal(sa.reqid, REQID);
		assert_true(sa.transport);
		assert_int_equal(sa.encap, a->encap);
		assert_int_equal(sa.add_time, 1700000000);
		assert_int_equal(sa.hard_s, 3960);
		assert_int_equal(sa.packets, 10);
		assert_int_equal(sa.bytes, 1000);
		assert_string_equal(sa.algorithm, a->aead ? a->aead : a->crypt);
		assert_int_equal(sa.iv_size, a->iv);
		assert_int_equal(sa.icv_size, a->icv);
		assert_int_equal(sa.block_size, a->block);
		nl_batch_free(b);
	}
}

static void test_sa_parse_others(void **state)
{
	static const struct algorithm none = {0};
	struct xfrm_usersa_info info = info_of(AF_INET);
	struct nl_batch *b = nl_batch_new();
	struct xfrm_sa sa;

	(void)state;
	info.id.spi = 0; /* larval */
	info.mode = XFRM_MODE_TUNNEL;
	assert_true(xfrm_sa_parse(sa_put(b, XFRM_MSG_NEWSA, &info, &none, false), &sa));
	assert_int_equal(sa.spi, 0);
	assert_false(sa.transport);
	assert_int_equal(sa.block_size, 0);
	assert_string_equal(sa.algorithm, "");
	info.id.proto = 51;
	assert_false(xfrm_sa_parse(sa_put(b, XFRM_MSG_NEWSA, &info, &none, false), &sa));
	info = info_of(AF_INET);
	info.family = 0;
	assert_false(xfrm_sa_parse(sa_put(b, XFRM_MSG_NEWSA, &info, &none, false), &sa));
	assert_false(xfrm_sa_parse(sa_put(b, XFRM_MSG_ACQUIRE, &info, &none, false), &sa));
	nl_batch_free(b);
}

static void test_sa_events(void **state)
{
	static const struct {
		uint16_t type;
		bool hard, gone;
		enum xfrm_event_kind kind;
	} rows[] = {
		{XFRM_MSG_NEWSA, false, false, XFRM_EVENT_SA_NEW},
		{XFRM_MSG_UPDSA, false, false, XFRM_EVENT_SA_NEW},
		{XFRM_MSG_DELSA, false, true, XFRM_EVENT_SA_GONE},
		{XFRM_MSG_EXPIRE, true, true, XFRM_EVENT_SA_GONE},
		{XFRM_MSG_EXPIRE, false, false, XFRM_EVENT_SA_SOFT},
	};
	struct xfrm_usersa_info info = info_of(AF_INET6);
	struct nl_batch *b = nl_batch_new();
	struct xfrm_event ev;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(xfrm_event_parse(
			sa_put(b, rows[i].type, &info, algorithms, rows[i].hard), &ev));
		assert_int_equal(ev.kind, rows[i].kind);
		assert_int_equal(ev.gone, rows[i].gone);
		assert_int_equal(ev.sa.spi, SPI);
		assert_int_equal(ev.sa.reqid, REQID);
	}
	nl_batch_free(b);
}

static void test_sa_flush_event(void **state)
{
	static const struct {
		uint8_t proto;
		bool regarded;
	} rows[] = {{0, true}, {50, true}, {255, true}, {51, false}, {108, false}};
	struct nl_batch *b = nl_batch_new();
	struct xfrm_event ev;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nlmsghdr *nlh = nl_batch_put(b, XFRM_MSG_FLUSHSA, 0);

		assert_false(xfrm_event_parse(nlh, &ev));
		*(uint8_t *)mnl_nlmsg_put_extra_header(nlh, sizeof(struct xfrm_usersa_flush)) =
			rows[i].proto;
		assert_int_equal(xfrm_event_parse(nlh, &ev), rows[i].regarded);
		if (rows[i].regarded)
			assert_int_equal(ev.kind, XFRM_EVENT_SA_FLUSH);
	}
	nl_batch_free(b);
}

static bool maul_sa(const struct nlmsghdr *nlh)
{
	struct xfrm_sa sa;
	struct xfrm_event ev;
	bool good = xfrm_sa_parse(nlh, &sa);

	if (good)
		assert_true(strlen(sa.algorithm) < sizeof(sa.algorithm));
	assert_int_equal(xfrm_event_parse(nlh, &ev), good);
	return good;
}

static void test_sa_malformed(void **state)
{
	static const struct {
		uint16_t type;
		size_t body;
	} rows[] = {
		{XFRM_MSG_NEWSA, sizeof(struct xfrm_usersa_info)},
		{XFRM_MSG_DELSA, sizeof(struct xfrm_usersa_id) + sizeof(struct xfrm_usersa_info)},
		{XFRM_MSG_EXPIRE, sizeof(struct xfrm_user_expire)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(algorithms); i++) {
		struct xfrm_usersa_info info = info_of(i % 2 ? AF_INET6 : AF_INET);
		struct nl_batch *b = nl_batch_new();

		message_maul(sa_put(b, rows[i % COUNT(rows)].type, &info,
				    &algorithms[i / COUNT(rows)], true),
			     rows[i % COUNT(rows)].body, maul_sa);
		nl_batch_free(b);
	}
}

static void test_sa_delete_wire(void **state)
{
	struct xfrm_sa sa = {.dst = addr_of("203.0.113.7"), .spi = SPI};
	struct nl_batch *b = nl_batch_new();
	struct xfrm_usersa_id id;

	(void)state;
	xfrm_sa_put_delete(b, &sa);
	memcpy(&id, mnl_nlmsg_get_payload(nl_batch_at(b, 0)), sizeof(id));
	assert_int_equal(nl_batch_at(b, 0)->nlmsg_type, XFRM_MSG_DELSA);
	assert_int_equal(id.spi, htobe32(SPI));
	assert_int_equal(id.family, AF_INET);
	assert_int_equal(id.proto, 50);
	assert_memory_equal(&id.daddr, sa.dst.bytes, 4);
	nl_batch_free(b);
}

/* All for a path of 1500, then one of 1300. A whole packet with the next larger block would not fit. */
static void test_mtu(void **state)
{
	static const struct {
		uint8_t family;
		unsigned iv, icv, block;
		uint32_t plain, key, natt, natt_key;
	} rows[] = {
		{AF_INET, 8, 16, 4, 1442, 1438, 1434, 1430},
		{AF_INET, 16, 16, 16, 1434, 1430, 1418, 1414},
		{AF_INET, 16, 32, 16, 1418, 1414, 1402, 1398},
		{AF_INET6, 8, 16, 4, 1422, 1418, 1414, 1410},
		{AF_INET6, 16, 16, 16, 1402, 1398, 1402, 1398},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t f = rows[i].family;
		unsigned fixed = (f == AF_INET ? 20 : 40) + 8 + rows[i].iv + rows[i].icv;
		unsigned iv = rows[i].iv, icv = rows[i].icv, block = rows[i].block;

		assert_int_equal(xfrm_mtu(1500, f, false, iv, icv, block, 4), rows[i].plain);
		assert_int_equal(xfrm_mtu(1500, f, false, iv, icv, block, 8), rows[i].key);
		assert_int_equal(xfrm_mtu(1500, f, true, iv, icv, block, 4), rows[i].natt);
		assert_int_equal(xfrm_mtu(1500, f, true, iv, icv, block, 8), rows[i].natt_key);
		assert_true(fixed + rows[i].plain + 6 <= 1500);
		assert_true(fixed + rows[i].plain + 6 + block > 1500);
		assert_true(fixed + 8 + rows[i].natt + 6 <= 1500);
		assert_true(fixed + 8 + rows[i].natt + 6 + block > 1500);
	}
	assert_int_equal(xfrm_mtu(1300, AF_INET, false, 8, 16, 4, 4), 1242);
}

static void test_mtu_limits(void **state)
{
	(void)state;
	assert_int_equal(xfrm_mtu(0, AF_INET, false, 8, 16, 4, 4), 0);
	assert_int_equal(xfrm_mtu(52, AF_INET, false, 8, 16, 4, 4), 0);
	assert_int_equal(xfrm_mtu(56, AF_INET, false, 8, 16, 4, 4), 0);
	assert_int_equal(xfrm_mtu(60, AF_INET, false, 8, 16, 4, 4), 2);
	assert_int_equal(xfrm_mtu(1500, AF_INET, false, 8, 16, 0, 4), 0); /* unknown algorithm */
	assert_int_equal(xfrm_mtu(UINT32_MAX, AF_INET, false, 8, 16, 4, 4), 4294967234u);
}

static void test_proposals(void **state)
{
	static const struct {
		const char *text;
		unsigned iv, icv, block; /* block 0: not known */
	} rows[] = {
		{"aes128gcm16", 8, 16, 4},
		{"aes256gcm16-x25519", 8, 16, 4},
		{"aes256gcm-modp3072-esn", 8, 16, 4},
		{"aes192gcm8", 8, 8, 4},
		{"aes128gcm96", 8, 12, 4},
		{"chacha20poly1305", 8, 16, 4},
		{"chacha20poly1305-curve25519-ke1_mlkem768", 8, 16, 4},
		{"aes256ccm16", 8, 16, 4},
		{"aes128ccm64", 8, 8, 4},
		{"aes128ccm12", 8, 12, 4},
		{"aes256gmac", 8, 16, 4},
		{"aes128-sha256", 16, 16, 16},
		{"aes-sha", 16, 12, 16},
		{"aes256-sha384-ecp384", 16, 24, 16},
		{"aes256-sha512-modp2048", 16, 32, 16},
		{"aes128-sha1", 16, 12, 16},
		{"aes128-aesxcbc", 16, 12, 16},
		{"aes256ctr-sha2_256", 8, 16, 4},
		{"camellia256-sha256", 16, 16, 16},
		{"3des-md5", 8, 12, 8},
		{"null-sha256", 0, 16, 4},
		{"aes128gcm16-aes256gcm8", 8, 16, 4}, /* of several the worst */
		{"aes128-aes256-sha1-sha512", 16, 32, 16},
		{"", 0, 0, 0},
		{"default", 0, 0, 0},
		{"aes128", 0, 0, 0}, /* no integrity */
		{"sha256", 0, 0, 0},
		{"aes512gcm16", 0, 0, 0},
		{"aes128gcm17", 0, 0, 0},
		{"aes256-sha3_256", 0, 0, 0},
		{"aes128gcm16aes128gcm16aes128gcm16aes128gcm16", 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned iv = 99, icv = 99, block = 99;
		bool good = xfrm_proposal_overhead(rows[i].text, &iv, &icv, &block);

		assert_int_equal(good, rows[i].block != 0);
		assert_int_equal(iv, good ? rows[i].iv : 99);
		assert_int_equal(icv, good ? rows[i].icv : 99);
		assert_int_equal(block, good ? rows[i].block : 99);
	}
}

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

struct seen {
	unsigned n;
	struct xfrm_sa last;
};

static int seen_sa(void *user, const struct xfrm_sa *sa)
{
	struct seen *s = user;

	s->n++;
	s->last = *sa;
	return 0;
}

static void test_kernel_no_sa(void **state)
{
	struct xfrm_sa sa = {.src = addr_of("192.0.2.1"), .dst = addr_of("192.0.2.2"), .spi = SPI};
	struct nl *nl = xfrm_socket();
	struct nl_batch *b = nl_batch_new();
	struct seen s = {0};
	uint64_t packets, bytes;

	(void)state;
	assert_int_equal(xfrm_sa_dump(nl, seen_sa, NULL, &s), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(xfrm_sa_counters(nl, &sa, &packets, &bytes), -ESRCH);
	assert_int_equal(xfrm_sa_set_add_time(nl, &sa, 1700000000), -ESRCH);
	xfrm_sa_put_delete(b, &sa);
	assert_int_equal(batch_outcome(nl, b), -ESRCH);
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

/* The known algorithms through the kernel: made, notified, dumped, counted, deleted. Skipped where it has no ESP. */
static void test_kernel_sa(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * (COUNT(algorithms) - 1); i++) {
		const struct algorithm *a = &algorithms[i / 2];
		struct xfrm_usersa_info info = info_of(i % 2 ? AF_INET6 : AF_INET);
		struct nl *nl = xfrm_socket(), *ear;
		struct nl_batch *b = nl_batch_new();
		struct seen s = {0};
		uint64_t packets = 1, bytes = 1;
		int err;

		assert_int_equal(xfrm_events_open(&ear), 0);
		sa_put(b, XFRM_MSG_NEWSA, &info, a, false);
		err = batch_outcome(nl, b);
		if (err == -EPROTONOSUPPORT || err == -ENOSYS) {
			nl_close(ear);
			nl_close(nl);
			skip();
		}
		assert_int_equal(err, 0);
		assert_int_equal(xfrm_sa_dump(nl, seen_sa, NULL, &s), 0);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.last.spi, SPI);
		assert_int_equal(s.last.reqid, REQID);
		assert_true(s.last.transport);
		assert_int_equal(s.last.encap, a->encap);
		assert_int_equal(s.last.iv_size, a->iv);
		assert_int_equal(s.last.icv_size, a->icv);
		assert_int_equal(s.last.block_size, a->block);
		assert_int_equal(xfrm_sa_counters(nl, &s.last, &packets, &bytes), 0);
		assert_int_equal(packets + bytes, 0);
		assert_int_equal(xfrm_sa_set_add_time(nl, &s.last, s.last.add_time + 4711), 0);
		uint64_t before = s.last.add_time;
		assert_int_equal(xfrm_sa_dump(nl, seen_sa, NULL, &s), 0);
		assert_int_equal(s.last.add_time, before + 4711);
		b = nl_batch_new();
		xfrm_sa_put_delete(b, &s.last);
		assert_int_equal(batch_outcome(nl, b), 0);
		event_count = 0;
		assert_int_equal(xfrm_events_read(ear, event_note, NULL), 0);
		assert_int_equal(event_count, 2);
		assert_int_equal(events[0].kind, XFRM_EVENT_SA_NEW);
		assert_int_equal(events[1].kind, XFRM_EVENT_SA_GONE);
		assert_int_equal(events[1].sa.spi, SPI);
		assert_int_equal(events[1].sa.reqid, REQID);
		nl_close(ear);
		nl_close(nl);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sa_parse),     cmocka_unit_test(test_sa_parse_others),
		cmocka_unit_test(test_sa_events),    cmocka_unit_test(test_sa_flush_event),
		cmocka_unit_test(test_sa_malformed), cmocka_unit_test(test_sa_delete_wire),
		cmocka_unit_test(test_mtu),	     cmocka_unit_test(test_mtu_limits),
		cmocka_unit_test(test_proposals),    cmocka_unit_test(test_kernel_no_sa),
		cmocka_unit_test(test_kernel_sa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
