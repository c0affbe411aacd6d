/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard against packets: GRE in clear, made by hand, over a veth pair between two network
 * namespaces of the running kernel; GRE devices are not needed. Each case is sent once without its
 * pair (it must arrive: the control) and once with it (it must not, and its counter must say 1),
 * on the way out and on the way in. A sentinel of foreign GRE behind it ends the waiting, and must
 * itself pass untouched. Skipped without the right to make namespaces.
 */
#include "guard/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define GRE 47
#define GRE_C 0x8000
#define GRE_K 0x2000
#define GRE_S 0x1000
#define MARK_CASE 0x67776431
#define MARK_SENTINEL 0x67776432
#define KEY 0x11223344

enum shape {
	SHAPE_WHOLE,
	SHAPE_FRAGMENTS, /* the first shows 8 bytes of GRE */
	SHAPE_HEADLESS, /* IPv6: the first ends in the middle of the extension headers */
};

struct side {
	int ns;
	struct guard *guard;
	int raw4, raw6; /* receive GRE, and send with own IP headers */
	int send4, send6;
};

static struct side near, far;
static uint16_t ident; /* of the datagram, new each time: leftovers of one must not meet the next */
static bool ready;
static char err[256];

struct bytes {
	uint8_t data[256];
	size_t len;
};

static void bytes_add(struct bytes *b, const void *data, size_t len)
{
	assert_true(b->len + len <= sizeof(b->data));
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void bytes_add32(struct bytes *b, uint32_t value)
{
	value = htonl(value);
	bytes_add(b, &value, sizeof(value));
}

/* RFC 2890 section 2: flags, protocol, then the optional words in this order; then the mark. */
static struct bytes gre_make(uint16_t flags, uint32_t key, uint32_t mark)
{
	struct bytes b = {0};

	bytes_add32(&b, (uint32_t)flags << 16 | 0x0800);
	if (flags & GRE_C)
		bytes_add32(&b, 0xabcd0000);
	if (flags & GRE_K)
		bytes_add32(&b, key);
	if (flags & GRE_S)
		bytes_add32(&b, 1);
	bytes_add32(&b, 0);
	bytes_add32(&b, mark);
	return b;
}

static void commands(const char *text)
{
	if (system(text))
		fail_msg("failed: %s", text);
}

static void side_enter(const struct side *s)
{
	assert_int_equal(setns(s->ns, CLONE_NEWNET), 0);
}

static bool side_new(struct side *s)
{
	if (unshare(CLONE_NEWNET))
		return false;
	s->ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(s->ns >= 0);
	assert_int_equal(guard_open(&s->guard), 0);
	s->raw4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, GRE);
	s->raw6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, GRE);
	s->send4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	s->send6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	assert_true(s->raw4 >= 0 && s->raw6 >= 0 && s->send4 >= 0 && s->send6 >= 0);
	return true;
}

static int setup(void **state)
{
	char link[160];

	(void)state;
	if (!side_new(&far) || !side_new(&near))
		return 0;
	snprintf(link, sizeof(link),
		 "ip link add va type veth peer name vb &&"
		 "ip link set vb netns /proc/%d/fd/%d",
		 (int)getpid(), far.ns);
	commands(link);
	commands(
		"ip link set va up && ip addr add 192.0.2.1/24 dev va &&"
		"ip addr add 192.0.2.3/24 dev va &&"
		"ip addr add 2001:db8::1/64 dev va nodad && ip addr add 2001:db8::3/64 dev va nodad");
	side_enter(&far);
	commands("ip link set vb up && ip addr add 192.0.2.2/24 dev vb &&"
		 "ip addr add 2001:db8::2/64 dev vb nodad");
	side_enter(&near);
	ready = true;
	return 0;
}

static int teardown(void **state)
{
	struct side *sides[] = {&near, &far};

	(void)state;
	if (!ready)
		return 0;
	for (int i = 0; i < 2; i++) {
		guard_close(sides[i]->guard);
		close(sides[i]->ns);
		close(sides[i]->raw4);
		close(sides[i]->raw6);
		close(sides[i]->send4);
		close(sides[i]->send6);
	}
	return 0;
}

/* A packet that netfilter dropped on its way out is EPERM for its sender. */
static void raw_send(int fd, const struct bytes *packet, const struct sockaddr *to, socklen_t size)
{
	if (sendto(fd, packet->data, packet->len, 0, to, size) < 0)
		assert_int_equal(errno, EPERM);
}

static void send4_part(const char *from, const struct bytes *gre, size_t at, size_t len, bool more)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = GRE, .id = htons(ident)};
	struct bytes packet = {0};

	assert_int_equal(inet_pton(AF_INET, from, &ip.saddr), 1);
	assert_int_equal(inet_pton(AF_INET, "192.0.2.2", &ip.daddr), 1);
	to.sin_addr.s_addr = ip.daddr;
	ip.frag_off = htons(at / 8 | (more ? IP_MF : 0));
	bytes_add(&packet, &ip, sizeof(ip));
	bytes_add(&packet, gre->data + at, len);
	raw_send(near.send4, &packet, (struct sockaddr *)&to, sizeof(to));
}

static void send6_part(const char *from, const struct bytes *body, int next, size_t at, size_t len,
		       bool fragment, bool more)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};
	struct ip6_hdr ip = {0};
	struct ip6_frag frag = {.ip6f_nxt = next, .ip6f_ident = htonl(ident)};
	struct bytes packet = {0};

	assert_int_equal(inet_pton(AF_INET6, from, &ip.ip6_src), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", &ip.ip6_dst), 1);
	to.sin6_addr = ip.ip6_dst;
	ip.ip6_vfc = 6 << 4;
	ip.ip6_hlim = 64;
	frag.ip6f_offlg = htons(at) | (more ? IP6F_MORE_FRAG : 0);
	ip.ip6_nxt = fragment ? IPPROTO_FRAGMENT : next;
	ip.ip6_plen = htons(len + (fragment ? sizeof(frag) : 0));
	bytes_add(&packet, &ip, sizeof(ip));
	if (fragment)
		bytes_add(&packet, &frag, sizeof(frag));
	bytes_add(&packet, body->data + at, len);
	raw_send(near.send6, &packet, (struct sockaddr *)&to, sizeof(to));
}

static void gre_send(bool six, const char *from, const struct bytes *gre, enum shape shape)
{
	/* Two destination options headers (RFC 8200 section 4.6) of padding; the second is cut off. */
	static const uint8_t options[] = {
		IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0, GRE, 0, 1, 4, 0, 0, 0, 0};
	struct bytes body = {0};
	int next = GRE;

	ident++;
	if (shape == SHAPE_HEADLESS) {
		bytes_add(&body, options, sizeof(options));
		next = IPPROTO_DSTOPTS;
	}
	bytes_add(&body, gre->data, gre->len);
	if (shape == SHAPE_WHOLE && six) {
		send6_part(from, &body, next, 0, body.len, false, false);
	} else if (shape == SHAPE_WHOLE) {
		send4_part(from, &body, 0, body.len, false);
	} else if (six) {
		send6_part(from, &body, next, 0, 8, true, true);
		send6_part(from, &body, next, 8, body.len - 8, true, false);
	} else {
		send4_part(from, &body, 0, 8, true);
		send4_part(from, &body, 8, body.len - 8, false);
	}
}

/* The mark that ends the next GRE packet to arrive. */
static uint32_t mark_receive(bool six)
{
	struct pollfd p = {.fd = six ? far.raw6 : far.raw4, .events = POLLIN};
	uint8_t buf[512];
	uint32_t mark;

	if (poll(&p, 1, 5000) != 1)
		fail_msg("the sentinel did not arrive");
	ssize_t n = recv(p.fd, buf, sizeof(buf), 0);

	assert_true(n >= (ssize_t)sizeof(mark));
	memcpy(&mark, buf + n - sizeof(mark), sizeof(mark));
	return ntohl(mark);
}

static void mark_set(bool six, uint32_t mark)
{
	assert_int_equal(setsockopt(six ? near.send6 : near.send4, SOL_SOCKET, SO_MARK, &mark,
				    sizeof(mark)),
			 0);
}

/* One packet from the protected pair's address, the sentinel from another; did the first arrive? */
static bool arrives(bool six, uint16_t flags, uint32_t key, enum shape shape)
{
	struct bytes gre = gre_make(flags, key, MARK_CASE);
	struct bytes sentinel = gre_make(flags, key, MARK_SENTINEL);
	bool seen = false;

	gre_send(six, six ? "2001:db8::1" : "192.0.2.1", &gre, shape);
	gre_send(six, six ? "2001:db8::3" : "192.0.2.3", &sentinel, SHAPE_WHOLE);
	for (int i = 0; i < 4; i++) {
		uint32_t mark = mark_receive(six);

		if (mark == MARK_SENTINEL)
			return seen;
		assert_int_equal(mark, MARK_CASE);
		seen = true;
	}
	fail_msg("no sentinel among the packets");
	return seen;
}

static struct guard_pair pair_make(const struct side *s, bool six, int64_t key)
{
	struct guard_pair p = {.has_key = key >= 0, .key = key >= 0 ? (uint32_t)key : 0};
	const char *near_text = six ? "2001:db8::1" : "192.0.2.1";
	const char *far_text = six ? "2001:db8::2" : "192.0.2.2";

	assert_true(addr_parse(s == &near ? near_text : far_text, &p.local));
	assert_true(addr_parse(s == &near ? far_text : near_text, &p.remote));
	return p;
}

static void guard_commands(const struct side *s, struct text *t)
{
	assert_false(t->failed);
	if (guard_run(s->guard, t->text, err, sizeof(err)))
		fail_msg("%s", err);
	text_free(t);
}

static void guard_set_up(const struct side *s, const struct guard_pair *pairs, size_t n)
{
	struct text t = {0};

	guard_build_table(&t, pairs, n, NULL, 0);
	guard_commands(s, &t);
}

static uint64_t strayed(const struct side *s)
{
	struct guard_state state;

	if (guard_read(s->guard, &state, err, sizeof(err)))
		fail_msg("%s", err);
	uint64_t n = state.strayed;

	guard_state_done(&state);
	return n;
}

static void guard_take_down(const struct side *s)
{
	struct text t = {0};

	guard_build_remove(&t);
	guard_commands(s, &t);
}

/* out + in dropped of the one pair there; the direction that is not looked at must be 0. */
static uint64_t dropped(const struct side *s)
{
	struct guard_state state;

	if (guard_read(s->guard, &state, err, sizeof(err)))
		fail_msg("%s", err);
	assert_true(state.intact);
	assert_int_equal(state.n_pairs, 1);
	uint64_t out = state.pairs[0].out_dropped, in = state.pairs[0].in_dropped;

	guard_state_done(&state);
	assert_int_equal(s == &near ? in : out, 0);
	return s == &near ? out : in;
}

struct packet {
	bool six;
	uint16_t flags;
	uint32_t key;
	enum shape shape;
};

static void assert_stopped(const struct side *s, const struct packet *p, int64_t key, bool stopped,
			   uint64_t counted)
{
	struct guard_pair pair = pair_make(s, p->six, key);

	assert_true(arrives(p->six, p->flags, p->key, p->shape));
	guard_set_up(s, NULL, 0);
	/* Of what shows too little of itself nothing passes a guard, whatever its pairs. */
	if (p->shape == SHAPE_WHOLE || !p->six)
		assert_true(arrives(p->six, p->flags, p->key, p->shape));
	guard_set_up(s, &pair, 1);
	assert_int_equal(arrives(p->six, p->flags, p->key, p->shape), !stopped);
	assert_int_equal(dropped(s), counted);
	guard_take_down(s);
	assert_true(arrives(p->six, p->flags, p->key, p->shape));
}

#define NEED_KERNEL()           \
	do {                    \
		(void)state;    \
		if (!ready)     \
			skip(); \
	} while (0)

/* A pair without key: GRE of any form between the two. */
static void test_pair(void **state)
{
	static const uint16_t flags[] = {0, GRE_C, GRE_K, GRE_C | GRE_K, GRE_C | GRE_K | GRE_S};
	const struct side *sides[] = {&near, &far};

	NEED_KERNEL();
	for (int side = 0; side < 2; side++)
		for (int six = 0; six < 2; six++)
			for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
				assert_stopped(sides[side], &(struct packet){six, flags[i], KEY, 0},
					       -1, true, 1);
}

/* GRE in clear that something of a link of ours became (the bit of the mark tells), of no pair. */
static void test_stray(void **state)
{
	NEED_KERNEL();
	for (int six = 0; six < 2; six++) {
		struct bytes gre = gre_make(GRE_K, KEY, MARK_CASE);
		struct bytes sentinel = gre_make(GRE_K, KEY, MARK_SENTINEL);
		const char *from = six ? "2001:db8::1" : "192.0.2.1";

		for (int guarded = 0; guarded < 2; guarded++) {
			if (guarded)
				guard_set_up(&near, NULL, 0);
			mark_set(six, 0x80000007);
			gre_send(six, from, &gre, SHAPE_WHOLE);
			mark_set(six, 0x7fffffff);
			gre_send(six, from, &sentinel, SHAPE_WHOLE);
			if (!guarded)
				assert_int_equal(mark_receive(six), MARK_CASE);
			assert_int_equal(mark_receive(six), MARK_SENTINEL);
		}
		assert_int_equal(strayed(&near), 1);
		guard_take_down(&near);
		mark_set(six, 0);
	}
}

/* A pair with key: this key wherever it stands, and nothing else. */
static void test_key(void **state)
{
	static const struct {
		uint16_t flags;
		uint32_t key;
		bool stopped;
	} cases[] = {
		{GRE_K, KEY, true},
		{GRE_C | GRE_K, KEY, true},
		{GRE_K | GRE_S, KEY, true},
		{GRE_C | GRE_K | GRE_S, KEY, true},
		{GRE_K, KEY + 1, false},
		{GRE_C | GRE_K, KEY + 1, false},
		{0, 0, false},
		{GRE_C, 0, false},
		{GRE_S, KEY, false},
	};
	const struct side *sides[] = {&near, &far};

	NEED_KERNEL();
	for (int side = 0; side < 2; side++)
		for (int six = 0; six < 2; six++)
			for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
				struct packet p = {six, cases[i].flags, cases[i].key, SHAPE_WHOLE};

				assert_stopped(sides[side], &p, KEY, cases[i].stopped,
					       cases[i].stopped);
			}
}

/* The ends of the range; and what stands in a key's place but is none. */
static void test_key_extremes(void **state)
{
	static const struct {
		struct packet packet; /* its checksum word is 0xabcd0000 */
		uint32_t guarded;
		bool stopped;
	} cases[] = {
		{{.flags = GRE_K, .key = 0xfffffffe}, 0xfffffffe, true},
		{{.flags = GRE_K, .key = 0}, 0, true},
		{{.flags = 0}, 0, false},
		{{.flags = GRE_C}, 0xabcd0000, false},
		{{.flags = GRE_C | GRE_K, .key = KEY}, 0xabcd0000, false},
	};

	NEED_KERNEL();
	for (int six = 0; six < 2; six++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct packet p = cases[i].packet;

			p.six = six;
			assert_stopped(&near, &p, cases[i].guarded, cases[i].stopped,
				       cases[i].stopped);
			assert_stopped(&far, &p, cases[i].guarded, cases[i].stopped,
				       cases[i].stopped);
		}
}

/* Cut up by the sender so that no fragment shows the key or even the protocol. */
static void test_fragments_in(void **state)
{
	const struct packet four = {false, GRE_C | GRE_K, KEY, SHAPE_FRAGMENTS};
	const struct packet six = {true, GRE_C | GRE_K, KEY, SHAPE_FRAGMENTS};
	const struct packet headless = {true, GRE_K, KEY, SHAPE_HEADLESS};

	NEED_KERNEL();
	/* IPv4 is whole again before it is judged, and counted once. */
	assert_stopped(&far, &four, -1, true, 1);
	assert_stopped(&far, &four, KEY, true, 1);
	assert_stopped(&far, &four, KEY + 1, false, 0);
	/* Both fragments of IPv6 name the protocol; with a key in the set the first is too short. */
	assert_stopped(&far, &six, -1, true, 2);
	assert_stopped(&far, &six, KEY, true, 0);
	assert_stopped(&far, &headless, -1, true, 0);
	assert_stopped(&far, &headless, KEY, true, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pair),	     cmocka_unit_test(test_stray),
		cmocka_unit_test(test_key),	     cmocka_unit_test(test_key_extremes),
		cmocka_unit_test(test_fragments_in),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
