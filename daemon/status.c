// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What gwd knows, as the status object of doc/CONTROL.md. Entries: status_json (all tunnels, from memory plus one reading of
 * counters), status_ask (one tunnel, with charon's own view of its SAs). Rendering for people is gwctl's.
 */
#include "daemon/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/proposal.h"
#include "conf/weak.h"
#include "daemon/charon.h"
#include "daemon/names.h"
#include "daemon/sas.h"
#include "lib/protocol.h"

#define STATUS_SAS_MAX 16 /* IKE_SAs of one tunnel; the newest established one is shown */
#define STATUS_WAIT_MS 900 /* for charon's view; then the answer goes without it */

/* Counters of all links, read once for a status. */
struct counters {
	struct gateway *gw;
	uint64_t (*of)[4];
};

static int take_counters(void *user, const struct gre_link *link)
{
	struct counters *c = user;
	struct tunnel *t = gateway_tunnel_by_ifname(c->gw, link->name);

	if (!t || !link->is_gre)
		return 0;
	c->of[t->index][0] = link->rx_bytes;
	c->of[t->index][1] = link->tx_bytes;
	c->of[t->index][2] = link->rx_packets;
	c->of[t->index][3] = link->tx_packets;
	return 0;
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static uint64_t age_s(uint64_t since)
{
	return (gateway_now() - since) / 1000;
}

static const char *charon_state_name(const struct gateway *gw)
{
	switch (charon_health(gw)) {
	case HEALTH_CHARON_CONNECTED:
		return "connected";
	case HEALTH_CHARON_ABSENT:
	case HEALTH_CHARON_CLOSED:
		return "not reachable";
	case HEALTH_CHARON_STALLED:
		return "does not answer";
	}
	return "unknown";
}

static json_t *gateway_json(const struct gateway *gw)
{
	int up = 0, bad = 0;
	bool any = false;
	json_t *o = json_object(), *charon = json_object();

	for (size_t i = 0; i < gw->conf->n_tunnels; i++) {
		up += gw->tunnels[i].state == HEALTH_UP;
		bad += !health_as_wanted(gw->tunnels[i].state);
		any |= gateway_tunnel_protected(&gw->tunnels[i]);
	}
	json_object_set_new(charon, "state", json_string(charon_state_name(gw)));
	json_object_set_new(charon, "since_s", json_integer((json_int_t)age_s(gw->charon_since)));
	json_object_set_new(charon, "version", text_or_null(gw->charon_version));
	json_object_set_new(charon, "reason", text_or_null(gw->charon_reason));
	json_object_set_new(o, "id", text_or_null(gw->conf->id));
	json_object_set_new(o, "version", json_string(GWD_VERSION));
	json_object_set_new(o, "config", json_string(gw->conf_path));
	json_object_set_new(o, "config_error", text_or_null(gw->conf_error));
	json_object_set_new(o, "since_s", json_integer((json_int_t)age_s(gw->started)));
	json_object_set_new(o, "charon", charon);
	json_object_set_new(o, "guard",
			    json_string(!any ? "not needed"
					: gw->guard_seen.present && gw->guard_seen.intact
						? "in place"
						: "not in place"));
	json_object_set_new(o, "nat_dropped", json_integer((json_int_t)gw->guard_seen.uncovered));
	json_object_set_new(o, "strayed", json_integer((json_int_t)gw->guard_seen.strayed));
	json_object_set_new(o, "tunnels", json_integer((json_int_t)gw->conf->n_tunnels));
	json_object_set_new(o, "up", json_integer(up));
	json_object_set_new(o, "not_as_wanted", json_integer(bad));
	return o;
}

static json_t *place(bool well)
{
	return json_string(well ? "in place" : "not in place");
}

/* Packets stopped, of the pairs of both its keys where they differ. */
static void add_stopped(const struct tunnel *t, uint32_t key, json_int_t *out, json_int_t *in)
{
	const struct guard_pair *pair = gateway_pair(t, &t->local, &t->remote, key);

	*out += pair ? (json_int_t)pair->out_dropped : 0;
	*in += pair ? (json_int_t)pair->in_dropped : 0;
}

static void add_kernel(json_t *o, const struct tunnel *t)
{
	json_int_t stopped_out = 0, stopped_in = 0;
	const char *oper = t->operstate == IF_OPER_UP	     ? "up"
			   : t->operstate == IF_OPER_DORMANT ? "dormant"
			   : t->operstate == IF_OPER_DOWN    ? "down"
							     : "unknown";
	bool ends = gateway_tunnel_ends_known(t);
	char spi[12];

	json_object_set_new(o, "link",
			    ends ? json_pack("{s:o,s:s}", "state", place(t->link_ok), "operstate",
					     oper)
				 : json_null());
	if (!gateway_tunnel_protected(t) || !ends) {
		json_object_set_new(o, "guard", json_null());
		json_object_set_new(o, "policy", json_null());
		return;
	}
	snprintf(spi, sizeof(spi), "%08x", t->pin.spi);
	add_stopped(t, t->conf->gre_key_in, &stopped_out, &stopped_in);
	if (t->conf->gre_key_out != t->conf->gre_key_in)
		add_stopped(t, t->conf->gre_key_out, &stopped_out, &stopped_in);
	json_object_set_new(o, "guard",
			    json_pack("{s:o,s:I,s:I}", "state", place(t->guard_ok), "out_dropped",
				      stopped_out, "in_dropped", stopped_in));
	json_object_set_new(o, "policy",
			    json_pack("{s:o,s:o}", "state", place(t->policies_ok), "spi",
				      t->pin.spi ? json_string(spi) : json_null()));
}

static void add_charon(json_t *o, const struct tunnel *t, const struct ike_sa *sas, size_t n)
{
	const struct ike_sa *sa = NULL;
	const struct ike_child *child = NULL;
	char in[12], out[12];

	for (size_t i = 0; i < n; i++)
		if (!sa || (sas[i].established && !sa->established))
			sa = &sas[i];
	for (size_t i = 0; sa && i < sa->n_children; i++)
		if (sa->children[i].installed)
			child = &sa->children[i];
	json_object_set_new(o, "ike", json_null());
	json_object_set_new(o, "child", json_null());
	if (!sa && t->ike_established)
		json_object_set_new(o, "ike", json_pack("{s:s}", "state", "established"));
	if (sa)
		json_object_set_new(o, "ike",
				    json_pack("{s:s,s:I,s:I,s:s,s:b,s:b,s:n}", "state",
					      sa->established ? "established" : "connecting",
					      "since_s", (json_int_t)sa->age_s, "rekey_s",
					      (json_int_t)sa->rekey_s, "proposal", sa->proposal,
					      "nat", sa->nat_local || sa->nat_remote, "ppk",
					      sa->ppk, "text"));
	if (!child)
		return;
	snprintf(in, sizeof(in), "%08x", child->spi_in);
	snprintf(out, sizeof(out), "%08x", child->spi_out);
	json_object_set_new(o, "child",
			    json_pack("{s:s,s:s,s:s,s:b,s:I,s:s,s:s}", "state", "installed", "mode",
				      child->transport ? "transport" : "tunnel", "proposal",
				      child->proposal, "encap", child->encap, "rekey_s",
				      (json_int_t)child->rekey_s, "spi_in", in, "spi_out", out));
}

static void add_mtu(json_t *o, const struct tunnel *t)
{
	struct text sum = {0};
	bool ip6_fits;
	uint32_t mtu = gateway_tunnel_mtu(t, &sum, &ip6_fits);

	json_object_set_new(o, "mtu", json_integer(mtu));
	json_object_set_new(o, "mtu_sum", text_or_null(sum.text));
	text_free(&sum);
}

static json_t *addresses_json(const struct conf_tunnel *t)
{
	json_t *list = json_array();
	char buf[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < t->n_addresses; i++)
		json_array_append_new(list, json_string(prefix_format(&t->addresses[i], buf)));
	return list;
}

/* The address in force, or what stands for it until there is one. */
static const char *remote_text(const struct tunnel *t, char buf[ADDR_TEXT_SIZE])
{
	if (t->remote.family)
		return addr_format(&t->remote, buf);
	return t->conf->remote.name ? t->conf->remote.name : "any";
}

static const char *remote_kind_name(const struct conf_remote *r)
{
	switch (r->kind) {
	case CONF_REMOTE_ADDRESS:
		return "address";
	case CONF_REMOTE_NAME:
		return "name";
	case CONF_REMOTE_ANY:
		return "any";
	}
	return "?";
}

static json_t *key_json(const struct conf_tunnel *c)
{
	if (!c->has_gre_key)
		return json_null();
	if (c->gre_key_in == c->gre_key_out)
		return json_integer(c->gre_key_in);
	return json_pack("{s:I,s:I}", "in", (json_int_t)c->gre_key_in, "out",
			 (json_int_t)c->gre_key_out);
}

/* What is not as it is by default, in the words of the configuration. */
static json_t *options_json(const struct conf_tunnel *c)
{
	const struct {
		const char *name;
		bool on;
	} options[] = {{"checksum", c->checksum},
		       {"sequence", c->sequence},
		       {"pmtudisc", c->pmtudisc},
		       {"ignore-df", c->ignore_df},
		       {"mpls", c->mpls}};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].on)
			json_array_append_new(list, json_string(options[i].name));
	return list;
}

static void add_gre(json_t *o, const struct conf_tunnel *c)
{
	json_object_set_new(o, "gre_key", key_json(c));
	json_object_set_new(o, "options", options_json(c));
	json_object_set_new(o, "device", text_or_null(c->device));
	json_object_set_new(o, "vrf", text_or_null(c->vrf));
}

static const char *start_name(enum conf_start start)
{
	switch (start) {
	case CONF_START_ALWAYS:
		return "always";
	case CONF_START_ON_TRAFFIC:
		return "on-traffic";
	case CONF_START_PASSIVE:
		return "passive";
	}
	return "always";
}

static void add_conf(json_t *o, const struct tunnel *t)
{
	const struct conf_tunnel *c = t->conf;
	bool protected = c->protect == CONF_PROTECT_IPSEC;
	char weak[PROPOSAL_WORD_SIZE];
	char local[ADDR_TEXT_SIZE], remote[ADDR_TEXT_SIZE];

	json_object_set_new(o, "name", json_string(c->name));
	json_object_set_new(o, "description", text_or_null(c->description));
	json_object_set_new(o, "enabled", json_boolean(c->enabled));
	json_object_set_new(o, "protect", json_string(protected ? "ipsec" : "none"));
	json_object_set_new(o, "peer", text_or_null(c->peer_id));
	json_object_set_new(o, "local",
			    t->local.family ? json_string(addr_format(&t->local, local))
					    : json_null());
	json_object_set_new(o, "remote", json_string(remote_text(t, remote)));
	json_object_set_new(o, "remote_kind", json_string(remote_kind_name(&c->remote)));
	json_object_set_new(o, "remote_name", names_json(t));
	json_object_set_new(o, "interface", json_string(c->interface));
	json_object_set_new(o, "addresses", addresses_json(c));
	json_object_set_new(o, "id", text_or_null(c->id));
	add_gre(o, c);
	json_object_set_new(o, "weak", text_or_null(conf_tunnel_weak(c, weak)));
	json_object_set_new(o, "start", json_string(start_name(c->start)));
	json_object_set_new(o, "auth",
			    text_or_null(protected ? ike_auth_name(gateway_tunnel_auth(t)) : NULL));
}

static json_t *tunnel_json(const struct tunnel *t, const uint64_t *counters,
			   const struct ike_sa *sas, size_t n_sas)
{
	static const char *const names[] = {"rx_bytes", "tx_bytes", "rx_packets", "tx_packets"};
	json_t *o = json_object();

	add_conf(o, t);
	json_object_set_new(o, "state", json_string(health_state_name(t->state)));
	json_object_set_new(o, "reason", text_or_null(t->reason));
	json_object_set_new(o, "since_s", json_integer((json_int_t)age_s(t->since)));
	add_mtu(o, t);
	for (size_t i = 0; i < 4; i++)
		json_object_set_new(o, names[i], json_integer((json_int_t)counters[i]));
	add_kernel(o, t);
	add_charon(o, t, sas, n_sas);
	json_object_set_new(o, "actions_failed",
			    t->failed ? json_pack("[s]", t->failed) : json_array());
	return o;
}

static void read_counters(struct gateway *gw, const struct tunnel *t, struct counters *c)
{
	struct guard_state seen = {0};
	struct gre_link link;
	char err[128];

	if (t && !gre_link_get(gw->rtnl, t->conf->interface, &link))
		take_counters(c, &link);
	if (!t)
		gre_link_dump(gw->rtnl, GRE_GROUP, take_counters, NULL, c);
	if (guard_read(gw->guard, &seen, err, sizeof(err)))
		return;
	guard_state_done(&gw->guard_seen);
	gw->guard_seen = seen;
	if (!seen.intact)
		gw->guard_dirty = true;
}

json_t *status_json(struct gateway *gw, const struct tunnel *t, const struct ike_sa *sas,
		    size_t n_sas)
{
	struct counters c = {.gw = gw, .of = calloc(gw->conf->n_tunnels + 1, sizeof(*c.of))};
	json_t *list = c.of ? json_array() : NULL;

	if (!c.of)
		return NULL;
	read_counters(gw, t, &c);
	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		if (!t || t == &gw->tunnels[i])
			json_array_append_new(list,
					      tunnel_json(&gw->tunnels[i], c.of[i], sas, n_sas));
	free(c.of);
	return json_pack("{s:o,s:o}", "gateway", gateway_json(gw), "tunnels", list);
}

int status_exit(const struct gateway *gw, const struct tunnel *t)
{
	for (size_t i = 0; i < gw->conf->n_tunnels; i++)
		if ((!t || t == &gw->tunnels[i]) && !health_as_wanted(gw->tunnels[i].state))
			return 2;
	return 0;
}

/* Client and tunnel may be gone when charon answers: both are found again. */
struct asked {
	struct gateway *gw;
	uint64_t client;
	struct event *late;
	bool answered;
	char tunnel[];
};

static void answer_asked(struct asked *a, const struct ike_sa *sas, size_t n_sas)
{
	struct control_client *c = a->answered ? NULL : control_find(a->gw, a->client);
	struct tunnel *t = gateway_tunnel_by_name(a->gw, a->tunnel);
	json_t *status = c && t ? status_json(a->gw, t, sas, n_sas) : NULL;
	json_t *charon = json_object_get(json_object_get(status, "gateway"), "charon");

	if (!sas && charon_health(a->gw) == HEALTH_CHARON_CONNECTED)
		json_object_set_new(charon, "state", json_string("does not answer"));
	if (c && t)
		control_answer(c, status_exit(a->gw, t), status, NULL);
	else if (c)
		control_answer(c, 1, NULL, "the tunnel is not configured any more");
	a->answered = true;
}

/* What charon said cannot be kept; without it the answer would say that charon is silent. */
static void answer_no_memory(struct asked *a)
{
	struct control_client *c = a->answered ? NULL : control_find(a->gw, a->client);

	if (c)
		control_answer(c, 1, NULL, strerror(ENOMEM));
	a->answered = true;
}

static void on_late(evutil_socket_t fd, short what, void *user)
{
	(void)fd, (void)what;
	answer_asked(user, NULL, 0);
}

static void on_sas(void *user, int err, const struct ike_msg *answer, struct ike_msg *const *items,
		   size_t n)
{
	struct asked *a = user;
	struct ike_sa *sas = err ? NULL : calloc(STATUS_SAS_MAX, sizeof(*sas));
	size_t n_sas = 0;

	(void)answer;
	for (size_t i = 0; sas && i < n && n_sas < STATUS_SAS_MAX; i++)
		n_sas += ike_sa_parse(items[i], &sas[n_sas]);
	if (err || sas)
		answer_asked(a, sas, n_sas);
	else
		answer_no_memory(a);
	free(sas);
	event_free(a->late);
	free(a);
}

static struct asked *asked_new(struct control_client *c, const struct tunnel *t)
{
	struct timeval tv = {.tv_usec = STATUS_WAIT_MS * 1000};
	size_t len = strlen(t->conf->name) + 1;
	struct asked *a = calloc(1, sizeof(*a) + len);

	if (!a)
		return NULL;
	a->gw = t->gw;
	a->client = control_id(c);
	memcpy(a->tunnel, t->conf->name, len);
	a->late = evtimer_new(t->gw->base, on_late, a);
	if (a->late && !evtimer_add(a->late, &tv))
		return a;
	if (a->late)
		event_free(a->late);
	free(a);
	return NULL;
}

void status_ask(struct control_client *c, struct tunnel *t)
{
	struct gateway *gw = t->gw;
	struct asked *a = NULL;
	char name[IKE_NAME_SIZE];

	if (charon_health(gw) == HEALTH_CHARON_CONNECTED && gateway_tunnel_protected(t))
		a = asked_new(c, t);
	if (a) {
		snprintf(name, sizeof(name), IKE_PREFIX "%s", t->conf->name);
		if (!charon_submit(gw, ike_req_list_sas(name), "list-sa", on_sas, a))
			return;
		event_free(a->late);
		free(a);
	}
	control_answer(c, status_exit(gw, t), status_json(gw, t, NULL, 0), NULL);
}
