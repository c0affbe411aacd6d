// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * attack: what a stranger on the path can send to a gateway, for the lab's tests. IPv4, raw sockets, any source address.
 *
 *	attack flood ADDR COUNT RATE			IKE_SA_INIT (RFC 7296), each from another source in 100.64.0.0/10
 *	attack rubbish FROM ADDR COUNT RATE SEED	broken IKE from FROM to ports 500 and 4500: cut, flipped, zero, with
 *							lengths that lie, encrypted payloads that are none
 *	attack replay FILE COUNT RATE			the packets of a capture (pcap, Ethernet), in turn, COUNT in all
 *	attack flip FILE COUNT RATE SEED		... with bits turned behind the IP header
 *
 * RATE is packets/s. Prints `sent=N`. The same SEED sends the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NSEC 1000000000LL
#define IKE_PORT 500
#define NAT_PORT 4500
#define IKE_HEADER 28
#define PACKET_MAX 2048
#define REPLAY_MAX 4096 /* packets of a capture */
#define ETHERNET_HEADER 14

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	unsigned char data[PACKET_MAX];
};

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64 (Marsaglia): repeatable, which is all that is asked of it */
static uint32_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

static void random_fill(unsigned char *to, size_t size)
{
	while (size--)
		*to++ = (unsigned char)random_next();
}

static void die(const char *what)
{
	fprintf(stderr, "attack: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pace(uint64_t sent, double rate)
{
	static int64_t start;
	struct timespec ts;
	int64_t t;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (!start)
		start = ts.tv_sec * NSEC + ts.tv_nsec;
	t = start + (int64_t)((double)sent * NSEC / rate);
	ts = (struct timespec){.tv_sec = t / NSEC, .tv_nsec = t % NSEC};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* the kernel fills in length, id and checksum (raw(7)); a packet that finds no room is sent once more, later */
static bool send_ip(int fd, const void *ip, size_t size)
{
	const struct iphdr *h = ip;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = h->daddr};

	for (int i = 0; i < 10; i++) {
		if (sendto(fd, ip, size, 0, (struct sockaddr *)&to, sizeof(to)) >= 0)
			return true;
		if (errno != ENOBUFS)
			return false;
		usleep(1000);
	}
	return false;
}

static bool send_udp(int fd, struct packet *p, in_addr_t from, in_addr_t to, uint16_t port,
		     size_t size)
{
	p->ip = (struct iphdr){.version = 4,
			       .ihl = 5,
			       .ttl = 64,
			       .protocol = IPPROTO_UDP,
			       .saddr = from,
			       .daddr = to};
	p->udp = (struct udphdr){.source = htons(port),
				 .dest = htons(port),
				 .len = htons((uint16_t)(sizeof(p->udp) + size))};
	return send_ip(fd, p, sizeof(p->ip) + sizeof(p->udp) + size);
}

static unsigned char *put16(unsigned char *at, unsigned v)
{
	at[0] = (unsigned char)(v >> 8);
	at[1] = (unsigned char)v;
	return at + 2;
}

static unsigned char *put_transform(unsigned char *at, bool last, int type, int id, int key_bits)
{
	*at++ = last ? 0 : 3;
	*at++ = 0;
	at = put16(at, key_bits ? 12 : 8);
	*at++ = (unsigned char)type;
	*at++ = 0;
	at = put16(at, (unsigned)id);
	if (key_bits) {
		at = put16(at, 0x800e);
		at = put16(at, (unsigned)key_bits);
	}
	return at;
}

/* IKE_SA_INIT as gwd's charon sends it, but for the notifies: aes256gcm16-prfsha384-x25519 (RFC 7296, sections 1.2 and 3) */
static size_t ike_init(unsigned char *to)
{
	unsigned char *at = to + IKE_HEADER, *sa = at;

	random_fill(to, 8);
	memset(to + 8, 0, 8);
	memcpy(to + 16, "\x21\x20\x22\x08\0\0\0\0", 8);
	at = put16(at, 34 << 8); /* SA, KE follows */
	at = put16(at, 0);
	*at++ = 0;
	*at++ = 0;
	at = put16(at, 36);
	memcpy(at, "\1\1\0\3", 4);
	at = put_transform(at + 4, false, 1, 20, 256);
	at = put_transform(at, false, 2, 6, 0);
	at = put_transform(at, true, 4, 31, 0);
	put16(sa + 2, (unsigned)(at - sa));
	at = put16(at, 40 << 8); /* KE, a nonce follows */
	at = put16(at, 8 + 32);
	at = put16(at, 31);
	at = put16(at, 0);
	random_fill(at, 32);
	at = put16(at + 32, 0); /* nonce */
	at = put16(at, 4 + 32);
	random_fill(at, 32);
	at += 32;
	put16(to + 24, 0);
	put16(to + 26, (unsigned)(at - to));
	return (size_t)(at - to);
}

static void flip_bits(unsigned char *data, size_t size, unsigned n)
{
	while (n-- && size)
		data[random_next() % size] ^= (unsigned char)(1U << random_next() % 8);
}

enum rubbish {
	RUBBISH_NOISE,
	RUBBISH_CUT,
	RUBBISH_FLIPPED,
	RUBBISH_ZERO,
	RUBBISH_LENGTH, /* of the message */
	RUBBISH_PAYLOAD, /* its length */
	RUBBISH_ENCRYPTED,
	RUBBISH_FRAGMENT,
	RUBBISH_KINDS,
};

/* as if of an IKE_SA: exchange and payload given, and rubbish where the ciphertext would be */
static size_t ike_garbled(unsigned char *to, int exchange, int payload)
{
	size_t size = IKE_HEADER + 4 + random_next() % 200;

	random_fill(to, size);
	to[16] = (unsigned char)payload;
	to[17] = 0x20;
	to[18] = (unsigned char)exchange;
	to[19] = (unsigned char)(random_next() % 2 ? 0x08 : 0x28);
	put16(to + 20, 0);
	put16(to + 24, 0);
	put16(to + 26, (unsigned)size);
	put16(to + IKE_HEADER + 2, (unsigned)(size - IKE_HEADER));
	return size;
}

static size_t rubbish(unsigned char *to, enum rubbish kind)
{
	static const unsigned lengths[] = {0, 1, 3, 4, 0x7fff, 0xffff};
	size_t size = ike_init(to), n = random_next() % 1400;

	switch (kind) {
	case RUBBISH_NOISE:
		random_fill(to, n);
		return n;
	case RUBBISH_CUT:
		return random_next() % size;
	case RUBBISH_FLIPPED:
		flip_bits(to, size, 1 + random_next() % 16);
		return size;
	case RUBBISH_ZERO:
		memset(to, 0, n);
		return n;
	case RUBBISH_LENGTH:
		put16(to + 24, random_next() % 2 ? 0xffff : 0);
		put16(to + 26, lengths[random_next() % 6]);
		return size;
	case RUBBISH_PAYLOAD:
		put16(to + IKE_HEADER + (random_next() % 2 ? 2 : 42), lengths[random_next() % 6]);
		return size;
	case RUBBISH_ENCRYPTED:
		return ike_garbled(to, 35 + (int)(random_next() % 3), 46);
	case RUBBISH_FRAGMENT:
		return ike_garbled(to, 35, 53);
	case RUBBISH_KINDS:
		break;
	}
	return 0;
}

static uint64_t attack_rubbish(int fd, in_addr_t from, in_addr_t to, uint64_t count, double rate)
{
	static struct packet p;
	uint64_t sent = 0;

	for (uint64_t i = 0; i < count; i++) {
		bool nat = random_next() % 2;
		size_t marker = nat && random_next() % 8 ? 4 : 0; /* without it: ESP in UDP */
		size_t size = rubbish(p.data + marker, (enum rubbish)(i % RUBBISH_KINDS));

		memset(p.data, 0, marker);
		sent += send_udp(fd, &p, from, to, nat ? NAT_PORT : IKE_PORT, size + marker);
		pace(i + 1, rate);
	}
	return sent;
}

static uint64_t attack_flood(int fd, in_addr_t to, uint64_t count, double rate)
{
	static struct packet p;
	uint64_t sent = 0;

	for (uint64_t i = 0; i < count; i++) {
		in_addr_t from = htonl(0x64400000 | (random_next() & 0x3fffff));

		sent += send_udp(fd, &p, from, to, IKE_PORT, ike_init(p.data));
		pace(i + 1, rate);
	}
	return sent;
}

struct record {
	size_t size;
	unsigned char data[PACKET_MAX];
};

/* pcap's file format: a header of 24 bytes, then for each packet times, bytes kept, bytes there were, bytes. What was cut is left out. */
static size_t replay_read(const char *path, struct record *records, size_t max)
{
	FILE *f = fopen(path, "rb");
	uint32_t head[6], about[4];
	size_t n = 0;

	if (!f)
		die(path);
	if (fread(head, sizeof(head), 1, f) != 1 || head[0] != 0xa1b2c3d4 || head[5] != 1) {
		fprintf(stderr, "attack: %s is no capture of an Ethernet link\n", path);
		exit(1);
	}
	while (n < max && fread(about, sizeof(about), 1, f) == 1) {
		struct record *r = &records[n];
		unsigned char ethernet[ETHERNET_HEADER];

		if (about[2] <= sizeof(ethernet) || about[2] > sizeof(r->data) ||
		    fread(ethernet, sizeof(ethernet), 1, f) != 1)
			break;
		r->size = about[2] - sizeof(ethernet);
		if (fread(r->data, r->size, 1, f) != 1)
			break;
		if (about[2] == about[3] && r->size > sizeof(struct iphdr) && r->data[0] == 0x45)
			n++;
	}
	fclose(f);
	return n;
}

static uint64_t attack_replay(int fd, const char *path, uint64_t count, double rate, bool flip)
{
	static struct record records[REPLAY_MAX];
	size_t n = replay_read(path, records, REPLAY_MAX);
	uint64_t sent = 0;

	for (uint64_t i = 0; n && i < count; i++) {
		struct record r = records[i % n];

		if (flip)
			flip_bits(r.data + sizeof(struct iphdr), r.size - sizeof(struct iphdr),
				  1 + random_next() % 8);
		sent += send_ip(fd, r.data, r.size);
		pace(i + 1, rate);
	}
	return sent;
}

static void seed(const char *text)
{
	random_state ^= strtoull(text, NULL, 10) * 0x2545f4914f6cdd1d;
	for (int i = 0; i < 8; i++)
		random_next();
}

static bool attack(int fd, int argc, char **argv, uint64_t *sent)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 5 && !strcmp(what, "flood")) {
		*sent = attack_flood(fd, inet_addr(argv[2]), strtoull(argv[3], NULL, 10),
				     atof(argv[4]));
	} else if (argc == 7 && !strcmp(what, "rubbish")) {
		seed(argv[6]);
		*sent = attack_rubbish(fd, inet_addr(argv[2]), inet_addr(argv[3]),
				       strtoull(argv[4], NULL, 10), atof(argv[5]));
	} else if (argc == 5 && !strcmp(what, "replay")) {
		*sent = attack_replay(fd, argv[2], strtoull(argv[3], NULL, 10), atof(argv[4]),
				      false);
	} else if (argc == 6 && !strcmp(what, "flip")) {
		seed(argv[5]);
		*sent = attack_replay(fd, argv[2], strtoull(argv[3], NULL, 10), atof(argv[4]),
				      true);
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	uint64_t sent = 0;

	if (fd < 0)
		die("socket");
	if (!attack(fd, argc, argv, &sent)) {
		fprintf(stderr, "usage: attack flood ADDR COUNT RATE | "
				"rubbish FROM ADDR COUNT RATE SEED |\n"
				"\treplay FILE COUNT RATE | flip FILE COUNT RATE SEED\n");
		return 2;
	}
	printf("sent=%llu\n", (unsigned long long)sent);
	close(fd);
	return 0;
}
