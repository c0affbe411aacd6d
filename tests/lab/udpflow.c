// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * udpflow: a steady flow of numbered UDP packets and its receiver, for the lab's tests.
 *
 *	udpflow -s ADDR PORT RATE [LENGTH]	send RATE packets/s until SIGTERM or SIGINT
 *	udpflow -r PORT [GROUP IFACE]		count them, until SIGTERM or SIGINT; as a member of a multicast group
 *
 * On its end the sender tells the receiver how many there were, a few times, and prints `sent=N refused=R`, R being those that its
 * own kernel did not take. The receiver prints
 * `received=N lost=M dup=D reorder=R maxgap_ms=G first=F last=L`: lost is of those sent, or "unended" where no such word
 * came, for then nobody here knows how many are missing; maxgap_ms the longest silence between two packets; first and last are numbers.
 * A last line, `holes=FIRST+COUNT,...`, tells which are missing, as far as is known. The payload is full of "GWDCANARY", to be looked for
 * where it must not be read.
 */
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CANARY "GWDCANARY"
#define NSEC 1000000000LL
#define END_MARKERS 10

enum kind { KIND_DATA = 1, KIND_END = 2 };

struct packet {
	char canary[12];
	uint32_t kind; /* enum kind */
	uint64_t seq; /* KIND_DATA: from 0 on; KIND_END: how many were sent */
	char fill[1400];
};

#define HEADER_LEN (sizeof(struct packet) - sizeof(((struct packet *)0)->fill))

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "udpflow: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

static void sleep_until(int64_t t)
{
	struct timespec ts = {.tv_sec = t / NSEC, .tv_nsec = t % NSEC};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int flow_send(const char *addr, const char *port, double rate, size_t len)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV},
			*ai;
	struct packet p = {.canary = CANARY, .kind = KIND_DATA};
	uint64_t sent = 0, refused = 0;
	int64_t start;
	int fd, on = 1, hops = 16;

	if (getaddrinfo(addr, port, &hints, &ai) != 0) {
		fprintf(stderr, "udpflow: no address: %s port %s\n", addr, port);
		return 1;
	}
	fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
	for (size_t i = 0; i < sizeof(p.fill); i++)
		p.fill[i] = CANARY[i % (sizeof(CANARY) - 1)];

	/* sendto(), not connect(): an ICMP error or a missing route is a lost packet, not the end of the flow */
	start = now_ns();
	while (!stopped) {
		p.seq = sent++;
		refused += sendto(fd, &p, len, 0, ai->ai_addr, ai->ai_addrlen) < 0;
		sleep_until(start + (int64_t)((double)sent * NSEC / rate));
	}
	p.kind = KIND_END;
	p.seq = sent;
	for (int i = 0; i < END_MARKERS; i++) {
		(void)sendto(fd, &p, HEADER_LEN, 0, ai->ai_addr, ai->ai_addrlen);
		sleep_until(now_ns() + NSEC / 50);
	}
	printf("sent=%llu refused=%llu\n", (unsigned long long)sent, (unsigned long long)refused);
	freeaddrinfo(ai);
	close(fd);
	return 0;
}

/* one byte per number seen, growing */
static unsigned char *seen;
static uint64_t room;

static bool seen_before(uint64_t seq)
{
	if (seq >= 1ULL << 32)
		return true;
	if (seq >= room) {
		uint64_t more = (seq + 1) * 2;
		unsigned char *p = realloc(seen, more);

		if (!p)
			die("realloc");
		memset(p + room, 0, more - room);
		seen = p;
		room = more;
	}
	if (seen[seq])
		return true;
	seen[seq] = 1;
	return false;
}

static void print_holes(uint64_t total)
{
	const char *comma = "";

	printf("holes=");
	for (uint64_t i = 0, n; i < total; i += n ? n : 1) {
		for (n = 0; i + n < total && (i + n >= room || !seen[i + n]); n++)
			;
		if (!n)
			continue;
		printf("%s%llu+%llu", comma, (unsigned long long)i, (unsigned long long)n);
		comma = ",";
	}
	printf("\n");
}

/* an IPv6 socket is member of IPv4 groups too */
static void join(int fd, const char *group, const char *iface)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *ai;
	struct group_req req = {.gr_interface = if_nametoindex(iface)};

	if (getaddrinfo(group, NULL, &hints, &ai) != 0) {
		fprintf(stderr, "udpflow: no group: %s\n", group);
		exit(1);
	}
	memcpy(&req.gr_group, ai->ai_addr, ai->ai_addrlen);
	if (setsockopt(fd, ai->ai_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP,
		       &req, sizeof(req)) < 0)
		die("MCAST_JOIN_GROUP");
	freeaddrinfo(ai);
}

static int flow_receive(const char *port, const char *group, const char *iface)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)atoi(port))};
	uint64_t received = 0, dup = 0, reorder = 0, first = 0, last = 0, total = 0, highest = 0;
	int64_t before = 0, gap = 0;
	char lost[24] = "unended";
	bool ended = false;
	int off = 0, buffer = 4 << 20;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct packet p;

	if (fd < 0)
		die("socket");
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		die("IPV6_V6ONLY");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		die("bind");
	if (group)
		join(fd, group, iface);
	fprintf(stderr, "ready\n");

	while (!stopped) {
		ssize_t n = recv(fd, &p, sizeof(p), 0);
		int64_t t;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("recv");
		if ((size_t)n < HEADER_LEN || memcmp(p.canary, CANARY, sizeof(CANARY)) != 0)
			continue;
		if (p.kind == KIND_END) {
			total = p.seq;
			ended = true;
			continue;
		}
		if (seen_before(p.seq)) {
			dup++;
			continue;
		}
		t = now_ns();
		if (received == 0)
			first = p.seq;
		else if (t - before > gap)
			gap = t - before;
		if (received != 0 && p.seq < highest)
			reorder++;
		if (p.seq > highest)
			highest = p.seq;
		before = t;
		last = p.seq;
		received++;
	}
	if (ended)
		snprintf(lost, sizeof(lost), "%llu", (unsigned long long)(total - received));
	else if (received > 0)
		total = highest + 1;
	printf("received=%llu lost=%s dup=%llu reorder=%llu maxgap_ms=%lld first=%llu last=%llu\n",
	       (unsigned long long)received, lost, (unsigned long long)dup,
	       (unsigned long long)reorder, (long long)(gap / 1000000), (unsigned long long)first,
	       (unsigned long long)last);
	print_holes(total);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_signal};

	/* no SA_RESTART: recv() and clock_nanosleep() shall end */
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);

	if ((argc == 5 || argc == 6) && strcmp(argv[1], "-s") == 0) {
		double rate = atof(argv[4]);
		size_t len = argc == 6 ? strtoul(argv[5], NULL, 10) : 100;

		if (rate > 0 && len >= HEADER_LEN && len <= sizeof(struct packet))
			return flow_send(argv[2], argv[3], rate, len);
	}
	if ((argc == 3 || argc == 5) && strcmp(argv[1], "-r") == 0)
		return flow_receive(argv[2], argc == 5 ? argv[3] : NULL, argv[argc - 1]);
	fprintf(stderr, "usage: udpflow -s ADDR PORT RATE [LENGTH] | -r PORT [GROUP IFACE]\n");
	return 2;
}
