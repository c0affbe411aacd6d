/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard against ICMP errors that quote GRE, in a network namespace of the running kernel, over its
 * loopback. Each case is sent once without a guard (it must arrive: the control) and once with one
 * that has no pairs. A sentinel that quotes UDP ends the waiting, and must itself pass. Skipped
 * without the right to make namespaces.
 */
#include "guard/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define GRE 47
#define MARK_CASE 0x67776431
#define MARK_SENTINEL 0x67776432
#define PACKETS_MAX 16

/* An ICMP message, and what it quotes: a header with protocols[0], and of IPv6 one behind it. */
struct quote {
	bool six;
	uint8_t type, protocols[2];
	bool stopped;
	uint8_t code;
};

struct message {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t rest;
	uint8_t inner[48];
	uint32_t mark;
};

static struct guard *guard;
static int raw4, raw6, send4, send6;
static bool ready;

static int setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		return 0;
	if (system("ip link set lo up"))
		return -1;
	raw4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	raw6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	send4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	send6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	ready = raw4 >= 0 && raw6 >= 0 && send4 >= 0 && send6 >= 0 && !guard_open(&guard);
	return ready ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	if (!ready)
		return 0;
	guard_close(guard);
	close(raw4);
	close(raw6);
	close(send4);
	close(send6);
	return 0;
}

/* RFC 1071, with the pseudo-header of RFC 8200 section 8.1. */
static uint16_t checksum6(const struct ip6_hdr *ip, const struct message *m)
{
	const uint8_t *addrs = (const uint8_t *)&ip->ip6_src, *data = (const uint8_t *)m;
	uint32_t sum = sizeof(*m) + IPPROTO_ICMPV6;

	for (size_t i = 0; i < 2 * sizeof(ip->ip6_src); i += 2)
		sum += (uint32_t)addrs[i] << 8 | addrs[i + 1];
	for (size_t i = 0; i < sizeof(*m); i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* A packet that netfilter dropped on its way out is EPERM for its sender. */
static void sent(ssize_t n)
{
	if (n < 0)
		assert_int_equal(errno, EPERM);
}

static void quote_send(const struct quote *q, const uint8_t *protocols, uint32_t mark)
{
	struct message m = {.type = q->type, .code = q->code, .mark = htonl(mark)};
	struct sockaddr_in to4 = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct {
		struct iphdr ip;
		struct message m;
	} p4 = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP}};
	struct {
		struct ip6_hdr ip;
		struct message m;
	} p6 = {.ip = {.ip6_src = IN6ADDR_LOOPBACK_INIT, .ip6_dst = IN6ADDR_LOOPBACK_INIT}};

	m.inner[0] = q->six ? 6 << 4 : 0x45;
	m.inner[q->six ? 6 : 9] = protocols[0];
	m.inner[40] = protocols[1];
	if (q->six) {
		p6.ip.ip6_vfc = 6 << 4;
		p6.ip.ip6_hlim = 64;
		p6.ip.ip6_nxt = IPPROTO_ICMPV6;
		p6.ip.ip6_plen = htons(sizeof(m));
		m.checksum = checksum6(&p6.ip, &m);
		p6.m = m;
		sent(sendto(send6, &p6, sizeof(p6), 0, (struct sockaddr *)&to6, sizeof(to6)));
		return;
	}
	to4.sin_addr.s_addr = p4.ip.saddr = p4.ip.daddr = htonl(INADDR_LOOPBACK);
	p4.m = m;
	sent(sendto(send4, &p4, sizeof(p4), 0, (struct sockaddr *)&to4, sizeof(to4)));
}

/* The case, then the sentinel; did the first arrive? Answers to either come in between. */
static bool quote_arrives(const struct quote *q)
{
	static const uint8_t udp[2] = {IPPROTO_UDP, 0};
	struct pollfd p = {.fd = q->six ? raw6 : raw4, .events = POLLIN};
	uint8_t buf[512];
	uint32_t mark;
	bool seen = false;

	quote_send(q, q->protocols, MARK_CASE);
	quote_send(q, udp, MARK_SENTINEL);
	for (int i = 0; i < PACKETS_MAX; i++) {
		if (poll(&p, 1, 5000) != 1)
			fail_msg("the sentinel of type %u did not arrive", q->type);
		ssize_t n = recv(p.fd, buf, sizeof(buf), 0);

		assert_true(n >= (ssize_t)sizeof(mark));
		memcpy(&mark, buf + n - sizeof(mark), sizeof(mark));
		if (ntohl(mark) == MARK_SENTINEL)
			return seen;
		seen |= ntohl(mark) == MARK_CASE;
	}
	fail_msg("no sentinel among the packets");
	return seen;
}

static void guard_commands(struct text *t)
{
	char err[256];

	assert_false(t->failed);
	if (guard_run(guard, t->text, err, sizeof(err)))
		fail_msg("%s", err);
	text_free(t);
}

static void test_quotes(void **state)
{
	static const struct quote quotes[] = {
		{false, 3, {GRE}, true, 0},
		{false, 11, {GRE}, true, 0},
		{false, 12, {GRE}, true, 0},
		/* A router says so about GRE it forwards. */
		{false, 3, {GRE}, false, 4},
		{false, 3, {GRE}, true, 3},
		{true, 2, {GRE}, false, 0},
		/* An echo reply may hold anything. */
		{false, 0, {GRE}, false, 0},
		{true, 1, {GRE}, true, 0},
		{true, 4, {IPPROTO_DSTOPTS, GRE}, true, 0},
		{true, 4, {IPPROTO_DSTOPTS, IPPROTO_UDP}, false, 0},
		{true, 129, {GRE}, false, 0},
	};
	struct text t = {0};

	(void)state;
	if (!ready)
		skip();
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		assert_true(quote_arrives(&quotes[i]));
		guard_build_table(&t, NULL, 0, NULL, 0);
		guard_commands(&t);
		assert_int_equal(quote_arrives(&quotes[i]), !quotes[i].stopped);
		guard_build_remove(&t);
		guard_commands(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_quotes)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
