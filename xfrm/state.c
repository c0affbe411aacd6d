/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's ESP SAs as netlink messages: xfrm_sa_parse reads them, xfrm_sa_dump and
 * xfrm_sa_counters ask, xfrm_sa_set_add_time tells the kernel which to take.
 *
 * The structures are those of linux/xfrm.h, the kernel's side is net/xfrm/xfrm_user.c. Of an
 * algorithm only its name and lengths are read, never its key. Neighbours: xfrm/overhead.c has the
 * sizes of algorithms by name, xfrm/events.c, lib/nl.
 */
#include "xfrm/state.h"

#include <endian.h>
#include <errno.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "xfrm/overhead.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct nl_attr_spec sa_spec[] = {
	{XFRMA_ALG_AEAD, sizeof(struct xfrm_algo_aead)},
	{XFRMA_ALG_CRYPT, sizeof(struct xfrm_algo)},
	{XFRMA_ALG_AUTH_TRUNC, sizeof(struct xfrm_algo_auth)},
	{XFRMA_ENCAP, 2},
	{XFRMA_SA, sizeof(struct xfrm_usersa_info)},
};

static const struct nl_attr_spec ae_spec[] = {
	{XFRMA_LTIME_VAL, sizeof(struct xfrm_lifetime_cur)},
};

struct walk {
	xfrm_sa_fn fn;
	void (*restart)(void *user);
	void *user;
	int err;
};

struct lifetime {
	struct xfrm_lifetime_cur cur;
	bool found;
};

static size_t body_size(uint16_t type)
{
	switch (type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		return sizeof(struct xfrm_usersa_info);
	case XFRM_MSG_DELSA:
		return sizeof(struct xfrm_usersa_id);
	case XFRM_MSG_EXPIRE:
		return sizeof(struct xfrm_user_expire);
	default:
		return 0;
	}
}

/* A deletion carries the SA as an attribute, behind its id (kernel xfrm_notify_sa). */
static bool info_find(const struct nlmsghdr *nlh, const struct nlattr **slot,
		      struct xfrm_usersa_info *out)
{
	const void *from = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == XFRM_MSG_DELSA) {
		if (!slot[XFRMA_SA])
			return false;
		from = mnl_attr_get_payload(slot[XFRMA_SA]);
	}
	memcpy(out, from, sizeof(*out));
	return true;
}

/* The three algorithm structures begin alike: a name, the key's bits, and two of them the ICV's
 * bits. */
static void algorithm_name(const struct nlattr *a, char out[64])
{
	memcpy(out, mnl_attr_get_payload(a), 64);
	out[63] = '\0';
}

static unsigned icv_bits(const struct nlattr *a, size_t offset)
{
	uint32_t bits;

	memcpy(&bits, (const char *)mnl_attr_get_payload(a) + offset, sizeof(bits));
	return bits;
}

static void algorithm_read(const struct nlattr **slot, struct xfrm_sa *out)
{
	const struct nlattr *aead = slot[XFRMA_ALG_AEAD], *crypt = slot[XFRMA_ALG_CRYPT];
	unsigned icv = 0;

	if (aead)
		icv = icv_bits(aead, offsetof(struct xfrm_algo_aead, alg_icv_len));
	else if (crypt && slot[XFRMA_ALG_AUTH_TRUNC])
		icv = icv_bits(slot[XFRMA_ALG_AUTH_TRUNC],
			       offsetof(struct xfrm_algo_auth, alg_trunc_len));
	if (!aead && !crypt)
		return;
	algorithm_name(aead ? aead : crypt, out->algorithm);
	if (xfrm_algorithm_overhead(out->algorithm, &out->iv_size, &out->block_size))
		out->icv_size = icv / 8;
}

static int walk_message(const struct nlmsghdr *nlh, void *user)
{
	struct walk *w = user;
	struct xfrm_sa sa;

	if (!xfrm_sa_parse(nlh, &sa))
		return MNL_CB_OK;
	w->err = w->fn(w->user, &sa);
	return w->err ? MNL_CB_ERROR : MNL_CB_OK;
}

static void walk_restart(void *user)
{
	struct walk *w = user;

	if (w->restart)
		w->restart(w->user);
}

static int lifetime_message(const struct nlmsghdr *nlh, void *user)
{
	const struct nlattr *slot[XFRMA_LTIME_VAL + 1];
	struct lifetime *l = user;

	if (nlh->nlmsg_type != XFRM_MSG_NEWAE ||
	    !nl_attrs_parse(nlh, sizeof(struct xfrm_aevent_id), ae_spec, COUNT(ae_spec), slot,
			    XFRMA_LTIME_VAL) ||
	    !slot[XFRMA_LTIME_VAL])
		return MNL_CB_OK;
	memcpy(&l->cur, mnl_attr_get_payload(slot[XFRMA_LTIME_VAL]), sizeof(l->cur));
	l->found = true;
	return MNL_CB_OK;
}

static struct xfrm_usersa_id id_of(const struct xfrm_sa *sa)
{
	struct xfrm_usersa_id id = {
		.spi = htobe32(sa->spi),
		.family = sa->dst.family,
		.proto = IPPROTO_ESP,
	};

	memcpy(&id.daddr, sa->dst.bytes, addr_size(sa->dst.family));
	return id;
}

static struct nlmsghdr *aevent_put(char *buf, uint16_t type, const struct xfrm_sa *sa)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct xfrm_aevent_id id = {.sa_id = id_of(sa), .flags = XFRM_AE_LVAL, .reqid = sa->reqid};

	nlh->nlmsg_type = type;
	memcpy(&id.saddr, sa->src.bytes, addr_size(sa->src.family));
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(id)), &id, sizeof(id));
	return nlh;
}

static int lifetime_get(struct nl *nl, const struct xfrm_sa *sa, struct xfrm_lifetime_cur *out)
{
	_Alignas(8) char buf[256];
	struct lifetime l = {0};
	int err = nl_query(nl, aevent_put(buf, XFRM_MSG_GETAE, sa), lifetime_message, NULL, &l);

	*out = l.cur;
	return err ? err : l.found ? 0 : -EBADMSG;
}

bool xfrm_sa_parse(const struct nlmsghdr *nlh, struct xfrm_sa *out)
{
	const struct nlattr *slot[XFRMA_ALG_AUTH_TRUNC + 1];
	struct xfrm_usersa_info info;
	size_t size = body_size(nlh->nlmsg_type);

	*out = (struct xfrm_sa){0};
	if (!size ||
	    !nl_attrs_parse(nlh, size, sa_spec, COUNT(sa_spec), slot, XFRMA_ALG_AUTH_TRUNC) ||
	    !info_find(nlh, slot, &info) || info.id.proto != IPPROTO_ESP ||
	    (info.family != AF_INET && info.family != AF_INET6))
		return false;
	out->src = addr_from_bytes((uint8_t)info.family, &info.saddr);
	out->dst = addr_from_bytes((uint8_t)info.family, &info.id.daddr);
	out->spi = be32toh(info.id.spi);
	out->reqid = info.reqid;
	out->transport = info.mode == XFRM_MODE_TRANSPORT;
	out->encap = slot[XFRMA_ENCAP];
	out->add_time = info.curlft.add_time;
	out->hard_s = info.lft.hard_add_expires_seconds == XFRM_INF
			      ? 0
			      : info.lft.hard_add_expires_seconds;
	out->packets = info.curlft.packets;
	out->bytes = info.curlft.bytes;
	algorithm_read(slot, out);
	return true;
}

/* xfrm_dump_sa reads its attributes right behind the netlink header. */
int xfrm_sa_dump(struct nl *nl, xfrm_sa_fn fn, void (*restart)(void *), void *user)
{
	_Alignas(8) char buf[64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct walk w = {.fn = fn, .restart = restart, .user = user};
	int err;

	nlh->nlmsg_type = XFRM_MSG_GETSA;
	nlh->nlmsg_flags = NLM_F_DUMP;
	mnl_attr_put_u8(nlh, XFRMA_PROTO, IPPROTO_ESP);
	err = nl_query(nl, nlh, walk_message, walk_restart, &w);
	return w.err ? w.err : err;
}

int xfrm_sa_counters(struct nl *nl, const struct xfrm_sa *sa, uint64_t *packets, uint64_t *bytes)
{
	struct xfrm_lifetime_cur cur;
	int err = lifetime_get(nl, sa, &cur);

	if (err)
		return err;
	*packets = cur.packets;
	*bytes = cur.bytes;
	return 0;
}

int xfrm_sa_set_add_time(struct nl *nl, const struct xfrm_sa *sa, uint64_t add_time)
{
	_Alignas(8) char buf[256];
	struct xfrm_lifetime_cur cur;
	int err = lifetime_get(nl, sa, &cur);

	if (err)
		return err;
	cur.add_time = add_time;
	struct nlmsghdr *nlh = aevent_put(buf, XFRM_MSG_NEWAE, sa);
	/* without it the kernel refuses any change (xfrm_new_ae) */
	nlh->nlmsg_flags = NLM_F_REPLACE;
	mnl_attr_put(nlh, XFRMA_LTIME_VAL, sizeof(cur), &cur);
	return nl_request(nl, nlh, NULL, 0);
}

void xfrm_sa_put_delete(struct nl_batch *b, const struct xfrm_sa *sa)
{
	struct nlmsghdr *nlh = nl_batch_put(b, XFRM_MSG_DELSA, 0);
	struct xfrm_usersa_id id = id_of(sa);

	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(id)), &id, sizeof(id));
}
