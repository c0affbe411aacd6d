// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads connections into charon and remembers what was loaded. Entries: charon_load_conns and its kin, called by
 * daemon/apply.c; charon_observe, the "seen" side. A digest is noted when the request is sent, so that the next look does
 * not send it again, and taken back when charon refuses. Neighbour: daemon/credentials.c (secrets).
 */
#include "daemon/loading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/charon.h"
#include "daemon/credentials.h"
#include "daemon/lacks.h"
#include "daemon/loaded.h"
#include "daemon/peer.h"
#include "daemon/reauth.h"
#include "daemon/reconcile.h"
#include "lib/log.h"

/* What one request carried. */
struct load_one {
	char name[IKE_NAME_SIZE];
	unsigned char terms[SECRET_DIGEST_SIZE];
	bool moved; /* its addresses are others: daemon/move.c ends what was, before anything new comes */
};

struct load {
	struct gateway *gw;
	size_t n;
	struct load_one of[];
};

/* Of terms of which it is not known whether charon took them: equal to none. */
static const unsigned char terms_unsure[SECRET_DIGEST_SIZE] = {1};

void loading_forget(struct gateway *gw)
{
	vec_free(&gw->conns);
	vec_free(&gw->secrets);
	vec_free(&gw->keys);
}

/* What was not sent is listed nowhere, and lost to nobody. */
static void kept_back_keep(struct loaded_set *listed, const struct loaded_set *known)
{
	size_t n = listed->len;

	for (size_t i = 0; i < known->len; i++) {
		struct loaded *l;

		if (!known->at[i].kept_back)
			continue;
		l = loaded_find_in(listed->at, n, known->at[i].name);
		if (!l)
			l = vec_push(listed);
		if (l)
			*l = known->at[i];
	}
	vec_sort(listed, loaded_cmp);
}

/* Of what is neither configured nor loaded any more nothing is left to be ended. */
static void terms_trim(struct gateway *gw)
{
	for (size_t i = gw->terms.len; i > 0; i--) {
		struct loaded *l = &gw->terms.at[i - 1];

		if (!loaded_find(&gw->conns, l->name) && !gateway_tunnel_by_conn(gw, l->name))
			loaded_drop(&gw->terms, l);
	}
}

void loading_take_conns(struct gateway *gw, const struct ike_msg *answer)
{
	struct loaded_set l = {0};
	bool lost = false;

	ike_answer_list(answer, "conns", loaded_list_one, &l);
	vec_sort(&l, loaded_cmp);
	loaded_keep(&l, &gw->conns);
	kept_back_keep(&l, &gw->conns);
	for (size_t i = 0; i < gw->conns.len; i++)
		lost |= !loaded_find(&l, gw->conns.at[i].name);
	free(gw->conns.at);
	gw->conns = l;
	terms_trim(gw);
	if (lost)
		log_warn(NULL, "somebody unloaded our connections from charon; loading them again");
}

static int observe_one_conn(struct objects *out, const struct loaded *l, int tunnel)
{
	struct object_conn *slot = vec_push(&out->conns);

	if (!slot)
		return -ENOMEM;
	snprintf(slot->conn.name, sizeof(slot->conn.name), "%s", l->name);
	slot->conn.tunnel = tunnel;
	memcpy(slot->digest, l->digest, sizeof(slot->digest));
	return 0;
}

static int tunnel_of(const struct gateway *gw, const char *name)
{
	struct tunnel *t = gateway_tunnel_by_conn((struct gateway *)gw, name);

	return t ? t->index : -1;
}

static int observe_every(const struct gateway *gw, struct objects *out)
{
	int r = 0;

	for (size_t i = 0; i < gw->conns.len && !r; i++)
		r = observe_one_conn(out, &gw->conns.at[i], tunnel_of(gw, gw->conns.at[i].name));
	return r ? r : credentials_observe(gw, out);
}

int charon_observe(const struct gateway *gw, const int *only, size_t n, struct objects *out)
{
	struct loaded *l;
	int r = 0;

	out->charon_known = gw->charon_known;
	if (!gw->charon_known)
		return 0;
	if (!only)
		return observe_every(gw, out);
	r = credentials_observe_gateway(gw, out);
	for (size_t i = 0; i < n && !r; i++) {
		char name[IKE_NAME_SIZE];

		snprintf(name, sizeof(name), IKE_PREFIX "%s", gw->conf->tunnels[only[i]].name);
		l = loaded_find(&gw->conns, name);
		if (l)
			r = observe_one_conn(out, l, only[i]);
		if (!r)
			r = credentials_observe_tunnel(gw, only[i], out);
	}
	return r;
}

/* True when charon took it by other terms before: what it made by those is to end. */
static bool terms_take(struct gateway *gw, const struct load_one *one)
{
	struct loaded *l = loaded_find(&gw->terms, one->name);
	bool changed = l && !one->moved && memcmp(l->digest, loaded_unknown, sizeof(l->digest)) &&
		       memcmp(l->digest, one->terms, sizeof(l->digest));

	loaded_note(&gw->terms, one->name, one->terms);
	return changed;
}

/* No answer: charon may have taken it or not. */
static void terms_doubt(struct gateway *gw, const struct load_one *one)
{
	struct loaded *l = loaded_find(&gw->terms, one->name);

	if (!l || !memcmp(l->digest, loaded_unknown, sizeof(l->digest)))
		loaded_note(&gw->terms, one->name, one->terms);
	else if (memcmp(l->digest, one->terms, sizeof(l->digest)))
		memcpy(l->digest, terms_unsure, sizeof(l->digest));
}

static void conn_accepted(struct tunnel *t, bool changed)
{
	gateway_set_text(&t->refused, NULL);
	t->conn_loaded = true;
	if (changed && t->child_installed)
		peer_wake(t); /* it was started, and so it stays */
	if (changed)
		peer_terminate(t);
	else
		reauth_begin(t);
	peer_want(t, changed && t->conf->start == CONF_START_ALWAYS);
	reconcile_mark(t);
}

/* A message of several fails as a whole: send them one by one, to find the one that charon does not like. */
static void load_split(struct gateway *gw, const struct load *l)
{
	for (size_t i = 0; i < l->n; i++)
		loaded_note(&gw->conns, l->of[i].name, loaded_unknown);
	for (size_t i = 0; i < l->n; i++) {
		struct tunnel *t = gateway_tunnel_by_conn(gw, l->of[i].name);

		if (t) {
			gateway_set_text(&t->refused, "one by one");
			reconcile_mark(t);
		}
	}
}

static void on_conns_loaded(void *user, int code, const struct ike_msg *answer,
			    struct ike_msg *const *items, size_t n_items)
{
	struct load *l = user;
	struct gateway *gw = l->gw;
	char err[256] = "";
	bool ok;

	(void)items, (void)n_items;
	if (code)
		snprintf(err, sizeof(err), "%s", charon_error_text(code));
	ok = !code && ike_answer_ok(answer, err, sizeof(err));
	for (size_t i = 0; code && i < l->n; i++)
		terms_doubt(gw, &l->of[i]);
	if (!ok && l->n > 1) {
		load_split(gw, l);
		free(l);
		return;
	}
	for (size_t i = 0; i < l->n; i++) {
		struct tunnel *t = gateway_tunnel_by_conn(gw, l->of[i].name);

		if (!ok)
			loaded_note(&gw->conns, l->of[i].name, loaded_unknown);
		if (t && ok)
			conn_accepted(t, terms_take(gw, &l->of[i]));
		else if (t && code != -ECONNRESET && code != -ECANCELED)
			credentials_refused(t, err);
	}
	free(l);
}

static void load_one(struct gateway *gw, struct load_one *one, const struct object_conn *c)
{
	const struct tunnel *t = gateway_tunnel_by_conn(gw, c->conn.name);

	snprintf(one->name, sizeof(one->name), "%s", c->conn.name);
	memcpy(one->terms, c->terms, sizeof(one->terms));
	one->moved = t && t->moved;
	loaded_note(&gw->conns, c->conn.name, c->digest);
}

/* True when this connection is to travel alone: it was part of a message that failed. */
static bool alone(struct gateway *gw, const struct object_conn *c)
{
	struct tunnel *t = gateway_tunnel_by_conn(gw, c->conn.name);

	return t && t->refused;
}

static size_t load_some(struct gateway *gw, const struct object_conn *const *conns, size_t n,
			int *err)
{
	struct load *l = calloc(1, sizeof(*l) + n * sizeof(l->of[0]));
	struct ike_msg *m = ike_msg_new("load-conn");

	if (!l || !m) {
		free(l);
		ike_msg_free(m);
		*err = -ENOMEM;
		return n;
	}
	l->gw = gw;
	while (l->n < n && ike_msg_size(m) < IKE_LOAD_BYTES_MAX) {
		const struct object_conn *c = conns[l->n];

		if (l->n && alone(gw, c))
			break;
		ike_conn_put(m, &c->conn);
		load_one(gw, &l->of[l->n++], c);
		if (alone(gw, c))
			break;
	}
	n = l->n;
	int r = charon_submit(gw, m, NULL, on_conns_loaded, l);
	if (r) {
		*err = r == -ENOMEM ? r : *err;
		for (size_t i = 0; i < n; i++)
			loaded_note(&gw->conns, l->of[i].name, loaded_unknown);
		free(l);
	}
	return n;
}

/* Makes room for all names first: sorting once, not once a name. */
static void names_reserve(struct loaded_set *set, const struct object_conn *const *conns, size_t n)
{
	size_t known = set->len;

	for (size_t i = 0; i < n; i++) {
		struct loaded *l = loaded_find_in(set->at, known, conns[i]->conn.name);

		if (!l)
			l = vec_push(set);
		if (l)
			snprintf(l->name, sizeof(l->name), "%s", conns[i]->conn.name);
	}
	vec_sort(set, loaded_cmp);
}

/* Names what this charon cannot; sending it is of no use, now or later. True when there is such a thing. */
static bool keep_back(struct gateway *gw, const struct object_conn *c)
{
	struct tunnel *t = gateway_tunnel_by_conn(gw, c->conn.name);
	struct loaded *l = loaded_find(&gw->conns, c->conn.name);
	char why[256];
	bool back = t && l && lacks_conn(gw, &c->conn, why, sizeof(why));

	if (l)
		l->kept_back = back;
	if (!back)
		return false;
	gateway_set_text(&t->refused, why);
	if (t->refused) /* else it would pass for loaded */
		memcpy(l->digest, c->digest, sizeof(l->digest));
	log_warn(t->conf->name, "not loaded into charon: %s", why);
	reconcile_judge(t);
	return true;
}

int charon_load_conns(struct gateway *gw, const struct object_conn *const *conns, size_t n)
{
	const struct object_conn **send = calloc(n ? n : 1, sizeof(*send));
	size_t n_send = 0;
	int err = 0;

	if (!send)
		return -ENOMEM;
	names_reserve(&gw->conns, conns, n);
	names_reserve(&gw->terms, conns, n);
	for (size_t i = 0; i < n; i++)
		if (!keep_back(gw, conns[i]))
			send[n_send++] = conns[i];
	for (size_t i = 0; i < n_send;)
		i += load_some(gw, send + i, n_send - i, &err);
	free(send);
	return err;
}

static void on_unloaded(void *user, int code, const struct ike_msg *answer,
			struct ike_msg *const *items, size_t n)
{
	(void)user, (void)code, (void)answer, (void)items, (void)n;
}

void charon_unload_conn(struct gateway *gw, const char *name)
{
	charon_submit(gw, ike_req_terminate(name, 0, false), NULL, on_unloaded, NULL);
	charon_submit(gw, ike_req_unload_conn(name), NULL, on_unloaded, NULL);
	loaded_drop(&gw->conns, loaded_find(&gw->conns, name));
	loaded_drop(&gw->terms, loaded_find(&gw->terms, name));
}
