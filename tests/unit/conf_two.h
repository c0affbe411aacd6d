/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gateway with two tunnels as conf/ would give it, for the tests of desire and plan. */
#ifndef GWD_TESTS_UNIT_CONF_TWO_H
#define GWD_TESTS_UNIT_CONF_TWO_H

#include <stdio.h>

#include "daemon/desire.h"

#define PEER_KEY "MCowBQYDK2VwAyEA4NOT4eXW2MG2Z1Pk17wlr/jmkSmMSxeW/HHk00CQ31k="
#define OWN_KEY "MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PSK_TEXT "hunter2"
#define PEM_TEXT "the private key"

struct two {
	struct conf conf;
	/* branch1: public-key, IPv4; branch2: psk, IPv6, GRE key 7 */
	struct conf_tunnel tunnels[2];
	struct desire_tunnel known[2];
	struct desire_input in;
	uint32_t reqids[2];
	struct prefix addresses[3];
	struct conf_route routes[2];
};

static char *two_ike[] = {"aes256gcm16-prfsha384-x25519", NULL};
static char *two_esp[] = {"aes256gcm16-x25519", NULL};
static char *two_cbc[] = {"aes256-sha256-x25519", NULL};
static const struct secret two_psk = {sizeof(PSK_TEXT) - 1, (unsigned char *)PSK_TEXT};
static const struct secret two_key = {sizeof(PEM_TEXT) - 1, (unsigned char *)PEM_TEXT};

static char *two_psks[] = {(char *)"/etc/gwd/branch2.psk", NULL};

static inline void two_branch1(struct two *t)
{
	struct conf_tunnel *c = &t->tunnels[0];

	*c = (struct conf_tunnel){.name = (char *)"branch1",
				  .enabled = true,
				  .interface = "branch1",
				  .mss_clamp = true,
				  .ttl = 64,
				  .addresses = t->addresses,
				  .n_addresses = 2,
				  .routes = t->routes,
				  .n_routes = 2,
				  .peer_id = (char *)"branch1.example.net",
				  .peer_public_key = PEER_KEY,
				  .ike_proposals = two_ike,
				  .ike_rekey_time = 14400,
				  .ike_dpd_delay = 30,
				  .esp_proposals = two_esp,
				  .esp_rekey_time = 3600,
				  .esp_replay_window = 128};
	addr_parse("203.0.113.7", &c->remote.addr);
	t->known[0].remote = c->remote.addr;
	addr_parse("198.51.100.1", &t->known[0].local);
}

static inline void two_branch2(struct two *t)
{
	struct conf_tunnel *c = &t->tunnels[1];

	*c = t->tunnels[0];
	c->name = (char *)"branch2";
	snprintf(c->interface, sizeof(c->interface), "gre-b2");
	c->addresses = &t->addresses[2];
	c->n_addresses = 1;
	c->routes = NULL;
	c->n_routes = 0;
	c->auth = CONF_AUTH_PSK;
	c->peer_id = (char *)"branch2.example.net";
	c->peer_public_key[0] = '\0';
	c->psks = two_psks;
	c->has_gre_key = true;
	c->gre_key_in = c->gre_key_out = 7;
	c->esp_proposals = two_cbc;
	addr_parse("2001:db8::7", &c->remote.addr);
	t->known[1].remote = c->remote.addr;
	addr_parse("2001:db8::1", &t->known[1].local);
	t->known[1].psk = &two_psk;
}

static inline void two_make(struct two *t)
{
	*t = (struct two){0};
	prefix_parse("10.255.0.1/30", &t->addresses[0]);
	prefix_parse("2001:db8:255::1/64", &t->addresses[1]);
	prefix_parse("10.255.0.5/30", &t->addresses[2]);
	prefix_parse("10.1.0.0/16", &t->routes[0].to);
	prefix_parse("2001:db8:1::/48", &t->routes[1].to);
	t->routes[0].table = 254;
	t->routes[1].table = 100;
	t->routes[1].metric = 20;
	two_branch1(t);
	two_branch2(t);
	t->conf = (struct conf){.id = (char *)"hq.example.net",
				.tunnels = t->tunnels,
				.n_tunnels = 2};
	t->in = (struct desire_input){
		.conf = &t->conf, .tunnels = t->known, .key = &two_key, .public_key = OWN_KEY};
	desire_reqids(&t->conf, t->reqids);
}

#endif
