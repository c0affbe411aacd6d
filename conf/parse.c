/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over a document: entry function parse_document, called by conf/load.c per file. Every
 * key is looked up in conf/schema.c, which says what its value is and where it goes; conf/read.c
 * and conf/list.c read it. Precedence: built-in, then defaults, then the tunnel, each writing
 * over the one before.
 */
#include "conf/parse.h"

#include <stdlib.h>
#include <string.h>

#include "conf/list.h"
#include "conf/ospf.h"
#include "conf/read.h"
#include "conf/value.h"
#include "conf/yaml.h"

#define BUILTIN_TTL \
	64 /* what a wire's far end would see; OSPF's own TTL 1 must not be taken over */
#define BUILTIN_IKE_REKEY (4 * 3600)
#define BUILTIN_ESP_REKEY 3600
#define BUILTIN_DPD 10
#define BUILTIN_REPLAY 1024

void parse_wrong_type(struct parse *p, const char *name, struct fy_node *node, struct spot at,
		      const char *expected)
{
	struct finding *finding;

	if (yaml_is_null(node)) {
		findings_add(p->drafts->found, FINDING_ERROR, at, "%s has no value", name);
		return;
	}
	finding = findings_add(p->drafts->found, FINDING_ERROR, at, "%s: expected %s, found %s",
			       name, expected, yaml_kind(node));
	finding_hide(finding, FINDING_SHOW_TO_END);
	if (fy_node_is_alias(node))
		finding_hint(finding, "write the value out, or put it under defaults");
}

static void unknown_key(struct parse *p, const char *name, struct spot at, enum schema_place place)
{
	struct finding *finding = findings_add(p->drafts->found, FINDING_ERROR, at,
					       "unknown key \"%s\"", name);
	enum schema_place other = schema_elsewhere(place, name);
	const char *near = schema_nearest(place, name);

	finding_hide(finding, FINDING_SHOW_TO_END);
	if (other != SCHEMA_PLACES)
		finding_hint(finding, "it belongs to %s, not to %s", schema_place_name(other),
			     schema_place_name(place));
	else if (near)
		finding_hint(finding, "did you mean %s?", near);
}

static void parse_scalar(struct parse *p, const struct schema_key *key, struct fy_node *node,
			 struct spot at, const struct target *target)
{
	if (!node || yaml_is_null(node) || !fy_node_is_scalar(node) || fy_node_is_alias(node)) {
		parse_wrong_type(p, key->name, node, at, "a text");
		return;
	}
	char *text = yaml_text(p->drafts->found, node, at, key->name);
	struct value v = {.found = p->drafts->found,
			  .key = key,
			  .at = at,
			  .text = text,
			  .field = (char *)target->base + key->offset};
	if (text)
		read_scalar(&v);
	free(text);
}

/* A map without anything in it is one; what is there must be one. */
static bool is_map(struct parse *p, const char *name, struct fy_node *node, struct spot at)
{
	if (yaml_is_null(node))
		return false;
	if (fy_node_is_mapping(node))
		return true;
	parse_wrong_type(p, name, node, at, "a map");
	return false;
}

static void parse_value(struct parse *p, const struct schema_key *key, struct fy_node *node,
			struct spot at, const struct target *target)
{
	if (key->type == SCHEMA_MAP) {
		struct target inner = *target;
		inner.place = key->inner;
		if (is_map(p, key->name, node, at))
			parse_map(p, node, &inner);
	} else if (key->type == SCHEMA_TUNNEL_MAP || key->type == SCHEMA_DEFAULTS_MAP) {
		if (is_map(p, key->name, node, at))
			*(key->type == SCHEMA_TUNNEL_MAP ? &p->tunnels : &p->defaults) = node;
	} else if (key->type == SCHEMA_GRE_KEY && node && fy_node_is_mapping(node)) {
		struct target inner = *target;
		inner.place = key->inner;
		target->draft->keys_apart = true;
		parse_map(p, node, &inner);
	} else if (!list_read(p, key, node, at, target)) {
		parse_scalar(p, key, node, at, target);
	}
}

static void parse_pair(struct parse *p, struct fy_node_pair *pair, const struct target *target,
		       struct slots *seen)
{
	struct fy_node *key_node = fy_node_pair_key(pair), *node = fy_node_pair_value(pair);
	struct spot whole = {.file = p->file};
	struct spot key_at = yaml_spot(p->file, key_node, whole);
	char *name = yaml_text(p->drafts->found, key_node, key_at, "a key");

	if (!name)
		return;
	const struct schema_key *key = schema_find(target->place, name);
	if (!key) {
		unknown_key(p, name, key_at, target->place);
	} else if (slots_have(seen, key->slot)) {
		struct finding *finding = findings_add(p->drafts->found, FINDING_ERROR, key_at,
						       "duplicate key \"%s\"", name);
		finding_hint(finding, "first given");
		finding_other(finding, target->given->at[key->slot]);
		finding_hide(finding, FINDING_SHOW_TO_END);
	} else {
		struct spot at = yaml_spot(p->file, node, key_at);
		slots_add(seen, key->slot);
		slots_add(&target->given->here, key->slot);
		target->given->at[key->slot] = at;
		parse_value(p, key, node, at, target);
	}
	free(name);
}

void parse_map(struct parse *p, struct fy_node *map, const struct target *target)
{
	struct fy_node_pair *pair;
	void *iter = NULL;
	struct slots seen = {0};

	while ((pair = fy_node_mapping_iterate(map, &iter)))
		parse_pair(p, pair, target, &seen);
}

static char **list_of(const char *first, const char *second)
{
	char **list = calloc(3, sizeof(*list));

	if (!list)
		return NULL;
	list[0] = strdup(first);
	list[1] = list[0] ? strdup(second) : NULL;
	if (list[1])
		return list;
	conf_list_free(list);
	return NULL;
}

/*
 * The second of each serves peers of other makes, which rarely have x25519 (RFC 8247 section
 * 2.4).
 */
static bool builtin_proposals(struct conf_tunnel *tunnel)
{
	if (!tunnel->ike_proposals)
		tunnel->ike_proposals = list_of("aes256gcm16-prfsha384-x25519",
						"aes256-sha384-ecp384");
	if (!tunnel->esp_proposals)
		tunnel->esp_proposals = list_of("aes256gcm16-x25519", "aes256gcm16-ecp384");
	return tunnel->ike_proposals && tunnel->esp_proposals;
}

static void draft_init(struct draft *draft, const struct conf *conf)
{
	draft->tunnel = (struct conf_tunnel){
		.enabled = true,
		.protect = CONF_PROTECT_IPSEC,
		.auth = CONF_AUTH_PUBLIC_KEY,
		.local = conf->local,
		.ttl = BUILTIN_TTL,
		.mss_clamp = true,
		.ike_rekey_time = BUILTIN_IKE_REKEY,
		.ike_dpd_delay = BUILTIN_DPD,
		.esp_rekey_time = BUILTIN_ESP_REKEY,
		.esp_replay_window = BUILTIN_REPLAY,
		.ppk_required = true,
		.ospf = OSPF_BUILTIN,
		.esp_rekey_packets = CONF_PACKETS_MAX,
	};
}

/* What is wrong under defaults was said once, when they were read for themselves. */
static void defaults_apply(struct parse *p, struct draft *draft)
{
	struct target target = {&draft->tunnel, &draft->given, draft, SCHEMA_DEFAULTS};
	bool quiet = p->drafts->found->quiet;

	if (!p->defaults)
		return;
	p->drafts->found->quiet = true;
	parse_map(p, p->defaults, &target);
	p->drafts->found->quiet = quiet;
	draft->given.inherited = draft->given.here;
	draft->given.here = (struct slots){0};
}

static void defaults_check(struct parse *p)
{
	struct draft scratch = {0};
	struct target target = {&scratch.tunnel, &scratch.given, &scratch, SCHEMA_DEFAULTS};

	if (p->defaults)
		parse_map(p, p->defaults, &target);
	draft_done(&scratch);
}

static void parse_tunnel(struct parse *p, struct fy_node_pair *pair)
{
	struct findings *found = p->drafts->found;
	struct fy_node *node = fy_node_pair_value(pair);
	struct spot whole = {.file = p->file};
	struct spot at = yaml_spot(p->file, fy_node_pair_key(pair), whole);
	char *name = yaml_text(found, fy_node_pair_key(pair), at, "a tunnel's name");
	struct draft *draft = name ? vec_push(&p->drafts->list) : NULL;

	if (!draft) {
		found->failed |= name != NULL;
		free(name);
		return;
	}
	draft_init(draft, p->drafts->conf);
	draft->tunnel.name = name;
	draft->name_at = at;
	if (!value_tunnel_name(name))
		finding_hint(findings_add(found, FINDING_ERROR, at, "\"%s\" is no tunnel's name",
					  name),
			     "letters, digits, _ - and ., at most %d, not beginning with - or .",
			     VALUE_NAME_MAX);
	defaults_apply(p, draft);
	struct target target = {&draft->tunnel, &draft->given, draft, SCHEMA_TUNNEL};
	if (is_map(p, name, node, at))
		parse_map(p, node, &target);
	else
		draft->left_out = !yaml_is_null(node);
	draft->tunnel.has_gre_key = given_here(&draft->given, SLOT_GRE_KEY);
	if (!draft->keys_apart)
		draft->tunnel.gre_key_in = draft->tunnel.gre_key_out;
	if (!builtin_proposals(&draft->tunnel))
		found->failed = true;
}

void parse_document(struct parse *p, struct fy_node *root, enum schema_place place)
{
	struct given part = {0};
	struct target target = {p->drafts->conf, place == SCHEMA_TOP ? &p->drafts->global : &part,
				NULL, place};
	struct fy_node_pair *pair;
	void *iter = NULL;

	p->tunnels = NULL;
	parse_map(p, root, &target);
	if (place == SCHEMA_TOP)
		defaults_check(p);
	while (p->tunnels && (pair = fy_node_mapping_iterate(p->tunnels, &iter)))
		parse_tunnel(p, pair);
}
