/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XFRM policies as netlink messages: xfrm_policy_put builds, xfrm_policy_parse reads,
 * xfrm_policy_dump and xfrm_policy_get ask.
 *
 * The structures are those of linux/xfrm.h; the kernel's side is net/xfrm/xfrm_user.c and
 * xfrm_policy.c, the model RFC 4301 section 4.4.1. They hold 64-bit fields at addresses netlink
 * aligns to 4, so they are built and read as local copies. Neighbours: xfrm/state.c, xfrm/events.c,
 * lib/nl.
 */
#include "xfrm/policy.h"

#include <endian.h>
#include <errno.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define INDEX_OURS 0x80000000u
#define INDEX_DIR_BITS 3 /* the kernel reads the direction from the index (xfrm_policy_id2dir) */
#define ALL_ALGORITHMS (~0u)
#define PORT_MASK 0xffff

static const struct nl_attr_spec policy_spec[] = {
	{XFRMA_TMPL, sizeof(struct xfrm_user_tmpl)},
	{XFRMA_POLICY, sizeof(struct xfrm_userpolicy_info)},
	{XFRMA_POLICY_TYPE, 1},
	{XFRMA_MARK, sizeof(struct xfrm_mark)},
	{XFRMA_IF_ID, 4},
};

struct walk {
	xfrm_policy_fn fn;
	void (*restart)(void *user);
	void *user;
	int err;
};

struct found {
	struct xfrm_policy *out;
	bool yes;
};

static int number_cmp(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static void address_put(xfrm_address_t *to, const struct addr *a)
{
	memcpy(to, a->bytes, addr_size(a->family));
}

/* A GRE key stands where ports would: its upper half as the source's (kernel net/xfrm.h
 * xfrm_flowi_sport). */
static struct xfrm_selector selector_of(const struct xfrm_policy *p)
{
	uint8_t bits = (uint8_t)(8 * addr_size(p->src.family));
	struct xfrm_selector sel = {
		.family = p->src.family,
		.prefixlen_s = bits,
		.prefixlen_d = bits,
		.proto = IPPROTO_GRE,
	};

	address_put(&sel.saddr, &p->src);
	address_put(&sel.daddr, &p->dst);
	if (p->has_key) {
		sel.sport = htobe16(p->key >> 16);
		sel.dport = htobe16(p->key & PORT_MASK);
		sel.sport_mask = PORT_MASK;
		sel.dport_mask = PORT_MASK;
	}
	return sel;
}

static uint32_t index_of(const struct xfrm_policy *p)
{
	return INDEX_OURS | (p->reqid & XFRM_REQID_MASK) << INDEX_DIR_BITS | p->dir;
}

static void body_put(struct nlmsghdr *nlh, const void *body, size_t size)
{
	memcpy(mnl_nlmsg_put_extra_header(nlh, size), body, size);
}

/* The template's addresses stay zero: in transport mode the kernel takes the packet's
 * (xfrm_tmpl_resolve_one). */
static void template_put(struct nlmsghdr *nlh, const struct xfrm_policy *p)
{
	struct xfrm_user_tmpl tmpl = {
		.id = {.spi = htobe32(p->spi), .proto = IPPROTO_ESP},
		.family = p->src.family,
		.reqid = p->reqid,
		.mode = XFRM_MODE_TRANSPORT,
		.share = XFRM_SHARE_ANY,
		.aalgos = ALL_ALGORITHMS,
		.ealgos = ALL_ALGORITHMS,
		.calgos = ALL_ALGORITHMS,
	};

	mnl_attr_put(nlh, XFRMA_TMPL, sizeof(tmpl), &tmpl);
}

static void policy_id_put(struct nlmsghdr *nlh, const struct xfrm_policy *p, uint32_t index)
{
	struct xfrm_userpolicy_id id = {.sel = selector_of(p), .index = index, .dir = p->dir};

	body_put(nlh, &id, sizeof(id));
}

/* All of the key, or nothing of it; a mask in between matches keys that are not ours. */
static bool selector_key_read(const struct xfrm_selector *sel, struct xfrm_policy *out)
{
	if (!sel->sport_mask && !sel->dport_mask)
		return true;
	if (sel->sport_mask != PORT_MASK || sel->dport_mask != PORT_MASK)
		return false;
	out->has_key = true;
	out->key = (uint32_t)be16toh(sel->sport) << 16 | be16toh(sel->dport);
	return true;
}

static bool selector_read(const struct xfrm_selector *sel, struct xfrm_policy *out)
{
	size_t size = sel->family <= UINT8_MAX ? addr_size((uint8_t)sel->family) : 0;

	if (!size || sel->proto != IPPROTO_GRE || sel->prefixlen_s != size * 8 ||
	    sel->prefixlen_d != size * 8 || sel->ifindex || sel->user)
		return false;
	out->src = addr_from_bytes((uint8_t)sel->family, &sel->saddr);
	out->dst = addr_from_bytes((uint8_t)sel->family, &sel->daddr);
	return selector_key_read(sel, out);
}

static void template_read(const struct nlattr *a, struct xfrm_policy *out)
{
	struct xfrm_user_tmpl tmpl;

	if (!a)
		return;
	memcpy(&tmpl, mnl_attr_get_payload(a), sizeof(tmpl));
	out->reqid = tmpl.reqid;
	out->spi = be32toh(tmpl.id.spi);
	out->required = mnl_attr_get_payload_len(a) == sizeof(tmpl) && !tmpl.optional &&
			tmpl.id.proto == IPPROTO_ESP && tmpl.mode == XFRM_MODE_TRANSPORT;
}

static bool slots_are_main(const struct nlattr **slot)
{
	struct xfrm_mark mark = {0};

	if (slot[XFRMA_MARK])
		memcpy(&mark, mnl_attr_get_payload(slot[XFRMA_MARK]), sizeof(mark));
	return !mark.v && !mark.m && (!slot[XFRMA_IF_ID] || !mnl_attr_get_u32(slot[XFRMA_IF_ID])) &&
	       (!slot[XFRMA_POLICY_TYPE] ||
		mnl_attr_get_u8(slot[XFRMA_POLICY_TYPE]) == XFRM_POLICY_TYPE_MAIN);
}

static size_t body_size(uint16_t type)
{
	switch (type) {
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		return sizeof(struct xfrm_userpolicy_info);
	case XFRM_MSG_DELPOLICY:
		return sizeof(struct xfrm_userpolicy_id);
	case XFRM_MSG_POLEXPIRE:
		return sizeof(struct xfrm_user_polexpire);
	default:
		return 0;
	}
}

/* A deletion carries the policy as an attribute, behind its id (kernel xfrm_notify_policy). */
static bool info_find(const struct nlmsghdr *nlh, const struct nlattr **slot,
		      struct xfrm_userpolicy_info *out)
{
	const void *from = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == XFRM_MSG_DELPOLICY) {
		if (!slot[XFRMA_POLICY])
			return false;
		from = mnl_attr_get_payload(slot[XFRMA_POLICY]);
	}
	memcpy(out, from, sizeof(*out));
	return true;
}

static int walk_message(const struct nlmsghdr *nlh, void *user)
{
	struct walk *w = user;
	struct xfrm_policy p;

	if (!xfrm_policy_parse(nlh, &p))
		return MNL_CB_OK;
	w->err = w->fn(w->user, &p);
	return w->err ? MNL_CB_ERROR : MNL_CB_OK;
}

static void walk_restart(void *user)
{
	struct walk *w = user;

	if (w->restart)
		w->restart(w->user);
}

static int found_message(const struct nlmsghdr *nlh, void *user)
{
	struct found *f = user;
	struct xfrm_policy p;

	if (!xfrm_policy_parse(nlh, &p))
		return MNL_CB_OK;
	*f->out = p;
	f->yes = true;
	return MNL_CB_OK;
}

int xfrm_policy_cmp(const struct xfrm_policy *a, const struct xfrm_policy *b)
{
	int order = (int)a->dir - (int)b->dir;

	if (!order)
		order = addr_cmp(&a->src, &b->src);
	if (!order)
		order = addr_cmp(&a->dst, &b->dst);
	if (!order)
		order = (int)a->has_key - (int)b->has_key;
	return order || !a->has_key ? order : number_cmp(a->key, b->key);
}

bool xfrm_policy_equal(const struct xfrm_policy *want, const struct xfrm_policy *have)
{
	return xfrm_policy_cmp(want, have) == 0 && want->priority == have->priority &&
	       want->reqid == have->reqid && want->spi == have->spi &&
	       want->required == have->required;
}

bool xfrm_policy_ours(const struct xfrm_policy *p)
{
	return p->priority == XFRM_PRIORITY && (p->reqid & ~XFRM_REQID_MASK) == XFRM_REQID_BASE;
}

void xfrm_policy_put(struct nl_batch *b, const struct xfrm_policy *want, bool create)
{
	struct nlmsghdr *nlh = nl_batch_put(b, create ? XFRM_MSG_NEWPOLICY : XFRM_MSG_UPDPOLICY, 0);
	struct xfrm_userpolicy_info info = {
		.sel = selector_of(want),
		.lft = {XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 0, 0, 0},
		.priority = want->priority,
		.index = index_of(want),
		.dir = want->dir,
		.action = XFRM_POLICY_ALLOW,
		.share = XFRM_SHARE_ANY,
	};

	body_put(nlh, &info, sizeof(info));
	template_put(nlh, want);
}

void xfrm_policy_put_delete(struct nl_batch *b, const struct xfrm_policy *p)
{
	policy_id_put(nl_batch_put(b, XFRM_MSG_DELPOLICY, 0), p, p->index);
}

bool xfrm_policy_parse(const struct nlmsghdr *nlh, struct xfrm_policy *out)
{
	const struct nlattr *slot[XFRMA_IF_ID + 1];
	struct xfrm_userpolicy_info info;
	size_t size = body_size(nlh->nlmsg_type);

	*out = (struct xfrm_policy){.tunnel = -1};
	if (!size ||
	    !nl_attrs_parse(nlh, size, policy_spec, COUNT(policy_spec), slot, XFRMA_IF_ID) ||
	    !info_find(nlh, slot, &info) || info.dir > XFRM_POLICY_OUT || !slots_are_main(slot) ||
	    !selector_read(&info.sel, out))
		return false;
	out->dir = info.dir == XFRM_POLICY_IN ? XFRM_DIR_IN : XFRM_DIR_OUT;
	out->priority = info.priority;
	out->index = info.index;
	template_read(slot[XFRMA_TMPL], out);
	out->required &= info.action == XFRM_POLICY_ALLOW;
	return true;
}

int xfrm_policy_dump(struct nl *nl, xfrm_policy_fn fn, void (*restart)(void *), void *user)
{
	_Alignas(8) char buf[64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct walk w = {.fn = fn, .restart = restart, .user = user};
	int err;

	nlh->nlmsg_type = XFRM_MSG_GETPOLICY;
	nlh->nlmsg_flags = NLM_F_DUMP;
	err = nl_query(nl, nlh, walk_message, walk_restart, &w);
	return w.err ? w.err : err;
}

int xfrm_policy_get(struct nl *nl, const struct xfrm_policy *key, struct xfrm_policy *out)
{
	_Alignas(8) char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct found f = {.out = out};
	int err;

	nlh->nlmsg_type = XFRM_MSG_GETPOLICY;
	policy_id_put(nlh, key, 0);
	err = nl_query(nl, nlh, found_message, NULL, &f);
	if (err)
		return err;
	return f.yes ? 0 : -ENOENT;
}

const char *xfrm_policy_format(const struct xfrm_policy *p, char *buf, size_t size)
{
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE], key[16] = "", spi[16] = "", other[32] = "";

	if (p->has_key)
		snprintf(key, sizeof(key), " key %u", p->key);
	if (p->spi)
		snprintf(spi, sizeof(spi), " spi %08x", p->spi);
	if (p->priority != XFRM_PRIORITY)
		snprintf(other, sizeof(other), " priority %u", p->priority);
	snprintf(buf, size, "%s %s -> %s proto 47%s %s reqid 0x%x%s%s",
		 p->dir == XFRM_DIR_OUT ? "out" : "in", addr_format(&p->src, src),
		 addr_format(&p->dst, dst), key,
		 p->required ? "esp transport" : "not requiring esp transport", p->reqid, spi,
		 other);
	return buf;
}
