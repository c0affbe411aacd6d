// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long it takes until gwd has mended what is broken here, from the request that breaks it to the kernel's news that it is whole:
 * nothing is polled, and no process is started in between. `heal` is for many policies, this one for one tunnel.
 *
 *	mend KIND LINK TIMES		KIND: link (deleted, until operationally UP), down (set down), address (deleted), policy (the
 *					out policies deleted one by one: news of as many), flush (all policies), table (the guard's),
 *					states (SAs flushed, until there are two of ours)
 *	mend gwd LINK PID CMD...	kills PID, deletes LINK, starts CMD; until LINK is UP. Prints CMD's pid too.
 *	mend charon LINK PID CMD...	kills PID, starts CMD; until there are two new SAs of ours. Prints CMD's pid too.
 */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <net/if.h>
#include <netinet/in.h>
#include <nftables/libnftables.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "gre/link.h"
#include "xfrm/policy.h"
#include "xfrm/state.h"

#define DEADLINE_MS 60000
#define RCVBUF (16u << 20)
#define PAUSE_US \
	700000 /* gwd reads back and settles; what is changed too often waits for a second */

struct mend {
	const char *link;
	unsigned ifindex;
	struct nl *route, *xfrm;
	long seen, want;
	unsigned char message[512]; /* what was deleted */
	struct nl_batch *deletions;
};

struct kind {
	const char *name;
	int bus;
	unsigned group;
	void (*hurt)(struct mend *m);
	int (*news)(const struct nlmsghdr *nlh, void *mend); /* counts seen */
};

static void request(struct nl *nl, struct nlmsghdr *nlh)
{
	int r = nl_request(nl, nlh, NULL, 0);

	if (r)
		bench_die("request", r);
}

static void on_result(void *user, size_t index, int err, const char *text)
{
	(void)user;
	(void)index;
	if (err)
		bench_die(text, err);
}

static int on_link(const struct nlmsghdr *nlh, void *user)
{
	struct gre_link link;
	struct mend *m = user;

	if (nlh->nlmsg_type == RTM_NEWLINK && gre_link_parse(nlh, &link) && link.up &&
	    strcmp(link.name, m->link) == 0 && link.operstate == IF_OPER_UP)
		m->seen++;
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *nlh, void *user)
{
	const struct ifaddrmsg *a = mnl_nlmsg_get_payload(nlh);
	struct mend *m = user;

	m->seen += nlh->nlmsg_type == RTM_NEWADDR && a->ifa_index == m->ifindex;
	return MNL_CB_OK;
}

static int on_policy(const struct nlmsghdr *nlh, void *user)
{
	struct xfrm_policy p;
	struct mend *m = user;

	if (nlh->nlmsg_type == XFRM_MSG_NEWPOLICY && xfrm_policy_parse(nlh, &p) &&
	    xfrm_policy_ours(&p))
		m->seen++;
	return MNL_CB_OK;
}

static int on_state(const struct nlmsghdr *nlh, void *user)
{
	struct xfrm_sa sa;
	struct mend *m = user;

	/* the inbound one has its SPI first, so it comes as an update */
	if ((nlh->nlmsg_type == XFRM_MSG_NEWSA || nlh->nlmsg_type == XFRM_MSG_UPDSA) &&
	    xfrm_sa_parse(nlh, &sa) && sa.spi && (sa.reqid & ~XFRM_REQID_MASK) == XFRM_REQID_BASE)
		m->seen++;
	return MNL_CB_OK;
}

static int on_table(const struct nlmsghdr *nlh, void *user)
{
	struct mend *m = user;

	m->seen += nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE);
	return MNL_CB_OK;
}

static void hurt_link(struct mend *m)
{
	struct nl_batch *b = nl_batch_new();

	m->want = 1;
	gre_link_put_delete(b, if_nametoindex(m->link));
	if (nl_batch_send(m->route, b, on_result, NULL))
		bench_die("delete link", errno);
	nl_batch_free(b);
}

static void hurt_down(struct mend *m)
{
	struct nl_batch *b = nl_batch_new();

	m->want = 1;
	gre_link_put_up(b, if_nametoindex(m->link), false);
	if (nl_batch_send(m->route, b, on_result, NULL))
		bench_die("set down", errno);
	nl_batch_free(b);
}

static int keep_address(const struct nlmsghdr *nlh, void *user)
{
	const struct ifaddrmsg *a = mnl_nlmsg_get_payload(nlh);
	struct mend *m = user;

	if (a->ifa_index == m->ifindex && nlh->nlmsg_len <= sizeof(m->message))
		memcpy(m->message, nlh, nlh->nlmsg_len);
	return MNL_CB_OK;
}

static void hurt_address(struct mend *m)
{
	_Alignas(8) unsigned char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nlmsghdr *kept = (struct nlmsghdr *)m->message;
	struct ifaddrmsg *a;

	m->ifindex = if_nametoindex(m->link);
	m->want = 1;
	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	a = mnl_nlmsg_put_extra_header(nlh, sizeof(*a));
	a->ifa_family = AF_INET;
	memset(m->message, 0, sizeof(m->message));
	if (nl_query(m->route, nlh, keep_address, NULL, m) || !kept->nlmsg_len)
		bench_die("no address", ENOENT);
	kept->nlmsg_type = RTM_DELADDR;
	kept->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request(m->route, kept);
}

static int put_deletion(void *user, const struct xfrm_policy *p)
{
	struct mend *m = user;

	if (xfrm_policy_ours(p) && p->dir == XFRM_DIR_OUT) {
		xfrm_policy_put_delete(m->deletions, p);
		m->want++;
	}
	return 0;
}

static void hurt_policy(struct mend *m)
{
	m->want = 0;
	m->deletions = nl_batch_new();
	if (xfrm_policy_dump(m->xfrm, put_deletion, NULL, m) ||
	    nl_batch_send(m->xfrm, m->deletions, on_result, NULL))
		bench_die("delete policies", errno);
	nl_batch_free(m->deletions);
}

static int count_ours(void *user, const struct xfrm_policy *p)
{
	((struct mend *)user)->want += xfrm_policy_ours(p);
	return 0;
}

static void hurt_flush(struct mend *m)
{
	_Alignas(8) unsigned char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	m->want = 0;
	if (xfrm_policy_dump(m->xfrm, count_ours, NULL, m))
		bench_die("policies", errno);
	nlh->nlmsg_type = XFRM_MSG_FLUSHPOLICY;
	request(m->xfrm, nlh);
}

static void hurt_states(struct mend *m)
{
	_Alignas(8) unsigned char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct xfrm_usersa_flush *f;

	m->want = 2;
	nlh->nlmsg_type = XFRM_MSG_FLUSHSA;
	f = mnl_nlmsg_put_extra_header(nlh, sizeof(*f));
	f->proto = IPPROTO_ESP;
	request(m->xfrm, nlh);
}

static void hurt_table(struct mend *m)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	m->want = 1;
	if (!nft || nft_run_cmd_from_buffer(nft, "delete table inet gwd"))
		bench_die("delete table", EINVAL);
	nft_ctx_free(nft);
}

static const struct kind kinds[] = {
	{"link", NETLINK_ROUTE, RTNLGRP_LINK, hurt_link, on_link},
	{"down", NETLINK_ROUTE, RTNLGRP_LINK, hurt_down, on_link},
	{"address", NETLINK_ROUTE, RTNLGRP_IPV4_IFADDR, hurt_address, on_address},
	{"policy", NETLINK_XFRM, XFRMNLGRP_POLICY, hurt_policy, on_policy},
	{"flush", NETLINK_XFRM, XFRMNLGRP_POLICY, hurt_flush, on_policy},
	{"table", NETLINK_NETFILTER, NFNLGRP_NFTABLES, hurt_table, on_table},
	{"states", NETLINK_XFRM, XFRMNLGRP_SA, hurt_states, on_state},
	{"gwd", NETLINK_ROUTE, RTNLGRP_LINK, hurt_link, on_link},
	{"charon", NETLINK_XFRM, XFRMNLGRP_SA, NULL, on_state},
};

static void await(const struct kind *k, struct nl *events, struct mend *m, double start)
{
	struct pollfd p = {.fd = nl_fd(events), .events = POLLIN};

	while (m->seen < m->want) {
		if (bench_ms() - start > DEADLINE_MS)
			bench_die("never mended", ETIMEDOUT);
		if (poll(&p, 1, 100) > 0 && nl_receive(events, k->news, m, 4096) < 0)
			bench_die("events", ENOBUFS);
	}
}

static void mend_times(const struct kind *k, struct nl *events, struct mend *m, int times)
{
	for (; times > 0; times--) {
		double start;

		/* news of before */
		if (nl_receive(events, k->news, m, 100000) < 0)
			bench_die("events", ENOBUFS);
		m->seen = 0;
		start = bench_ms();
		k->hurt(m);
		await(k, events, m, start);
		printf("%.3f\n", bench_ms() - start);
		fflush(stdout);
		usleep(PAUSE_US);
	}
}

static void mend_process(const struct kind *k, struct nl *events, struct mend *m, char **argv)
{
	double start;
	pid_t pid;

	m->want = 2;
	kill((pid_t)atol(argv[0]), SIGKILL);
	if (k->hurt)
		k->hurt(m);
	start = bench_ms();
	pid = fork();
	if (pid == 0) {
		int fd = open("/dev/null", O_RDWR);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		setsid();
		execvp(argv[1], argv + 1);
		_exit(1);
	}
	await(k, events, m, start);
	printf("%.3f %ld\n", bench_ms() - start, (long)pid);
}

int main(int argc, char **argv)
{
	const struct kind *k = NULL;
	struct mend m = {0};
	struct nl *events;
	int r = 0;

	for (size_t i = 0; argc >= 4 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, argv[1]) == 0)
			k = &kinds[i];
	if (!k)
		bench_die("mend KIND LINK TIMES | gwd|charon LINK PID CMD...", EINVAL);
	m.link = argv[2];
	m.ifindex = if_nametoindex(argv[2]);
	r = nl_open(&m.route, NETLINK_ROUTE);
	if (!r)
		r = nl_open(&m.xfrm, NETLINK_XFRM);
	if (!r)
		r = nl_open(&events, k->bus);
	if (!r)
		r = nl_listen(events, RCVBUF, &k->group, 1);
	if (r)
		bench_die("netlink", r);
	if (argc > 4)
		mend_process(k, events, &m, argv + 3);
	else
		mend_times(k, events, &m, atoi(argv[3]));
	return 0;
}
