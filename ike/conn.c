/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tunnel's connection as charon's load-conn takes it; entry function ike_conn_put. Neighbours:
 * ike/request.c (the other requests), daemon/, which fills struct ike_conn and compares digests.
 * Pure. Follows the vici plugin's README ("load-conn") and swanctl.conf(5).
 */
#include "ike/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PROTOCOL_GRE "dynamic[47]" /* by number: the name needs /etc/protocols where charon runs */
#define TIME_MAX (UINT32_MAX / 2)

bool ike_conn_leads(const char *local_id, const char *remote_id)
{
	return strcmp(local_id, remote_id) < 0;
}

/* percent of t, at least 1 s where t is not 0 (which means never). */
static uint32_t percent(uint32_t t, unsigned percent)
{
	uint64_t part = (uint64_t)t * percent / 100;

	if (part == 0 && t)
		return 1;
	return part > TIME_MAX ? TIME_MAX : (uint32_t)part;
}

/* The leader rekeys in [90 %, 100 %], the other in [120 %, 125 %]; at 150 % the SA ends. */
#define REKEY_PERCENT(leads) ((leads) ? 100u : 125u)
#define RAND_PERCENT(leads) ((leads) ? 10u : 5u)
#define LIFE_PERCENT 150u

void ike_conn_set_times(struct ike_conn *c, bool leads, uint32_t ike_rekey_time,
			uint32_t esp_rekey_time)
{
	unsigned rekey = REKEY_PERCENT(leads), rand = RAND_PERCENT(leads);

	c->ike_rekey_time = percent(ike_rekey_time, rekey);
	c->ike_rand_time = percent(ike_rekey_time, rand);
	c->ike_over_time = percent(ike_rekey_time, LIFE_PERCENT - rekey);
	c->esp_rekey_time = percent(esp_rekey_time, rekey);
	c->esp_rand_time = percent(esp_rekey_time, rand);
	c->esp_life_time = percent(esp_rekey_time, LIFE_PERCENT);
}

static struct ike_volume volume_of(uint64_t n, bool leads)
{
	return (struct ike_volume){
		.rekey = n * REKEY_PERCENT(leads) / 100,
		.rand = n * RAND_PERCENT(leads) / 100,
		.life = n * LIFE_PERCENT / 100,
	};
}

void ike_conn_set_volumes(struct ike_conn *c, bool leads, uint64_t bytes, uint64_t packets)
{
	c->bytes = volume_of(bytes, leads);
	c->packets = volume_of(packets, leads);
}

static void put_texts(struct ike_msg *m, const char *name, char *const *texts)
{
	ike_msg_list(m, name);
	for (size_t i = 0; texts && texts[i]; i++)
		ike_msg_list_value(m, texts[i]);
	ike_msg_list_end(m);
}

static void put_address(struct ike_msg *m, const char *name, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	ike_msg_list_one(m, name, a->family == AF_UNSPEC ? "%any" : addr_format(a, text));
}

/* charon takes a raw key as PEM (RFC 7468 section 13), which needs no decoding here. */
static void put_public_key(struct ike_msg *m, const char *key)
{
	char pem[160];
	int n = snprintf(pem, sizeof(pem),
			 "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", key);

	ike_msg_list_bytes(m, pem, n < (int)sizeof(pem) ? (size_t)n : 0);
}

static void put_public_keys(struct ike_msg *m, const char *key, const char *other)
{
	ike_msg_list(m, "pubkeys");
	put_public_key(m, key);
	if (other)
		put_public_key(m, other);
	ike_msg_list_end(m);
}

static void put_certs(struct ike_msg *m, const struct cert_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		ike_msg_list_bytes(m, list->at[i].der, list->at[i].size);
}

/* Of several in "certs" charon takes the one that it has the key of, and sends the others if they lead to its CA. */
static void put_local_certs(struct ike_msg *m, const struct ike_conn *c)
{
	if (c->auth != IKE_AUTH_CERTIFICATE || !c->local_certs)
		return;
	ike_msg_list(m, "certs");
	put_certs(m, c->local_certs);
	ike_msg_list_end(m);
}

static void put_cas(struct ike_msg *m, const struct ike_conn *c)
{
	if (c->auth != IKE_AUTH_CERTIFICATE)
		return;
	ike_msg_list(m, "cacerts");
	for (size_t i = 0; i < IKE_CAS_MAX && c->cas[i]; i++)
		put_certs(m, c->cas[i]);
	ike_msg_list_end(m);
	if (c->crl_strict)
		ike_msg_value(m, "revocation", "strict");
}

static void put_ppk(struct ike_msg *m, const struct ike_conn *c)
{
	if (!c->ppk_id)
		return;
	ike_msg_bytes(m, "ppk_id", c->ppk_id, strlen(c->ppk_id));
	ike_msg_value(m, "ppk_required", c->ppk_required ? "yes" : "no");
}

static void put_auth(struct ike_msg *m, const char *side, const struct ike_conn *c, const char *id,
		     const char *public_key, const char *other)
{
	ike_msg_section(m, side);
	switch (c->auth) {
	case IKE_AUTH_PUBLIC_KEY:
		ike_msg_value(m, "auth", "pubkey");
		break;
	case IKE_AUTH_CERTIFICATE:
		ike_msg_value(m, "auth", "pubkey");
		break;
	case IKE_AUTH_PSK:
		ike_msg_value(m, "auth", "psk");
		break;
	}
	ike_msg_bytes(m, "id", id, strlen(id));
	if (c->auth == IKE_AUTH_PUBLIC_KEY && public_key)
		put_public_keys(m, public_key, other);
	if (strcmp(side, "local") == 0)
		put_local_certs(m, c);
	else
		put_cas(m, c);
	ike_msg_section_end(m);
}

static bool same_value(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/*
 * The message's first connection has the same identity of ours. charon keeps the key it came with
 * for all that have this identity, and keeps one more copy for every further connection that brings
 * it; each load compares with all of them (5.9.8 mem_cred.c, add_cert_internal): 5000 connections
 * took 44 s with a copy each, and 7 to 11 s without.
 */
static bool has_local_key(const struct ike_msg *m, const struct ike_conn *c)
{
	size_t pos = 0, from, end, inner_from, inner_end;
	const char *name;

	if (!ike_msg_next_section(m, &pos, ike_msg_len(m), &name, &from, &end))
		return false;
	while (ike_msg_next_section(m, &from, end, &name, &inner_from, &inner_end))
		if (strcmp(name, "local") == 0)
			return same_value(ike_msg_find(m, inner_from, inner_end, "auth"),
					  "pubkey") &&
			       same_value(ike_msg_find(m, inner_from, inner_end, "id"),
					  c->local_id);
	return false;
}

static void put_volume(struct ike_msg *m, const char *unit, const struct ike_volume *v)
{
	char key[32];

	if (!v->rekey)
		return;
	snprintf(key, sizeof(key), "rekey_%s", unit);
	ike_msg_value(m, key, "%" PRIu64, v->rekey);
	snprintf(key, sizeof(key), "life_%s", unit);
	ike_msg_value(m, key, "%" PRIu64, v->life);
	snprintf(key, sizeof(key), "rand_%s", unit);
	ike_msg_value(m, key, "%" PRIu64, v->rand);
}

static void put_offload(struct ike_msg *m, enum ike_offload offload)
{
	switch (offload) {
	case IKE_OFFLOAD_NO:
		break;
	case IKE_OFFLOAD_CRYPTO:
		ike_msg_value(m, "hw_offload", "yes"); /* "crypto" is new in 5.9.10 */
		break;
	case IKE_OFFLOAD_AUTO:
		ike_msg_value(m, "hw_offload", "auto");
		break;
	}
}

static void put_child(struct ike_msg *m, const struct ike_conn *c)
{
	ike_msg_section(m, "children");
	ike_msg_section(m, IKE_CHILD);
	ike_msg_value(m, "mode", "transport");
	ike_msg_value(m, "policies",
		      "no"); /* xfrm/ has them; charon would delete them with the SA */
	ike_msg_value(m, "reqid", "%u", c->reqid);
	ike_msg_list_one(m, "local_ts", PROTOCOL_GRE);
	ike_msg_list_one(m, "remote_ts", PROTOCOL_GRE);
	put_texts(m, "esp_proposals", c->esp_proposals);
	ike_msg_value(m, "rekey_time", "%us", c->esp_rekey_time);
	ike_msg_value(m, "life_time", "%us", c->esp_life_time);
	ike_msg_value(m, "rand_time", "%us", c->esp_rand_time);
	put_volume(m, "bytes", &c->bytes);
	put_volume(m, "packets", &c->packets);
	ike_msg_value(m, "replay_window", "%u", c->replay_window);
	put_offload(m, c->offload);
	ike_msg_value(m, "start_action", "none"); /* who initiates, and when, is ours */
	ike_msg_value(m, "close_action", "none");
	ike_msg_value(m, "dpd_action", "clear");
	ike_msg_section_end(m);
	ike_msg_section_end(m);
}

void ike_conn_put(struct ike_msg *m, const struct ike_conn *c)
{
	bool certificate = c->auth == IKE_AUTH_CERTIFICATE;
	const char *local_key = !c->key_in_each && has_local_key(m, c) ? NULL : c->local_public_key;

	ike_msg_section(m, c->name);
	ike_msg_value(m, "version", "2");
	put_address(m, "local_addrs", &c->local);
	put_address(m, "remote_addrs", &c->remote);
	put_texts(m, "proposals", c->ike_proposals);
	if (c->encap)
		ike_msg_value(m, "encap", "yes");
	ike_msg_value(m, "mobike", "no"); /* it would float to port 4500 without a NAT */
	/*
	 * Not "no", which obeys INITIAL_CONTACT (RFC 7296 2.4): a charon that was killed says it, and the SAs it left in its
	 * kernel still carry; ours would go before the new ones are there. What is too much is closed by daemon/tidy.c.
	 */
	ike_msg_value(m, "unique", "never");
	ike_msg_value(m, "keyingtries", "1"); /* the back-off is ours */
	ike_msg_value(m, "childless", "allow");
	ike_msg_value(m, "fragmentation", "yes");
	ike_msg_value(m, "send_cert", certificate ? "always" : "never");
	ike_msg_value(m, "send_certreq", certificate ? "yes" : "no");
	put_ppk(m, c);
	ike_msg_value(m, "dpd_delay", "%us", c->dpd_delay);
	ike_msg_value(m, "reauth_time", "0s");
	ike_msg_value(m, "rekey_time", "%us", c->ike_rekey_time);
	/* What of a connection may differ without any effect: it is a limit that is never reached. */
	ike_msg_value(m, "over_time", "%us", c->ike_over_time + c->turn);
	ike_msg_value(m, "rand_time", "%us", c->ike_rand_time);
	put_auth(m, "local", c, c->local_id, local_key, NULL);
	put_auth(m, "remote", c, c->remote_id, c->remote_public_key, c->other_public_key);
	put_child(m, c);
	ike_msg_section_end(m);
}

/* All that ike_conn_put says of a connection, without the message, which takes ten times as long. */
struct plain {
	size_t used;
	unsigned char bytes[2048];
};

static void plain_add(struct plain *p, const void *bytes, size_t size)
{
	if (size && p->used + size <= sizeof(p->bytes))
		memcpy(p->bytes + p->used, bytes, size);
	p->used += size;
}

static void plain_text(struct plain *p, const char *text)
{
	uint32_t size = text ? (uint32_t)strlen(text) : UINT32_MAX;

	plain_add(p, &size, sizeof(size));
	plain_add(p, text, text ? size : 0);
}

static void plain_texts(struct plain *p, char *const *texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		plain_text(p, texts[i]);
	plain_text(p, NULL);
}

static void plain_address(struct plain *p, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	plain_text(p, a->family == AF_UNSPEC ? NULL : addr_format(a, text));
}

static void plain_certs(struct plain *p, const struct cert_list *list)
{
	unsigned char digest[SECRET_DIGEST_SIZE];

	for (size_t i = 0; list && i < list->len; i++) {
		secret_digest(list->at[i].der, list->at[i].size, digest);
		plain_add(p, digest, sizeof(digest));
	}
	plain_text(p, NULL);
}

static void plain_conn(struct plain *p, const struct ike_conn *c)
{
	const uint32_t numbers[] = {
		c->auth,	   c->reqid,	     c->replay_window, c->dpd_delay,
		c->ike_rekey_time, c->ike_rand_time, c->ike_over_time, c->esp_rekey_time,
		c->crl_strict,	   c->ppk_required,  c->key_in_each,   c->esp_rand_time,
		c->esp_life_time,  c->turn,	     c->encap,	       c->offload,
	};
	const uint64_t volumes[] = {
		c->bytes.rekey,	  c->bytes.rand,   c->bytes.life,
		c->packets.rekey, c->packets.rand, c->packets.life,
	};

	plain_add(p, numbers, sizeof(numbers));
	plain_add(p, volumes, sizeof(volumes));
	plain_text(p, c->name);
	plain_address(p, &c->local);
	plain_address(p, &c->remote);
	plain_text(p, c->local_id);
	plain_text(p, c->remote_id);
	plain_text(p, c->local_public_key);
	plain_text(p, c->remote_public_key);
	plain_text(p, c->other_public_key);
	plain_text(p, c->ppk_id);
	plain_certs(p, c->local_certs);
	for (size_t i = 0; i < IKE_CAS_MAX && c->cas[i]; i++)
		plain_certs(p, c->cas[i]);
	plain_texts(p, c->ike_proposals);
	plain_texts(p, c->esp_proposals);
}

static void message_digest(const struct ike_conn *c, unsigned char out[SECRET_DIGEST_SIZE])
{
	struct ike_msg *m = ike_msg_new("");

	memset(out, 0, SECRET_DIGEST_SIZE);
	if (!m)
		return;
	ike_conn_put(m, c);
	if (!ike_msg_failed(m))
		ike_msg_digest(m, out);
	ike_msg_free(m);
}

void ike_conn_digest(const struct ike_conn *c, unsigned char out[SECRET_DIGEST_SIZE])
{
	struct plain p;

	p.used = 0;
	plain_conn(&p, c);
	if (p.used <= sizeof(p.bytes))
		secret_digest(p.bytes, p.used, out);
	else
		message_digest(c, out);
}

void ike_conn_digest_terms(const struct ike_conn *c, unsigned char out[SECRET_DIGEST_SIZE])
{
	struct ike_conn terms = *c;

	terms.local_public_key = terms.remote_public_key = terms.other_public_key = NULL;
	terms.local_certs = terms.cas[0] = NULL;
	terms.crl_strict = terms.ppk_required = terms.key_in_each = false;
	terms.ppk_id = NULL;
	terms.turn = 0;
	ike_conn_digest(&terms, out);
}

const char *ike_auth_name(enum ike_auth auth)
{
	switch (auth) {
	case IKE_AUTH_PUBLIC_KEY:
		return "public-key";
	case IKE_AUTH_PSK:
		return "psk";
	case IKE_AUTH_CERTIFICATE:
		return "certificate";
	}
	return "?";
}

/* "any" for an address that is not known. */
static const char *address_text(const struct addr *a, char *buf)
{
	return a->family == AF_UNSPEC ? "any" : addr_format(a, buf);
}

const char *ike_conn_format(const struct ike_conn *c, char *buf, size_t size)
{
	char local[ADDR_TEXT_SIZE], remote[ADDR_TEXT_SIZE];
	int n = snprintf(buf, size, "%s %s -> %s %s %s esp", address_text(&c->local, local),
			 c->local_id, address_text(&c->remote, remote), c->remote_id,
			 ike_auth_name(c->auth));

	for (size_t i = 0; c->esp_proposals && c->esp_proposals[i]; i++) {
		if (n < 0 || (size_t)n >= size)
			break;
		n += snprintf(buf + n, size - (size_t)n, "%s%s", i ? "," : " ",
			      c->esp_proposals[i]);
	}
	return buf;
}
