// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads secrets into charon and remembers what was loaded. Entries: charon_load_secret, charon_unload_secret (daemon/charon.h), called
 * by daemon/apply.c; credentials_observe, the "seen" side. Shared secrets have names of ours in charon; of private keys it knows
 * an id only, which its answer to the loading tells. Neighbour: daemon/loading.c (connections), which works the same way.
 */
#include "daemon/credentials.h"

#include <errno.h>

#include "daemon/charon.h"
#include "daemon/loaded.h"
#include "daemon/peer.h"
#include "daemon/reconcile.h"
#include "lib/log.h"

#define REFUSED_RETRY_MS 10000

/* The one request of a secret. */
struct load {
	struct gateway *gw;
	enum object_secret_kind kind;
	char name[IKE_NAME_SIZE];
};

static bool is_shared(const char *name)
{
	return strncmp(name, IKE_PREFIX, strlen(IKE_PREFIX)) == 0;
}

static bool begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static enum object_secret_kind kind_of(const char *name)
{
	if (begins(name, IKE_PREFIX_PPK))
		return OBJECT_SECRET_PPK;
	if (is_shared(name))
		return OBJECT_SECRET_PSK;
	return begins(name, OBJECT_CRL_PREFIX) ? OBJECT_SECRET_CRL : OBJECT_SECRET_KEY;
}

static struct tunnel *tunnel_of(const struct gateway *gw, const char *name)
{
	struct gateway *g = (struct gateway *)gw;

	if (begins(name, IKE_PREFIX_OTHER))
		return gateway_tunnel_by_name(g, name + strlen(IKE_PREFIX_OTHER));
	if (begins(name, IKE_PREFIX_PPK))
		return gateway_tunnel_by_name(g, name + strlen(IKE_PREFIX_PPK));
	return gateway_tunnel_by_conn(g, name);
}

static struct loaded_key *key_find(struct gateway *gw, const char *name)
{
	for (size_t i = 0; i < gw->keys.len; i++)
		if (!strcmp(gw->keys.at[i].name, name))
			return &gw->keys.at[i];
	return NULL;
}

static void on_unloaded(void *user, int code, const struct ike_msg *answer,
			struct ike_msg *const *items, size_t n)
{
	(void)user, (void)code, (void)answer, (void)items, (void)n;
}

static void key_note(struct gateway *gw, const char *name, const char *id)
{
	struct loaded_key *key = key_find(gw, name);

	if (key && strcmp(key->id, id)) /* another key in the place of this one */
		charon_submit(gw, ike_req_unload_key(key->id), NULL, on_unloaded, NULL);
	if (!key)
		key = vec_push(&gw->keys);
	if (!key)
		return;
	snprintf(key->name, sizeof(key->name), "%s", name);
	snprintf(key->id, sizeof(key->id), "%s", id);
}

static void key_drop(struct gateway *gw, const char *name)
{
	struct loaded_key *key = key_find(gw, name);

	if (key)
		*key = gw->keys.at[--gw->keys.len];
}

/* Private keys are no shared secrets, and are carried over: get-keys tells about them. */
void credentials_take_shared(struct gateway *gw, const struct ike_msg *answer)
{
	struct loaded_set l = {0};

	ike_answer_list(answer, "keys", loaded_list_one, &l);
	for (size_t i = 0; i < gw->secrets.len; i++) {
		struct loaded *slot;

		if (is_shared(gw->secrets.at[i].name))
			continue;
		slot = vec_push(&l);
		if (slot)
			*slot = gw->secrets.at[i];
	}
	vec_sort(&l, loaded_cmp);
	loaded_keep(&l, &gw->secrets);
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

void credentials_take_keys(struct gateway *gw, const struct ike_msg *answer)
{
	for (size_t i = gw->keys.len; i-- > 0;) {
		struct key_search s = {.id = gw->keys.at[i].id};

		ike_answer_list(answer, "keys", key_match, &s);
		if (s.found)
			continue;
		loaded_drop(&gw->secrets, loaded_find(&gw->secrets, gw->keys.at[i].name));
		gw->keys.at[i] = gw->keys.at[--gw->keys.len];
	}
}

static int observe_one(struct objects *out, const struct loaded *l, int tunnel)
{
	struct object_secret *slot = vec_push(&out->secrets);

	if (!slot)
		return -ENOMEM;
	snprintf(slot->name, sizeof(slot->name), "%s", l->name);
	slot->tunnel = tunnel;
	slot->kind = kind_of(l->name);
	memcpy(slot->digest, l->digest, sizeof(slot->digest));
	return 0;
}

int credentials_observe(const struct gateway *gw, struct objects *out)
{
	int r = 0;

	for (size_t i = 0; i < gw->secrets.len && !r; i++) {
		const struct tunnel *t = tunnel_of(gw, gw->secrets.at[i].name);

		r = observe_one(out, &gw->secrets.at[i], t ? t->index : -1);
	}
	return r;
}

int credentials_observe_gateway(const struct gateway *gw, struct objects *out)
{
	int r = 0;

	/* Sorted: keys ("MCow…", "certificate-key") and CRLs come before what has our prefix. */
	for (size_t i = 0; i < gw->secrets.len && !is_shared(gw->secrets.at[i].name) && !r; i++)
		r = observe_one(out, &gw->secrets.at[i], -1);
	return r;
}

int credentials_observe_tunnel(const struct gateway *gw, int tunnel, struct objects *out)
{
	static const char *const prefixes[] = {IKE_PREFIX_OTHER, IKE_PREFIX_PPK, IKE_PREFIX};
	char name[IKE_NAME_SIZE];
	int r = 0;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]) && !r; i++) {
		const struct loaded *l;

		snprintf(name, sizeof(name), "%s%s", prefixes[i], gw->conf->tunnels[tunnel].name);
		l = loaded_find(&gw->secrets, name);
		if (l)
			r = observe_one(out, l, tunnel);
	}
	return r;
}

void credentials_refused(struct tunnel *t, const char *err)
{
	gateway_set_text(&t->refused, err);
	t->retry_at = gateway_now() + REFUSED_RETRY_MS;
	log_warn(t->conf->name, "charon refuses: %s; trying again in %d s", err,
		 REFUSED_RETRY_MS / 1000);
	reconcile_judge(t);
	peer_arm(t);
}

/* What was refused for want of a secret is so no more; a connection that was refused itself has no digest. */
static void secret_accepted(struct tunnel *t)
{
	char conn[IKE_NAME_SIZE];
	const struct loaded *l;

	snprintf(conn, sizeof(conn), IKE_PREFIX "%s", t->conf->name);
	l = loaded_find(&t->gw->conns, conn);
	if (!t->refused || !l || l->kept_back ||
	    !memcmp(l->digest, loaded_unknown, sizeof(loaded_unknown)))
		return;
	gateway_set_text(&t->refused, NULL);
	reconcile_mark(t);
}

static void on_loaded(void *user, int code, const struct ike_msg *answer,
		      struct ike_msg *const *items, size_t n_items)
{
	struct load *l = user;
	struct gateway *gw = l->gw;
	struct tunnel *t = tunnel_of(gw, l->name);
	char err[256] = "";
	const char *id;

	(void)items, (void)n_items;
	if (code)
		snprintf(err, sizeof(err), "%s", charon_error_text(code));
	if (!code && ike_answer_ok(answer, err, sizeof(err))) {
		id = ike_msg_get(answer, "id");
		if (l->kind == OBJECT_SECRET_KEY && id)
			key_note(gw, l->name, id);
		if (t)
			secret_accepted(t);
	} else {
		loaded_note(&gw->secrets, l->name, loaded_unknown);
		if (code == -ECONNRESET || code == -ECANCELED)
			log_debug(NULL, "loading a secret: %s", err);
		else if (t)
			credentials_refused(t, err);
		else
			log_error(NULL, "charon refuses %s: %s",
				  l->kind == OBJECT_SECRET_CRL ? "a crl"
							       : "the gateway's private key",
				  err);
	}
	free(l);
}

static struct ike_msg *request_of(const struct object_secret *s)
{
	switch (s->kind) {
	case OBJECT_SECRET_KEY:
		return ike_req_load_key(s->value);
	case OBJECT_SECRET_PPK:
		return ike_req_load_ppk(s->name, s->value, s->remote_id);
	case OBJECT_SECRET_CRL:
		return ike_req_load_crl(s->crl->der, s->crl->size);
	case OBJECT_SECRET_PSK:
		return ike_req_load_psk(s->name, s->value, s->remote_id);
	}
	return NULL;
}

/* charon uses the key that was loaded last: after a tunnel's second key its first is to be loaded once more. */
static void first_again(struct gateway *gw, const struct object_secret *s)
{
	size_t other = strlen(IKE_PREFIX_OTHER);
	char name[IKE_NAME_SIZE];
	struct loaded *first;

	if (strncmp(s->name, IKE_PREFIX_OTHER, other))
		return;
	snprintf(name, sizeof(name), IKE_PREFIX "%s", s->name + other);
	first = loaded_find(&gw->secrets, name);
	if (!first)
		return;
	memcpy(first->digest, loaded_unknown, sizeof(first->digest));
	if (s->tunnel >= 0)
		reconcile_mark(&gw->tunnels[s->tunnel]);
}

int charon_load_secret(struct gateway *gw, const struct object_secret *s)
{
	struct load *l = calloc(1, sizeof(*l));
	struct ike_msg *m;
	int r;

	if (!l)
		return -ENOMEM;
	l->gw = gw;
	l->kind = s->kind;
	snprintf(l->name, sizeof(l->name), "%s", s->name);
	m = request_of(s);
	r = charon_submit(gw, m, NULL, on_loaded, l);
	if (r) {
		free(l);
		return r == -ENOMEM ? r : 0;
	}
	if (s->kind == OBJECT_SECRET_CRL)
		charon_submit(gw, ike_req_flush_crls(), NULL, on_unloaded, NULL);
	loaded_note(&gw->secrets, s->name, s->digest);
	first_again(gw, s);
	return 0;
}

void charon_unload_secret(struct gateway *gw, const char *name)
{
	const struct loaded_key *key = key_find(gw, name);
	struct ike_msg *m = NULL;

	if (is_shared(name))
		m = ike_req_unload_psk(name);
	else if (key)
		m = ike_req_unload_key(key->id);
	if (m)
		charon_submit(gw, m, NULL, on_unloaded, NULL);
	key_drop(gw, name);
	loaded_drop(&gw->secrets, loaded_find(&gw->secrets, name));
}
