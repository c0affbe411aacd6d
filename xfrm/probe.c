// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether this kernel knows ESP, asked without making anything: an ESP SA with an authentication algorithm only is refused by
 * esp_init_state with EINVAL, but a kernel without ESP gives EPROTONOSUPPORT before (__xfrm_init_state). Neighbour of xfrm/state.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/xfrm.h>
#include <string.h>

#include "xfrm/state.h"

#define KEY_SIZE 32 /* bytes, of zeroes: the SA never comes to be */

static void put_auth(struct nlmsghdr *nlh)
{
	char room[sizeof(struct xfrm_algo) + KEY_SIZE] = {0};
	struct xfrm_algo algo = {.alg_name = "hmac(sha256)", .alg_key_len = KEY_SIZE * 8};

	memcpy(room, &algo, sizeof(algo));
	mnl_attr_put(nlh, XFRMA_ALG_AUTH, sizeof(room), room);
}

int xfrm_sa_probe(struct nl *nl)
{
	struct nl_batch *b = nl_batch_new();
	struct nlmsghdr *nlh = b ? nl_batch_put(b, XFRM_MSG_NEWSA, NLM_F_CREATE | NLM_F_EXCL)
				 : NULL;
	struct xfrm_usersa_info *sa;
	int r = -ENOMEM;

	if (nlh) {
		sa = mnl_nlmsg_put_extra_header(nlh, sizeof(*sa));
		sa->family = AF_INET;
		sa->id.daddr.a4 = htonl(INADDR_LOOPBACK);
		sa->saddr.a4 = htonl(INADDR_LOOPBACK);
		sa->id.spi = htonl(0x100);
		sa->id.proto = IPPROTO_ESP;
		sa->mode = XFRM_MODE_TRANSPORT;
		sa->lft.soft_byte_limit = sa->lft.hard_byte_limit = XFRM_INF;
		sa->lft.soft_packet_limit = sa->lft.hard_packet_limit = XFRM_INF;
		put_auth(nlh);
		r = nl_request(nl, nlh, NULL, 0);
	}
	nl_batch_free(b);
	return r == -EINVAL ? 0 : r;
}
