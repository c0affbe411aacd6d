// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads connections and secrets into charon and remembers what was loaded. Entries: charon_load_conns and its kin, called by
 * daemon/apply.c; charon_observe, the "seen" side. A digest is noted when the request is sent, so that the next look does
 * not send it again, and taken back when charon refuses.
 */
#include "daemon/loading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/charon.h"
#include "daemon/peer.h"
#include "daemon/reconcile.h"
#include "lib/log.h"

/* Of one load-conn message: its answer must come within the deadline. */
#define LOAD_BYTES_MAX (128 * 1024)
#define REFUSED_RETRY_MS 10000

/* Names of what one request carried; changed: it replaced what charon had from this session. */
struct load {
	struct gateway *gw;
	size_t n;
	struct {
		char name[IKE_NAME_SIZE];
		bool changed;
	} of[];
};

static const unsigned char no_digest[SECRET_DIGEST_SIZE];

static int loaded_cmp(const void *a, const void *b)
{
	return strcmp(((const struct loaded *)a)->name, ((const struct loaded *)b)->name);
}

static struct loaded *loaded_find(struct loaded *at, size_t n, const char *name)
{
	struct loaded key;

	snprintf(key.name, sizeof(key.name), "%s", name);
	return n ? bsearch(&key, at, n, sizeof(key), loaded_cmp) : NULL;
}

#define FIND(v, name) loaded_find((v)->at, (v)->len, name)

void loading_forget(struct gateway *gw)
{
	vec_free(&gw->conns);
	vec_free(&gw->secrets);
	gw->key_id[0] = '\0';
}

static void note(struct loaded_set *set, const char *name, const unsigned char *digest)
{
	struct loaded *l = FIND(set, name);

	if (l) {
		memcpy(l->digest, digest, sizeof(l->digest));
		return;
	}
	l = vec_push(set);
	if (!l)
		return;
	snprintf(l->name, sizeof(l->name), "%s", name);
	memcpy(l->digest, digest, sizeof(l->digest));
	vec_sort(set, loaded_cmp);
}

static void drop(struct loaded_set *set, struct loaded *l)
{
	if (!l)
		return;
	memmove(l, l + 1, (size_t)(&set->at[--set->len] - l) * sizeof(*l));
}

/* One query's answer: names of ours, sorted, to be matched with what we think is loaded. */
static void list_one(void *user, const char *name)
{
	struct loaded_set *l = user;
	struct loaded *slot;

	if (strncmp(name, IKE_PREFIX, strlen(IKE_PREFIX)) || strlen(name) >= IKE_NAME_SIZE)
		return;
	slot = vec_push(l);
	if (slot)
		snprintf(slot->name, sizeof(slot->name), "%s", name);
}

/* What we loaded, and is still listed, is still what we loaded. */
static void digests_keep(struct loaded_set *listed, const struct loaded_set *known)
{
	for (size_t i = 0; i < listed->len; i++) {
		const struct loaded *l = FIND(known, listed->at[i].name);

		if (l)
			memcpy(listed->at[i].digest, l->digest, sizeof(l->digest));
	}
}

void loading_take_conns(struct gateway *gw, const struct ike_msg *answer)
{
	struct loaded_set l = {0};
	bool lost = false;

	ike_answer_list(answer, "conns", list_one, &l);
	vec_sort(&l, loaded_cmp);
	digests_keep(&l, &gw->conns);
	for (size_t i = 0; i < gw->conns.len; i++)
		lost |= !FIND(&l, gw->conns.at[i].name);
	free(gw->conns.at);
	gw->conns = l;
	if (lost)
		log_warn(NULL, "somebody unloaded our connections from charon; loading them again");
}

void loading_take_shared(struct gateway *gw, const struct ike_msg *answer)
{
	struct loaded_set l = {0};
	struct loaded *key = FIND(&gw->secrets, gw->public_key);

	ike_answer_list(answer, "keys", list_one, &l);
	if (key) {
		struct loaded *slot = vec_push(&l);

		if (slot)
			*slot = *key;
	}
	vec_sort(&l, loaded_cmp);
	digests_keep(&l, &gw->secrets);
	free(gw->secrets.at);
	gw->secrets = l;
}

struct key_search {
	const char *id;
	bool found;
};

static void key_match(void *user, const char *name)
{
	struct key_search *s = user;

	s->found |= !strcmp(name, s->id);
}

void loading_take_keys(struct gateway *gw, const struct ike_msg *answer)
{
	struct key_search s = {.id = gw->key_id};
	struct loaded *key = FIND(&gw->secrets, gw->public_key);

	if (!key || !*gw->key_id)
		return;
	ike_answer_list(answer, "keys", key_match, &s);
	if (!s.found)
		drop(&gw->secrets, key);
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

static int observe_one_secret(const struct gateway *gw, struct objects *out, const struct loaded *l,
			      int tunnel)
{
	struct object_secret *slot = vec_push(&out->secrets);

	if (!slot)
		return -ENOMEM;
	snprintf(slot->name, sizeof(slot->name), "%s", l->name);
	slot->tunnel = tunnel;
	slot->kind = strcmp(l->name, gw->public_key) ? OBJECT_SECRET_PSK : OBJECT_SECRET_KEY;
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
	for (size_t i = 0; i < gw->secrets.len && !r; i++)
		r = observe_one_secret(gw, out, &gw->secrets.at[i],
				       tunnel_of(gw, gw->secrets.at[i].name));
	return r;
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
	l = FIND(&gw->secrets, gw->public_key);
	if (l)
		r = observe_one_secret(gw, out, l, -1);
	for (size_t i = 0; i < n && !r; i++) {
		char name[IKE_NAME_SIZE];

		snprintf(name, sizeof(name), IKE_PREFIX "%s", gw->conf->tunnels[only[i]].name);
		l = FIND(&gw->conns, name);
		if (l)
			r = observe_one_conn(out, l, only[i]);
		l = FIND(&gw->secrets, name);
		if (l && !r)
			r = observe_one_secret(gw, out, l, only[i]);
	}
	return r;
}

static void refused(struct tunnel *t, const char *err)
{
	gateway_set_text(&t->refused, err);
	t->retry_at = gateway_now() + REFUSED_RETRY_MS;
	log_warn(t->conf->name, "charon refuses: %s; trying again in %d s", err,
		 REFUSED_RETRY_MS / 1000);
	reconcile_judge(t);
	peer_arm(t);
}

static void conn_accepted(struct tunnel *t, bool changed)
{
	gateway_set_text(&t->refused, NULL);
	t->conn_loaded = true;
	if (changed)
		peer_terminate(t);
	peer_want(t, changed);
	reconcile_mark(t);
}

/* A message of several fails as a whole: send them one by one, to find the one that charon does not like. */
static void load_split(struct gateway *gw, const struct load *l)
{
	for (size_t i = 0; i < l->n; i++)
		note(&gw->conns, l->of[i].name, no_digest);
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
		snprintf(err, sizeof(err), "%s", strerror(-code));
	ok = !code && ike_answer_ok(answer, err, sizeof(err));
	if (!ok && l->n > 1) {
		load_split(gw, l);
		free(l);
		return;
	}
	for (size_t i = 0; i < l->n; i++) {
		struct tunnel *t = gateway_tunnel_by_conn(gw, l->of[i].name);

		if (!ok)
			note(&gw->conns, l->of[i].name, no_digest);
		if (t && ok)
			conn_accepted(t, l->of[i].changed);
		else if (t && code != -ECONNRESET && code != -ECANCELED)
			refused(t, err);
	}
	free(l);
}

static bool replaces(struct gateway *gw, const struct object_conn *c)
{
	struct loaded *l = FIND(&gw->conns, c->conn.name);

	return l && memcmp(l->digest, no_digest, sizeof(no_digest)) &&
	       memcmp(l->digest, c->digest, sizeof(c->digest));
}

/* True when this connection is to travel alone: it was part of a message that failed. */
static bool alone(struct gateway *gw, const struct object_conn *c)
{
	struct tunnel *t = gateway_tunnel_by_conn(gw, c->conn.name);

	return t && t->refused;
}

static size_t load_some(struct gateway *gw, const struct object_conn *const *conns, size_t n)
{
	struct load *l = calloc(1, sizeof(*l) + n * sizeof(l->of[0]));
	struct ike_msg *m = ike_msg_new("load-conn");

	if (!l || !m) {
		free(l);
		ike_msg_free(m);
		return n;
	}
	l->gw = gw;
	while (l->n < n && ike_msg_size(m) < LOAD_BYTES_MAX) {
		const struct object_conn *c = conns[l->n];

		if (l->n && alone(gw, c))
			break;
		ike_conn_put(m, &c->conn);
		snprintf(l->of[l->n].name, sizeof(l->of[0].name), "%s", c->conn.name);
		l->of[l->n++].changed = replaces(gw, c);
		note(&gw->conns, c->conn.name, c->digest);
		if (alone(gw, c))
			break;
	}
	n = l->n;
	if (charon_submit(gw, m, NULL, on_conns_loaded, l)) {
		for (size_t i = 0; i < n; i++)
			note(&gw->conns, l->of[i].name, no_digest);
		free(l);
	}
	return n;
}

/* Makes room for all names first: sorting once, not once a name. */
static void names_reserve(struct gateway *gw, const struct object_conn *const *conns, size_t n)
{
	size_t known = gw->conns.len;

	for (size_t i = 0; i < n; i++) {
		struct loaded *l = loaded_find(gw->conns.at, known, conns[i]->conn.name);

		if (!l)
			l = vec_push(&gw->conns);
		if (l)
			snprintf(l->name, sizeof(l->name), "%s", conns[i]->conn.name);
	}
	vec_sort(&gw->conns, loaded_cmp);
}

void charon_load_conns(struct gateway *gw, const struct object_conn *const *conns, size_t n)
{
	names_reserve(gw, conns, n);
	for (size_t i = 0; i < n;)
		i += load_some(gw, conns + i, n - i);
}

static void on_secret_loaded(void *user, int code, const struct ike_msg *answer,
			     struct ike_msg *const *items, size_t n_items)
{
	struct load *l = user;
	struct gateway *gw = l->gw;
	struct tunnel *t = gateway_tunnel_by_conn(gw, l->of[0].name);
	char err[256] = "";
	const char *id;

	(void)items, (void)n_items;
	if (code)
		snprintf(err, sizeof(err), "%s", strerror(-code));
	if (!code && ike_answer_ok(answer, err, sizeof(err))) {
		id = ike_msg_get(answer, "id");
		if (!t && id)
			snprintf(gw->key_id, sizeof(gw->key_id), "%s", id);
		if (t && l->of[0].changed)
			peer_terminate(t); /* what the old key authenticated must not go on */
	} else {
		note(&gw->secrets, l->of[0].name, no_digest);
		if (code == -ECONNRESET || code == -ECANCELED)
			log_debug(NULL, "loading a secret: %s", err);
		else if (t)
			refused(t, err);
		else
			log_error(NULL, "charon refuses the gateway's private key: %s", err);
	}
	free(l);
}

static bool secret_replaces(struct gateway *gw, const struct object_secret *s)
{
	struct loaded *l = FIND(&gw->secrets, s->name);

	return l && memcmp(l->digest, no_digest, sizeof(no_digest)) &&
	       memcmp(l->digest, s->digest, sizeof(s->digest));
}

void charon_load_secret(struct gateway *gw, const struct object_secret *s)
{
	struct load *l = calloc(1, sizeof(*l) + sizeof(l->of[0]));
	struct ike_msg *m = NULL;

	if (l) {
		l->gw = gw;
		l->n = 1;
		snprintf(l->of[0].name, sizeof(l->of[0].name), "%s", s->name);
		l->of[0].changed = secret_replaces(gw, s);
		m = s->kind == OBJECT_SECRET_KEY
			    ? ike_req_load_key(s->value)
			    : ike_req_load_psk(s->name, s->value, s->remote_id);
	}
	if (!m || charon_submit(gw, m, NULL, on_secret_loaded, l)) {
		free(l);
		return;
	}
	note(&gw->secrets, s->name, s->digest);
}

static void on_unloaded(void *user, int code, const struct ike_msg *answer,
			struct ike_msg *const *items, size_t n)
{
	(void)user, (void)code, (void)answer, (void)items, (void)n;
}

void charon_unload_secret(struct gateway *gw, const char *name)
{
	drop(&gw->secrets, FIND(&gw->secrets, name));
	charon_submit(gw, ike_req_unload_psk(name), NULL, on_unloaded, NULL);
}

void charon_unload_conn(struct gateway *gw, const char *name)
{
	charon_submit(gw, ike_req_terminate(name, 0, false), NULL, on_unloaded, NULL);
	charon_submit(gw, ike_req_unload_conn(name), NULL, on_unloaded, NULL);
	drop(&gw->conns, FIND(&gw->conns, name));
}
