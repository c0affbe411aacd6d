// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long the policies are away after somebody flushed them all.
 *
 *	heal N [TIMES]		flushes, waits for the kernel's news of N new policies; prints milliseconds, for each time
 */
#include "tests/bench/bench.h"

#include <linux/xfrm.h>
#include <poll.h>
#include <unistd.h>

#define DEADLINE_MS 60000
#define RCVBUF (64u << 20)
#define PAUSE_US 300000 /* gwd reads back and settles meanwhile */

static int count_new(const struct nlmsghdr *nlh, void *user)
{
	*(long *)user += nlh->nlmsg_type == XFRM_MSG_NEWPOLICY;
	return MNL_CB_OK;
}

static void flush(struct nl *nl)
{
	_Alignas(8) unsigned char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int r;

	nlh->nlmsg_type = XFRM_MSG_FLUSHPOLICY;
	r = nl_request(nl, nlh, NULL, 0);
	if (r)
		bench_die("flush", r);
}

static double heal_once(struct nl *nl, struct nl *events, long want)
{
	struct pollfd p = {.fd = nl_fd(events), .events = POLLIN};
	double start = bench_ms();
	long seen = 0;

	flush(nl);
	while (seen < want) {
		if (bench_ms() - start > DEADLINE_MS)
			bench_die("never healed", ETIMEDOUT);
		if (poll(&p, 1, 100) <= 0)
			continue;
		if (nl_receive(events, count_new, &seen, 4096) < 0)
			bench_die("events", ENOBUFS);
	}
	return bench_ms() - start;
}

int main(int argc, char **argv)
{
	static const unsigned group = XFRMNLGRP_POLICY;
	struct nl *nl, *events;
	int r = argc < 2 ? -EINVAL : nl_open(&nl, NETLINK_XFRM);

	if (!r)
		r = nl_open(&events, NETLINK_XFRM);
	if (!r)
		r = nl_listen(events, RCVBUF, &group, 1);
	if (r)
		bench_die("heal N [TIMES]", r);
	for (int i = argc > 2 ? atoi(argv[2]) : 1; i > 0; i--) {
		printf("%.3f\n", heal_once(nl, events, atol(argv[1])));
		fflush(stdout);
		usleep(PAUSE_US);
	}
	return 0;
}
