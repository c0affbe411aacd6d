// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares configurations, so that a reload touches only what changed. Used by daemon/reload.c; the structs are
 * those of conf/conf.h, and a key added there must be added here.
 */
#include "conf/equal.h"

#include <string.h>

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool list_equal(char *const *a, char *const *b)
{
	size_t i = 0;

	if (!a || !b)
		return a == b;
	while (a[i] && b[i] && !strcmp(a[i], b[i]))
		i++;
	return !a[i] && !b[i];
}

static bool local_equal(const struct conf_local *a, const struct conf_local *b)
{
	return a->kind == b->kind && addr_equal(&a->addr, &b->addr) &&
	       !strcmp(a->ifname, b->ifname);
}

bool conf_remote_equal(const struct conf_remote *a, const struct conf_remote *b)
{
	return a->kind == b->kind && addr_equal(&a->addr, &b->addr) && text_equal(a->name, b->name);
}

static bool addresses_equal(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	if (a->n_addresses != b->n_addresses)
		return false;
	for (size_t i = 0; i < a->n_addresses; i++)
		if (prefix_cmp(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

static bool routes_equal(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	if (a->n_routes != b->n_routes)
		return false;
	for (size_t i = 0; i < a->n_routes; i++)
		if (prefix_cmp(&a->routes[i].to, &b->routes[i].to) ||
		    a->routes[i].metric != b->routes[i].metric ||
		    a->routes[i].table != b->routes[i].table ||
		    a->routes[i].hold != b->routes[i].hold)
			return false;
	return true;
}

static bool ike_equal(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	return a->auth == b->auth && text_equal(a->id, b->id) &&
	       text_equal(a->peer_id, b->peer_id) &&
	       !strcmp(a->peer_public_key, b->peer_public_key) &&
	       !strcmp(a->peer_other_key, b->peer_other_key) && list_equal(a->psks, b->psks) &&
	       list_equal(a->ca_files, b->ca_files) && list_equal(a->crl_files, b->crl_files) &&
	       text_equal(a->ppk_id, b->ppk_id) && text_equal(a->ppk_secret, b->ppk_secret) &&
	       a->ppk_required == b->ppk_required &&
	       list_equal(a->ike_proposals, b->ike_proposals) &&
	       a->ike_rekey_time == b->ike_rekey_time && a->ike_dpd_delay == b->ike_dpd_delay &&
	       a->ike_encap == b->ike_encap && list_equal(a->esp_proposals, b->esp_proposals) &&
	       a->esp_rekey_time == b->esp_rekey_time &&
	       a->esp_replay_window == b->esp_replay_window &&
	       a->esp_rekey_bytes == b->esp_rekey_bytes &&
	       a->esp_rekey_packets == b->esp_rekey_packets && a->offload == b->offload &&
	       a->allow_weak == b->allow_weak && a->start == b->start;
}

static bool ospf_equal(const struct conf_ospf *a, const struct conf_ospf *b)
{
	return a->enabled == b->enabled && a->bfd == b->bfd && a->passive == b->passive &&
	       a->area == b->area && a->cost == b->cost && a->hello == b->hello &&
	       a->dead == b->dead && a->key_id == b->key_id && text_equal(a->key_file, b->key_file);
}

bool conf_tunnel_same_objects(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	return !strcmp(a->interface, b->interface) && a->enabled == b->enabled &&
	       a->protect == b->protect && local_equal(&a->local, &b->local) &&
	       conf_remote_equal(&a->remote, &b->remote) && a->remote_family == b->remote_family &&
	       a->has_gre_key == b->has_gre_key && a->gre_key_in == b->gre_key_in &&
	       a->gre_key_out == b->gre_key_out && !strcmp(a->device, b->device) &&
	       !strcmp(a->vrf, b->vrf);
}

static bool options_equal(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	return a->ttl == b->ttl && a->tos == b->tos && a->mtu == b->mtu &&
	       a->mss_clamp == b->mss_clamp && a->checksum == b->checksum &&
	       a->sequence == b->sequence && a->pmtudisc == b->pmtudisc &&
	       a->ignore_df == b->ignore_df && a->mpls == b->mpls;
}

bool conf_tunnel_equal(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	return conf_tunnel_same_objects(a, b) && text_equal(a->name, b->name) &&
	       text_equal(a->description, b->description) && addresses_equal(a, b) &&
	       routes_equal(a, b) && options_equal(a, b) && ike_equal(a, b) &&
	       ospf_equal(&a->ospf, &b->ospf);
}

bool conf_gateway_equal(const struct conf *a, const struct conf *b)
{
	return text_equal(a->id, b->id) && local_equal(&a->local, &b->local) &&
	       text_equal(a->key_file, b->key_file) && text_equal(a->cert_file, b->cert_file) &&
	       text_equal(a->cert_key_file, b->cert_key_file) &&
	       text_equal(a->charon_socket, b->charon_socket);
}
