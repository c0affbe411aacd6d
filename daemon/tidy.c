// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Closes surplus SAs without losing a packet. Entry: tidy, called by daemon/peer.c with a fresh view, of which tidy_lost_child says what the
 * kernel lacks; what it does in words:
 *
 *	surplus is what two looks in a row show beside what is kept, for a rekey under way shows two as well;
 *	our packets leave it first (the peer deletes its inbound SA as soon as it is told), it is closed a second later;
 *	the peer's packets leave it when the peer deletes its outbound SA (RFC 7296 section 1.4.1): the kernel there takes the other.
 *
 * What the peer left behind at an address where it is no more carries nothing: it goes at once.
 *
 * The leading end clears away; the other one when that has not happened for a while, as with a peer that is no gwd. But a child whose SAs
 * the kernel lost beside one that carries is closed by the end that lost them, before it can be the one that is kept.
 */
#include "daemon/tidy.h"

#include "daemon/charon.h"
#include "daemon/sas.h"
#include "lib/log.h"

#define AGAIN_MS 3000
#define LOOKS_LEADER 2
#define LOOKS_LOST 2 /* an SA may be there, and the event that tells it not yet read */
#define LOOKS_FOLLOWER 6

static void on_done(void *user, int err, const struct ike_msg *answer, struct ike_msg *const *items,
		    size_t n)
{
	(void)user, (void)err, (void)answer, (void)items, (void)n;
}

void tidy_soon(struct tunnel *t)
{
	uint64_t at = gateway_now() + TIDY_MS;

	if (!t->tidy_at || at < t->tidy_at)
		t->tidy_at = at;
}

/* Counts looks in a row with the same surplus; true when it is time to act. */
static bool persists(struct tunnel *t, uint32_t surplus, unsigned looks)
{
	if (surplus != t->surplus)
		t->surplus_looks = 0;
	t->surplus = surplus;
	return ++t->surplus_looks >= looks;
}

static unsigned patience(const struct tunnel *t)
{
	return t->leads ? LOOKS_LEADER : LOOKS_FOLLOWER;
}

static uint64_t close_ike(struct tunnel *t, const struct view *v)
{
	bool left = v->left && v->left != v->keep;
	uint32_t surplus = left ? v->left : view_surplus_ike(v);

	if (!left && !persists(t, surplus, patience(t)))
		return AGAIN_MS;
	if (!left && v->keep_spi_out && v->keep_spi_out != t->pin.spi &&
	    sas_move(t, v->keep_spi_out))
		return SAS_MOVED_MS;
	log_info(t->conf->name, "closing surplus IKE_SA #%u", surplus);
	charon_submit(t->gw, ike_req_terminate(NULL, surplus, false), NULL, on_done, NULL);
	return AGAIN_MS;
}

static uint64_t close_child(struct tunnel *t, uint32_t child, const char *what, unsigned looks)
{
	if (!persists(t, child, looks))
		return AGAIN_MS;
	log_info(t->conf->name, "closing %s CHILD_SA #%u", what, child);
	charon_submit(t->gw, ike_req_terminate_child(child), NULL, on_done, NULL);
	return AGAIN_MS;
}

uint32_t tidy_lost_child(const struct tunnel *t, const struct ike_sa *sa)
{
	for (size_t i = 0; i < sa->n_children; i++) {
		const struct ike_child *c = &sa->children[i];

		if (c->installed && !(sas_know(t, c->spi_in) && sas_know(t, c->spi_out)))
			return c->uniqueid;
	}
	return 0;
}

void tidy(struct tunnel *t, const struct view *v)
{
	uint64_t again = 0;

	if (v->n_established > 1 && v->in_use_there && v->lost_child)
		again = close_child(t, v->lost_child, "lost", LOOKS_LOST);
	else if (v->n_established > 1)
		again = close_ike(t, v);
	else if (v->n_established == 1 && v->in_use_there && v->surplus_child)
		again = close_child(t, v->surplus_child, "surplus", patience(t));
	else
		t->surplus = t->surplus_looks = 0;
	if (!v->cut)
		sas_strike_stale(t, v->spis, v->n_spis);
	for (size_t i = 0; i < t->sas.len && !again; i++)
		again = t->sas.at[i].strikes == 1 ? AGAIN_MS : 0;
	t->tidy_at = again ? gateway_now() + again : 0;
}
