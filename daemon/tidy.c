// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Closes surplus SAs without losing a packet. Entry: tidy, called by daemon/peer.c with a fresh view; what it does in words:
 *
 *	surplus is what two looks in a row show beside what is kept, for a rekey under way shows two as well;
 *	our packets leave it first (the peer deletes its inbound SA as soon as it is told), it is closed a second later;
 *	the peer's packets leave it when the peer deletes its outbound SA (RFC 7296 section 1.4.1): the kernel there takes the other.
 *
 * What the peer left behind at an address where it is no more carries nothing: it goes at once.
 *
 * The leading end clears away; the other one when that has not happened for a while, as with a peer that is no gwd.
 */
#include "daemon/tidy.h"

#include "daemon/charon.h"
#include "daemon/sas.h"
#include "lib/log.h"

#define AGAIN_MS 3000
#define LOOKS_LEADER 2
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
static bool persists(struct tunnel *t, uint32_t surplus)
{
	if (surplus != t->surplus)
		t->surplus_looks = 0;
	t->surplus = surplus;
	return ++t->surplus_looks >= (t->leads ? LOOKS_LEADER : LOOKS_FOLLOWER);
}

static uint64_t close_ike(struct tunnel *t, const struct view *v)
{
	bool left = v->left && v->left != v->keep;
	uint32_t surplus = left ? v->left : view_surplus_ike(v);

	if (!left && !persists(t, surplus))
		return AGAIN_MS;
	if (!left && v->keep_spi_out && v->keep_spi_out != t->pin.spi &&
	    sas_move(t, v->keep_spi_out))
		return SAS_MOVED_MS;
	log_info(t->conf->name, "closing surplus IKE_SA #%u", surplus);
	charon_submit(t->gw, ike_req_terminate(NULL, surplus, false), NULL, on_done, NULL);
	return AGAIN_MS;
}

static uint64_t close_child(struct tunnel *t, const struct view *v)
{
	if (!persists(t, v->surplus_child))
		return AGAIN_MS;
	log_info(t->conf->name, "closing surplus CHILD_SA #%u", v->surplus_child);
	charon_submit(t->gw, ike_req_terminate_child(v->surplus_child), NULL, on_done, NULL);
	return AGAIN_MS;
}

void tidy(struct tunnel *t, const struct view *v)
{
	uint64_t again = 0;

	if (v->n_established > 1)
		again = close_ike(t, v);
	else if (v->n_established == 1 && v->in_use_there && v->surplus_child)
		again = close_child(t, v);
	else
		t->surplus = t->surplus_looks = 0;
	sas_strike_stale(t, v->spis, v->n_spis);
	for (size_t i = 0; i < t->sas.len && !again; i++)
		again = t->sas.at[i].strikes == 1 ? AGAIN_MS : 0;
	t->tidy_at = again ? gateway_now() + again : 0;
}
