// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's SAs of each tunnel. Entries: sas_event for each notification, sas_read_all for the truth. Feeds the
 * tunnel's pin (daemon/pin.c), which daemon/prefer.c makes the kernel follow, and the overhead that daemon/desire.c computes the MTU from.
 */
#include "daemon/sas.h"

#include <stdlib.h>

#include "daemon/peer.h"
#include "daemon/prefer.h"
#include "daemon/reconcile.h"
#include "lib/log.h"

#define SAS_MAX 64 /* of one tunnel; more is not normal and not looked at */
#define PATH_MTU_USUAL 1500 /* to compare SAs by, while the path's is not known */

static bool is_outbound(const struct tunnel *t, const struct xfrm_sa *sa)
{
	return addr_equal(&sa->dst, &t->remote);
}

/* Who moved leaves SAs of its former address, and a peer's first SAs may come before it is known where it is. */
static bool is_elsewhere(const struct tunnel *t, const struct addr *src, const struct addr *dst)
{
	const struct addr *ours = addr_equal(dst, &t->remote) ? src : dst;
	const struct addr *theirs = ours == src ? dst : src;

	return !gateway_tunnel_ends_known(t) || !addr_equal(ours, &t->local) ||
	       !addr_equal(theirs, &t->remote);
}

static struct tunnel_sa *sa_same(struct tunnel *t, const struct xfrm_sa *sa)
{
	for (size_t i = 0; i < t->sas.len; i++)
		if (t->sas.at[i].spi == sa->spi && addr_equal(&t->sas.at[i].dst, &sa->dst))
			return &t->sas.at[i];
	return NULL;
}

static struct tunnel_sa *sa_out(struct tunnel *t, uint32_t spi)
{
	for (size_t i = 0; i < t->sas.len; i++)
		if (t->sas.at[i].spi == spi && t->sas.at[i].outbound)
			return &t->sas.at[i];
	return NULL;
}

/* The largest packet that this SA carries whole. */
static uint32_t room_of(const struct tunnel *t, const struct tunnel_sa *sa)
{
	return xfrm_mtu(t->path_mtu ? t->path_mtu : PATH_MTU_USUAL, t->remote.family, sa->encap,
			sa->iv, sa->icv, sa->block, 0);
}

/*
 * The link's MTU is for the SA that leaves least room: during a rekey to another cipher either of two may carry a packet, so
 * the link shrinks with the coming of the fatter one and grows when that has gone. Without an SA the last one's holds.
 */
static void overhead_take(struct tunnel *t)
{
	const struct tunnel_sa *tight = NULL;

	for (size_t i = 0; i < t->sas.len; i++) {
		const struct tunnel_sa *sa = &t->sas.at[i];

		if (sa->outbound && !sa->elsewhere && sa->block &&
		    (!tight || room_of(t, sa) < room_of(t, tight)))
			tight = sa;
	}
	if (!tight)
		return;
	t->overhead_known = true;
	t->encap = tight->encap;
	t->iv = tight->iv;
	t->icv = tight->icv;
	t->block = tight->block;
}

/* True when it was not known. */
static bool sa_add(struct tunnel *t, const struct xfrm_sa *sa)
{
	struct tunnel_sa *slot = sa_same(t, sa);
	bool added = !slot;

	if (!sa->spi || (!slot && t->sas.len >= SAS_MAX))
		return false;
	if (!slot)
		slot = vec_push(&t->sas);
	if (!slot)
		return false;
	if (added)
		slot->came_at = prefer_came_at(sa->add_time, sa->hard_s);
	slot->spi = sa->spi;
	slot->src = sa->src;
	slot->dst = sa->dst;
	slot->outbound = is_outbound(t, sa);
	slot->elsewhere = is_elsewhere(t, &sa->src, &sa->dst);
	slot->transport = sa->transport;
	slot->encap = sa->encap;
	slot->iv = (uint8_t)sa->iv_size;
	slot->icv = (uint8_t)sa->icv_size;
	slot->block = (uint8_t)sa->block_size;
	slot->hard_s = sa->hard_s;
	slot->told = sa->add_time;
	slot->listed = true;
	overhead_take(t);
	return added;
}

static void sa_remove(struct tunnel *t, const struct tunnel_sa *sa)
{
	size_t i = (size_t)(sa - t->sas.at);

	t->sas.at[i] = t->sas.at[--t->sas.len];
	overhead_take(t);
}

static int read_one(void *user, const struct xfrm_sa *sa)
{
	struct tunnel *t = gateway_tunnel_by_reqid(user, sa->reqid);

	if (t)
		sa_add(t, sa);
	return 0;
}

static void doubt_all(void *user)
{
	struct gateway *gw = user;

	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		for (size_t k = 0; k < gw->tunnels[i].sas.len; k++)
			gw->tunnels[i].sas.at[k].listed = false;
}

static void sweep(struct tunnel *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->sas.len; i++)
		if (t->sas.at[i].listed)
			t->sas.at[n++] = t->sas.at[i];
	if (n == t->sas.len)
		return;
	t->sas.len = n;
	overhead_take(t);
}

int sas_read_all(struct gateway *gw)
{
	doubt_all(gw);
	int r = xfrm_sa_dump(gw->xfrm, read_one, doubt_all, gw);

	for (size_t i = 0; i < gw->conf->n_tunnels && !r; i++)
		sweep(&gw->tunnels[i]);
	return r;
}

static bool serves(const struct tunnel_sa *sa, bool outbound)
{
	return sa->outbound == outbound && sa->transport && !sa->elsewhere;
}

static uint32_t newest_in(const struct tunnel *t)
{
	const struct tunnel_sa *best = NULL;

	for (size_t i = 0; i < t->sas.len; i++)
		if (serves(&t->sas.at[i], false) && (!best || t->sas.at[i].came_at > best->came_at))
			best = &t->sas.at[i];
	return best ? best->spi : 0;
}

/* The one which the kernel takes (xfrm_state_look_at). */
static uint32_t taken_out(const struct tunnel *t)
{
	const struct tunnel_sa *best = NULL;

	for (size_t i = 0; i < t->sas.len; i++)
		if (serves(&t->sas.at[i], true) && (!best || t->sas.at[i].told > best->told))
			best = &t->sas.at[i];
	return best ? best->spi : 0;
}

void sas_adopt_pin(struct tunnel *t)
{
	uint32_t spis[SAS_MAX];
	uint64_t times[SAS_MAX];
	unsigned n = 0;

	for (size_t i = 0; i < t->sas.len; i++) {
		unsigned k = n;

		if (!t->sas.at[i].outbound || !t->sas.at[i].transport)
			continue;
		for (; k > 0 && times[k - 1] < t->sas.at[i].came_at; k--) {
			spis[k] = spis[k - 1];
			times[k] = times[k - 1];
		}
		spis[k] = t->sas.at[i].spi;
		times[k] = t->sas.at[i].came_at;
		n++;
	}
	pin_adopt(&t->pin, taken_out(t), newest_in(t), spis, n);
}

void sas_place(struct tunnel *t)
{
	for (size_t i = 0; i < t->sas.len; i++) {
		struct tunnel_sa *sa = &t->sas.at[i];

		sa->outbound = addr_equal(&sa->dst, &t->remote);
		sa->elsewhere = is_elsewhere(t, &sa->src, &sa->dst);
	}
	overhead_take(t);
	sas_adopt_pin(t);
}

bool sas_move(struct tunnel *t, uint32_t spi)
{
	if (!sa_out(t, spi))
		return false;
	if (pin_use(&t->pin, spi))
		prefer_sa(t);
	return true;
}

static void sa_came(struct tunnel *t, const struct xfrm_sa *sa)
{
	if (!sa_add(t, sa))
		return;
	log_debug(t->conf->name, "SA %s spi %08x", is_outbound(t, sa) ? "out" : "in", sa->spi);
	if (sa->transport && !is_elsewhere(t, &sa->src, &sa->dst) &&
	    pin_sa_new(&t->pin, is_outbound(t, sa), sa->spi, gateway_now()))
		prefer_sa(t);
	reconcile_mark(t);
}

static void sa_went(struct tunnel *t, const struct xfrm_sa *sa)
{
	bool outbound = is_outbound(t, sa);
	struct tunnel_sa *known = sa_same(t, sa);
	bool elsewhere = !known || known->elsewhere;

	if (!known)
		return;
	sa_remove(t, known);
	log_debug(t->conf->name, "SA %s spi %08x gone", outbound ? "out" : "in", sa->spi);
	if (!elsewhere && pin_sa_gone(&t->pin, outbound, sa->spi)) {
		/* The kernel has gone over to another one already, which would not be kept at the next rekey. */
		if (!t->pin.spi)
			sas_adopt_pin(t);
		prefer_sa(t);
	}
	if (!sas_have(t, true) || !sas_have(t, false))
		peer_want(t, false);
	reconcile_mark(t);
}

void sas_event(struct gateway *gw, const struct xfrm_event *ev)
{
	struct tunnel *t;

	if (ev->kind == XFRM_EVENT_SA_FLUSH) {
		reconcile_mark_all(gw);
		return;
	}
	t = gateway_tunnel_by_reqid(gw, ev->sa.reqid);
	if (!t || !gateway_tunnel_protected(t))
		return;
	if (ev->kind == XFRM_EVENT_SA_NEW)
		sa_came(t, &ev->sa);
	else if (ev->kind == XFRM_EVENT_SA_GONE)
		sa_went(t, &ev->sa);
	else if (ev->kind == XFRM_EVENT_ACQUIRE)
		peer_acquire(t);
	else if (ev->kind == XFRM_EVENT_SA_SOFT)
		pin_sa_soft(&t->pin, is_outbound(t, &ev->sa), ev->sa.spi, gateway_now());
	peer_arm(t);
}

void sas_pin_tick(struct tunnel *t, uint64_t now)
{
	uint64_t packets = 0, bytes = 0;
	struct xfrm_sa in = {
		.src = t->remote,
		.dst = t->local,
		.spi = t->pin.next_in,
		.reqid = t->reqid,
	};

	if (t->pin.next_in)
		xfrm_sa_counters(t->gw->xfrm, &in, &packets, &bytes);
	if (pin_tick(&t->pin, packets, now))
		prefer_sa(t);
}

bool sas_have(const struct tunnel *t, bool outbound)
{
	for (size_t i = 0; i < t->sas.len; i++)
		if (t->sas.at[i].outbound == outbound && t->sas.at[i].transport &&
		    !t->sas.at[i].elsewhere)
			return true;
	return false;
}

bool sas_know(const struct tunnel *t, uint32_t spi)
{
	for (size_t i = 0; i < t->sas.len; i++)
		if (t->sas.at[i].spi == spi)
			return true;
	return false;
}

static bool spi_listed(uint32_t spi, const uint32_t *spis, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (spis[i] == spi)
			return true;
	return false;
}

static void ignore_result(void *user, size_t index, int err, const char *text)
{
	(void)user, (void)index, (void)err, (void)text;
}

void sas_strike_stale(struct tunnel *t, const uint32_t *spis, size_t n)
{
	struct nl_batch *b = nl_batch_new();

	for (size_t i = 0; b && i < t->sas.len; i++) {
		struct tunnel_sa *sa = &t->sas.at[i];
		struct xfrm_sa doomed = {
			.src = sa->src,
			.dst = sa->dst,
			.spi = sa->spi,
			.reqid = t->reqid,
		};

		sa->strikes = spi_listed(sa->spi, spis, n) ? 0 : sa->strikes + 1;
		if (sa->strikes < 2)
			continue;
		log_info(t->conf->name, "deleting stale SA spi %08x: charon does not know it",
			 sa->spi);
		xfrm_sa_put_delete(b, &doomed);
	}
	if (b && nl_batch_len(b))
		nl_batch_send(t->gw->xfrm, b, ignore_result, NULL);
	nl_batch_free(b);
}

struct doomed {
	const uint32_t *reqids;
	size_t n;
	struct nl_batch *batch;
};

static int reqid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int doom_one(void *user, const struct xfrm_sa *sa)
{
	struct doomed *d = user;

	if (sa->spi && bsearch(&sa->reqid, d->reqids, d->n, sizeof(*d->reqids), reqid_cmp))
		xfrm_sa_put_delete(d->batch, sa);
	return 0;
}

void sas_delete(struct gateway *gw, const uint32_t *reqids, size_t n)
{
	struct doomed d = {.reqids = reqids, .n = n, .batch = nl_batch_new()};

	/* Deleting one twice, after a dump that began anew, is no harm. */
	if (d.batch && !xfrm_sa_dump(gw->xfrm, doom_one, NULL, &d) && nl_batch_len(d.batch))
		nl_batch_send(gw->xfrm, d.batch, ignore_result, NULL);
	nl_batch_free(d.batch);
}

void sas_delete_between(struct tunnel *t, const struct addr *src, const struct addr *dst)
{
	struct nl_batch *b = nl_batch_new();

	for (size_t i = 0; b && i < t->sas.len; i++) {
		const struct tunnel_sa *sa = &t->sas.at[i];
		struct xfrm_sa doomed = {
			.src = sa->src,
			.dst = sa->dst,
			.spi = sa->spi,
			.reqid = t->reqid,
		};

		if (sa->elsewhere && addr_equal(&sa->src, src) && addr_equal(&sa->dst, dst))
			xfrm_sa_put_delete(b, &doomed);
	}
	if (b && nl_batch_len(b))
		nl_batch_send(t->gw->xfrm, b, ignore_result, NULL);
	nl_batch_free(b);
}
