/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's answers and notifications, as any bytes, through lib/nl into everything that reads them: dumps, single gets,
 * acks, events of rtnetlink, XFRM and nf_tables, and the guard's table as libnftables prints it. The system calls that lib/nl
 * makes, and libnftables, are replaced (netlink.wrap).
 *
 * The first byte chooses what is asked. Then datagrams: two bytes of length, one that says what is odd about it, and its bytes.
 * Sequence numbers are counted from that of the request, or no answer would ever be one. What lies behind a datagram in the
 * buffer is poisoned, so that a step too far shows. When the input is at its end a dump ends well, and time passes.
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gre/addr.h"
#include "gre/events.h"
#include "gre/link.h"
#include "gre/mpls.h"
#include "gre/route.h"
#include "gre/vrf.h"
#include "guard/guard.h"
#include "lib/nl.h"
#include "xfrm/events.h"

enum odd {
	ODD_SEQ = 1, /* the sequence numbers stay as they are */
	ODD_SENDER = 2, /* another process sent it */
	ODD_LONG = 4, /* longer than the buffer */
	ODD_ERROR = 8, /* no datagram: the call fails */
};

static struct {
	const uint8_t *at, *end;
	uint32_t seq; /* of the first message sent last */
	bool ended; /* the end of the dump was told */
	uint64_t ms;
	void *poisoned;
	size_t n_poisoned;
} kernel;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The system */

ssize_t __wrap_recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *sa,
			socklen_t *len);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned groups, pid_t pid);
int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl);
int __wrap_mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len);
ssize_t __wrap_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
		      socklen_t to_size);
int __wrap_mnl_socket_close(struct mnl_socket *nl);

static void unpoison(void)
{
	if (kernel.poisoned)
		__asan_unpoison_memory_region(kernel.poisoned, kernel.n_poisoned);
	kernel.poisoned = NULL;
}

static void poison_behind(void *buf, size_t used, size_t size)
{
	kernel.poisoned = buf;
	kernel.n_poisoned = size;
	__asan_poison_memory_region((char *)buf + used, size - used);
}

static void seq_count_from(void *buf, size_t size)
{
	struct nlmsghdr *nlh = buf;

	for (int left = (int)size; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		nlh->nlmsg_seq += kernel.seq;
}

static ssize_t dump_end(void *buf)
{
	struct nlmsghdr *nlh = buf;

	memset(nlh, 0, sizeof(*nlh) + 4);
	nlh->nlmsg_len = sizeof(*nlh) + 4;
	nlh->nlmsg_type = NLMSG_DONE;
	nlh->nlmsg_flags = NLM_F_MULTI;
	nlh->nlmsg_seq = kernel.seq;
	kernel.ended = true;
	return nlh->nlmsg_len;
}

static ssize_t failure(uint8_t which)
{
	static const int errors[] = {EAGAIN, EINTR, ENOBUFS, ENOMEM};

	errno = errors[which % 4];
	return -1;
}

static ssize_t take_datagram(void *buf, size_t room, struct sockaddr_nl *from)
{
	if (kernel.end - kernel.at < 3) {
		kernel.at = kernel.end;
		return kernel.ended ? failure(0) : dump_end(buf);
	}
	size_t size = (size_t)kernel.at[0] << 8 | kernel.at[1];
	uint8_t odd = kernel.at[2];

	kernel.at += 3;
	if (odd & ODD_ERROR)
		return failure(odd >> 4);
	if (size > (size_t)(kernel.end - kernel.at))
		size = (size_t)(kernel.end - kernel.at);
	if (size > room)
		size = room;
	memcpy(buf, kernel.at, size);
	kernel.at += size;
	from->nl_pid = odd & ODD_SENDER ? 4711 : 0;
	if (!(odd & ODD_SEQ))
		seq_count_from(buf, size);
	return odd & ODD_LONG ? (ssize_t)room + 1 : (ssize_t)size;
}

ssize_t __wrap_recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *sa,
			socklen_t *len)
{
	(void)fd, (void)flags, (void)len;
	unpoison();
	ssize_t n = take_datagram(buf, size, (struct sockaddr_nl *)sa);
	if (n >= 0 && (size_t)n <= size)
		poison_behind(buf, (size_t)n, size);
	return n;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	(void)n;
	kernel.ms += (uint64_t)ms;
	fds[0].revents = 0;
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	*ts = (struct timespec){.tv_sec = (time_t)(kernel.ms / 1000),
				.tv_nsec = (long)(kernel.ms % 1000) * 1000000};
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)fd, (void)level, (void)name, (void)value, (void)len;
	return 0;
}

struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags)
{
	(void)bus, (void)flags;
	return (struct mnl_socket *)&kernel;
}

int __wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned groups, pid_t pid)
{
	(void)nl, (void)groups, (void)pid;
	return 0;
}

int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return 1000;
}

int __wrap_mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	(void)nl, (void)type, (void)buf, (void)len;
	return 0;
}

/* What is sent is whole, whatever came before. */
ssize_t __wrap_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
		      socklen_t to_size)
{
	const struct nlmsghdr *nlh = buf;
	int left = (int)len;

	require(fd == 1000 && !flags && to->sa_family == AF_NETLINK);
	require(to_size == sizeof(struct sockaddr_nl));
	kernel.seq = nlh->nlmsg_seq;
	for (; left > 0; nlh = mnl_nlmsg_next(nlh, &left))
		require(nl_message_ok(nlh, left));
	return (ssize_t)len;
}

int __wrap_mnl_socket_close(struct mnl_socket *nl)
{
	(void)nl;
	unpoison();
	return 0;
}

/* libnftables: what it prints is the input's rest. */

static struct {
	char *text;
	bool fails;
} nft;

struct nft_ctx *__wrap_nft_ctx_new(uint32_t flags);
void __wrap_nft_ctx_free(struct nft_ctx *ctx);
int __wrap_nft_ctx_buffer_output(struct nft_ctx *ctx);
int __wrap_nft_ctx_buffer_error(struct nft_ctx *ctx);
void __wrap_nft_ctx_output_set_flags(struct nft_ctx *ctx, unsigned flags);
void __wrap_nft_ctx_set_dry_run(struct nft_ctx *ctx, bool dry);
int __wrap_nft_run_cmd_from_buffer(struct nft_ctx *ctx, const char *command);
const char *__wrap_nft_ctx_get_output_buffer(struct nft_ctx *ctx);
const char *__wrap_nft_ctx_get_error_buffer(struct nft_ctx *ctx);

struct nft_ctx *__wrap_nft_ctx_new(uint32_t flags)
{
	(void)flags;
	return (struct nft_ctx *)&nft;
}

void __wrap_nft_ctx_free(struct nft_ctx *ctx)
{
	(void)ctx;
}

int __wrap_nft_ctx_buffer_output(struct nft_ctx *ctx)
{
	(void)ctx;
	return 0;
}

int __wrap_nft_ctx_buffer_error(struct nft_ctx *ctx)
{
	(void)ctx;
	return 0;
}

void __wrap_nft_ctx_output_set_flags(struct nft_ctx *ctx, unsigned flags)
{
	(void)ctx, (void)flags;
}

void __wrap_nft_ctx_set_dry_run(struct nft_ctx *ctx, bool dry)
{
	(void)ctx, (void)dry;
}

int __wrap_nft_run_cmd_from_buffer(struct nft_ctx *ctx, const char *command)
{
	(void)ctx;
	require(command);
	return nft.fails ? -1 : 0;
}

const char *__wrap_nft_ctx_get_output_buffer(struct nft_ctx *ctx)
{
	(void)ctx;
	return nft.fails ? NULL : nft.text;
}

const char *__wrap_nft_ctx_get_error_buffer(struct nft_ctx *ctx)
{
	(void)ctx;
	return nft.fails ? nft.text : NULL;
}

#include "tests/fuzz/netlink_ask.h"

static void (*const asks[])(struct nl *nl) = {
	ask_link_dump,	ask_link_get,	 ask_addr_dump,	 ask_addr_first,  ask_path,
	ask_route_dump, ask_mpls,	 ask_vrf,	 ask_policy,	  ask_policy_get,
	ask_sa_dump,	ask_sa,		 ask_gre_events, ask_xfrm_events, ask_guard_events,
	ask_batch,	ask_guard_table, ask_probe,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl *nl;

	if (size == 0)
		return 0;
	memset(&kernel, 0, sizeof(kernel));
	kernel.at = data + 1;
	kernel.end = data + size;
	require(nl_open(&nl, NETLINK_ROUTE) == 0);
	asks[*data % (sizeof(asks) / sizeof(*asks))](nl);
	nl_close(nl);
	return 0;
}
