/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl export --for libreswan: ipsec.conf(5) and ipsec.secrets(5) of the other side. Entry function export_libreswan. Neighbour:
 * ctl/export.c. Words of algorithms are those that Libreswan 4.10 takes ("ipsec algparse"); auto=ondemand keeps policies in the
 * kernel while there is no SA. Pure.
 */
#include "ctl/export.h"

#include <stdio.h>
#include <string.h>

#define PROPOSAL_SIZE 128
#define LIFE_MAX 86400u /* seconds: Libreswan takes no more */
#define FUZZ 20 /* per cent of the margin */
#define NSS "sql:/var/lib/ipsec/nss"

enum word_kind {
	WORD_CIPHER,
	WORD_INTEGRITY,
	WORD_PRF,
	WORD_GROUP,
	WORD_ESN, /* esn= says it for the connection, and takes either */
	WORD_KINDS,
};

static const struct {
	const char *ours, *theirs;
	enum word_kind kind;
} words[] = {
	{"aes128gcm16", "aes_gcm128", WORD_CIPHER},
	{"aes192gcm16", "aes_gcm192", WORD_CIPHER},
	{"aes256gcm16", "aes_gcm256", WORD_CIPHER},
	{"aes128gcm128", "aes_gcm128", WORD_CIPHER},
	{"aes192gcm128", "aes_gcm192", WORD_CIPHER},
	{"aes256gcm128", "aes_gcm256", WORD_CIPHER},
	{"chacha20poly1305", "chacha20_poly1305", WORD_CIPHER},
	{"aes", "aes128", WORD_CIPHER},
	{"aes128", "aes128", WORD_CIPHER},
	{"aes192", "aes192", WORD_CIPHER},
	{"aes256", "aes256", WORD_CIPHER},
	{"sha256", "sha2_256", WORD_INTEGRITY},
	{"sha2_256", "sha2_256", WORD_INTEGRITY},
	{"sha384", "sha2_384", WORD_INTEGRITY},
	{"sha2_384", "sha2_384", WORD_INTEGRITY},
	{"sha512", "sha2_512", WORD_INTEGRITY},
	{"sha2_512", "sha2_512", WORD_INTEGRITY},
	{"prfsha256", "sha2_256", WORD_PRF},
	{"prfsha384", "sha2_384", WORD_PRF},
	{"prfsha512", "sha2_512", WORD_PRF},
	{"x25519", "dh31", WORD_GROUP},
	{"curve25519", "dh31", WORD_GROUP},
	{"ecp256", "dh19", WORD_GROUP},
	{"ecp384", "dh20", WORD_GROUP},
	{"ecp521", "dh21", WORD_GROUP},
	{"modp2048", "dh14", WORD_GROUP},
	{"modp3072", "dh15", WORD_GROUP},
	{"modp4096", "dh16", WORD_GROUP},
	{"modp6144", "dh17", WORD_GROUP},
	{"modp8192", "dh18", WORD_GROUP},
	{"esn", "", WORD_ESN},
	{"noesn", "", WORD_ESN},
};

struct proposal {
	char kinds[WORD_KINDS][PROPOSAL_SIZE]; /* alternatives joined by + */
};

static bool word_add(struct proposal *p, const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].ours, word) != 0)
			continue;
		char *list = p->kinds[words[i].kind];
		size_t used = strlen(list);
		snprintf(list + used, PROPOSAL_SIZE - used, "%s%s", used ? "+" : "",
			 words[i].theirs);
		return true;
	}
	return false;
}

/* False when one of the words has no counterpart. */
static bool proposal_read(const char *text, struct proposal *p)
{
	char copy[PROPOSAL_SIZE], *rest = copy;

	memset(p, 0, sizeof(*p));
	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	for (char *word; (word = strsep(&rest, "-"));) {
		if (!word_add(p, word))
			return false;
	}
	return true;
}

/* Libreswan has one word for integrity and PRF. False when the two differ, which it cannot do. */
static bool proposal_hash(const struct proposal *p, const char **hash)
{
	const char *integrity = p->kinds[WORD_INTEGRITY], *prf = p->kinds[WORD_PRF];

	*hash = *integrity ? integrity : prf;
	return !*integrity || !*prf || strcmp(integrity, prf) == 0;
}

static void left_out(struct export *e, const char *key, const char *proposal, const char *why)
{
	text_add(&e->notes, "left out of %s: %s, %s\n", key, proposal, why);
}

static void put_proposal(struct text *out, const struct proposal *p, const char *hash)
{
	text_add(out, "%s", p->kinds[WORD_CIPHER]);
	if (*hash)
		text_add(out, "-%s", hash);
	if (*p->kinds[WORD_GROUP])
		text_add(out, ";%s", p->kinds[WORD_GROUP]);
}

/*
 * The line of a key; false when no proposal of the list can be said in Libreswan's words. For ESP it takes the same groups in all
 * proposals only ("more than one IKEv2 ESP DH algorithm requires unimplemented CHILD_SA INVALID_KE"): those of the first remain,
 * and are in groups.
 */
static bool put_proposals(struct text *out, struct export *e, const char *key, char *const *list,
			  char *groups)
{
	struct proposal p;
	const char *hash;
	size_t n = 0;

	for (size_t i = 0; list && list[i]; i++) {
		if (!proposal_read(list[i], &p) || !proposal_hash(&p, &hash)) {
			left_out(e, key, list[i], "which Libreswan does not know");
			continue;
		}
		if (groups && n && strcmp(groups, p.kinds[WORD_GROUP]) != 0) {
			left_out(e, key, list[i], "for Libreswan takes one key exchange in all");
			continue;
		}
		if (groups)
			strcpy(groups, p.kinds[WORD_GROUP]);
		if (n++)
			text_add(out, ",");
		else
			text_add(out, "\t%s=", key);
		put_proposal(out, &p, hash);
	}
	text_add(out, "\n");
	return n > 0;
}

/* A name is not to be resolved: '@' says so. user@domain, addresses and subjects of certificates are told by their form. */
static const char *id_mark(const char *id)
{
	struct addr a;

	return addr_parse(id, &a) || strpbrk(id, "@=") ? "" : "@";
}

static uint32_t life(uint64_t seconds)
{
	return seconds > LIFE_MAX ? LIFE_MAX : (uint32_t)seconds;
}

/*
 * Renewal begins at the life's end less the margin, which is lengthened by up to FUZZ per cent; the margin is one for both kinds of
 * SA. Libreswan renews at 65 to 75 % of our times, whoever leads: where it is asked for a new SA it sends on it before the other
 * side has it, and what it sends meanwhile is lost; where it asks nothing is.
 */
static void put_times(struct text *out, const struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;
	uint32_t margin = (uint32_t)((uint64_t)t->esp_rekey_time * 10 / FUZZ);

	text_add(out,
		 "\tikelifetime=%us\n\tsalifetime=%us\n\trekeymargin=%us\n\trekeyfuzz=%d%%\n"
		 "\treplay-window=%u\n",
		 life((uint64_t)t->ike_rekey_time * 75 / 100 + margin),
		 life((uint64_t)t->esp_rekey_time * 75 / 100 + margin), margin, FUZZ,
		 t->esp_replay_window);
}

/* Libreswan 4 renews by time alone, and takes part where we renew by volume. */
static void note_volumes(struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;

	if (t->esp_rekey_bytes || t->esp_rekey_packets != CONF_PACKETS_MAX)
		text_add(&e->notes,
			 "left out: esp.rekey-bytes and esp.rekey-packets, which Libreswan 4 "
			 "does not know: this gateway renews alone\n");
}

static void put_ends(struct text *out, const struct export *e)
{
	const char *own = e->tunnel->peer_id, *us = conf_tunnel_id(e->conf, e->tunnel);

	text_add(out,
		 "\tleft=%s\n\tleftid=\"%s%s\"\n\tleftprotoport=gre\n"
		 "\tright=%s\n\trightid=\"%s%s\"\n\trightprotoport=gre\n",
		 e->local, id_mark(own), own, e->remote, id_mark(us), us);
}

/* Where we do not call (remote: any) it has to begin; either word keeps its policies in the kernel while there is no SA. */
static const char *begins(const struct export *e)
{
	return e->tunnel->remote.kind == CONF_REMOTE_ANY ? "start" : "ondemand";
}

/* With authby= it would try RSA even where the certificate has another key; leftauth= comes from put_own_kind. */
static void put_auth(struct text *out, const struct export *e)
{
	if (e->tunnel->auth == CONF_AUTH_CERTIFICATE)
		text_add(out, "\tleftcert=gwd-%s\n\tleftsendcert=always\n\trightauth=%s\n", e->name,
			 e->certificate == CERT_KEY_RSA ? "rsasig" : "ecdsa");
	else
		text_add(out, "\tauthby=secret\n");
}

static bool put_conn(struct text *out, struct export *e, const char **why)
{
	const struct conf_tunnel *t = e->tunnel;
	char groups[PROPOSAL_SIZE] = "";

	text_add(out, "conn %s\n\ttype=transport\n", e->name);
	put_auth(out, e);
	put_ends(out, e);
	*why = "it knows none of the ike proposals";
	if (!put_proposals(out, e, "ike", t->ike_proposals, NULL))
		return false;
	*why = "it knows none of the esp proposals";
	if (!put_proposals(out, e, "esp", t->esp_proposals, groups))
		return false;
	text_add(out, "\tpfs=%s\n", *groups ? "yes" : "no");
	put_times(out, e);
	note_volumes(e);
	if (t->ike_dpd_delay)
		text_add(out, "\tdpddelay=%us\n\tdpdaction=hold\n", t->ike_dpd_delay);
	if (t->ike_encap)
		text_add(out, "\tencapsulation=yes\n");
	text_add(out, "\tauto=%s\n", begins(e));
	return true;
}

static void put_secret(struct text *out, struct export *e)
{
	const char *own = e->tunnel->peer_id, *us = conf_tunnel_id(e->conf, e->tunnel);

	text_add(out,
		 "cat >/etc/ipsec.d/%s.secrets <<'END'\n%s%s %s%s : PSK \"" EXPORT_PSK "\"\nEND\n",
		 e->name, id_mark(own), own, id_mark(us), us);
	export_missing(e, EXPORT_PSK, "the pre-shared key");
}

/*
 * A certificate that is there already would keep its nickname, and the new one get another. pk12util (NSS 3.87) takes no pipe:
 * it wants to seek.
 */
static void put_certificates(struct text *out, struct export *e)
{
	text_add(out,
		 "\n# Certificates, into the NSS database.\n"
		 "p12=$(mktemp)\ntrap 'rm -f \"$p12\"' EXIT\n"
		 "openssl pkcs12 -export -in " EXPORT_CERTIFICATE " -inkey " EXPORT_CERTIFICATE_KEY
		 " -name gwd-%s \\\n"
		 "\t-passout pass: -out \"$p12\"\n"
		 "certutil -F -d " NSS " -n gwd-%s 2>/dev/null || :\n"
		 "pk12util -i \"$p12\" -d " NSS " -W ''\n"
		 "certutil -A -d " NSS " -n gwd-%s-ca -t CT,, -i " EXPORT_CA "\n",
		 e->name, e->name, e->name);
	export_missing_certificates(e, ", RSA or ECDSA");
}

static void put_own_kind(struct text *out, const struct export *e)
{
	text_add(out,
		 "case $(openssl x509 -in " EXPORT_CERTIFICATE " -noout -text) in\n"
		 "*id-ecPublicKey*) printf '\\tleftauth=ecdsa\\n' ;;\n"
		 "*) printf '\\tleftauth=rsasig\\n' ;;\nesac >>/etc/ipsec.d/%s.conf\n",
		 e->name);
}

bool export_libreswan(struct text *out, struct export *e, const char **why)
{
	const struct conf_tunnel *t = e->tunnel;

	if (t->protect == CONF_PROTECT_NONE) {
		*why = "it is plain GRE: \"--for linux\" is what it takes";
		return false;
	}
	if (t->ppk_id) {
		*why = "a ppk is exported for gwd only";
		return false;
	}
	if (t->auth == CONF_AUTH_PUBLIC_KEY) {
		*why = "it has no Ed25519 keys; give the tunnel a psk";
		return false;
	}
	if (t->auth == CONF_AUTH_CERTIFICATE && e->certificate != CERT_KEY_RSA &&
	    e->certificate != CERT_KEY_EC) {
		*why = "it takes RSA and ECDSA only, and the gateway's certificate has neither";
		return false;
	}
	export_head(out, e, "Libreswan and Linux");
	export_guard(out, e);
	if (t->auth == CONF_AUTH_CERTIFICATE)
		put_certificates(out, e);
	text_add(out, "\n# IKE and ESP.\ncat >/etc/ipsec.d/%s.conf <<'END'\n", e->name);
	if (!put_conn(out, e, why))
		return false;
	text_add(out, "END\n");
	if (t->auth == CONF_AUTH_CERTIFICATE)
		put_own_kind(out, e);
	else
		put_secret(out, e);
	text_add(out, "ipsec auto --rereadsecrets\nipsec auto --ondemand %s\n", e->name);
	export_link(out, e);
	return true;
}
