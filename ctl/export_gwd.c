/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gwctl export --for gwd: gwd.yaml(5) of the other side. Entry function export_gwd. Neighbour: ctl/export.c. Pure.
 */
#include "ctl/export.h"

#include <string.h>

#include "conf/value.h"

static void put_list(struct text *out, const char *key, char *const *words)
{
	text_add(out, "      %s: [", key);
	for (size_t i = 0; words && words[i]; i++)
		text_add(out, "%s%s", i ? ", " : "", words[i]);
	text_add(out, "]\n");
}

static void put_addresses(struct text *out, struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < t->n_addresses; i++) {
		struct prefix p = t->addresses[i];

		text_add(out, i ? ", " : "    addresses: [");
		if (export_other_host(&t->addresses[i], &p.addr)) {
			text_add(out, "\"%s\"", prefix_format(&p, text));
			continue;
		}
		text_add(out, "\"" EXPORT_ADDRESS "/%u\"", p.len);
		export_missing(e, EXPORT_ADDRESS,
			       "the other side's address in the tunnel's network");
	}
	text_add(out, t->n_addresses ? "]\n" : "");
}

static void put_peer(struct text *out, struct export *e)
{
	text_add(out, "    peer:\n      id: \"%s\"\n", conf_tunnel_id(e->conf, e->tunnel));
	switch (e->tunnel->auth) {
	case CONF_AUTH_PUBLIC_KEY:
		if (!e->public_key[0])
			export_missing(e, EXPORT_PUBLIC_KEY, "what \"gwctl pubkey\" prints here");
		text_add(out, "      public-key: %s\n",
			 e->public_key[0] ? e->public_key : EXPORT_PUBLIC_KEY);
		break;
	case CONF_AUTH_PSK:
		text_add(out, "    psk: /etc/gwd/%s.psk\n", e->name);
		text_add(&e->notes, "bring the pre-shared key there, into /etc/gwd/%s.psk\n",
			 e->name);
		break;
	case CONF_AUTH_CERTIFICATE:
		text_add(out, "    auth: certificate\n");
		break;
	}
}

static void put_ppk(struct text *out, struct export *e)
{
	text_add(out, "    ppk: {id: \"%s\", secret: /etc/gwd/%s.ppk%s}\n", e->tunnel->ppk_id,
		 e->name, e->tunnel->ppk_required ? "" : ", required: no");
	text_add(&e->notes, "bring the ppk there, into /etc/gwd/%s.ppk\n", e->name);
}

static void put_protection(struct text *out, const struct export *e)
{
	const struct conf_tunnel *t = e->tunnel;
	char volume[16];

	if (t->allow_weak)
		text_add(out, "    allow-weak: true\n");
	text_add(out, "    ike:\n");
	put_list(out, "proposals", t->ike_proposals);
	text_add(out, "      rekey-time: %us\n      dpd-delay: %us\n", t->ike_rekey_time,
		 t->ike_dpd_delay);
	if (t->ike_encap)
		text_add(out, "      encap: true\n");
	text_add(out, "    esp:\n");
	put_list(out, "proposals", t->esp_proposals);
	text_add(out, "      rekey-time: %us\n      replay-window: %u\n", t->esp_rekey_time,
		 t->esp_replay_window);
	if (t->esp_rekey_bytes)
		text_add(out, "      rekey-bytes: %s\n",
			 value_volume_format((uint32_t)(t->esp_rekey_bytes >> 10), volume));
	if (t->esp_rekey_packets != CONF_PACKETS_MAX)
		text_add(out, "      rekey-packets: %u\n", t->esp_rekey_packets);
}

/* What is in here is out there. */
static void put_options(struct text *out, const struct conf_tunnel *t)
{
	if (t->has_gre_key && t->gre_key_in == t->gre_key_out)
		text_add(out, "    gre-key: %u\n", t->gre_key_in);
	else if (t->has_gre_key)
		text_add(out, "    gre-key: {in: %u, out: %u}\n", t->gre_key_out, t->gre_key_in);
	text_add(out, "%s%s%s%s%s", t->checksum ? "    checksum: true\n" : "",
		 t->sequence ? "    sequence: true\n" : "",
		 t->pmtudisc ? "    pmtudisc: true\n" : "",
		 t->ignore_df ? "    ignore-df: true\n" : "", t->mpls ? "    mpls: true\n" : "");
	if (t->tos == 1)
		text_add(out, "    tos: inherit\n");
	else if (t->tos)
		text_add(out, "    tos: %u\n", t->tos);
}

static void put_certificates(struct text *out, struct export *e)
{
	text_add(out, "  certificate: " EXPORT_CERTIFICATE
		      "\n  certificate-key: " EXPORT_CERTIFICATE_KEY "\n  ca: " EXPORT_CA "\n");
	export_missing_certificates(e, "");
}

bool export_gwd(struct text *out, struct export *e, const char **why)
{
	const struct conf_tunnel *t = e->tunnel;
	bool plain = t->protect == CONF_PROTECT_NONE;

	(void)why;
	text_add(
		out,
		"# The other side of tunnel %s: gwd.yaml there, after what is in capitals was put in.\n",
		t->name);
	text_add(out, "gateway:\n");
	if (!plain)
		text_add(out, "  id: \"%s\"\n", t->peer_id);
	text_add(out, "  local: \"%s\"\n", e->local);
	if (!plain && t->auth == CONF_AUTH_CERTIFICATE)
		put_certificates(out, e);
	text_add(out, "tunnels:\n  %s:\n    remote: \"%s\"\n", e->name, e->remote);
	put_options(out, t);
	put_addresses(out, e);
	if (t->mtu)
		text_add(out, "    mtu: %u\n", t->mtu);
	if (plain) {
		text_add(out, "    protect: none\n");
		return true;
	}
	put_peer(out, e);
	if (t->ppk_id)
		put_ppk(out, e);
	put_protection(out, e);
	return true;
}
