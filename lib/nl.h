/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink requests over libmnl: batches with one result per message and the kernel's extended-ack text,
 * dumps that begin again when interrupted (NLM_F_DUMP_INTR), and event sockets.
 *
 * The kernel answers on the caller's stack; nothing here waits for another process. Buffers that held a
 * dump are wiped, since XFRM dumps carry SA keys.
 */
#ifndef GWD_LIB_NL_H
#define GWD_LIB_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

struct nl;
struct nl_batch;

/* bus is NETLINK_ROUTE, NETLINK_XFRM, …; extended acks and strict checking of dump requests are on. */
int nl_open(struct nl **out, int bus);
void nl_close(struct nl *nl);
int nl_fd(const struct nl *nl);

/* For event sockets: a large receive buffer (SO_RCVBUFFORCE; 48 link events overrun the default), not blocking. */
int nl_listen(struct nl *nl, size_t rcvbuf, const unsigned *groups, size_t n_groups);

/*
 * Reads what is queued, at most max messages, and calls cb for each (MNL_CB_OK / MNL_CB_ERROR). Returns 0 when the queue is
 * empty, 1 when more may be waiting, -ENOBUFS when the kernel dropped events (everything must be read again),
 * -ECANCELED when cb returned MNL_CB_ERROR.
 */
int nl_receive(struct nl *nl, mnl_cb_t cb, void *user, unsigned max);

/*
 * A batch grows as needed; nl_batch_put returns a zeroed header (NLM_F_REQUEST | NLM_F_ACK | flags) with NL_MSG_ROOM
 * bytes for it, its body and its attributes. It is never NULL: when memory runs out the message goes nowhere and
 * nl_batch_send gives -ENOMEM for the whole batch, having sent nothing.
 */
#define NL_MSG_ROOM 4096
struct nl_batch *nl_batch_new(void);
void nl_batch_free(struct nl_batch *b);
struct nlmsghdr *nl_batch_put(struct nl_batch *b, uint16_t type, uint16_t flags);
size_t nl_batch_len(const struct nl_batch *b);
/* Message index (below nl_batch_len), or NULL when memory ran out while it was put. The batch's, until the next put. */
const struct nlmsghdr *nl_batch_at(const struct nl_batch *b, size_t index);

/* err is 0 or -errno; text is the extended ack, or strerror's. index counts the batch's messages from 0. */
typedef void (*nl_result_fn)(void *user, size_t index, int err, const char *text);

/*
 * Sends all, in order, in chunks below the socket's buffer; every message gets exactly one result, in order.
 * Returns 0 or -errno when the socket itself failed (then the rest got that as their result); -ETIMEDOUT when the kernel
 * gave no ack for 5 seconds.
 */
int nl_batch_send(struct nl *nl, struct nl_batch *b, nl_result_fn result, void *user);

/* One request, one result; text (may be NULL) takes the extended ack. */
int nl_request(struct nl *nl, struct nlmsghdr *nlh, char *text, size_t text_size);

/* A request whose answer is messages (get or dump). cb is called for each; on an interrupted dump restart is
 * called (NULL: nothing to throw away), to throw away what it saw, and the dump begins again, at most 5 times (-EINTR then).
 * MNL_CB_STOP ends the walk with 0, MNL_CB_ERROR with -ECANCELED. cb must not ask over the same socket. */
int nl_query(struct nl *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void (*restart)(void *user),
	     void *user);

/* A whole message stands in the left bytes from nlh on, whatever these are. */
bool nl_message_ok(const struct nlmsghdr *nlh, int left);

/* Table-driven attribute reading: slot[type] is filled only when the payload has at least size bytes. */
struct nl_attr_spec {
	uint16_t type;
	uint16_t size; /* bytes; 0 = any */
};
/* Fills slot[0..max] from the attributes behind a header of hdr_size bytes; returns false on a short or wrong-sized attribute. */
bool nl_attrs_parse(const struct nlmsghdr *nlh, size_t hdr_size, const struct nl_attr_spec *spec,
		    size_t n_spec, const struct nlattr **slot, uint16_t max);
bool nl_attrs_parse_nested(const struct nlattr *nest, const struct nl_attr_spec *spec,
			   size_t n_spec, const struct nlattr **slot, uint16_t max);

/* Copies a text attribute, cut to size and always ended, whether or not the sender ended it; "" for NULL. */
void nl_attr_text(const struct nlattr *attr, char *out, size_t size);

#endif
