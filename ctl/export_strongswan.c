/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl export --for strongswan: swanctl.conf(5) of the other side, with charon's own policies. Entry function export_strongswan.
 * Neighbour: ctl/export.c. start_action=trap keeps policies in the kernel while there is no SA; where
 * we do not call (remote: any) it begins by itself too. Pure.
 */
#include "ctl/export.h"

#include <inttypes.h>
#include <string.h>

static void put_list(struct text *out, unsigned tabs, const char *key, char *const *words)
{
	text_add(out, "%.*s%s = ", (int)tabs, "\t\t\t\t", key);
	for (size_t i = 0; words && words[i]; i++)
		text_add(out, "%s%s", i ? ", " : "", words[i]);
	text_add(out, "\n");
}

static void put_pubkey(struct text *out, const char *name, const char *key)
{
	text_add(out,
		 "cat >/etc/swanctl/pubkey/%s.pem <<'END'\n"
		 "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\nEND\n",
		 name, key);
}

/* The other side's private key is its own: it has it in /etc/swanctl/pkcs8, or makes it. */
static void put_keys(struct text *out, struct export *e)
{
	if (!e->public_key[0])
		export_missing(e, EXPORT_PUBLIC_KEY, "what \"gwctl pubkey\" prints here");
	text_add(out, "\n# Public keys. The private one belongs into /etc/swanctl/pkcs8 there.\n");
	put_pubkey(out, e->name, e->public_key[0] ? e->public_key : EXPORT_PUBLIC_KEY);
	text_add(out, "# If it has none yet: openssl genpkey -algorithm ed25519 -out "
		      "/etc/swanctl/pkcs8/gwd.pem,\n"
		      "# and \"openssl pkey -pubout\" of it tells peer.public-key.\n");
	put_pubkey(out, "gwd-own", e->tunnel->peer_public_key);
}

/* swanctl loads a private key from its own folders only, certificates by path too. */
static void put_certificate_key(struct text *out, struct export *e)
{
	text_add(out,
		 "\n# The key of the certificate.\n"
		 "cp " EXPORT_CERTIFICATE_KEY " /etc/swanctl/private/gwd-%s.pem\n",
		 e->name);
	export_missing_certificates(e, "");
}

static void put_side(struct text *out, const struct export *e, const char *side, const char *id,
		     const char *key, const char *certificates)
{
	text_add(out, "\t\t%s {\n\t\t\tauth = %s\n\t\t\tid = \"%s\"\n", side,
		 e->tunnel->auth == CONF_AUTH_PSK ? "psk" : "pubkey", id);
	switch (e->tunnel->auth) {
	case CONF_AUTH_PUBLIC_KEY:
		text_add(out, "\t\t\tpubkeys = %s.pem\n", key);
		break;
	case CONF_AUTH_CERTIFICATE:
		text_add(out, "\t\t\t%s\n", certificates);
		break;
	case CONF_AUTH_PSK:
		break;
	}
	text_add(out, "\t\t}\n");
}

/* The rand is taken off: renewal is between rekey_time - rand_time and rekey_time, and so of bytes and packets. */
static void put_renewal(struct text *out, const char *what, const char *unit,
			struct export_renewal r)
{
	text_add(out,
		 "\t\t\t\trekey_%s = %" PRIu64 "%s\n\t\t\t\trand_%s = %" PRIu64
		 "%s\n\t\t\t\tlife_%s = %" PRIu64 "%s\n",
		 what, r.to, unit, what, r.to - r.from, unit, what, r.end, unit);
}

static void put_child(struct text *out, const struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;

	text_add(out,
		 "\t\tchildren {\n\t\t\tgre {\n"
		 "\t\t\t\tmode = transport\n"
		 "\t\t\t\tlocal_ts = dynamic[gre]\n"
		 "\t\t\t\tremote_ts = dynamic[gre]\n"
		 "\t\t\t\tstart_action = %s\n",
		 t->remote.kind == CONF_REMOTE_ANY ? "trap|start" : "trap");
	put_list(out, 4, "esp_proposals", t->esp_proposals);
	put_renewal(out, "time", "s", export_renewal(e, t->esp_rekey_time));
	if (t->esp_rekey_bytes)
		put_renewal(out, "bytes", "", export_renewal(e, t->esp_rekey_bytes));
	if (t->esp_rekey_packets != CONF_PACKETS_MAX)
		put_renewal(out, "packets", "", export_renewal(e, t->esp_rekey_packets));
	text_add(out, "\t\t\t\treplay_window = %u\n\t\t\t}\n\t\t}\n", t->esp_replay_window);
}

static void put_conn(struct text *out, const struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;
	struct export_renewal ike = export_renewal(e, t->ike_rekey_time);

	text_add(out,
		 "connections {\n\t%s {\n\t\tversion = 2\n"
		 "\t\tlocal_addrs = %s\n\t\tremote_addrs = %s\n\t\tmobike = no\n",
		 e->name, e->local, e->remote);
	if (t->ike_encap)
		text_add(out, "\t\tencap = yes\n");
	put_list(out, 2, "proposals", t->ike_proposals);
	text_add(out,
		 "\t\trekey_time = %" PRIu64 "s\n\t\trand_time = %" PRIu64
		 "s\n\t\tover_time = %" PRIu64 "s\n\t\tdpd_delay = %us\n",
		 ike.to, ike.to - ike.from, ike.end - ike.to, t->ike_dpd_delay);
	put_side(out, e, "local", t->peer_id, "gwd-own", "certs = " EXPORT_CERTIFICATE);
	put_side(out, e, "remote", conf_tunnel_id(e->conf, e->tunnel), e->name,
		 "cacerts = " EXPORT_CA);
	put_child(out, e);
	text_add(out, "\t}\n}\n");
}

bool export_strongswan(struct text *out, struct export *e, const char **why)
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
	export_head(out, e, "strongSwan (swanctl) and Linux");
	export_guard(out, e);
	if (t->auth == CONF_AUTH_PUBLIC_KEY)
		put_keys(out, e);
	if (t->auth == CONF_AUTH_CERTIFICATE)
		put_certificate_key(out, e);
	text_add(out, "\n# IKE and ESP.\ncat >/etc/swanctl/conf.d/%s.conf <<'END'\n", e->name);
	put_conn(out, e);
	if (t->auth == CONF_AUTH_PSK) {
		text_add(out,
			 "secrets {\n\tike-%s {\n\t\tid = \"%s\"\n\t\tsecret = \"" EXPORT_PSK
			 "\"\n\t}\n}\n",
			 e->name, conf_tunnel_id(e->conf, e->tunnel));
		export_missing(e, EXPORT_PSK, "the pre-shared key");
	}
	text_add(out, "END\nswanctl --load-all\n");
	export_link(out, e);
	return true;
}
