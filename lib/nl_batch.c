/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many netlink messages built in one growing buffer and sent in few datagrams, one result for each.
 *
 * nl_batch_put begins a message, its caller adds body and attributes in place, nl_batch_send sends
 * all. A message's length is therefore read only when the next one begins or at sending. The
 * messages stay contiguous, as one datagram of netlink(7) wants them, so a chunk is sent without a
 * copy. Neighbours: lib/nl.c, which exchanges a chunk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nl_exchange.h"
#include "lib/vec.h"

#define NL_CHUNK_MSGS \
	64 /* their acks, about 1 KiB of truesize each, fit the default receive buffer */
#define NL_CHUNK_BYTES 32768 /* below the default send buffer */

struct nl_batch {
	unsigned char *buf;
	size_t room;
	VEC(size_t) at; /* offset of each message */
	size_t lost; /* messages for which there was no memory */
	_Alignas(8) unsigned char spare[NL_MSG_ROOM];
};

static struct nlmsghdr *batch_message(const struct nl_batch *b, size_t index)
{
	return (struct nlmsghdr *)(void *)(b->buf + b->at.at[index]);
}

static size_t batch_message_size(const struct nl_batch *b, size_t index)
{
	return MNL_ALIGN(batch_message(b, index)->nlmsg_len);
}

static bool batch_reserve(struct nl_batch *b, size_t need)
{
	size_t room = b->room ? b->room : 4 * (size_t)NL_MSG_ROOM;
	unsigned char *buf;

	if (need <= b->room)
		return true;
	while (room < need)
		room *= 2;
	buf = realloc(b->buf, room);
	if (!buf)
		return false;
	b->buf = buf;
	b->room = room;
	return true;
}

static struct nlmsghdr *batch_slot(struct nl_batch *b)
{
	size_t last = b->at.len - 1;
	size_t offset = b->at.len ? b->at.at[last] + batch_message_size(b, last) : 0;
	size_t *slot;

	if (b->lost || !batch_reserve(b, offset + NL_MSG_ROOM))
		return NULL;
	slot = vec_push(&b->at);
	if (!slot)
		return NULL;
	*slot = offset;
	return batch_message(b, b->at.len - 1);
}

/* How many messages from index on go into one datagram, and their bytes. */
static size_t batch_chunk(const struct nl_batch *b, size_t index, size_t *bytes)
{
	size_t n = 0;

	*bytes = 0;
	while (index + n < b->at.len && n < NL_CHUNK_MSGS) {
		size_t size = batch_message_size(b, index + n);

		if (n && *bytes + size > NL_CHUNK_BYTES)
			break;
		*bytes += size;
		n++;
	}
	return n;
}

static void batch_fail(struct nl_batch *b, size_t from, int err, nl_result_fn result, void *user)
{
	for (size_t i = from; i < nl_batch_len(b); i++)
		result(user, i, err, strerror(-err));
}

struct nl_batch *nl_batch_new(void)
{
	return calloc(1, sizeof(struct nl_batch));
}

void nl_batch_free(struct nl_batch *b)
{
	if (!b)
		return;
	vec_free(&b->at);
	free(b->buf);
	free(b);
}

struct nlmsghdr *nl_batch_put(struct nl_batch *b, uint16_t type, uint16_t flags)
{
	void *slot = batch_slot(b);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(slot ? slot : b->spare);

	b->lost += !slot;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return nlh;
}

size_t nl_batch_len(const struct nl_batch *b)
{
	return b->at.len + b->lost;
}

const struct nlmsghdr *nl_batch_at(const struct nl_batch *b, size_t index)
{
	return index < b->at.len ? batch_message(b, index) : NULL;
}

int nl_batch_send(struct nl *nl, struct nl_batch *b, nl_result_fn result, void *user)
{
	struct nl_ack acks[NL_CHUNK_MSGS];
	size_t bytes, n;

	if (b->lost) {
		batch_fail(b, 0, -ENOMEM, result, user);
		return -ENOMEM;
	}
	for (size_t at = 0; at < b->at.len; at += n) {
		int err;

		n = batch_chunk(b, at, &bytes);
		memset(acks, 0, n * sizeof(acks[0]));
		err = nl_exchange(nl, batch_message(b, at), bytes, n, acks);
		for (size_t i = 0; i < n; i++)
			result(user, at + i, acks[i].err, nl_ack_text(&acks[i]));
		if (err) {
			batch_fail(b, at + n, err, result, user);
			return err;
		}
	}
	return 0;
}
