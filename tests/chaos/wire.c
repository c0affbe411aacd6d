// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chaos run's wire: packet sockets on all interfaces of a node between the gateways, and every frame that comes in looked at (wire_read): GRE
 * (RFC 2784, 2890) in clear, but with an allowed key, and a canary that can be read anywhere in it. Nothing is stored but
 * the offending frames.
 */
#include "tests/chaos/watch.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BUFFER (128 << 20)
#define FRAMES_AT_ONCE 256
#define KEPT_MAX 500
#define GRE_CHECKSUM 0x80
#define GRE_KEY 0x20
#define MAX_WIRES 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t n_clear, n_canary;
static uint32_t allowed[8];
static unsigned n_allowed;
static int wires[MAX_WIRES];
static unsigned n_wires;
static FILE *kept;
static unsigned n_kept;

void wire_allow(uint32_t key)
{
	if (n_allowed == sizeof(allowed) / sizeof(allowed[0]))
		watch_die("too many keys");
	allowed[n_allowed++] = key;
}

void wire_keep(const char *path)
{
	/* pcap's header: magic, version 2.4, no zone, snap length, LINKTYPE_ETHERNET */
	static const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};

	kept = fopen(path, "we");
	if (!kept || fwrite(header, sizeof(header), 1, kept) != 1)
		watch_die(path);
}

int wire_open(const struct node *node)
{
	int buffer = BUFFER, on = 1, fd;

	if (n_wires == MAX_WIRES)
		watch_die("too many wires");
	watch_enter(node);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	watch_enter(NULL);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
		watch_die("packet socket");
	/* what goes out here has come in, or quotes what has */
	(void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	wires[n_wires++] = fd;
	return fd;
}

/* p: a GRE header */
static bool gre_allowed(const unsigned char *p, size_t len)
{
	size_t at = len > 0 && p[0] & GRE_CHECKSUM ? 8 : 4;
	uint32_t key;

	if (len < at + 4 || !(p[0] & GRE_KEY))
		return false;
	memcpy(&key, p + at, 4);
	for (unsigned i = 0; i < n_allowed; i++)
		if (ntohl(key) == allowed[i])
			return true;
	return false;
}

static bool is_clear4(const unsigned char *p, size_t len)
{
	size_t header = len >= 20 ? (size_t)(p[0] & 15) * 4 : 0;

	return header >= 20 && header <= len && p[9] == IPPROTO_GRE &&
	       !gre_allowed(p + header, len - header);
}

static bool is_clear6(const unsigned char *p, size_t len)
{
	size_t at = 40;
	uint8_t next = len >= at ? p[6] : IPPROTO_NONE;

	for (int i = 0; i < 8 && len >= at + 8; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_FRAGMENT && next != IPPROTO_DSTOPTS)
			break;
		size_t size = next == IPPROTO_FRAGMENT ? 8 : ((size_t)p[at + 1] + 1) * 8;

		next = p[at];
		at += size;
	}
	return next == IPPROTO_GRE && (at >= len || !gre_allowed(p + at, len - at));
}

static void keep(const unsigned char *frame, size_t len)
{
	uint32_t head[4] = {(uint32_t)time(NULL), 0, (uint32_t)len, (uint32_t)len};

	if (!kept || n_kept++ >= KEPT_MAX)
		return;
	(void)fwrite(head, sizeof(head), 1, kept);
	(void)fwrite(frame, len, 1, kept);
	fflush(kept);
}

static void look(const unsigned char *frame, size_t len)
{
	bool clear = false, canary = memmem(frame, len, CHAOS_CANARY, strlen(CHAOS_CANARY));
	uint16_t type;

	if (len < ETH_HLEN)
		return;
	memcpy(&type, frame + 12, 2);
	if (type == htons(ETH_P_IP))
		clear = is_clear4(frame + ETH_HLEN, len - ETH_HLEN);
	if (type == htons(ETH_P_IPV6))
		clear = is_clear6(frame + ETH_HLEN, len - ETH_HLEN);
	if (!clear && !canary)
		return;
	keep(frame, len);
	pthread_mutex_lock(&lock);
	n_clear += clear;
	n_canary += canary;
	pthread_mutex_unlock(&lock);
}

void wire_read(int fd)
{
	static unsigned char frame[65536];

	for (int i = 0; i < FRAMES_AT_ONCE; i++) {
		ssize_t n = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);

		if (n <= 0)
			return;
		look(frame, (size_t)n);
	}
}

void wire_take(uint64_t *clear, uint64_t *canary, uint64_t *dropped)
{
	*dropped = 0;
	for (unsigned i = 0; i < n_wires; i++) {
		struct tpacket_stats stats;
		socklen_t size = sizeof(stats);

		/* the kernel's count begins anew with each look */
		if (getsockopt(wires[i], SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
			*dropped += stats.tp_drops;
	}
	pthread_mutex_lock(&lock);
	*clear = n_clear;
	*canary = n_canary;
	n_clear = n_canary = 0;
	pthread_mutex_unlock(&lock);
}
