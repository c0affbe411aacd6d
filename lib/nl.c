/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink sockets over libmnl (netlink(7), Linux Documentation/userspace-api/netlink).
 *
 * A socket is opened with nl_open; then nl_request and nl_query ask, and nl_receive reads events.
 * The kernel works on a request while it is sent, so its answers wait in the socket afterwards;
 * they are matched by sequence number, and a deadline bounds the wait for one that got lost.
 * Neighbours: lib/nl_batch.c sends many at once, lib/nl_attr.c reads attributes, gre/ and xfrm/
 * build and parse the messages.
 */
#include "lib/nl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/nl_exchange.h"

#define NL_BUF_SIZE 32768 /* netlink_dump fills up to 32 KiB when the reader offers that */
#define NL_RCVBUF (1 << 20)
#define NL_DEADLINE_MS 5000
#define NL_DUMP_TRIES 5

struct nl {
	struct mnl_socket *sock;
	int fd;
	uint32_t seq;
	_Alignas(8) unsigned char buf[NL_BUF_SIZE];
};

struct query {
	mnl_cb_t cb;
	void *user;
	uint32_t seq;
	bool done, interrupted, stopped;
	int err;
};

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Size of one datagram from the kernel in nl->buf; 0 when another process sent it. */
static ssize_t datagram_read(struct nl *nl)
{
	struct sockaddr_nl from = {0};
	socklen_t from_size = sizeof(from);
	ssize_t n = recvfrom(nl->fd, nl->buf, sizeof(nl->buf), MSG_TRUNC, (struct sockaddr *)&from,
			     &from_size);

	if (n < 0)
		return -errno;
	if ((size_t)n > sizeof(nl->buf)) {
		explicit_bzero(nl->buf, sizeof(nl->buf));
		return -EMSGSIZE;
	}
	if (from.nl_pid != 0) {
		explicit_bzero(nl->buf, (size_t)n);
		return 0;
	}
	return n;
}

/* 0 when it is worth another try; -ETIMEDOUT when the time is over. */
static int datagram_wait(const struct nl *nl, short events, int64_t deadline)
{
	struct pollfd pfd = {.fd = nl->fd, .events = events};
	int64_t left = deadline - clock_ms();

	if (left <= 0)
		return -ETIMEDOUT;
	if (poll(&pfd, 1, (int)left) < 0 && errno != EINTR && errno != EAGAIN)
		return -errno;
	return 0;
}

static ssize_t datagram_await(struct nl *nl)
{
	int64_t deadline = clock_ms() + NL_DEADLINE_MS;

	for (;;) {
		ssize_t n = datagram_read(nl);

		if (n != -EAGAIN && n != -EINTR && n != 0)
			return n;
		int err = datagram_wait(nl, POLLIN, deadline);
		if (err)
			return err;
	}
}

static int datagram_send(struct nl *nl, const void *bytes, size_t size)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int64_t deadline = clock_ms() + NL_DEADLINE_MS;

	for (;;) {
		ssize_t n = sendto(nl->fd, bytes, size, 0, (const struct sockaddr *)&kernel,
				   sizeof(kernel));

		if (n >= 0)
			return (size_t)n == size ? 0 : -EIO;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
		int err = datagram_wait(nl, POLLOUT, deadline);
		if (err)
			return err;
	}
}

static int option_set(struct nl *nl, int option)
{
	int on = 1;

	return mnl_socket_setsockopt(nl->sock, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int options_set(struct nl *nl, int bus)
{
	int err = option_set(nl, NETLINK_EXT_ACK);

	if (!err)
		err = option_set(nl, NETLINK_CAP_ACK);
	if (!err && bus == NETLINK_ROUTE)
		err = option_set(nl, NETLINK_GET_STRICT_CHK);
	return err;
}

static int rcvbuf_set(struct nl *nl, size_t bytes)
{
	int size = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;

	if (setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == 0)
		return 0;
	return setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0 ? -errno : 0;
}

/* The extended ack follows the request's copy, which a capped ack leaves out (kernel af_netlink.c
 * netlink_ack). */
static void ack_text_read(const struct nlmsghdr *nlh, const struct nlmsgerr *e, struct nl_ack *ack)
{
	static const struct nl_attr_spec spec[] = {{NLMSGERR_ATTR_MSG, 1}};
	const struct nlattr *slot[NLMSGERR_ATTR_MSG + 1];
	size_t size = sizeof(*e);

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && e->error && e->msg.nlmsg_len > sizeof(e->msg))
		size += e->msg.nlmsg_len - sizeof(e->msg);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    !nl_attrs_parse(nlh, size, spec, 1, slot, NLMSGERR_ATTR_MSG))
		return;
	nl_attr_text(slot[NLMSGERR_ATTR_MSG], ack->text, sizeof(ack->text));
}

/* An errno goes to 4095 (kernel err.h MAX_ERRNO); what is beyond is none, and the least int cannot be negated. */
static int code_errno(int32_t code)
{
	return code < -4095 ? -EPROTO : code;
}

static void ack_read(const struct nlmsghdr *nlh, struct nl_ack *ack)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return;
	ack->seen = true;
	ack->err = e->error > 0 ? -EPROTO : code_errno(e->error);
	ack_text_read(nlh, e, ack);
}

/* Marks the acks found in one datagram; returns how many were new. */
static size_t acks_mark(struct nl *nl, ssize_t size, uint32_t first, struct nl_ack *acks, size_t n)
{
	const struct nlmsghdr *nlh = (const void *)nl->buf;
	int left = (int)size;
	size_t fresh = 0;

	for (; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		uint32_t i = nlh->nlmsg_seq - first;

		if (nlh->nlmsg_type != NLMSG_ERROR || i >= n || acks[i].seen)
			continue;
		ack_read(nlh, &acks[i]);
		fresh += acks[i].seen;
	}
	explicit_bzero(nl->buf, (size_t)size);
	return fresh;
}

static int acks_collect(struct nl *nl, uint32_t first, struct nl_ack *acks, size_t n)
{
	size_t seen = 0;

	while (seen < n) {
		ssize_t size = datagram_await(nl);

		if (size < 0)
			return (int)size;
		seen += acks_mark(nl, size, first, acks, n);
	}
	return 0;
}

static void query_deliver(struct query *q, const struct nlmsghdr *nlh)
{
	int ret;

	if (q->interrupted || q->stopped)
		return;
	ret = q->cb(nlh, q->user);
	q->stopped = ret != MNL_CB_OK;
	if (ret < 0)
		q->err = -ECANCELED;
}

/* A failed dump says so in the payload of its NLMSG_DONE (kernel netlink_dump_done). */
static void query_end(struct query *q, const struct nlmsghdr *nlh)
{
	int32_t code = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(nlh), sizeof(code));
	q->done = true;
	if (code < 0 && !q->err)
		q->err = code_errno(code);
}

static void query_message(struct query *q, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_seq != q->seq)
		return;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		if (nlh->nlmsg_type == NLMSG_DONE && nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			q->interrupted = true;
		query_end(q, nlh);
	} else if (nlh->nlmsg_type >= NLMSG_MIN_TYPE) {
		q->interrupted |= (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		query_deliver(q, nlh);
	}
}

/* Reads to the end even when the caller has had enough: an unread dump makes the next one fail with
 * -EBUSY. */
static int query_run(struct nl *nl, struct nlmsghdr *nlh, struct query *q)
{
	int err;

	nlh->nlmsg_seq = q->seq = ++nl->seq;
	nlh->nlmsg_pid = 0;
	err = datagram_send(nl, nlh, nlh->nlmsg_len);
	while (!err && !q->done) {
		ssize_t size = datagram_await(nl);
		const struct nlmsghdr *answer = (const void *)nl->buf;
		int left = (int)size;

		if (size < 0)
			return (int)size;
		for (; nl_message_ok(answer, left); answer = mnl_nlmsg_next(answer, &left))
			query_message(q, answer);
		explicit_bzero(nl->buf, (size_t)size);
	}
	return err;
}

int nl_open(struct nl **out, int bus)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int err;

	if (!nl)
		return -ENOMEM;
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->sock) {
		err = -errno;
		free(nl);
		return err;
	}
	nl->fd = mnl_socket_get_fd(nl->sock);
	err = mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : options_set(nl, bus);
	if (!err)
		err = rcvbuf_set(nl, NL_RCVBUF);
	if (err) {
		nl_close(nl);
		return err;
	}
	*out = nl;
	return 0;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	mnl_socket_close(nl->sock);
	explicit_bzero(nl->buf, sizeof(nl->buf));
	free(nl);
}

int nl_fd(const struct nl *nl)
{
	return nl->fd;
}

int nl_listen(struct nl *nl, size_t rcvbuf, const unsigned *groups, size_t n_groups)
{
	int err = rcvbuf_set(nl, rcvbuf);

	for (size_t i = 0; !err && i < n_groups; i++) {
		int group = (int)groups[i];

		if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
		    0)
			err = -errno;
	}
	return err;
}

int nl_receive(struct nl *nl, mnl_cb_t cb, void *user, unsigned max)
{
	for (unsigned seen = 0; seen < max;) {
		ssize_t size = datagram_read(nl);
		const struct nlmsghdr *nlh = (const void *)nl->buf;
		int left = (int)size, ret = MNL_CB_OK;

		seen += size == -EINTR || size == 0;
		if (size == -EINTR)
			continue;
		if (size < 0)
			return size == -EAGAIN ? 0 : (int)size;
		for (; ret >= 0 && nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_type >= NLMSG_MIN_TYPE)
				ret = cb(nlh, user);
			seen++;
		}
		explicit_bzero(nl->buf, (size_t)size);
		if (ret < 0)
			return -ECANCELED;
	}
	return 1;
}

/* Numbered only at sending, so that a late ack of an earlier request matches nothing. */
int nl_exchange(struct nl *nl, struct nlmsghdr *first, size_t bytes, size_t n, struct nl_ack *acks)
{
	uint32_t base = nl->seq + 1;
	struct nlmsghdr *nlh = first;
	int left = (int)bytes;
	int err;

	for (; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		nlh->nlmsg_seq = ++nl->seq;
		nlh->nlmsg_pid = 0;
	}
	err = datagram_send(nl, first, bytes);
	if (!err)
		err = acks_collect(nl, base, acks, n);
	for (size_t i = 0; i < n; i++)
		if (!acks[i].seen)
			acks[i].err = err;
	return err;
}

const char *nl_ack_text(const struct nl_ack *ack)
{
	return ack->text[0] ? ack->text : strerror(-ack->err);
}

int nl_request(struct nl *nl, struct nlmsghdr *nlh, char *text, size_t text_size)
{
	struct nl_ack ack = {0};

	nlh->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	nl_exchange(nl, nlh, nlh->nlmsg_len, 1, &ack);
	if (text && text_size) {
		size_t len = strnlen(nl_ack_text(&ack), text_size - 1);

		memcpy(text, nl_ack_text(&ack), len);
		text[len] = '\0';
	}
	return ack.err;
}

/*
 * An answer that was not read to its end, for the socket failed, keeps the kernel from beginning another dump (-EBUSY, kernel
 * __netlink_dump_start). It goes on with it at each read.
 */
static void query_drain(struct nl *nl)
{
	int64_t deadline = clock_ms() + NL_DEADLINE_MS;
	ssize_t n;

	do {
		n = datagram_read(nl);
		if (n > 0)
			explicit_bzero(nl->buf, (size_t)n);
	} while (n != -EAGAIN && clock_ms() < deadline);
}

int nl_query(struct nl *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void (*restart)(void *user),
	     void *user)
{
	bool dump = (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int err = -EINTR;

	nlh->nlmsg_flags |= NLM_F_REQUEST | (dump ? 0 : NLM_F_ACK);
	for (unsigned i = 0; i < NL_DUMP_TRIES; i++) {
		struct query q = {.cb = cb, .user = user};

		err = query_run(nl, nlh, &q);
		if (!err)
			err = q.err;
		if (dump && err == -EBUSY)
			query_drain(nl);
		else if (err || !q.interrupted || q.stopped)
			return err;
		if (restart)
			restart(user);
	}
	return err ? err : -EINTR;
}
