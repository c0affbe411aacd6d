// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chaos run's flows: numbered UDP packets through each tunnel, 10 a second each way. One thread (flow_start) sends and
 * receives them all and reads the wires; what was lost between two marks is known without ending anything. A standstill of the
 * machine makes packets late, not lost: nothing is sent in it either.
 */
#include "tests/chaos/watch.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_FLOWS 32
#define EVERY_MS 100
#define LENGTH 120 /* bytes of UDP payload */
#define IN_FLIGHT_MS 5000 /* a packet that is not there by then is lost */

struct packet {
	uint64_t seq;
	char fill[LENGTH - 8];
};

struct flow {
	char name[32];
	int out, in;
	struct sockaddr_storage to;
	socklen_t to_len;
	struct packet packet;
	uint64_t next; /* to be sent */
	uint64_t from; /* where the window begins */
	uint64_t asked; /* flow_ask: next of then */
	uint64_t above; /* one more than the highest that came */
	unsigned char *seen;
	uint64_t room;
};

static struct flow flows[MAX_FLOWS];
static unsigned n_flows;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int poller;

static int bound(const struct node *node, const char *addr, const char *port,
		 struct sockaddr_storage *sa, socklen_t *len)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV},
			*ai;
	int buffer = 4 << 20, fd;

	if (getaddrinfo(addr, port, &hints, &ai) != 0)
		watch_die(addr);
	watch_enter(node);
	fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	watch_enter(NULL);
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		watch_die(addr);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	memcpy(sa, ai->ai_addr, ai->ai_addrlen);
	*len = ai->ai_addrlen;
	freeaddrinfo(ai);
	return fd;
}

void flow_add(const char *name, const struct node *from, const char *src, const struct node *to,
	      const char *dst, bool canary)
{
	struct flow *f = &flows[n_flows];
	const char *fill = canary ? CHAOS_CANARY : "IN-CLEAR-";
	struct sockaddr_storage own;
	socklen_t own_len;
	char port[8];

	if (n_flows == MAX_FLOWS)
		watch_die("too many flows");
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(port, sizeof(port), "%u", 7100 + n_flows);
	for (size_t i = 0; i < sizeof(f->packet.fill); i++)
		f->packet.fill[i] = fill[i % strlen(fill)];
	f->in = bound(to, dst, port, &f->to, &f->to_len);
	f->out = bound(from, src, port, &own, &own_len);
	n_flows++;
}

static void flow_came(struct flow *f, uint64_t seq)
{
	if (seq >= f->next)
		return;
	if (seq >= f->room) {
		uint64_t more = (seq + 1000) * 2;
		unsigned char *p = realloc(f->seen, more);

		if (!p)
			watch_die("memory");
		memset(p + f->room, 0, more - f->room);
		f->seen = p;
		f->room = more;
	}
	f->seen[seq] = 1;
	if (seq >= f->above)
		f->above = seq + 1;
}

static void flow_receive(struct flow *f)
{
	struct packet p;

	while (recv(f->in, &p, sizeof(p), MSG_DONTWAIT) == (ssize_t)sizeof(p))
		flow_came(f, p.seq);
}

/* An error, as of a missing route, is a lost packet. */
static void flow_send_all(void)
{
	for (unsigned i = 0; i < n_flows; i++) {
		struct flow *f = &flows[i];

		f->packet.seq = f->next++;
		if (sendto(f->out, &f->packet, sizeof(f->packet), MSG_DONTWAIT,
			   (struct sockaddr *)&f->to, f->to_len) < 0)
			(void)recv(f->out, (char[1]){0}, 1,
				   MSG_DONTWAIT); /* a pending ICMP error */
	}
}

static void *flow_thread(void *user)
{
	int timer = *(int *)user;

	for (;;) {
		struct epoll_event ev[16];
		int n = epoll_wait(poller, ev, 16, -1);
		uint64_t ticks;

		for (int i = 0; i < n; i++) {
			int fd = (int)(uint32_t)ev[i].data.u64;
			unsigned kind = (unsigned)(ev[i].data.u64 >> 32);

			if (kind == 0) {
				wire_read(fd);
				continue;
			}
			pthread_mutex_lock(&lock);
			if (fd != timer)
				flow_receive(&flows[kind - 1]);
			else if (read(timer, &ticks, sizeof(ticks)) > 0)
				flow_send_all();
			pthread_mutex_unlock(&lock);
		}
	}
	return NULL;
}

static void poll_add(int fd, unsigned kind)
{
	struct epoll_event ev = {.events = EPOLLIN,
				 .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd};

	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &ev) < 0)
		watch_die("epoll");
}

void flow_start(const int *wires, unsigned n_wires)
{
	static int timer;
	struct itimerspec every = {.it_interval.tv_nsec = EVERY_MS * 1000000,
				   .it_value.tv_nsec = EVERY_MS * 1000000};
	pthread_t thread;

	poller = epoll_create1(EPOLL_CLOEXEC);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (poller < 0 || timer < 0 || timerfd_settime(timer, 0, &every, NULL) < 0)
		watch_die("timer");
	for (unsigned i = 0; i < n_wires; i++)
		poll_add(wires[i], 0);
	for (unsigned i = 0; i < n_flows; i++)
		poll_add(flows[i].in, i + 1);
	poll_add(timer, MAX_FLOWS + 1);
	if (pthread_create(&thread, NULL, flow_thread, &timer) != 0)
		watch_die("thread");
}

void flow_mark(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < n_flows; i++)
		flows[i].from = flows[i].next;
	pthread_mutex_unlock(&lock);
}

void flow_ask(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < n_flows; i++)
		flows[i].asked = flows[i].next;
	pthread_mutex_unlock(&lock);
}

const char *flow_waits(void)
{
	const char *name = NULL;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < n_flows && !name; i++)
		if (flows[i].above <= flows[i].asked)
			name = flows[i].name;
	pthread_mutex_unlock(&lock);
	return name;
}

static uint64_t flow_lost(const struct flow *f, uint64_t to)
{
	uint64_t lost = 0;

	for (uint64_t i = f->from; i < to; i++)
		lost += i >= f->room || !f->seen[i];
	return lost;
}

/* Does a packet of it count? Not where the fault has cut its tunnel; flows are named by the tunnel and one or two signs more. */
static bool flow_counts(const struct flow *f, const char *const *cut, unsigned n_cut)
{
	size_t length = strcspn(f->name, "<>");

	for (unsigned i = 0; i < n_cut; i++)
		if (strlen(cut[i]) == length && strncmp(cut[i], f->name, length) == 0)
			return false;
	return true;
}

void flow_loss(const char *const *cut, unsigned n_cut, char *out, size_t size)
{
	uint64_t to[MAX_FLOWS], end = watch_ms() + IN_FLIGHT_MS, lost[MAX_FLOWS];
	bool open;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < n_flows; i++)
		to[i] = flows[i].next;
	pthread_mutex_unlock(&lock);
	do {
		usleep(20000);
		open = false;
		pthread_mutex_lock(&lock);
		for (unsigned i = 0; i < n_flows; i++) {
			lost[i] = flow_lost(&flows[i], to[i]);
			open |= lost[i] && flow_counts(&flows[i], cut, n_cut);
		}
		pthread_mutex_unlock(&lock);
	} while (open && watch_ms() < end);

	for (unsigned i = 0; i < n_flows && size > 1; i++) {
		int n = lost[i] ? snprintf(out, size, " %s=%llu", flows[i].name,
					   (unsigned long long)lost[i])
				: 0;

		out += n < (int)size ? n : (int)size - 1;
		size -= n < (int)size ? (size_t)n : size - 1;
	}
	*out = 0;
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < n_flows; i++)
		flows[i].from = to[i];
	pthread_mutex_unlock(&lock);
}
