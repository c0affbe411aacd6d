/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's hands: a libnftables context (guard_open) that runs the commands of guard/ruleset.c
 * as transactions (guard_run) and reads the table as JSON for guard/parse.c (guard_read). The only
 * user of libnftables(3), whose reads and questions pass here too (mnl_socket_recvfrom, mnl_socket_sendto). What changed is told by
 * guard/events.c.
 */
#include "guard/guard.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/nl.h"

#define TRIES 8
#define DRAIN_MAX 65536 /* datagrams */

struct guard {
	struct nft_ctx *nft;
	struct nl *nl;
};

static ssize_t datagram_read(int fd, void *buf, size_t size)
{
	struct iovec iov = {.iov_base = buf, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(fd, &msg, 0);

	if (n < 0)
		return -errno;
	return msg.msg_flags & MSG_TRUNC ? -ENOSPC : n;
}

static void drain(int fd)
{
	char byte;
	int nothing = 0;

	for (int i = 0; i < DRAIN_MAX && nothing < 2; i++)
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0)
			nothing++;
}

/*
 * How libnftables reads from the kernel and asks it: these two stand before libmnl's, and return as they do. Nobody else uses them
 * (lib/nl.c reads and sends for itself).
 *
 * libnftables 1.0.6 goes on after a read or a question that failed (mnl_genid_get, nft_cache_init): it takes the answer it left behind
 * for that of its next question, or has nothing where something must be, and so ends the process. What fails a netlink socket passes:
 * memory that was short (ENOBUFS, ENOMEM), a signal; a dump goes on at the next read (kernel netlink_recvmsg). So it is tried again.
 * When that does not help, what waits is thrown away, so that it answers nothing. The socket does not block, and the kernel has answered
 * when a question has been sent (netlink_unicast_kernel): nothing to read is so when it is so twice.
 */
ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	int fd = mnl_socket_get_fd(nl);
	unsigned nothing = 0;
	ssize_t n = 0;

	for (int i = 0; i < TRIES && nothing < 2; i++) {
		n = datagram_read(fd, buf, size);
		if (n >= 0)
			return n;
		nothing += n == -EAGAIN;
	}
	drain(fd);
	errno = (int)-n;
	return -1;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t size)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n = -1;

	for (int i = 0; i < TRIES && n < 0; i++)
		n = sendto(mnl_socket_get_fd(nl), buf, size, 0, (const struct sockaddr *)&kernel,
			   sizeof(kernel));
	return n;
}

/* nftables' text goes on with the command and carets; its first line says what is wrong. */
static void error_line(const char *text, char *err, size_t size)
{
	size_t n = 0;

	if (!size)
		return;
	while (text && *text == '\n')
		text++;
	if (!text || !*text)
		text = "nftables failed without a reason";
	for (; *text && *text != '\n' && n + 1 < size; text++)
		err[n++] = (unsigned char)*text < ' ' ? ' ' : *text;
	err[n] = '\0';
}

/*
 * libnftables keeps what it read of the ruleset, 1.5 KiB a pair, and reads it through at the next
 * run; a dry run of nothing drops it (1.0.6, nft_run_cmd_from_buffer: cache_release).
 */
static void forget(struct guard *g)
{
	nft_ctx_set_dry_run(g->nft, true);
	nft_run_cmd_from_buffer(g->nft, "");
	nft_ctx_set_dry_run(g->nft, false);
}

static struct nft_ctx *context_new(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (nft && (nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))) {
		nft_ctx_free(nft);
		return NULL;
	}
	return nft;
}

/*
 * After a failure: what libnftables 1.0.6 did not read of a dump it takes for the next one's, and asserts. It ends the process
 * when it gets no socket, so whether there is one is asked before.
 */
static void renew(struct guard *g)
{
	struct nl *free_socket;
	struct nft_ctx *fresh;

	if (nl_open(&free_socket, NETLINK_NETFILTER))
		return;
	nl_close(free_socket);
	fresh = context_new();
	if (!fresh)
		return;
	nft_ctx_free(g->nft);
	g->nft = fresh;
}

/* *out is libnftables', until the next run. */
static int query(struct guard *g, const char *command, const char **out, char *err, size_t err_size)
{
	nft_ctx_output_set_flags(g->nft, NFT_CTX_OUTPUT_JSON);
	int failed = nft_run_cmd_from_buffer(g->nft, command);
	const char *error = nft_ctx_get_error_buffer(g->nft);

	*out = nft_ctx_get_output_buffer(g->nft);
	if (!failed && *out)
		return 0;
	error_line(error, err, err_size);
	renew(g);
	return -EIO;
}

static int table_seen(const struct nlmsghdr *nlh, void *user)
{
	bool *present = user;

	if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWTABLE)
		*present = true;
	return MNL_CB_OK;
}

/*
 * Asked of the kernel itself: a failed `list table` says only in words for people that it is
 * absent, and `list tables` as JSON makes libnftables 1.0.6 fetch every rule and element of
 * everybody.
 */
static int presence(struct guard *g, bool *present, char *err, size_t err_size)
{
	_Alignas(8) unsigned char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));

	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE;
	header->nfgen_family = NFPROTO_INET;
	header->version = NFNETLINK_V0;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, GUARD_TABLE);
	*present = false;
	int rc = nl_query(g->nl, nlh, table_seen, NULL, present);

	if (!rc || rc == -ENOENT)
		return 0;
	error_line(strerrordesc_np(-rc), err, err_size);
	return rc;
}

int guard_open(struct guard **out)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	int rc = nl_open(&g->nl, NETLINK_NETFILTER);

	if (rc) {
		free(g);
		return rc;
	}
	g->nft = context_new();
	if (!g->nft) {
		guard_close(g);
		return -ENOMEM;
	}
	*out = g;
	return 0;
}

void guard_close(struct guard *g)
{
	if (!g)
		return;
	if (g->nft)
		nft_ctx_free(g->nft);
	nl_close(g->nl);
	free(g);
}

int guard_run(struct guard *g, const char *commands, char *err, size_t err_size)
{
	if (!commands) {
		error_line("no commands", err, err_size);
		return -EINVAL;
	}
	/* With the JSON flag set libnftables would first try to read the commands as JSON. */
	nft_ctx_output_set_flags(g->nft, 0);
	int failed = nft_run_cmd_from_buffer(g->nft, commands);
	const char *error = nft_ctx_get_error_buffer(g->nft);

	nft_ctx_get_output_buffer(g->nft);
	if (failed) {
		error_line(error, err, err_size);
		renew(g);
		return -EIO;
	}
	forget(g);
	return 0;
}

int guard_read(struct guard *g, struct guard_state *out, char *err, size_t err_size)
{
	const char *json;
	bool present = false;
	int rc = presence(g, &present, err, err_size);

	*out = (struct guard_state){0};
	if (rc || !present)
		return rc;
	rc = query(g, "list table inet " GUARD_TABLE, &json, err, err_size);
	if (!rc) {
		/* libnftables 1.0.6 ends its JSON in the middle when the table is dormant. */
		if (!guard_parse(json, out)) {
			rc = errno == ENOMEM ? -ENOMEM : 0;
			out->present = !rc;
		}
		if (rc)
			error_line(strerrordesc_np(-rc), err, err_size);
		forget(g);
		return rc;
	}
	/* It may have gone between the two questions. */
	if (!presence(g, &present, NULL, 0) && !present)
		return 0;
	return rc;
}
