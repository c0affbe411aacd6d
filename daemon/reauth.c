// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Authenticating anew, make before break. Entries: reauth_note at a reload, reauth_begin when charon has taken the connection, and
 * the tunnel's timer. charon puts a child on an IKE_SA it has when that has the same configuration (5.9.8,
 * ike_sa_manager.c, checkout_by_config); ike_conn.turn makes it another one, so an initiate negotiates a new IKE_SA. IKE_SAs are
 * numbered in order: those up to `last` are of before. Neighbours: daemon/peer.c, daemon/sas.c, daemon/reload.c, daemon/loading.c.
 */
#include "daemon/reauth.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/charon.h"
#include "daemon/peer.h"
#include "daemon/sas.h"
#include "daemon/tidy.h"
#include "lib/log.h"

#define LIMIT_MS 10000 /* for the new IKE_SA; then the old one ends all the same, where it must */
#define AGAIN_MS 1000 /* when charon could not be asked */
#define TURNS 255 /* 1 to that */
#define SETTLE_MS 4000 /* both ends move packets within 2.5 s (daemon/pin.h) */

static bool key_kept(const char *key, const struct conf_tunnel *t)
{
	return !*key || !strcmp(key, t->peer_public_key) || !strcmp(key, t->peer_other_key);
}

static bool secret_same(const struct secret *a, const struct secret *b)
{
	return a && b && a->size == b->size && !sodium_memcmp(a->bytes, b->bytes, a->size);
}

static bool psk_kept(const struct secret *psk, const struct tunnel_secrets *s)
{
	return !psk || secret_same(psk, s->psk) || secret_same(psk, s->other_psk);
}

/* A secret that came, or went, is to be used, or not; one that must be used, is waited for no longer than a removed key. */
static enum reauth_need ppk_compare(const struct conf_tunnel *a, const struct tunnel_secrets *sa,
				    const struct conf_tunnel *b, const struct tunnel_secrets *sb)
{
	bool same = sa->ppk ? secret_same(sa->ppk, sb->ppk) && !strcmp(a->ppk_id, b->ppk_id)
			    : !sb->ppk;
	bool demanded = sb->ppk && b->ppk_required;

	if (same && (!demanded || a->ppk_required))
		return REAUTH_NONE;
	return demanded ? REAUTH_HARD : REAUTH_SOFT;
}

enum reauth_need reauth_compare(const struct conf_tunnel *a, const struct tunnel_secrets *sa,
				const struct conf_tunnel *b, const struct tunnel_secrets *sb)
{
	if (a->protect != CONF_PROTECT_IPSEC || b->protect != CONF_PROTECT_IPSEC ||
	    a->auth != b->auth)
		return REAUTH_NONE; /* nothing stays of the tunnel as it was */
	if (!key_kept(a->peer_public_key, b) || !key_kept(a->peer_other_key, b) ||
	    !psk_kept(sa->psk, sb) || !psk_kept(sa->other_psk, sb) ||
	    !tunnel_certs_kept(&sa->certs, &sb->certs))
		return REAUTH_HARD;
	return ppk_compare(a, sa, b, sb);
}

/*
 * An IKE_SA of a gwd before this one may be under any turn, and an initiate with its turn again would be put on it: where we begin is
 * left to chance.
 */
static uint8_t turn_after(uint8_t turn)
{
	return (uint8_t)(turn ? turn % TURNS + 1u : 1u + randombytes_uniform(TURNS));
}

static void want(struct tunnel *t, enum reauth_need need)
{
	if (need == REAUTH_NONE)
		return;
	t->reauth.wanted = true;
	t->reauth.hard |= need == REAUTH_HARD;
	t->reauth.turn = turn_after(t->reauth.turn);
}

void reauth_note(struct gateway *gw, const struct generation *old)
{
	bool key = *old->public_key && strcmp(old->public_key, gw->public_key) != 0;
	bool certificate = !cert_file_equal(old->certs.own, gw->certs.own);
	size_t k = 0;

	for (size_t i = 0; i < gw->conf->n_tunnels && k < old->conf->n_tunnels; i++) {
		const struct conf_tunnel *t = &gw->conf->tunnels[i];
		enum reauth_need need;

		while (k < old->conf->n_tunnels && strcmp(old->conf->tunnels[k].name, t->name) < 0)
			k++;
		if (k == old->conf->n_tunnels || strcmp(old->conf->tunnels[k].name, t->name))
			continue;
		need = reauth_compare(&old->conf->tunnels[k], &old->auths[k], t, &gw->auths[i]);
		if (need == REAUTH_NONE && ((key && t->auth == CONF_AUTH_PUBLIC_KEY) ||
					    (certificate && t->auth == CONF_AUTH_CERTIFICATE)))
			need = REAUTH_SOFT;
		want(&gw->tunnels[i], need);
	}
}

/* What list-sas tells of a tunnel's IKE_SAs. */
struct survey {
	size_t n;
	size_t before; /* of those made up to `last` */
	uint32_t newest; /* the highest number */
	uint32_t successor; /* of those that carry, the newest made since `last`; 0: none */
	uint32_t spi_out; /* its outbound SA */
};

typedef void (*survey_fn)(struct tunnel *t, const struct survey *s, struct ike_msg *const *items,
			  size_t n);

/* Outlives reloads: the tunnel is found again by name. */
struct question {
	struct gateway *gw;
	survey_fn then;
	char conn[IKE_NAME_SIZE];
};

/* The outbound SA of what it carries; 0: nothing. */
static uint32_t carries(const struct ike_sa *sa)
{
	for (size_t i = 0; sa->established && i < sa->n_children; i++)
		if (sa->children[i].installed)
			return sa->children[i].spi_out;
	return 0;
}

static void survey_add(struct survey *s, const struct ike_sa *sa, uint32_t last)
{
	uint32_t spi_out = carries(sa);

	s->n++;
	s->before += sa->uniqueid <= last;
	if (sa->uniqueid > s->newest)
		s->newest = sa->uniqueid;
	if (spi_out && sa->uniqueid > last && sa->uniqueid > s->successor) {
		s->successor = sa->uniqueid;
		s->spi_out = spi_out;
	}
}

static void on_listed(void *user, int err, const struct ike_msg *answer,
		      struct ike_msg *const *items, size_t n)
{
	struct question *q = user;
	struct tunnel *t = gateway_tunnel_by_conn(q->gw, q->conn);
	struct ike_sa *sa = malloc(sizeof(*sa));
	struct survey s = {0};

	(void)answer;
	for (size_t i = 0; t && sa && i < n; i++)
		if (ike_sa_parse(items[i], sa) && !strcmp(sa->name, q->conn))
			survey_add(&s, sa, t->reauth.last);
	if (t && sa && !err)
		q->then(t, &s, items, n);
	free(sa);
	free(q);
}

/* False: not asked. */
static bool ask(struct tunnel *t, survey_fn then)
{
	struct question *q = malloc(sizeof(*q));

	if (!q)
		return false;
	q->gw = t->gw;
	q->then = then;
	snprintf(q->conn, sizeof(q->conn), IKE_PREFIX "%s", t->conf->name);
	if (!charon_submit(t->gw, ike_req_list_sas(q->conn), "list-sa", on_listed, q))
		return true;
	free(q);
	return false;
}

void reauth_over(struct tunnel *t)
{
	uint8_t turn = t->reauth.turn;

	memset(&t->reauth, 0, sizeof(t->reauth));
	t->reauth.turn = turn;
}

/* charon leaves out an IKE_SA that is at work (noblock). Whether there is none is for daemon/peer.c to find out. */
static void look_again(struct tunnel *t)
{
	t->reauth.at = gateway_now() + AGAIN_MS;
	tidy_soon(t);
	peer_arm(t);
}

static void begin_on(struct tunnel *t, const struct survey *s, struct ike_msg *const *items,
		     size_t n)
{
	(void)items, (void)n;
	if (!t->reauth.wanted)
		return; /* it was asked twice */
	if (!s->n && t->ike_established) {
		look_again(t);
		return;
	}
	t->reauth.wanted = false;
	if (!s->n) {
		reauth_over(t);
		return;
	}
	log_info(t->conf->name, "what it authenticates with has changed: authenticating anew");
	t->reauth.last = s->newest;
	if (t->ike_established && t->ike_id > s->newest)
		t->reauth.last = t->ike_id; /* left out */
	t->reauth.at = gateway_now() + LIMIT_MS;
	peer_initiate(t);
	peer_arm(t);
}

void reauth_begin(struct tunnel *t)
{
	if (!t->reauth.wanted)
		return;
	/* what is not answered is asked again */
	t->reauth.at = gateway_now() + (ask(t, begin_on) ? LIMIT_MS : AGAIN_MS);
	peer_arm(t);
}

static void on_ended(void *user, int err, const struct ike_msg *answer,
		     struct ike_msg *const *items, size_t n)
{
	(void)user, (void)err, (void)answer, (void)items, (void)n;
}

/* All but the one that takes over. Without one the peer is not waited for. */
static void end_others(struct tunnel *t, uint32_t successor, struct ike_msg *const *items, size_t n)
{
	struct ike_sa *sa = malloc(sizeof(*sa));
	char conn[IKE_NAME_SIZE];

	snprintf(conn, sizeof(conn), IKE_PREFIX "%s", t->conf->name);
	for (size_t i = 0; sa && i < n; i++) {
		if (!ike_sa_parse(items[i], sa) || strcmp(sa->name, conn) ||
		    sa->uniqueid == successor)
			continue;
		charon_submit(t->gw, ike_req_terminate(conn, sa->uniqueid, !successor), NULL,
			      on_ended, NULL);
	}
	free(sa);
}

static void end_on(struct tunnel *t, const struct survey *s, struct ike_msg *const *items, size_t n)
{
	bool hard = t->reauth.hard;

	if (!t->reauth.last)
		return;
	if (hard && !s->before && t->ike_established && t->ike_id <= t->reauth.last) {
		look_again(t);
		return;
	}
	/* The peer has had it for long; what still goes by another arrives before that one is ended. */
	if (s->successor && s->spi_out != t->pin.spi && sas_move(t, s->spi_out)) {
		t->reauth.at = gateway_now() + SAS_MOVED_MS;
		peer_arm(t);
		return;
	}
	reauth_over(t);
	if (s->successor)
		log_info(t->conf->name, "authenticated anew");
	else if (hard)
		log_warn(t->conf->name, "what is not accepted any more is ended, and the peer has "
					"not authenticated anew");
	else
		log_warn(t->conf->name, "the peer does not take our new key yet; what the old one "
					"authenticated goes on");
	if (s->successor || hard)
		end_others(t, s->successor, items, n);
}

void reauth_tick(struct tunnel *t)
{
	if (t->reauth.wanted && !t->reauth.last) {
		reauth_begin(t);
		return;
	}
	t->reauth.at = gateway_now() + LIMIT_MS; /* should the answer not come */
	ask(t, end_on);
}

void reauth_child_up(struct tunnel *t, uint32_t ike_id)
{
	uint64_t due = gateway_now() + SETTLE_MS;

	if (t->reauth.at && ike_id > t->reauth.last && due < t->reauth.at)
		t->reauth.at = due;
}

void reauth_ike_rekey(struct tunnel *t, uint32_t ike_id)
{
	if (t->reauth.last && ike_id > t->reauth.last)
		t->reauth.last = ike_id;
}

void reauth_forget(struct tunnel *t)
{
	t->reauth.wanted |= t->reauth.last != 0;
	t->reauth.last = 0;
	t->reauth.at = 0;
}
