/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between lib/nl.c and lib/nl_batch.c only: several requests in one datagram, and their acks. */
#ifndef GWD_LIB_NL_EXCHANGE_H
#define GWD_LIB_NL_EXCHANGE_H

#include "lib/nl.h"

#define NL_ACK_TEXT_SIZE 128

struct nl_ack {
	bool seen;
	int err; /* 0 or -errno */
	char text[NL_ACK_TEXT_SIZE]; /* extended ack, or empty */
};

/*
 * Sends n messages, bytes long together and each aligned, and fills acks[n], which come zeroed.
 * Returns 0, or -errno when the socket failed; then every message without an ack has that as its
 * err. -ETIMEDOUT when an ack is lost.
 */
int nl_exchange(struct nl *nl, struct nlmsghdr *first, size_t bytes, size_t n, struct nl_ack *acks);

/* The extended ack, else strerror's. */
const char *nl_ack_text(const struct nl_ack *ack);

#endif
